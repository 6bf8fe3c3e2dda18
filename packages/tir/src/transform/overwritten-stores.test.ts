import { sequential, type Pass } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { removeNoOp } from "./remove-no-op.ts";
import { simplify } from "./simplify.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";

const main = (body: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "int32"), B: T.Buffer((16,), "int32")):
${body}
`;
const dataflow = removeNoOp({ useDataflowAnalysis: true });

test("a loop goes that later loops overwrite between them", () => {
  expectPass(
    dataflow,
    main(`
    for i in range(4, 12):
        B[i] = 7
    for i in range(8):
        B[i] = i
    for i in range(8):
        B[i + 8] = i
`),
    main(`
    for i in range(8):
        B[i] = i
    for i in range(8):
        B[i + 8] = i
`),
  );
});

test("a store stays that something reads, or whose address is taken, or that is overwritten in part", () => {
  for (const after of ["A[i] = B[15 - i]", "if i < 15:\n            B[i] = 1", "T.evaluate(T.call_extern(\"int32\", \"f\", B.data))"]) {
    expectPass(dataflow, main(`
    for i in range(16):
        B[i] = i
    for i in range(16):
        ${after}
    for i in range(14):
        B[i] = 2
`));
  }
});

test("a store of what is there already goes, and only one of two equal loops", () => {
  expectPass(
    dataflow,
    main(`
    for i in range(16):
        B[i] = i * 2
    B[5] = 10
    B[6] = 13
    for i in range(16):
        A[i] = 3
    for i in range(16):
        A[i] = 3
`),
    main(`
    for i in range(16):
        B[i] = i * 2
    B[6] = 13
    for i in range(16):
        A[i] = 3
`),
  );
});

/** Random programs that store to `B`, for one seed. */
function randomProgram(seed: number): string {
  let state = seed * 2654435761 + 1;
  const pick = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const value = (v: string): string => [`${pick(3)}`, v, `${v} * 2`, `A[${v}]`, `B[${v}]`, `B[15 - ${v}] + 1`][pick(6)] ?? "0";
  const statement = (indent: string, depth: number): string => {
    const v = `i${depth}`;
    const from = pick(8);
    const inner = `${indent}    `;
    switch (pick(depth > 1 ? 2 : 5)) {
      case 0:
        return `${indent}B[${pick(16)}] = ${value(`${pick(16)}`)}\n`;
      case 1:
        return `${indent}for ${v} in range(${from}, ${from + 1 + pick(8)}):\n${inner}B[${v}] = ${value(v)}\n`;
      case 2:
        return `${indent}for ${v} in range(16):\n${inner}if ${v} ${pick(2) === 0 ? "<" : ">="} ${pick(16)}:\n${inner}    B[${v}] = ${value(v)}\n`;
      case 3:
        return `${indent}for ${v} in range(${1 + pick(4)}):\n${statement(inner, depth + 1)}${statement(inner, depth + 1)}`;
      default:
        return `${indent}for ${v}, j in T.grid(4, 4):\n${inner}B[${v} * 4 + j] = ${value(`(${v} * 4 + j)`)}\n`;
    }
  };
  return main(Array.from({ length: 3 + pick(5) }, () => statement("    ", 0)).join(""));
}

test("random programs compute what they did", () => {
  const passes: readonly Pass[] = [
    dataflow,
    simplify({ propagateKnownsToSimplifyExpressions: true }),
    sequential("both", [simplify({ propagateKnownsToProveConditional: true }), dataflow]),
  ];
  const input = tensorFrom(Array.from({ length: 16 }, (_, i) => i * i), [16], "int32");
  let changed = 0;
  for (let seed = 0; seed < 40; seed++) {
    const script = randomProgram(seed);
    const before = [...interpretOn(script, [input])];
    for (const pass of passes) {
      const after = runOn(pass, script);
      expect([...interpretOn(after, [input])], `seed ${seed}, ${pass.name}\n${script}`).toEqual(before);
    }
    if (JSON.stringify([...runOn(dataflow, script).functions.values()], plain) !== JSON.stringify([...runOn(removeNoOp(), script).functions.values()], plain)) changed++;
  }
  expect(changed).toBeGreaterThan(4);
});

function plain(key: string, value: unknown): unknown {
  return key === "span" ? undefined : typeof value === "bigint" ? String(value) : value;
}
