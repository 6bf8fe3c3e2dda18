import type { IRModule } from "@verticil/ir-core";
import type { Var } from "../../ir/expr.ts";
import { floorDiv, floorMod } from "../../ir/ops.ts";
import { childBlocks } from "../func-tree.ts";
import type { IndexFunction } from "../index-function.ts";
import type { BlockRV, LoopRV } from "../random-variable.ts";
import { ScheduleError } from "../schedule-error.ts";
import { Schedule } from "../schedule.ts";
import { moduleOf } from "./expect-schedule.ts";
import { resultsOf, type Numbers } from "./numbers.ts";
import { Random } from "./random.ts";
import { randomProgram } from "./random-program.ts";
import type { PrimFunc } from "../../ir/stmt.ts";
import { traceAsScript } from "../trace-python.ts";

/** What became of one random program: how many steps applied, how many were refused, and what went wrong. */
export interface FuzzRun {
  readonly applied: readonly string[];
  readonly refused: readonly string[];
  /** With the program and the trace, if the numbers changed or something else than a refusal was thrown. */
  readonly failure: string | undefined;
}

/** Programs by their text, read and run once: of the smaller ones there are few. */
export type KnownPrograms = Map<string, { readonly mod: IRModule; readonly numbers: Numbers }>;

const MOST_KNOWN = 4000;

/**
 * Applies random steps to a random program, both following from `seed`, and compares what it computes before and after.
 * A long run gives all its seeds the same `known`.
 */
export function fuzzSchedule(seed: number, steps = 6, known: KnownPrograms = new Map()): FuzzRun {
  const random = new Random(seed);
  const script = randomProgram(random);
  const { mod: before, numbers: expected } = programOf(script, known);
  const sch = new Schedule(before, { seed: seed + 1, errorRenderLevel: "none" });
  const applied: string[] = [];
  const refused: string[] = [];
  const describe = (problem: string): string => `seed ${seed}: ${problem}\n${script}\n${traceAsScript(sch.trace)}\n${sch.show()}`;
  for (let i = 0; i < steps; i++) {
    const [name, step] = random.pick(stepList);
    const { mod, trace } = sch;
    try {
      step(sch, random);
      applied.push(name);
      // As upstream has it, the blocks that these two make or change do not say all they access: later steps would go wrong.
      if (name === "loop_partition" || name === "cache_index") break;
    } catch (e) {
      if (!(e instanceof ScheduleError)) return { applied, refused, failure: describe(`${name}: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`) };
      // A step may be several primitives: what applied before the one that was refused is in the trace.
      const grew = sch.trace.insts.slice(trace.insts.length).some((inst) => !inst.kind.startsWith("Get"));
      if (!grew && sch.mod !== mod) return { applied, refused, failure: describe(`${name} was refused and changed the program`) };
      refused.push(name);
    }
  }
  try {
    if (!same(resultsOf(mainOf(sch.mod), small), expected)) return { applied, refused, failure: describe("the numbers changed") };
  } catch (e) {
    return { applied, refused, failure: describe(`the program does not run: ${e instanceof Error ? e.message : String(e)}`) };
  }
  return { applied, refused, failure: undefined };
}

function programOf(script: string, known: KnownPrograms): { readonly mod: IRModule; readonly numbers: Numbers } {
  let found = known.get(script);
  if (found === undefined) {
    const mod = moduleOf(script);
    found = { mod, numbers: resultsOf(mainOf(mod), small) };
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(script, found);
  }
  return found;
}

function mainOf(mod: IRModule): PrimFunc {
  const [func] = mod.functions.values();
  return func as PrimFunc;
}

/** Strips take longer to find than these programs to run. */
const small = { strips: false };

/** The last parameter is the output; before it runs it holds something, so all are compared. */
function same(a: Numbers, b: Numbers): boolean {
  return a.length === b.length && a.every((t, i) => t.length === b[i]?.length && t.every((x, j) => Object.is(x, b[i]?.[j]) || x === b[i]?.[j]));
}

type Step = (sch: Schedule, random: Random) => void;

function anyBlock(sch: Schedule, random: Random): BlockRV {
  const all: BlockRV[] = [];
  const visit = (rv: BlockRV): void => {
    for (const b of sch.getChildBlocks(rv)) {
      all.push(b);
      if (childBlocks(sch.get(b)).length > 0) visit(b);
    }
  };
  visit(sch.getBlock("root"));
  return random.pick(all);
}

function anyLoop(sch: Schedule, random: Random, block = anyBlock(sch, random)): LoopRV {
  const loops = sch.getLoops(block);
  return loops.length === 0 ? sch.addUnitLoop(block) : random.pick(loops);
}

function anyTwo(sch: Schedule, random: Random): readonly LoopRV[] {
  const loops = sch.getLoops(anyBlock(sch, random));
  const at = random.int(0, Math.max(0, loops.length - 2));
  return loops.slice(at, at + 2);
}

const scopes = ["global", "shared", "local"];

/** Each by the name of its primitive. */
const stepsByName: Readonly<Record<string, Step>> = {
  split: (sch, r) => void sch.split(anyLoop(sch, r), r.pick([[undefined, r.int(1, 4)], [r.int(1, 4), undefined], [r.int(1, 3), undefined, r.int(1, 3)]]), { preserveUnitIters: r.next() < 0.5 }),
  fuse: (sch, r) => void sch.fuse(anyTwo(sch, r), { preserveUnitIters: r.next() < 0.5 }),
  merge: (sch, r) => void sch.merge([anyLoop(sch, r), anyLoop(sch, r)]),
  loop_partition: (sch, r) => void sch.loopPartition(anyLoop(sch, r), [r.int(1, 3), undefined]),
  reorder: (sch, r) => {
    const loops = [...sch.getLoops(anyBlock(sch, r))].map((l) => ({ l, k: r.next() })).sort((a, b) => a.k - b.k);
    sch.reorder(loops.slice(0, r.int(2, 4)).map((x) => x.l));
  },
  reorder_block_iter_var: (sch, r) => {
    const block = anyBlock(sch, r);
    const order = sch.get(block).block.iterVars.map((_, i) => ({ i, k: r.next() })).sort((a, b) => a.k - b.k);
    sch.reorderBlockIterVar(block, order.map((x) => x.i));
  },
  add_unit_loop: (sch, r) => void sch.addUnitLoop(r.next() < 0.5 ? anyBlock(sch, r) : anyLoop(sch, r)),
  parallel: (sch, r) => sch.parallel(anyLoop(sch, r)),
  vectorize: (sch, r) => sch.vectorize(anyLoop(sch, r)),
  unroll: (sch, r) => sch.unroll(anyLoop(sch, r)),
  cache_read: (sch, r) => void sch.cacheRead(anyBlock(sch, r), r.int(0, 1), r.pick(scopes)),
  cache_write: (sch, r) => void sch.cacheWrite(anyBlock(sch, r), 0, r.pick(scopes)),
  reindex_cache_read: (sch, r) => void sch.reindexCacheRead(anyBlock(sch, r), 0, r.pick(scopes), r.pick<IndexFunction>([(i: Var, j: Var) => [j, i], (i: Var) => [i], (i: Var, j: Var) => [floorDiv(i, 2), floorMod(i, 2), j]])),
  reindex_cache_write: (sch, r) => void sch.reindexCacheWrite(anyBlock(sch, r), 0, r.pick(scopes), r.pick<IndexFunction>([(i: Var, j: Var) => [j, i], (i: Var) => [i], (i: Var, j: Var) => [floorDiv(i, 2), j]])),
  cache_inplace: (sch, r) => void sch.cacheInplace(anyBlock(sch, r), 0, r.pick(scopes)),
  cache_index: (sch, r) => void sch.cacheIndex(anyBlock(sch, r), "global", r.int(0, 1)),
  reindex: (sch, r) => void sch.reindex(anyBlock(sch, r), [r.pick(["read", "write"]), 0]),
  read_at: (sch, r) => {
    const block = anyBlock(sch, r);
    sch.readAt(anyLoop(sch, r, block), block, 0, r.pick(scopes));
  },
  write_at: (sch, r) => {
    const block = anyBlock(sch, r);
    sch.writeAt(anyLoop(sch, r, block), block, 0, r.pick(scopes));
  },
  compute_at: (sch, r) => sch.computeAt(anyBlock(sch, r), anyLoop(sch, r), { preserveUnitLoops: r.next() < 0.5, index: r.pick([-1, -1, -2]) }),
  reverse_compute_at: (sch, r) => sch.reverseComputeAt(anyBlock(sch, r), anyLoop(sch, r), { preserveUnitLoops: r.next() < 0.5 }),
  compute_inline: (sch, r) => sch.computeInline(anyBlock(sch, r)),
  reverse_compute_inline: (sch, r) => sch.reverseComputeInline(anyBlock(sch, r)),
  decompose_reduction: (sch, r) => {
    const block = anyBlock(sch, r);
    sch.decomposeReduction(block, anyLoop(sch, r, block));
  },
  rfactor: (sch, r) => void sch.rfactor(anyLoop(sch, r), r.int(0, 2)),
  pad_einsum: (sch, r) => {
    const block = anyBlock(sch, r);
    sch.padEinsum(block, sch.get(block).block.iterVars.map(() => r.int(1, 4)));
  },
  storage_align: (sch, r) => sch.storageAlign(anyBlock(sch, r), 0, 0, 8, 1),
  set_scope: (sch, r) => sch.setScope(anyBlock(sch, r), 0, r.pick(scopes)),
  annotate: (sch, r) => sch.annotate(anyBlock(sch, r), "note", 1),
  blockize: (sch, r) => void sch.blockize(anyLoop(sch, r), { preserveUnitIters: r.next() < 0.5 }),
  transform_layout: (sch, r) => {
    const block = anyBlock(sch, r);
    const side = r.pick(["read", "write"] as const);
    const target = sch.get(block).block[side === "read" ? "reads" : "writes"][0]?.buffer;
    // The layout of parameters is seen from outside.
    if (target === undefined || [...mainOf(sch.mod).bufferMap.values()].includes(target)) return;
    sch.transformLayout(block, [side, 0], r.pick<IndexFunction>([(i: Var, j: Var) => [j, i], (i: Var, j: Var) => [i, floorDiv(j, 2), floorMod(j, 2)], (i: Var) => [floorDiv(i, 2), floorMod(i, 2)]]), r.next() < 0.5 ? {} : { padValue: 0 });
  },
  transform_block_layout: (sch, r) => sch.transformBlockLayout(anyBlock(sch, r), r.pick<IndexFunction>([(i: Var, j: Var) => [j, i], (i: Var, j: Var, k: Var) => [i, j, k], (i: Var) => [floorDiv(i, 2), floorMod(i, 2)], (i: Var) => [i]])),
  set_axis_separator: (sch, r) => sch.setAxisSeparator(anyBlock(sch, r), ["write", 0], [1]),
  decompose_padding: (sch, r) => {
    const block = anyBlock(sch, r);
    sch.decomposePadding(block, anyLoop(sch, r, block));
  },
  rolling_buffer: (sch, r) => {
    const block = anyBlock(sch, r);
    const [consumer] = sch.getConsumers(block);
    // Only under a loop of its consumer is there a window.
    if (consumer !== undefined) sch.computeAt(block, anyLoop(sch, r, consumer));
    sch.rollingBuffer(block, 0);
  },
};

const stepList = Object.entries(stepsByName);

/** The primitives that random schedules are made of, by upstream's names. */
export const primitives: readonly string[] = Object.keys(stepsByName);
