import { expect, it } from "vitest";
import { Schedule } from "./schedule.ts";
import { ScheduleError } from "./schedule-error.ts";
import { expectRefused, loopAt, moduleOf, scheduleOf } from "./testing/expect-schedule.ts";
import { chain, fan, matmul } from "./testing/programs.ts";

const two = `
@I.ir_module
class Module:
    @T.prim_func
    def first(A: T.Buffer((4,), "float32")):
        for i in range(4):
            with T.block("a"):
                v = T.axis.spatial(4, i)
                A[v] = T.float32(1)

    @T.prim_func
    def second(A: T.Buffer((4,), "float32")):
        for i in range(4):
            with T.block("b"):
                v = T.axis.spatial(4, i)
                A[v] = T.float32(2)
`;

function names(sch: Schedule, blocks: ReturnType<Schedule["getProducers"]>): readonly string[] {
  return blocks.map((b) => sch.get(b).block.name);
}

it("finds blocks, the loops around them, and the blocks they depend on", () => {
  const sch = scheduleOf(fan);
  expect(names(sch, sch.getConsumers("B"))).toEqual(["C", "D"]);
  expect(names(sch, sch.getProducers("D"))).toEqual(["B"]);
  expect(names(sch, sch.getChildBlocks("root"))).toEqual(["B", "C", "D"]);
  expect(names(sch, sch.getOutputBlocks("root"))).toEqual(["C", "D"]);
  expect(sch.getLoops("B").map((l) => sch.get(l).loopVar.name)).toEqual(["i"]);
});

it("refuses a name that no block or several have, and lists those there are", () => {
  expectRefused(fan, (sch) => void sch.getBlock("E"), "there are 0 blocks named `E` in `main`, which has `root`, `B`, `C`, `D`");
});

it("works on the function it is told to", () => {
  const sch = scheduleOf(two);
  expect(() => sch.getBlock("a")).toThrow(ScheduleError);
  sch.workOn("first");
  sch.vectorize(loopAt(sch, "a", 0));
  sch.workOn("second");
  sch.parallel(loopAt(sch, "b", 0));
  expect(sch.show()).toContain("T.vectorized(4)");
  expect(sch.show()).toContain("T.parallel(4)");
  expect(() => sch.workOn("third")).toThrow(/third/);
});

it("keeps random variables good through rewrites, and drops those of what is gone", () => {
  const sch = scheduleOf(chain);
  const c = sch.getBlock("C");
  const [i] = sch.getLoops(c);
  sch.computeInline("B");
  sch.split(loopAt(sch, c, 1), [undefined, 4]);
  expect(sch.get(c).block.name).toBe("C");
  expect(sch.get(i!).loopVar.name).toBe("i");
  sch.fuse(sch.getLoops(c).slice(0, 2));
  expect(() => sch.get(i!)).toThrow(ScheduleError);
});

it("a copy goes its own way", () => {
  const sch = scheduleOf(matmul);
  const [i] = sch.getLoops("C");
  const other = sch.copy();
  other.parallel(i!);
  expect(other.show()).toContain("T.parallel(4)");
  expect(sch.show()).not.toContain("T.parallel");
  expect(other.trace.insts).toHaveLength(sch.trace.insts.length + 1);
});

it("takes any seed that is not negative", () => {
  const sch = scheduleOf(matmul);
  sch.seed(42);
  expect(sch.forkSeed()).toBeGreaterThan(0);
  expect(() => sch.seed(-1)).toThrow(ScheduleError);
});

it("shows the program with the offending block underlined, and the way out", () => {
  const error = expectRefused(matmul, (sch) => void sch.computeInline("C"), "block `C` has an init");
  expect(error.primitive).toBe("compute_inline");
  expect(error.message).toContain("compute_inline: block `C` has an init.");
  expect(error.message).toContain("help: Decompose the reduction first.");
  const lines = error.message.split("\n");
  const at = lines.findIndex((l) => l.includes('with T.block("C")'));
  expect(lines[at + 1]).toMatch(/^ +\^{10,}$/);
});

it("says less on request", () => {
  const fast = expectRefused(matmul, (sch) => void sch.computeInline("C"), "has an init", { errorRenderLevel: "fast" });
  expect(fast.message).not.toContain("with T.block");
  const none = expectRefused(matmul, (sch) => void sch.computeInline("C"), "has an init", { errorRenderLevel: "none" });
  expect(none.message).not.toContain("init");
});

it("gives the statement of a random variable with those around it", () => {
  const sch = scheduleOf(matmul);
  const { stmt, ancestors } = sch.getSref(loopAt(sch, "C", 2));
  expect(stmt).toBe(sch.get(loopAt(sch, "C", 2)));
  expect(ancestors[0]).toBe(sch.get(loopAt(sch, "C", 1)));
});

it("forgets a random variable", () => {
  const sch = scheduleOf(matmul);
  const c = sch.getBlock("C");
  sch.removeRv(c);
  expect(() => sch.get(c)).toThrow(ScheduleError);
});

it("never changes the module it was given", () => {
  const module = moduleOf(matmul);
  const before = new Schedule(module).show();
  const sch = new Schedule(module);
  sch.cacheWrite("C", 0, "local");
  sch.decomposeReduction("C", loopAt(sch, "C", 2));
  expect(new Schedule(module).show()).toBe(before);
});
