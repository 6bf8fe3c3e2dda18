import { expect, test } from "vitest";
import { floorDiv, mul } from "../ir/ops.ts";
import { instructionKinds } from "./instruction-kinds.ts";
import { requirements } from "./requirements.ts";
import { ScheduleError } from "./schedule-error.ts";
import type { Schedule } from "./schedule.ts";
import type { BlockRV, LoopRV } from "./random-variable.ts";
import { loopAt, scheduleOf } from "./testing/expect-schedule.ts";
import { chain, fan, inplace, matmul, matmulRelu, padded, siblings, transposed } from "./testing/programs.ts";

/** A call that must be refused, on a program: `prepare` gives what it is called with. */
interface WrongCall {
  readonly program: string;
  readonly call: (sch: Schedule) => unknown;
  /** False where there is nothing in the program to point at. */
  readonly marks?: false;
}

function wrong(program: string, call: (sch: Schedule) => unknown): WrongCall {
  return { program, call };
}

/** A call that is wrong by itself, whatever the program is. */
function wrongAnywhere(program: string, call: (sch: Schedule) => unknown): WrongCall {
  return { program, call, marks: false };
}

function lost(sch: Schedule): BlockRV {
  const b = sch.getBlock("B");
  sch.computeInline(b);
  return b;
}

function lostLoop(sch: Schedule, block = "C"): LoopRV {
  const loop = loopAt(sch, block, 0);
  sch.split(loop, [2, undefined]);
  return loop;
}

const [i, k] = [0, 2];

/** At least two wrong calls of each primitive. */
const wrongCalls: Readonly<Record<string, readonly WrongCall[]>> = {
  seed: [wrongAnywhere(chain, (s) => s.seed(-1)), wrongAnywhere(chain, (s) => s.seed(1.5))],
  work_on: [wrongAnywhere(chain, (s) => s.workOn("other")), wrongAnywhere(chain, (s) => s.workOn(""))],
  get: [wrongAnywhere(chain, (s) => s.get(lost(s))), wrongAnywhere(chain, (s) => s.get(lostLoop(s)))],
  get_sref: [wrongAnywhere(chain, (s) => s.getSref(lost(s))), wrongAnywhere(chain, (s) => s.getSref(lostLoop(s)))],
  func_of: [wrongAnywhere(chain, (s) => s.funcOf(lost(s))), wrongAnywhere(chain, (s) => s.funcOf(lostLoop(s)))],
  remove_rv: [
    wrongAnywhere(chain, (s) => s.removeRv(scheduleOf(matmul).getBlock("C"))),
    wrongAnywhere(chain, (s) => {
      const b = s.getBlock("B");
      s.removeRv(b);
      s.removeRv(b);
    }),
  ],
  sample_categorical: [wrongAnywhere(chain, (s) => s.sampleCategorical([1, 2], [1])), wrongAnywhere(chain, (s) => s.sampleCategorical([1, 2], [0.5, 0.5], 2)), wrongAnywhere(chain, (s) => s.sampleCategorical([1], [0]))],
  sample_perfect_tile: [wrong(chain, (s) => s.samplePerfectTile(loopAt(s, "B", i), 0)), wrong(chain, (s) => s.samplePerfectTile(loopAt(s, "B", i), 65))],
  sample_partitioned_tile: [wrong(chain, (s) => s.samplePartitionedTile(loopAt(s, "B", i), 3, 4)), wrong(chain, (s) => s.samplePartitionedTile(loopAt(s, "B", i), 3, 1, 0))],
  sample_compute_location: [wrongAnywhere(chain, (s) => s.sampleComputeLocation(lost(s))), wrongAnywhere(chain, (s) => s.sampleComputeLocation(scheduleOf(matmul).getBlock("C")))],
  get_block: [wrongAnywhere(chain, (s) => s.getBlock("Z")), wrongAnywhere(chain, (s) => s.getBlock("B", "other"))],
  get_loops: [wrongAnywhere(chain, (s) => s.getLoops(lost(s))), wrongAnywhere(chain, (s) => s.getLoops(scheduleOf(matmul).getBlock("C")))],
  get_child_blocks: [wrongAnywhere(chain, (s) => s.getChildBlocks(lost(s))), wrongAnywhere(chain, (s) => s.getChildBlocks(lostLoop(s)))],
  get_producers: [wrongAnywhere(chain, (s) => s.getProducers(lost(s))), wrongAnywhere(chain, (s) => s.getProducers(scheduleOf(matmul).getBlock("C")))],
  get_consumers: [wrongAnywhere(chain, (s) => s.getConsumers(lost(s))), wrongAnywhere(chain, (s) => s.getConsumers(scheduleOf(matmul).getBlock("C")))],
  get_output_blocks: [wrongAnywhere(chain, (s) => s.getOutputBlocks(lost(s))), wrongAnywhere(chain, (s) => s.getOutputBlocks(scheduleOf(matmul).getBlock("C")))],
  split: [wrong(chain, (s) => s.split(loopAt(s, "B", i), [])), wrong(chain, (s) => s.split(loopAt(s, "B", i), [undefined, undefined])), wrong(chain, (s) => s.split(loopAt(s, "B", i), [2, 2])), wrong(chain, (s) => s.split(loopAt(s, "B", i), [0, undefined])), wrongAnywhere(chain, (s) => s.split(lostLoop(s), [2, undefined]))],
  fuse: [wrongAnywhere(chain, (s) => s.fuse([])), wrong(chain, (s) => s.fuse(s.getLoops("B").toReversed())), wrong(chain, (s) => s.fuse([loopAt(s, "B", 0), loopAt(s, "C", 1)]))],
  merge: [wrong(siblings, (s) => s.merge([loopAt(s, "B", 1)])), wrong(chain, (s) => s.merge([loopAt(s, "B", 0), loopAt(s, "C", 1)]))],
  loop_partition: [wrong(chain, (s) => s.loopPartition(loopAt(s, "B", i), [4, 4, 4])), wrong(chain, (s) => s.loopPartition(loopAt(s, "B", i), [undefined, undefined]))],
  reorder: [wrong(chain, (s) => s.reorder([loopAt(s, "B", 0), loopAt(s, "C", 1)])), wrong(chain, (s) => s.reorder([loopAt(s, "B", 0), loopAt(s, "B", 0)])), wrongAnywhere(chain, (s) => s.reorder([]))],
  reorder_block_iter_var: [wrong(chain, (s) => s.reorderBlockIterVar("B", [0])), wrong(chain, (s) => s.reorderBlockIterVar("B", [0, 0]))],
  add_unit_loop: [wrong(chain, (s) => s.addUnitLoop(s.getBlock("root"))), wrongAnywhere(chain, (s) => s.addUnitLoop(lost(s)))],
  parallel: [wrong(matmul, (s) => s.parallel(loopAt(s, "C", k))), wrongAnywhere(chain, (s) => s.parallel(lostLoop(s)))],
  vectorize: [wrong(matmul, (s) => s.vectorize(loopAt(s, "C", k))), wrongAnywhere(chain, (s) => s.vectorize(lostLoop(s)))],
  unroll: [wrongAnywhere(chain, (s) => s.unroll(lostLoop(s))), wrongAnywhere(chain, (s) => s.unroll(loopAt(scheduleOf(matmul), "C", 0)))],
  bind: [wrong(matmul, (s) => s.bind(loopAt(s, "C", k), "blockIdx.x")), wrong(chain, (s) => s.bind(loopAt(s, "B", i), "somewhere"))],
  cache_read: [wrong(chain, (s) => s.cacheRead("B", 1, "local")), wrong(chain, (s) => s.cacheRead("B", "Z", "local")), wrong(chain, (s) => s.cacheRead("B", 0, "nowhere"))],
  cache_write: [wrong(chain, (s) => s.cacheWrite("B", 1, "local")), wrong(chain, (s) => s.cacheWrite("B", "A", "local")), wrong(chain, (s) => s.cacheWrite("B", 0, "nowhere"))],
  reindex_cache_read: [wrong(chain, (s) => s.reindexCacheRead("B", 1, "local", (x, y) => [x, y])), wrong(chain, (s) => s.reindexCacheRead("B", 0, "local", (x) => [x]))],
  reindex_cache_write: [wrong(chain, (s) => s.reindexCacheWrite("B", 1, "local", (x, y) => [x, y])), wrong(chain, (s) => s.reindexCacheWrite("B", 0, "local", (x) => [x]))],
  cache_inplace: [wrong(chain, (s) => s.cacheInplace("B", 0, "local")), wrong(inplace, (s) => s.cacheInplace("A", 1, "local"))],
  cache_index: [wrong(transposed, (s) => s.cacheIndex("B", "global", -1)), wrong(transposed, (s) => s.cacheIndex("B", "nowhere"))],
  reindex: [wrong(matmul, (s) => s.reindex("C", ["write", 1])), wrong(chain, (s) => s.reindex("B", "Z"))],
  read_at: [wrong(chain, (s) => s.readAt(loopAt(s, "B", 0), "C", 0, "local")), wrong(chain, (s) => s.readAt(loopAt(s, "B", 0), "B", 1, "local"))],
  write_at: [wrong(chain, (s) => s.writeAt(loopAt(s, "B", 0), "C", 0, "local")), wrong(chain, (s) => s.writeAt(loopAt(s, "B", 0), "B", 1, "local"))],
  compute_at: [wrong(chain, (s) => s.computeAt("C", loopAt(s, "B", 0))), wrong(chain, (s) => s.computeAt("B", loopAt(s, "B", 0))), wrong(chain, (s) => s.computeAt("B", loopAt(s, "C", 0), { index: 7 }))],
  reverse_compute_at: [wrong(chain, (s) => s.reverseComputeAt("C", loopAt(s, "B", 1), { index: 9 })), wrong(chain, (s) => s.reverseComputeAt("C", loopAt(s, "C", 0)))],
  compute_inline: [wrong(matmul, (s) => s.computeInline("C")), wrong(chain, (s) => s.computeInline("C")), wrongAnywhere(chain, (s) => s.computeInline(lost(s)))],
  reverse_compute_inline: [wrong(matmulRelu, (s) => s.reverseComputeInline("D")), wrong(chain, (s) => s.reverseComputeInline("B"))],
  decompose_reduction: [wrong(chain, (s) => s.decomposeReduction("B", loopAt(s, "B", 0))), wrong(matmulRelu, (s) => s.decomposeReduction("C", loopAt(s, "D", 0)))],
  rfactor: [wrong(matmul, (s) => s.rfactor(loopAt(s, "C", k), 9)), wrong(matmul, (s) => s.rfactor(loopAt(s, "C", 0), 0)), wrong(chain, (s) => s.rfactor(loopAt(s, "B", 0), 0))],
  pad_einsum: [wrong(matmul, (s) => s.padEinsum("C", [4])), wrong(matmul, (s) => s.padEinsum("C", [4, 0, 4])), wrong(padded, (s) => s.padEinsum("B", [4, 4]))],
  storage_align: [wrong(chain, (s) => s.storageAlign("B", 1, 0, 4, 0)), wrong(chain, (s) => s.storageAlign("B", 0, 7, 4, 0)), wrong(chain, (s) => s.storageAlign("B", 0, 0, 0, 0)), wrong(chain, (s) => s.storageAlign("C", 0, 0, 4, 0))],
  set_scope: [wrong(chain, (s) => s.setScope("B", 0, "nowhere")), wrong(chain, (s) => s.setScope("C", 0, "local")), wrong(chain, (s) => s.setScope("B", 3, "local"))],
  unsafe_set_dtype: [wrong(chain, (s) => s.unsafeSetDType("B", 0, "float31")), wrong(chain, (s) => s.unsafeSetDType("C", 0, "float16"))],
  set_axis_separator: [wrong(chain, (s) => s.setAxisSeparator("B", 0, [9])), wrong(chain, (s) => s.setAxisSeparator("B", ["write", 0], [1, 0]))],
  annotate: [wrongAnywhere(chain, (s) => s.annotate(lost(s), "x", 1)), wrongAnywhere(chain, (s) => s.annotate(lostLoop(s), "x", 1))],
  unannotate: [wrong(chain, (s) => s.unannotate("B", "x")), wrong(chain, (s) => s.unannotate(loopAt(s, "B", 0), "x"))],
  unsafe_hide_buffer_access: [wrong(chain, (s) => s.unsafeHideBufferAccess("B", "both", [0])), wrong(chain, (s) => s.unsafeHideBufferAccess("B", "read", [5]))],
  blockize: [wrongAnywhere(chain, (s) => s.blockize([])), wrong(siblings, (s) => s.blockize(loopAt(s, "B", 0))), wrong(siblings, (s) => s.blockize([s.getBlock("B"), s.getBlock("B")]))],
  tensorize: [wrong(chain, (s) => s.tensorize("B", "nothing")), wrong(chain, (s) => s.tensorize(loopAt(s, "B", 0), "nothing"))],
  transform_layout: [wrong(chain, (s) => s.transformLayout("B", "Z", (x, y) => [x, y])), wrong(chain, (s) => s.transformLayout("B", ["write", 0], (x) => [x])), wrong(chain, (s) => s.transformLayout("B", ["write", 0], (x, y) => [mul(x, 0), y]))],
  transform_block_layout: [wrong(chain, (s) => s.transformBlockLayout("B", (x) => [x])), wrong(chain, (s) => s.transformBlockLayout("B", (x, y) => [floorDiv(x, 2), y]))],
  decompose_padding: [wrong(chain, (s) => s.decomposePadding("B", loopAt(s, "B", 0))), wrong(padded, (s) => s.decomposePadding("B", loopAt(scheduleOf(padded), "B", 0)))],
  rolling_buffer: [wrong(chain, (s) => s.rollingBuffer("B", 0)), wrong(chain, (s) => s.rollingBuffer("B", 3))],
  annotate_buffer_access: [wrong(fan, (s) => s.annotateBufferAccess("B", 5, "read", { kind: "tir.IndexMap", initialIndices: [], finalIndices: [], inverse: undefined, span: undefined })), wrongAnywhere(chain, (s) => s.annotateBufferAccess(lost(s), 0, "read", { kind: "tir.IndexMap", initialIndices: [], finalIndices: [], inverse: undefined, span: undefined }))],
};

const cases = Object.entries(wrongCalls).flatMap(([primitive, calls]) => calls.map((c, n) => ({ primitive, n, ...c })));

test.each(cases)("$primitive, wrong call $n: nothing changes, and the error says where and what is needed", ({ primitive, program, call, marks }) => {
  const sch = scheduleOf(program);
  const before = sch.show();
  let error: unknown;
  // What a call does before the primitive in question, such as getting a block, shows in the trace.
  try {
    call(sch);
  } catch (e) {
    error = e;
  }
  if (!(error instanceof ScheduleError)) throw new Error(`Not refused: ${String(error ?? sch.show())}`);
  expect(error.primitive).toBe(primitive);
  const refused = sch.trace.insts.filter((x) => x.kind === instructionKinds.find((s) => s.method === primitive)?.kind);
  const prepared = sch.trace.insts.some((x) => x.kind === "ComputeInline" || x.kind === "Split");
  if (!prepared) {
    expect(sch.show()).toBe(before);
    expect(refused.filter((x) => !x.kind.startsWith("Get"))).toEqual([]);
  }
  const [first, help] = error.message.split("\n");
  expect(first).toMatch(new RegExp(`^${primitive}: [^ ].*\\.$`));
  expect(help).toMatch(/^help: [A-Z].*\.$/);
  expect(error.message).not.toMatch(/\[object |"kind"|`undefined`/);
  expect(first?.length).toBeLessThan(240);
  const underlined = error.message.split("\n").some((line) => /^ *\^+$/.test(line));
  expect(underlined, error.message).toBe(marks !== false);
  expect(error.message).toContain("def main(");
});

test("the module is the very same object after each refusal", () => {
  for (const { primitive, program, call } of cases) {
    const sch = scheduleOf(program);
    const { mod } = sch;
    expect(() => call(sch), primitive).toThrow(ScheduleError);
    if (!sch.trace.insts.some((x) => x.kind === "ComputeInline" || x.kind === "Split")) expect(sch.mod, primitive).toBe(mod);
  }
});

test("each primitive of traces has wrong calls, but those that nothing can be wrong with, and says what it needs", () => {
  const all = instructionKinds.map((kind) => kind.method);
  expect(all.filter((name) => wrongCalls[name] === undefined && name !== "enter_postproc")).toEqual([]);
  expect([...all, ...Object.keys(wrongCalls)].filter((name) => !requirements.has(name))).toEqual([]);
});
