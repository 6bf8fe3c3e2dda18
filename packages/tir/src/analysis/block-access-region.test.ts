import { expect, test } from "vitest";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { Var } from "../ir/expr.ts";
import type { Block, PrimFunc } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { moduleOf } from "../transform/testing/expect-pass.ts";
import { exprText } from "../arith/testing/evaluate-expr.ts";
import { getBlockAccessRegion } from "./block-access-region.ts";

const text = (regions: readonly BufferRegion[]): readonly string[] =>
  regions.map((r) => `${r.buffer.name}[${r.region.map((d) => (d.extent.kind === "ir.IntImm" && d.extent.value === 1 ? exprText(d.min) : `${exprText(d.min)} +${exprText(d.extent)}`)).join(", ")}]`);

/** What is found of the block named `name`, whatever the script says of it. */
function regionsOf(script: string, name = "block"): { readonly reads: readonly string[]; readonly writes: readonly string[]; readonly opaque: readonly string[] } {
  const func = [...moduleOf(script).functions.values()][0] as PrimFunc;
  let block: Block | undefined;
  const pointers = new Map<Var, Buffer>([...func.bufferMap.values()].map((b) => [b.data, b]));
  visitStmt(func.body, { stmt: (s) => void (s.kind === "tir.Block" && s.name === name && (block = s)) });
  if (block === undefined) throw new Error(`There is no block ${name}.`);
  const found = getBlockAccessRegion(block, pointers);
  return { reads: text(found.reads), writes: text(found.writes), opaque: text(found.opaque) };
}

const program = (lines: readonly string[]): string => `
@T.prim_func
def main(A: T.Buffer((128, 128), "float32"), B: T.Buffer((128, 128), "float32"), I: T.Buffer((128,), "int32")):
    for i, j in T.grid(32, 32):
        with T.block("block"):
            vi, vj = T.axis.remap("SS", [i, j])
${lines.map((l) => `            ${l}`).join("\n")}
`;

test("an access at variables of the block is of one element", () => {
  expect(regionsOf(program(["B[vi, vj] = A[vj, vi + 1]"]))).toEqual({ reads: ["A[vj, (vi + 1)]"], writes: ["B[vi, vj]"], opaque: [] });
});

test("loops inside are ranged over, and accesses of one buffer are joined", () => {
  const found = regionsOf(program(["for k in range(4):", "    B[vi * 4 + k, vj] = A[vi, k] + A[vi + 2, 8]"]));
  expect(found.writes).toEqual(["B[(vi * 4) +4, vj]"]);
  expect(found.reads).toEqual(["A[vi +3, 0 +9]"]);
});

test("an init makes reads of what is written no reads", () => {
  const lines = ["with T.init():", "    B[vi, vj] = T.float32(0)", "B[vi, vj] = B[vi, vj] + A[vi, vj]"];
  expect(regionsOf(program(lines)).reads).toEqual(["A[vi, vj]"]);
  expect(regionsOf(program(["B[vi, vj] = B[vi, vj] + A[vi, vj]"])).reads).toEqual(["B[vi, vj]", "A[vi, vj]"]);
});

test("an index that is read is where it reads, and beyond loops anywhere", () => {
  expect(regionsOf(program(["B[vi, vj] = A[I[vi], vj]"])).reads).toEqual(["A[tir.BufferLoad, vj]", "I[vi]"]);
  expect(regionsOf(program(["for k in range(4):", "    B[vi, vj] = A[I[k], vj]"])).reads).toEqual(["A[0 +128, vj]", "I[0 +4]"]);
});

test("a let stands for its value", () => {
  expect(regionsOf(program(["for k in range(4):", "    x: T.int32 = vi + k", "    B[x, vj] = A[x, vj]"]))).toEqual({ reads: ["A[vi +4, vj]"], writes: ["B[vi +4, vj]"], opaque: [] });
});

test("a matched buffer stands for the region it is matched to", () => {
  const lines = ["C = T.match_buffer(A[vi * 4:vi * 4 + 4, vj * 4:vj * 4 + 4], (4, 4), offset_factor=1)", "for x, y in T.grid(4, 4):", "    B[vi * 4 + x, vj] = C[x, y]"];
  expect(regionsOf(program(lines)).reads).toEqual(["A[(vi * 4) +4, (vj * 4) +4]"]);
});

test("what is reached through a pointer may be all of a buffer, read or written", () => {
  expect(regionsOf(program(["T.reads()", "T.writes()", 'T.evaluate(T.call_extern("int32", "f", A.data))'])).opaque).toEqual(["A[0 +128, 0 +128]"]);
  expect(regionsOf(program(["T.reads()", "T.writes()", 'T.evaluate(T.call_extern("int32", "f", T.address_of(A[vi, vj])))'])).opaque).toEqual(["A[0 +128, 0 +128]"]);
});

test("a block inside counts with what it declares, in terms of what is around it", () => {
  const lines = ["for k in range(2):", '    with T.block("inner"):', "        vk = T.axis.spatial(2, k)", "        T.reads(A[vi * 2 + vk, 0:8])", "        T.writes(B[vi * 2 + vk, vj])", "        B[vi * 2 + vk, vj] = A[vi * 2 + vk, 3]"];
  expect(regionsOf(program(lines))).toEqual({ reads: ["A[(vi * 2) +2, 0 +8]"], writes: ["B[(vi * 2) +2, vj]"], opaque: [] });
});

test("a buffer that the block allocates is not seen outside", () => {
  const lines = ['C = T.alloc_buffer((4,), "float32")', "C[0] = A[vi, vj]", "B[vi, vj] = C[0]"];
  expect(regionsOf(program(lines))).toEqual({ reads: ["A[vi, vj]"], writes: ["B[vi, vj]"], opaque: [] });
});
