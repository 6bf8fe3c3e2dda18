import { describe, it } from "vitest";
import { splitConcat } from "./split-concat.ts";
import { expectPass } from "./testing/expect-pass.ts";

const program = (body: string): string => `
@R.function
def main(a: R.Tensor((1, 2), "float32"), b: R.Tensor((2, 2), "float32"), c: R.Tensor((3, 2), "float32"), d: R.Tensor((4, 2), "float32")) -> R.Tensor((10, 2), "float32"):
    with R.dataflow():
${body}
        R.output(y)
    return y
`;

const whole = program("        y = R.concat((a, b, c, d), axis=0)");

describe("SplitConcat", () => {
  it("joins in steps where a kernel may bind four buffers", () =>
    expectPass(
      splitConcat(),
      whole,
      program(["        part = R.concat((a, b, c), axis=0)", "        y = R.concat((part, d), axis=0)"].join("\n")),
      { kind: "webgpu", features: [], limits: { maxStorageBuffersPerShaderStage: 4 } },
    ));

  it("leaves what fits, and targets without the limit", () => {
    expectPass(splitConcat(), whole, whole, { kind: "webgpu", features: [], limits: { maxStorageBuffersPerShaderStage: 5 } });
    expectPass(splitConcat(), whole, whole);
  });
});
