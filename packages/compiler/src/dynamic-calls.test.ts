// Each operator with a size that is only known when it runs gives what it gives where the size was known.
import type { IRModule } from "@verticil/ir-core";
import { legalizeTable } from "@verticil/relax";
import { elementCount, tensorFrom, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { scriptDialects } from "./compile-context.ts";
import { compile } from "./compile.ts";
import { interpretModel } from "./interpret-model.ts";
import { dynamicCalls, type DynamicCall } from "./testing/dynamic-calls.ts";

const N = 3;

interface Input {
  readonly dims: readonly string[];
  readonly dtype: ScalarDType;
}

interface Program {
  readonly inputs: readonly Input[];
  readonly text: string;
}

/** One program of several calls; `n` is a variable, or the number. */
function programOf(calls: readonly DynamicCall[], n: "n" | number): Program {
  const inputs: Input[] = [];
  const lines: string[] = [];
  const results: string[] = [];
  calls.forEach(({ text, fields }, i) => {
    // `nn.` is a name, and no size.
    const call = text.replace(/<([^<>]*?)(?:: (\w+))?>/g, (_, dims: string, dtype: string | undefined) => {
      inputs.push({ dims: dims === "" ? [] : dims.split(", "), dtype: (dtype ?? "float32") as ScalarDType });
      return `x${inputs.length - 1}`;
    });
    lines.push(`y${i} = ${call.replace(/\bn\b/g, String(n))}`);
    if (fields === undefined) results.push(`y${i}`);
    for (let k = 0; k < (fields ?? 0); k++) {
      lines.push(`y${i}_${k} = y${i}[${k}]`);
      results.push(`y${i}_${k}`);
    }
  });
  const dim = (d: string): string => (n === "n" ? (/n/.test(d) ? `"${d}"` : d) : String(sizeOf(d)));
  const params = inputs.map(({ dims, dtype }, i) => `x${i}: R.Tensor((${dims.map((d) => `${dim(d)}, `).join("")}), "${dtype}")`);
  const size = n === "n" ? ["n = T.int64()"] : [];
  const body = [...size, ...lines, `out = (${results.map((r) => `${r}, `).join("")})`, "return out"].map((l) => `        ${l}`);
  return { inputs, text: `@I.ir_module\nclass Module:\n    @R.function\n    def main(${params.join(", ")}):\n${body.join("\n")}\n` };
}

const sizeOf = (dim: string): number => dim.split(" * ").reduce((product, d) => product * (d === "n" ? N : Number(d)), 1);

const read = (program: Program): IRModule => parse(program.text, { dialects: scriptDialects });

/** Values that all operators take: floating point between 0 and 1, integers that are positions of anything. */
function valueOf({ dims, dtype }: Input, seed: number): Tensor {
  const shape = dims.map(sizeOf);
  const value = (i: number): number => (dtype === "bool" ? (i * 5 + seed) % 2 : dtype.startsWith("int") ? (i + seed) % 2 : 0.05 + ((i * 37 + seed * 11) % 89) / 100);
  return tensorFrom(Array.from({ length: elementCount(shape) }, (_, i) => value(i)), shape, dtype);
}

const numbers = (t: Tensor): readonly number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);

function expectClose(actual: readonly Tensor[], expected: readonly Tensor[], names: readonly string[]): void {
  actual.forEach((t, i) => {
    const want = expected[i];
    expect([names[i], t.dtype, ...t.shape]).toEqual([names[i], want?.dtype, ...(want?.shape ?? [])]);
    const [own, other] = [numbers(t), want === undefined ? [] : numbers(want)];
    const worst = own.reduce((most, v, k) => Math.max(most, Object.is(v, other[k]) ? 0 : Math.abs(v - (other[k] ?? NaN)) / (1 + Math.abs(v))), 0);
    expect([names[i], worst < 1e-5]).toEqual([names[i], true]);
  });
}

test.each(Object.entries(dynamicCalls))("%s: interpreted and compiled", { timeout: 240_000 }, async (_, calls) => {
  const known = programOf(calls, N);
  const open = programOf(calls, "n");
  const values = open.inputs.map(valueOf);
  const inputs = Object.fromEntries(values.map((t, i) => [`x${i}`, t]));
  const names = calls.flatMap((c) => (c.fields === undefined ? [c.op] : Array.from({ length: c.fields }, (_unused, k) => `${c.op}[${k}]`)));
  const expected = Object.values(interpretModel(read(known), inputs));
  expect(expected).toHaveLength(names.length);
  expectClose(Object.values(interpretModel(read(open), inputs)), expected, names);
  const executable = await compile(read(open), { name: "open" });
  const model = await executable.load();
  expectClose(Object.values(await model.run(inputs)), expected, names);
  model.dispose();
});

/** Operators that become tensor programs and are not called above, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  dynamic_strided_slice: "its bounds are values: dynamic-strided-slice.test.ts",
  "nn.attention_var_len": "its lengths are values: search-rules.test.ts",
  multinomial_from_uniform: "its choices are values: system-rules.test.ts",
  ...Object.fromEntries(["allreduce", "allgather", "broadcast_from_worker0", "scatter_from_worker0"].map((name) => [`ccl.${name}`, "a call of the runtime on several devices"])),
  ...Object.fromEntries(["shape_i", "ndim", "dtype_bits", "dtype_lanes", "dtype_code"].map((name) => [`inspect.tensor_${name}`, "gives a number, which no model has as its result"])),
};

test("no operator that becomes a tensor program is left out", () => {
  const called = new Set(Object.values(dynamicCalls).flat().map((c) => `relax.${c.op}`));
  expect([...legalizeTable.keys()].filter((op) => !called.has(op) && elsewhere[op.replace("relax.", "")] === undefined)).toEqual([]);
});
