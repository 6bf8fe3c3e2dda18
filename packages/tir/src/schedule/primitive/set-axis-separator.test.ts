import { expect, it } from "vitest";
import { axisSeparator } from "../index-function.ts";
import { expectRefused, expectSchedule, scheduleOf } from "../testing/expect-schedule.ts";
import { chain } from "../testing/programs.ts";

it("groups the axes of an intermediate result", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.setAxisSeparator("B", ["write", 0], [1]);
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12), axis_separators=[1])
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(B[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj] + T.float32(1.0)
`,
  );
});

it("refuses a separator beyond the axes", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.setAxisSeparator("B", ["write", 0], [5]);
    },
    "the axis separator 5 is not between 0 and 2",
  );
});

it("groups the axes of parts that match the buffer too, also by a layout that changes nothing else", () => {
  const parts = `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    B = T.alloc_buffer((8, 12))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            part = T.match_buffer(B[vi, vj], (), offset_factor=1)
            part[()] = A[vi, vj] * T.float32(2)
    for i, j in T.grid(8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i, j])
            C[vi, vj] = B[vi, vj] + T.float32(1)
`;
  const [plain, mapped] = [scheduleOf(parts), scheduleOf(parts)];
  plain.setAxisSeparator("B", "B", [1]);
  mapped.transformLayout("B", "B", (i, j) => [i, axisSeparator, j]);
  expect(mapped.show()).toBe(plain.show());
  expect(plain.show()).toContain("axis_separators=[0]");
  expectRefused(parts, (sch) => sch.transformLayout("B", "B", (i, j) => [j, i]), "a part of `B` is matched by another buffer");
});
