import { expect, test } from "vitest";
import type { Stmt } from "../ir/stmt.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { mergeSharedMemoryAllocations } from "./merge-shared-memory-allocations.ts";
import { runOn, expectPass } from "./testing/expect-pass.ts";

/** Two buffers that are never alive together, and one that outlives both. */
const kernel = `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    d0 = T.allocate([8], "float32", "shared.dyn")
    d1 = T.allocate([8], "float32", "shared.dyn")
    d2 = T.allocate([4], "int32", "shared.dyn")
    S0 = T.Buffer((8,), data=d0, scope="shared.dyn")
    S1 = T.Buffer((8,), data=d1, scope="shared.dyn")
    S2 = T.Buffer((4,), "int32", data=d2, scope="shared.dyn")
    S2[t % 4] = 3
    S0[t] = A[t]
    B[t] = S0[t]
    S1[t] = B[t] + T.float32(1)
    B[t] = S1[t] * T.Cast("float32", S2[t % 4])
`;

function allocations(body: Stmt): readonly string[] {
  const out: string[] = [];
  visitStmt(body, { stmt: (s) => void (s.kind === "tir.Allocate" && out.push(`${s.dtype}[${s.extents.map((e) => ("value" in e ? String(e.value) : "?")).join()}]`)) });
  return out;
}

test("one allocation holds all, and what is not alive at the same time shares its place", () => {
  const merged = [...runOn(mergeSharedMemoryAllocations(), kernel).functions.values()][0] as PrimFunc;
  expect(allocations(merged.body)).toEqual(["uint8[48]"]);
});

test("accesses are shifted to the place of their buffer, in its elements", () => {
  expectPass(
    mergeSharedMemoryAllocations(),
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    d0 = T.allocate([3], "int8", "shared.dyn")
    d1 = T.allocate([8], "float32", "shared.dyn")
    S0 = T.Buffer((3,), "int8", data=d0, scope="shared.dyn")
    S1 = T.Buffer((8,), data=d1, scope="shared.dyn")
    S0[t % 3] = T.int8(1)
    S1[t] = A[t]
    A[t] = S1[t] + T.Cast("float32", S0[t % 3])
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    memory = T.allocate([36], "uint8", "shared.dyn")
    S0 = T.Buffer((3,), "int8", data=memory, scope="shared.dyn")
    S1 = T.Buffer((8,), data=memory, scope="shared.dyn")
    S0[t % 3 + 32] = T.int8(1)
    S1[t] = A[t]
    A[t] = S1[t] + T.Cast("float32", S0[t % 3 + 32])
`,
  );
});

test("static shared memory is left alone unless asked for, and so is a single allocation", () => {
  expectPass(mergeSharedMemoryAllocations(), kernel.replaceAll("shared.dyn", "shared"));
  const merged = [...runOn(mergeSharedMemoryAllocations({ mergeStatic: true }), kernel.replaceAll("shared.dyn", "shared")).functions.values()][0] as PrimFunc;
  expect(allocations(merged.body)).toEqual(["uint8[48]"]);
});
