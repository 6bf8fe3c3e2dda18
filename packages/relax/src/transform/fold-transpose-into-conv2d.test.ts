import { describe, it } from "vitest";
import { foldTransposeIntoConv2D } from "./fold-transpose-into-conv2d.ts";
import { expectPass } from "./testing/expect-pass.ts";

interface Case {
  readonly shape: readonly number[];
  readonly channels: number;
  readonly transposes: readonly string[];
  readonly padding?: number;
  readonly image: string;
  readonly layout?: string;
}

function program({ shape, channels, transposes, padding = 1, image, layout = "NHWC" }: Case): string {
  const size = padding === 0 ? 6 : 8;
  return `
@R.function
def main(x: R.Tensor((${shape.join(", ")}), "float32"), w: R.Tensor((3, 3, ${channels}, 4), "float32")) -> R.Tensor((1, ${size}, ${size}, 4), "float32"):
    with R.dataflow():
${transposes.map((t) => `        ${t}`).join("\n")}
        y = R.nn.conv2d(${image}, w, padding=${padding}, data_layout="${layout}", kernel_layout="HWIO", out_layout="NHWC")
        R.output(y)
    return y
`;
}

const toLast = "a = R.permute_dims(x, axes=[0, 2, 3, 1])";

describe("FoldTransposeIntoConv2D", () => {
  it("reads an image of three channels as it is where it gets a border", () => {
    const c = { shape: [1, 3, 8, 8], channels: 3, transposes: [toLast] };
    expectPass(foldTransposeIntoConv2D(), program({ ...c, image: "a" }), program({ ...c, image: "x", layout: "NCHW" }));
  });

  it("skips transposes that cancel out, with any channels and borders", () => {
    const c = { shape: [1, 8, 8, 16], channels: 16, padding: 0, transposes: ["a = R.permute_dims(x, axes=[0, 3, 1, 2])", "b = R.permute_dims(a, axes=[0, 2, 3, 1])"] };
    expectPass(foldTransposeIntoConv2D(), program({ ...c, image: "b" }), program({ ...c, image: "x" }));
  });

  it.each([
    ["many channels", { shape: [1, 4, 8, 8], channels: 4, transposes: [toLast], image: "a" }],
    ["no border", { shape: [1, 3, 8, 8], channels: 3, transposes: [toLast], padding: 0, image: "a" }],
  ] satisfies readonly (readonly [string, Case])[])("leaves an image of %s", (_, c) => {
    expectPass(foldTransposeIntoConv2D(), program(c), program(c));
  });
});
