import { it } from "vitest";
import { expectRefused, expectSchedule, loopAt } from "../testing/expect-schedule.ts";
import { chain, matmul } from "../testing/programs.ts";

it("splits a loop evenly, one factor left open", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.split(loopAt(sch, "C", 1), [undefined, 4]);
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i, j_0, j_1 in T.grid(8, 3, 4):
        with T.block("C"):
            vi = T.axis.spatial(8, i)
            vj = T.axis.spatial(12, j_0 * 4 + j_1)
            T.reads(B[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj] + T.float32(1.0)
`,
  );
});

it("guards what a factor that does not divide adds", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.split(loopAt(sch, "C", 1), [undefined, 5]);
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i, j_0, j_1 in T.grid(8, 3, 5):
        with T.block("C"):
            vi = T.axis.spatial(8, i)
            vj = T.axis.spatial(12, j_0 * 5 + j_1)
            T.where(j_0 * 5 + j_1 < 12)
            T.reads(B[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj] + T.float32(1.0)
`,
  );
});

it("keeps loops of one iteration out of the bindings on request", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.split(loopAt(sch, "C", 0), [1, 8], { preserveUnitIters: false });
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i_0, i_1, j in T.grid(1, 8, 12):
        with T.block("C"):
            vi, vj = T.axis.remap("SS", [i_1, j])
            T.reads(B[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj] + T.float32(1.0)
`,
  );
});

it("trusts the caller where the predicate is switched off", () => {
  expectSchedule(
    chain,
    (sch) => {
      sch.split(loopAt(sch, "C", 1), [3, 4], { disablePredication: true });
    },
    `
@T.prim_func
def main(A: T.Buffer((8, 12), "float32"), C: T.Buffer((8, 12), "float32")):
    # with T.block("root"):
    B = T.alloc_buffer((8, 12))
    for i, j in T.grid(8, 12):
        with T.block("B"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(A[vi, vj])
            T.writes(B[vi, vj])
            B[vi, vj] = A[vi, vj] * T.float32(2.0)
    for i, j_0, j_1 in T.grid(8, 3, 4):
        with T.block("C"):
            vi = T.axis.spatial(8, i)
            vj = T.axis.spatial(12, j_0 * 4 + j_1)
            T.reads(B[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = B[vi, vj] + T.float32(1.0)
`,
  );
});

it("refuses two open factors", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.split(loopAt(sch, "C", 1), [undefined, undefined, 2]);
    },
    "more than one factor is left open",
  );
});

it("refuses factors whose product is below the extent", () => {
  expectRefused(
    chain,
    (sch) => {
      sch.split(loopAt(sch, "C", 1), [2, 5]);
    },
    "the product of the factors is not known to reach the extent of loop `j`",
  );
});

it("refuses a factor of 0", () => {
  expectRefused(
    matmul,
    (sch) => {
      const [i] = sch.getLoops("C");
      sch.split(i!, [0, 2]);
    },
    "a factor is 0",
  );
});
