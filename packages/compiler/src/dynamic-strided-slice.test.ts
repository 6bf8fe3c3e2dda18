import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import { parse } from "@verticil/tvmscript";
import fc from "fast-check";
import { expect, test } from "vitest";
import { scriptDialects } from "./compile-context.ts";
import { compile } from "./compile.ts";
import { interpretModel } from "./interpret-model.ts";

const module = parse(
  `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((5, 7), "float32"), begin: R.Tensor((2,), "int64"), end: R.Tensor((2,), "int64"), strides: R.Tensor((2,), "int64")) -> R.Tensor("float32", ndim=2):
        with R.dataflow():
            y = R.dynamic_strided_slice(x, begin, end, strides)
            R.output(y)
        return y
`,
  { dialects: scriptDialects },
);

/** The indices that Python's `range(size)[begin:end:step]` gives. */
function taken(size: number, begin: number, end: number, step: number): readonly number[] {
  const limit = (v: number): number => Math.min(Math.max(v < 0 ? v + size : v, step < 0 ? -1 : 0), step < 0 ? size - 1 : size);
  const out: number[] = [];
  for (let i = limit(begin); step < 0 ? i > limit(end) : i < limit(end); i += step) out.push(i);
  return out;
}

const axis = fc.record({ begin: fc.integer({ min: -9, max: 9 }), end: fc.integer({ min: -9, max: 9 }), step: fc.integer({ min: -3, max: 3 }).filter((s) => s !== 0) });

test("slices whose bounds are values follow Python's rules, interpreted and compiled", async () => {
  const x = tensorFrom(Array.from({ length: 35 }, (_, i) => i), [5, 7], "float32");
  const executable = await compile(module, { name: "slice" });
  if (executable.kind !== "vm") throw new Error("internal: sizes are known at run time only");
  const model = await executable.load();
  await fc.assert(
    fc.asyncProperty(axis, axis, async (rows, columns) => {
      const longs = (a: number, b: number): Tensor => tensorFrom([a, b], [2], "int64");
      const inputs = { x, begin: longs(rows.begin, columns.begin), end: longs(rows.end, columns.end), strides: longs(rows.step, columns.step) };
      const [r, c] = [taken(5, rows.begin, rows.end, rows.step), taken(7, columns.begin, columns.end, columns.step)];
      const expected = { shape: [r.length, c.length], values: r.flatMap((i) => c.map((j) => 7 * i + j)) };
      const results = [...Object.values(await model.run(inputs)), ...Object.values(interpretModel(module, inputs))];
      for (const t of results) expect({ shape: [...t.shape], values: [...t.data].map(Number) }).toEqual(expected);
    }),
    { numRuns: 40, seed: 7 },
  );
  model.dispose();
});
