import { at, definePass, makeOp, type IRModule, type Pass } from "@verticil/ir-core";
import { dtypeBytes, elementCount } from "@verticil/runtime-ffi";
import { forEachBinding, forEachUse, isVar } from "../analysis/variables.ts";
import { isCallTo, opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Binding, Call, Expr, Function } from "../ir/expr.ts";
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
  staticShapeOf,
} from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { UniqueNames } from "../ir/unique-names.ts";

/** Every allocation starts at a multiple of this: a cache line. */
export const ALLOC_ALIGNMENT = 64;

/**
 * Upstream's `StaticPlanBlockMemory`: gives the allocations of a function places in a few storages, so that values
 * that are not alive at the same time share memory. What leaves the function keeps an allocation of its own.
 */
export function staticPlanBlockMemory(): Pass {
  return definePass("StaticPlanBlockMemory", (module: IRModule) => mapRelaxFunctions(module, planFunction));
}

interface Interval {
  readonly v: AnyVar;
  readonly alloc: Call;
  readonly bytes: number;
  readonly start: number;
  end: number;
}

function planFunction(func: Function): Function {
  if (func.body.kind !== "relax.SeqExpr" || func.body.blocks.length !== 1) return func;
  const bindings = at(func.body.blocks, 0).bindings;
  const intervals = liveIntervals(func, bindings);
  if (intervals.length === 0) return func;
  const { offsets, total } = packIntervals(intervals);
  const names = new UniqueNames();
  for (const b of bindings) names.reserve(b.var.name);
  const storage = makeVar(names.fresh("storage"), makeObjectStructInfo());
  const out: Binding[] = [makeVarBinding(storage, allocStorage(total))];
  const planned = new Map<AnyVar, Interval>(intervals.map((i) => [i.v, i]));
  bindings.forEach((binding, time) => {
    const interval = planned.get(binding.var);
    out.push(interval === undefined ? binding : makeVarBinding(binding.var, allocIn(storage, at(offsets, intervals.indexOf(interval)), interval.alloc), binding.span));
    for (const i of intervals) if (i.end === time) out.push(makeVarBinding(makeVar(names.fresh("_"), makeTupleStructInfo([])), kill("relax.memory.kill_tensor", i.v)));
  });
  out.push(makeVarBinding(makeVar(names.fresh("_"), makeTupleStructInfo([])), kill("relax.memory.kill_storage", storage)));
  return { ...func, body: makeSeqExpr([makeBindingBlock(out)], func.body.body, func.body.span) };
}

/** The allocations that stay inside the function, each from its binding to its last use, views of it included. */
function liveIntervals(func: Function, bindings: readonly Binding[]): readonly Interval[] {
  const origins = new Map<AnyVar, AnyVar>();
  const intervals = new Map<AnyVar, Interval>();
  const escaped = new Set<AnyVar>();
  const origin = (v: AnyVar): AnyVar => origins.get(v) ?? v;
  if (func.body.kind === "relax.SeqExpr") forEachUse(func.body.body, (v) => escaped.add(v));
  bindings.forEach((binding, time) => {
    const { value } = binding;
    forEachUse(value, (v) => {
      const interval = intervals.get(origin(v));
      if (interval !== undefined) interval.end = time;
    });
    const bytes = allocatedBytes(value);
    if (bytes !== undefined) intervals.set(binding.var, { v: binding.var, alloc: value as Call, bytes, start: time, end: time });
    const aliased = aliasedVar(value);
    if (aliased !== undefined) origins.set(binding.var, origin(aliased));
    else if (value.kind === "relax.Tuple" || value.kind === "relax.If") forEachUse(value, (v) => escaped.add(v));
  });
  for (const v of escaped) intervals.delete(origin(v));
  return [...intervals.values()];
}

/** The variable whose memory a value shares. */
export function aliasedVar(value: Expr): AnyVar | undefined {
  if (isVar(value)) return value;
  const name = opNameOf(value);
  if (name !== "relax.reshape" && name !== "relax.memory.view") return undefined;
  const [data] = (value as Call).args;
  return data !== undefined && isVar(data) ? data : undefined;
}

/** The bytes of an allocation of static shape; undefined for anything else. */
export function allocatedBytes(value: Expr): number | undefined {
  if (!isCallTo(value, "relax.builtin.alloc_tensor")) return undefined;
  const info = structInfoOf(value);
  const shape = staticShapeOf(info);
  if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined || shape === undefined) return undefined;
  return Math.max(1, elementCount(shape) * dtypeBytes(info.dtype));
}

/**
 * Places for intervals so that no two that are alive together overlap: largest first, each at the lowest place that is
 * free for its whole life (Pisarchyk and Lee 2020, "greedy by size").
 */
export function packIntervals(intervals: readonly { readonly bytes: number; readonly start: number; readonly end: number }[]): {
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
      .filter((j) => at(intervals, j).start <= me.end && me.start <= at(intervals, j).end)
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
