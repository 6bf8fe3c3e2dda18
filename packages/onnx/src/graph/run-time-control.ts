import { at } from "@verticil/ir-core";
import {
  forEachBinding,
  makeDataTypeImm,
  makeExternFunc,
  makeIf,
  makePrimValue,
  makeShapeExpr,
  makeTensorStructInfo,
  makeTuple,
  makeTupleStructInfo,
  makeVar,
  shapeOf,
  tirVarsInStructInfo,
  type Expr,
  type Function,
  type StructInfo,
  type TensorStructInfo,
} from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { constant, makeVar as makeTirVar, undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import type { NodeContext } from "../node-context.ts";
import type { Value } from "../value.ts";
import { allAttempts } from "./problems.ts";

/** Thrown where a graph turns out to decide something at run time: it is imported again without one block around all. */
export class DecidesAtRunTime extends Error {
  override readonly name = "DecidesAtRunTime";
}

function requirePlain(ctx: NodeContext): void {
  if (ctx.bb.inDataflow) throw new DecidesAtRunTime("internal: the graph decides something at run time");
}

/** A condition as a scalar. */
function scalarOf(ctx: NodeContext, condition: Expr): Expr {
  return ctx.reshape(ctx.astype(condition, "bool"), []);
}

interface Side {
  readonly body: Expr;
  readonly values: readonly Value[];
  readonly infos: readonly TensorStructInfo[];
}

/** The values of one of two ways to go on, which the model chooses while it runs. Both give the same number of values. */
export function branchAtRun(ctx: NodeContext, condition: Expr, whenTrue: () => readonly Value[], whenFalse: () => readonly Value[]): readonly Value[] {
  requirePlain(ctx);
  const taken = scalarOf(ctx, condition);
  const side = (build: () => readonly Value[]): Side => {
    let values: readonly Value[] = [];
    let infos: readonly TensorStructInfo[] = [];
    const body = ctx.bb.seq(() => {
      values = build();
      const exprs = values.flatMap((v) => leaves(ctx, v));
      infos = exprs.map((e) => ctx.info(e));
      return ctx.bb.emit(makeTuple(exprs));
    });
    return { body, values, infos };
  };
  const sides = allAttempts([whenTrue, whenFalse].map((build) => () => side(build)));
  const [a, b] = [at(sides, 0), at(sides, 1)];
  if (a.infos.length !== b.infos.length) return ctx.dynamic("which branch it takes, since they give sequences of different lengths,");
  const both = ctx.bb.emit(makeIf(taken, a.body, b.body));
  const results = a.infos.map((info, i) => opened(ctx, ctx.field(both, i), commonDims(ctx, info, b.infos[i] ?? info)));
  return regrouped(a.values, results);
}

/** The operands that a value is made of. */
function leaves(ctx: NodeContext, value: Value): readonly Expr[] {
  if (value.kind === "nothing") return [];
  return value.kind === "sequence" ? value.items.flatMap((v) => leaves(ctx, v)) : [ctx.exprOf(value)];
}

/** The operands in turn in the places of those that `like` was made of. */
function regrouped(like: readonly Value[], exprs: readonly Expr[]): readonly Value[] {
  let next = 0;
  const take = (v: Value): Value => {
    if (v.kind === "nothing") return v;
    if (v.kind === "sequence") return { kind: "sequence", items: v.items.map(take) };
    const expr = exprs[next++];
    return expr === undefined ? v : { kind: "tensor", expr };
  };
  return like.map(take);
}

/** The dimensions that two tensors have in common; undefined where they differ. */
function commonDims(ctx: NodeContext, a: TensorStructInfo, b: TensorStructInfo): readonly (PrimExpr | undefined)[] {
  if (a.dtype !== b.dtype) return ctx.unsupported(`it gives ${a.dtype ?? "?"} or ${b.dtype ?? "?"}`);
  if (a.ndim < 0 || a.ndim !== b.ndim) return ctx.unsupported(`it gives ${a.ndim} or ${b.ndim} dimensions`);
  const [x, y] = [shapeOf(a), shapeOf(b)];
  return Array.from({ length: a.ndim }, (_, i) => {
    const [d, e] = [x?.[i], y?.[i]];
    return d !== undefined && e !== undefined && ctx.bb.infer.proveEqual(d, e) ? d : undefined;
  });
}

/** `x` with variables for the dimensions that are not known. */
function opened(ctx: NodeContext, x: Expr, dims: readonly (PrimExpr | undefined)[]): Expr {
  return dims.every((d) => d !== undefined) && shapeOf(ctx.info(x)) !== undefined ? x : ctx.withOpenDims(x, dims);
}

/** A loop of the model. */
export interface RunLoop {
  /** How often at most; undefined says that the condition alone decides. */
  readonly trips: Expr | undefined;
  /** Before the first round; undefined holds. */
  readonly condition: Expr | undefined;
  readonly carried: readonly Expr[];
  /** One round, with its number (int64) and the condition before it (bool), both scalars. */
  readonly round: (index: Expr, condition: Expr, carried: readonly Expr[]) => RoundResult;
}

/** What a round gives. */
export interface RoundResult {
  /** Whether another round follows; undefined holds. */
  readonly condition: Expr | undefined;
  readonly carried: readonly Expr[];
  /** What each round adds to a list of its own. */
  readonly scans: readonly Expr[];
}

/**
 * Rounds whose number the model computes: the body becomes a function, which the runtime calls in turn. Gives what is
 * carried after the last round, and the lists that the rounds made, stacked along a new first axis.
 */
export function loopAtRun(ctx: NodeContext, loop: RunLoop): readonly Expr[] {
  requirePlain(ctx);
  // Sizes that a round changes are found by trying: they become the function's own.
  const open = loop.carried.map((c) => ctx.dims(c).map(() => false));
  for (;;) {
    const tried = bodyFunction(ctx, loop, open);
    if (!tried.changed) return callLoop(ctx, loop, tried);
  }
}

interface Body {
  readonly func: Function;
  readonly own: ReadonlySet<TirVar>;
  readonly carried: readonly TensorStructInfo[];
  readonly scans: readonly TensorStructInfo[];
  readonly changed: boolean;
}

function bodyFunction(ctx: NodeContext, loop: RunLoop, open: boolean[][]): Body {
  const own = new Set<TirVar>();
  const carried = loop.carried.map((c, k) => {
    const dims = ctx.dims(c).map((d, i) => {
      if (open[k]?.[i] !== true) return d;
      const v = makeTirVar(ctx.bb.uniqueName("size"), "int64");
      own.add(v);
      return v;
    });
    return makeTensorStructInfo(dims, ctx.dtype(c));
  });
  const index = makeVar("index", makeTensorStructInfo([], "int64"));
  const going = makeVar("going", makeTensorStructInfo([], "bool"));
  const state = carried.map((info, k) => makeVar(`state_${k}`, info));
  let results: readonly TensorStructInfo[] = [];
  const func = ctx.bb.buildFunction([index, going, ...state], () => {
    const r = loop.round(index, going, state);
    const condition = r.condition === undefined ? ctx.scalar(1, "bool") : scalarOf(ctx, r.condition);
    results = [...r.carried, ...r.scans].map((e) => ctx.info(e));
    return ctx.bb.emit(makeTuple([condition, ...r.carried, ...r.scans]));
  });
  let changed = false;
  carried.forEach((info, k) => {
    const next = results[k];
    if (next === undefined || next.dtype !== info.dtype || next.ndim !== info.ndim) return ctx.unsupported("a value that it carries changes its type or its number of dimensions");
    commonDims(ctx, info, next).forEach((d, i) => {
      const flags = open[k];
      if (d !== undefined || flags === undefined || flags[i] === true) return;
      flags[i] = true;
      changed = true;
    });
  });
  forEachBinding(func.body, (b) => {
    if (b.kind === "relax.MatchCast") tirVarsInStructInfo(b.structInfo, (d) => undefinedVars(d).forEach((v) => own.add(v)));
  });
  return { func, own, carried, scans: results.slice(carried.length), changed };
}

function callLoop(ctx: NodeContext, loop: RunLoop, body: Body): readonly Expr[] {
  // A size that was matched again inside may still be one from around.
  const outer = new Set<TirVar>();
  for (const c of loop.carried) tirVarsInStructInfo(ctx.info(c), (d) => undefinedVars(d).forEach((v) => outer.add(v)));
  const visible = (d: PrimExpr): boolean => undefinedVars(d).every((v) => outer.has(v) || !body.own.has(v));
  const known = (info: TensorStructInfo): readonly (PrimExpr | undefined)[] =>
    shapeOf(info)?.map((d) => (visible(d) ? d : undefined)) ?? Array.from({ length: Math.max(0, info.ndim) }, () => undefined);
  const dims = [...body.carried.map(known), ...body.scans.map((s) => [undefined, ...known(s)])];
  const infos = [...body.carried, ...body.scans].map((info, i): StructInfo => makeTensorStructInfo(dims[i]?.length ?? 0, info.dtype ?? "float32"));
  const elements = body.scans.flatMap((s) => [
    makeDataTypeImm(s.dtype ?? "float32"),
    makeShapeExpr(known(s).map((d) => d ?? constant(0, "int64"))),
  ]);
  const trips = loop.trips === undefined ? ctx.constant(tensorFrom([2n ** 63n - 1n], [], "int64")) : ctx.reshape(ctx.astype(loop.trips, "int64"), []);
  const start = loop.condition === undefined ? ctx.scalar(1, "bool") : scalarOf(ctx, loop.condition);
  const f = ctx.bb.emit(body.func);
  const args = [makeExternFunc("relax.run.loop"), f, trips, start, makePrimValue(loop.carried.length), ...loop.carried, ...elements];
  const all = ctx.bb.emit(ctx.bb.callOp("relax.call_pure_packed", args, {}, [makeTupleStructInfo(infos)]));
  return dims.map((d, i) => ctx.withOpenDims(ctx.field(all, i), d));
}
