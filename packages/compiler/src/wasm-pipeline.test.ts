import { randomTensor } from "@verticil/runtime-ffi";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { scriptDialects } from "./compile-context.ts";
import { compile } from "./compile.ts";
import { interpretModel } from "./interpret-model.ts";
import { wasmLayouts, wasmPipeline, type Layouts } from "./wasm-pipeline.ts";

const module = parse(
  `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((1, 8, 9, 9), "float32"), w: R.Tensor((16, 8, 3, 3), "float32"), d: R.Tensor((16, 1, 3, 3), "float32"), b: R.Tensor((16, 1, 1), "float32")) -> R.Tensor((1, 16, 4, 4), "float32"):
        with R.dataflow():
            a = R.nn.relu(R.add(R.nn.conv2d(x, w, padding=[1, 1, 1, 1]), b))
            c = R.add(a, R.nn.conv2d(a, d, padding=[1, 1, 1, 1], groups=16))
            y = R.nn.max_pool2d(c, pool_size=[2, 2], strides=[2, 2])
            R.output(y)
        return y
`,
  { dialects: scriptDialects },
);

const layouts: readonly (readonly [string, Layouts])[] = [
  ["NHWC", wasmLayouts],
  ["NCHW", {}],
  ["NCHW4c", { "relax.nn.conv2d": ["NCHW4c", "OIHW4o"] }],
  ["NCHW8c", { "relax.nn.conv2d": ["NCHW8c", "OIHW8i8o"] }],
];

test.each(layouts)("the same numbers in %s", async (_, choice) => {
  const shapes = { x: [1, 8, 9, 9], w: [16, 8, 3, 3], d: [16, 1, 3, 3], b: [16, 1, 1] };
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, randomTensor({ shape, dtype: "float32" }, i)]));
  const executable = await compile(module, { name: "layouts", pipeline: wasmPipeline(choice) });
  const model = await executable.load();
  const [[got], [expected]] = [Object.values(await model.run(inputs)), Object.values(interpretModel(module, inputs))];
  expect(got?.shape).toEqual(expected?.shape);
  Array.from(got?.data ?? [], Number).forEach((v, i) => expect(v).toBeCloseTo(Number(expected?.data[i]), 4));
  model.dispose();
});
