import { expect, it } from "vitest";
import { applyTrace } from "./apply-trace.ts";
import { runScheduleScript } from "./python/run-script.ts";
import type { Schedule } from "./schedule.ts";
import { expectReplay, loopAt, moduleOf, scheduleOf } from "./testing/expect-schedule.ts";
import { chain, matmul } from "./testing/programs.ts";
import { applyTraceJson, traceAsJson } from "./trace-json.ts";
import { traceAsPython, traceAsScript } from "./trace-python.ts";

function tiled(): Schedule {
  const sch = scheduleOf(matmul, { seed: 3 });
  const c = sch.getBlock("C");
  const [i, j, k] = sch.getLoops(c);
  const [i0, i1] = sch.split(i!, sch.samplePerfectTile(i!, 2, 16, [2, 2]));
  const [j0, j1] = sch.split(j!, [undefined, 3]);
  sch.reorder([i0!, j0!, k!, i1!, j1!]);
  sch.enterPostproc();
  sch.vectorize(j1!);
  return sch;
}

it("is upstream's Python text", () => {
  expect(traceAsPython(tiled().trace)).toEqual([
    'b0 = sch.get_block(name="C", func_name="main")',
    "l1, l2, l3 = sch.get_loops(block=b0)",
    "v4, v5 = sch.sample_perfect_tile(loop=l1, n=2, max_innermost_factor=16, decision=[2, 2])",
    "l6, l7 = sch.split(loop=l1, factors=[v4, v5], preserve_unit_iters=True, disable_predication=False)",
    "l8, l9 = sch.split(loop=l2, factors=[None, 3], preserve_unit_iters=True, disable_predication=False)",
    "sch.reorder(l6, l8, l3, l7, l9)",
    "sch.enter_postproc()",
    "sch.vectorize(loop=l9)",
  ]);
});

it("is upstream's JSON", () => {
  expect(traceAsJson(tiled().trace)).toEqual([
    [
      ["GetBlock", [], ["C", "main"], ["b0"]],
      ["GetLoops", ["b0"], [], ["l1", "l2", "l3"]],
      ["SamplePerfectTile", ["l1"], [2, 16], ["v4", "v5"]],
      ["Split", ["l1", "v4", "v5"], [true, false], ["l6", "l7"]],
      ["Split", ["l2", "None", 3], [true, false], ["l8", "l9"]],
      ["Reorder", ["l6", "l8", "l3", "l7", "l9"], [], []],
      ["EnterPostproc", [], [], []],
      ["Vectorize", ["l9"], [], []],
    ],
    [[2, [2, 2]]],
  ]);
});

it("does the same again, from either text", () => {
  expectReplay(tiled(), moduleOf(matmul));
});

it("leaves post-processing out on request", () => {
  expect(traceAsPython(tiled().trace, { removePostproc: true }).at(-1)).toBe("sch.reorder(l6, l8, l3, l7, l9)");
  const sch = scheduleOf(matmul);
  applyTrace(tiled().trace, sch, { removePostproc: true });
  expect(sch.show()).not.toContain("vectorized");
});

it("is simplified to the steps that matter", () => {
  const sch = scheduleOf(chain);
  sch.getLoops("B");
  sch.getConsumers("B");
  sch.samplePerfectTile(loopAt(sch, "C", 0), 2);
  sch.computeInline("B");
  expect(sch.trace.simplified().insts.map((i) => i.kind)).toEqual(["GetBlock", "ComputeInline"]);
});

it("takes other decisions", () => {
  const { trace } = tiled();
  const tile = trace.insts.find((i) => i.kind === "SamplePerfectTile")!;
  const sch = scheduleOf(matmul);
  applyTrace(trace.withDecision(tile, [1, 4]), sch);
  expect(sch.show()).toContain("T.grid(1, 2, 8, 4)");
  const chosen = scheduleOf(matmul);
  applyTrace(trace, chosen, { decide: (inst, decision) => (inst === tile ? [4, 1] : decision) });
  expect(chosen.show()).toContain("T.grid(4, 2, 8, 1)");
});

it("reads a trace that upstream has written", () => {
  const sch = scheduleOf(chain);
  applyTraceJson(
    [
      [
        ["GetBlock", [], ["B", "main"], ["b0"]],
        ["ComputeInline", ["b0"], [], []],
        ["GetBlock", [], ["C", "main"], ["b1"]],
        ["GetLoops", ["b1"], [], ["l2", "l3"]],
        ["Fuse", ["l2", "l3"], [1], ["l4"]],
        ["Bind", ["l4"], ["threadIdx.x"], []],
        ["Annotate", ["b1", '"auto"'], ["key"], []],
      ],
      [],
    ],
    sch,
  );
  expect(sch.show()).toContain('T.thread_binding(96, thread="threadIdx.x")');
  expect(sch.show()).toContain('"key": "auto"');
});

it("names the line of a script that does not apply", () => {
  expect(() => runScheduleScript("b = sch.get_block('C')\nsch.compute_inline(b)", scheduleOf(matmul))).toThrow(/has an init/);
  expect(() => runScheduleScript("sch.frobnicate()", scheduleOf(matmul))).toThrow(/frobnicate/);
});

it("refuses JSON that is no trace", () => {
  expect(() => applyTraceJson({ a: 1 }, scheduleOf(matmul))).toThrow();
  expect(() => applyTraceJson([[["NoSuchStep", [], [], []]], []], scheduleOf(matmul))).toThrow(/NoSuchStep/);
  expect(() => applyTraceJson([[["Vectorize", ["l9"], [], []]], []], scheduleOf(matmul))).toThrow(/l9/);
});

it("can be written of a schedule of several functions", () => {
  expect(traceAsScript(tiled().trace)).toMatch(/^# from tvm import tir\ndef apply_trace\(sch: tir.Schedule\) -> None:\n {2}b0 = /);
});
