import { at, definePass, makeOp, type IRModule, type Pass } from "@verticil/ir-core";
import { forEachBinding } from "../analysis/variables.ts";
import { isCallTo } from "../ir/call-target.ts";
import type { AnyVar, Binding, Call, Expr, Function, SeqExpr } from "../ir/expr.ts";
import {
  makeBindingBlock,
  makeCall,
  makeDataTypeImm,
  makeObjectStructInfo,
  makePrimValue,
  makeSeqExpr,
  makeShapeExpr,
  makeStringImm,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { UniqueNames } from "../ir/unique-names.ts";
import { lifeTimes, meet, type Interval, type LifeTime } from "./life-times.ts";

/** Every allocation starts at a multiple of this: a cache line. */
export const ALLOC_ALIGNMENT = 64;

/**
 * Upstream's `StaticPlanBlockMemory`: gives the allocations of a function places in a few storages, so that values that
 * are not alive at the same time share memory; those of two branches share it too, what the branches give included, and so
 * do the fields of tuples. What leaves the function or is handed to anything but a tensor program keeps an allocation of its
 * own, and so does what has no largest size: sizes that are symbolic need an upper bound, given by the function's attribute
 * `tir_var_upper_bound: {"n": 1024}`.
 * On a device whose storages are buffers a storage holds one value at a time, so that no kernel reads and writes one
 * buffer; elsewhere values are packed into a single storage, which takes less.
 */
export function staticPlanBlockMemory(): Pass {
  return definePass("StaticPlanBlockMemory", (module: IRModule, ctx) =>
    mapRelaxFunctions(module, (func) => planFunction(func, module, ctx.target.kind === "webgpu" ? shareStorages : packStorage)),
  );
}

/** Where each interval goes, and how large the storages are. */
interface StoragePlan {
  readonly places: readonly { readonly storage: number; readonly offset: number }[];
  readonly bytes: readonly number[];
}

function planFunction(func: Function, module: IRModule, plan: (intervals: readonly Interval[]) => StoragePlan): Function {
  if (func.body.kind !== "relax.SeqExpr") return func;
  const intervals = lifeTimes(func, module);
  if (intervals.length === 0) return func;
  const { places, bytes } = plan(intervals);
  const names = new UniqueNames();
  forEachBindingDeep(func.body, (b) => names.reserve(b.var.name));
  const storages = bytes.map(() => makeVar(names.fresh("storage"), makeObjectStructInfo()));
  const planned = new Map<AnyVar, { readonly interval: Interval; readonly storage: AnyVar; readonly offset: number }>(
    intervals.map((interval, i) => [interval.v, { interval, storage: at(storages, at(places, i).storage), offset: at(places, i).offset }]),
  );
  const ends = new Map<Binding, Interval[]>();
  for (const interval of intervals) if (interval.last !== undefined) ends.set(interval.last, [...(ends.get(interval.last) ?? []), interval]);
  const effect = (op: string, v: AnyVar): Binding => makeVarBinding(makeVar(names.fresh("_"), makeTupleStructInfo([])), kill(op, v));
  const rewrite = (seq: SeqExpr): SeqExpr => {
    const out: Binding[] = [];
    for (const binding of seq.blocks.flatMap((block) => block.bindings)) {
      const place = planned.get(binding.var);
      if (place !== undefined) out.push(makeVarBinding(binding.var, allocIn(place.storage, place.offset, place.interval.alloc), binding.span));
      else if (binding.value.kind === "relax.If") {
        const { trueBranch, falseBranch } = binding.value;
        const branch = (e: Expr): Expr => (e.kind === "relax.SeqExpr" ? rewrite(e) : e);
        out.push({ ...binding, value: { ...binding.value, trueBranch: branch(trueBranch), falseBranch: branch(falseBranch) } });
      } else out.push(binding);
      for (const interval of ends.get(binding) ?? []) out.push(effect("relax.memory.kill_tensor", interval.v));
    }
    return makeSeqExpr(out.length === 0 ? [] : [makeBindingBlock(out)], seq.body, seq.span);
  };
  const body = rewrite(func.body);
  const inner = body.blocks.flatMap((block) => block.bindings);
  const allocations = storages.map((v, i): Binding => makeVarBinding(v, allocStorage(at(bytes, i))));
  const bindings = [...allocations, ...inner, ...storages.map((v) => effect("relax.memory.kill_storage", v))];
  return { ...func, body: makeSeqExpr([makeBindingBlock(bindings)], body.body, body.span) };
}

function forEachBindingDeep(e: Expr, f: (b: Binding) => void): void {
  forEachBinding(e, (b) => {
    f(b);
    if (b.value.kind !== "relax.If") return;
    forEachBindingDeep(b.value.trueBranch, f);
    forEachBindingDeep(b.value.falseBranch, f);
  });
}

/** All intervals in one storage. */
function packStorage(intervals: readonly Interval[]): StoragePlan {
  const { offsets, total } = packIntervals(intervals);
  return { places: offsets.map((offset) => ({ storage: 0, offset })), bytes: [total] };
}

/** Storages that hold one value at a time: largest values first, each into the first storage that is free for its whole life. */
export function shareStorages(intervals: readonly LifeTime[]): StoragePlan {
  const order = intervals.map((_, i) => i).sort((a, b) => at(intervals, b).bytes - at(intervals, a).bytes || a - b);
  const places: { storage: number; offset: number }[] = [];
  const bytes: number[] = [];
  const holds: number[][] = [];
  for (const i of order) {
    const me = at(intervals, i);
    const free = (held: readonly number[]): boolean => held.every((j) => !meet(me, at(intervals, j)));
    let storage = holds.findIndex(free);
    if (storage < 0) {
      storage = holds.push([]) - 1;
      bytes.push(roundUp(me.bytes));
    }
    at(holds, storage).push(i);
    places[i] = { storage, offset: 0 };
  }
  return { places, bytes };
}

/**
 * Places for intervals so that no two that are alive together overlap: largest first, each at the lowest place that is
 * free for its whole life (Pisarchyk and Lee 2020, "greedy by size").
 */
export function packIntervals(intervals: readonly LifeTime[]): {
  readonly offsets: readonly number[];
  readonly total: number;
} {
  const order = intervals.map((_, i) => i).sort((a, b) => at(intervals, b).bytes - at(intervals, a).bytes || a - b);
  const offsets: number[] = [];
  const placed: number[] = [];
  let total = 0;
  for (const i of order) {
    const me = at(intervals, i);
    const size = roundUp(me.bytes);
    const taken = placed
      .filter((j) => meet(me, at(intervals, j)))
      .sort((a, b) => at(offsets, a) - at(offsets, b));
    let offset = 0;
    for (const j of taken) {
      if (at(offsets, j) - offset >= size) break;
      offset = Math.max(offset, at(offsets, j) + roundUp(at(intervals, j).bytes));
    }
    offsets[i] = offset;
    placed.push(i);
    total = Math.max(total, offset + size);
  }
  return { offsets, total };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALLOC_ALIGNMENT) * ALLOC_ALIGNMENT;
}

function allocStorage(bytes: number): Call {
  return makeCall(
    makeOp("relax.memory.alloc_storage"),
    [makeShapeExpr([bytes]), makePrimValue(0), makeStringImm("global"), makeDataTypeImm("uint8")],
    { structInfo: makeObjectStructInfo() },
  );
}

/** `R.memory.alloc_tensor(storage, offset in bytes, shape, dtype)` in place of an allocation of its own. */
function allocIn(storage: AnyVar, offset: number, alloc: Call): Call {
  const args = [storage, makePrimValue(offset), at(alloc.args, 0), at(alloc.args, 1)];
  return makeCall(makeOp("relax.memory.alloc_tensor"), args, { structInfo: alloc.structInfo });
}

function kill(op: string, v: AnyVar): Call {
  return makeCall(makeOp(op), [v], { structInfo: makeTupleStructInfo([]) });
}

/** The bytes of the storages that a function allocates: its planned peak. */
export function plannedBytes(func: Function): number {
  let total = 0;
  forEachBinding(func.body, (b) => {
    if (!isCallTo(b.value, "relax.memory.alloc_storage")) return;
    const [shape] = b.value.args;
    total += shape?.kind === "relax.ShapeExpr" ? shape.values.reduce((n, v) => n * (v.kind === "ir.IntImm" ? Number(v.value) : 1), 1) : 0;
  });
  return total;
}
