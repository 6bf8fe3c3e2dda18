import { expect, test } from "vitest";
import { scheduleOf } from "./testing/expect-schedule.ts";

/** Two blocks: `first` writes `B` at the given indices, `second` reads all of it. */
function inlineFirst(indices: string, bindings: string): () => unknown {
  const sch = scheduleOf(`
@T.prim_func
def main(A: T.Buffer((4, 4), "float32"), C: T.Buffer((4, 4), "float32")):
    B = T.alloc_buffer((4, 4))
    for i, j in T.grid(4, 4):
        with T.block("first"):
            vi, vj = T.axis.remap("SS", [${bindings}])
            T.reads(A[vi, vj])
            T.writes(B[${indices}])
            B[${indices}] = A[vi, vj]
    for i, j in T.grid(4, 4):
        with T.block("second"):
            vi, vj = T.axis.remap("SS", [i, j])
            C[vi, vj] = B[vi, vj]
`);
  return () => sch.computeInline("first");
}

test("a block whose indices are loops of their own writes the whole buffer", () => {
  expect(inlineFirst("vi, vj", "i, j")).not.toThrow();
  expect(inlineFirst("vj, vi", "i, j")).not.toThrow();
});

test("a block that writes a diagonal, or a part, does not write what the next one reads", () => {
  expect(inlineFirst("vi, vi", "i, j")).toThrow("is not a stage pipeline");
  expect(inlineFirst("vi, 0", "i, j")).toThrow("is not a stage pipeline");
});

test("a block that is bound to one loop twice writes a diagonal", () => {
  expect(inlineFirst("vi, vj", "i, i")).toThrow("is not a stage pipeline");
});
