import { contextKey, definePass, type ContextKey, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { Call, Expr, MatchCast } from "../ir/expr.ts";
import { makeCall, makeTensorStructInfo, makeTuple, shapeOf } from "../ir/make.ts";
import { rewriteModule, type BindingRule, type CastRule, type RuleContext } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import {
  identityOrder,
  isIdentityOrder,
  isPlainOrder,
  modelRank,
  sameOrder,
  type AxisOrder,
  type LayoutContext,
  type LayoutTable,
} from "../op/layout-rule.ts";
import { modelDims, reorderCall, storedDims } from "./reorder-tensor.ts";

/** The rules that a pipeline converts layouts with; see `layoutTable`. */
export const layoutTableKey: ContextKey<LayoutTable> = contextKey("relax.layout");

/**
 * Upstream's `ConvertLayout`: runs operators in wanted layouts, e.g. `{"relax.nn.conv2d": ["NHWC", "HWIO"]}`, lets the
 * operators that do not care follow, and transposes at the borders. Results of a function keep the model's order.
 */
export function convertLayout(desired: Readonly<Record<string, readonly string[]>>): Pass {
  return definePass("ConvertLayout", (module, ctx) => {
    const table = ctx.get(layoutTableKey);
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (func) => (func.attrs["Primitive"] !== undefined ? undefined : layoutConverter(table, desired)),
    );
  });
}

function layoutConverter(table: LayoutTable, desired: Readonly<Record<string, readonly string[]>>): { readonly binding: BindingRule; readonly cast: CastRule } {
  // The stored version of a variable and its order; a variable that is not here is stored as the model means it.
  const stored = new Map<Expr, AxisOrder>();
  const restored = new Map<Expr, Expr>();
  const state: State = { table, desired, stored, restored };
  return { binding: (value, ctx) => convertBinding(value, ctx, state), cast: (cast, ctx) => convertCast(cast, ctx, state) };
}

interface State {
  readonly table: LayoutTable;
  readonly desired: Readonly<Record<string, readonly string[]>>;
  readonly stored: Map<Expr, AxisOrder>;
  /** Transposes back that were made already. */
  readonly restored: Map<Expr, Expr>;
}

function convertBinding(value: Expr, ctx: RuleContext, state: State): Expr | undefined {
  const name = opNameOf(value);
  const call = name === undefined ? undefined : (value as Call);
  const rule = name === undefined ? undefined : state.table.get(name);
  const layoutCtx: LayoutContext = {
    desired: state.desired,
    orderOf: (arg) => state.stored.get(arg) ?? identityOrder(ndimOf(arg)),
    fits: (arg, order) => fits(arg, order, state),
  };
  const decision = call === undefined || rule === undefined ? undefined : rule(call, layoutCtx);
  if (call === undefined || decision === undefined) return restoreOperands(value, ctx, state);
  const orders = [...decision.args];
  let next = 0;
  const convert = (arg: Expr): Expr => {
    if (arg.kind === "relax.Tuple") {
      const fields = arg.fields.map(convert);
      return fields.every((f, i) => f === arg.fields[i]) ? arg : makeTuple(fields, arg.span);
    }
    const order = orders[next++];
    return order === undefined ? restore(arg, ctx, state) : storeAs(arg, order, ctx, state);
  };
  const args = call.args.map((arg, i) => {
    const converted = convert(arg);
    return decision.callArgs?.get(i) ?? converted;
  });
  const unchanged = args.every((a, i) => a === call.args[i]) && decision.attrs === undefined && decision.outputs.every(isIdentityOrder);
  if (unchanged) return undefined;
  const result = makeCall(call.op, args, { attrs: decision.attrs ?? call.attrs, sinfoArgs: call.sinfoArgs, span: call.span });
  return bindStored(result, decision.outputs, ctx, state);
}

/** A value keeps its order through a match_cast, where what it is matched with can be said in that order. */
function convertCast(cast: MatchCast, ctx: RuleContext, state: State): Expr | undefined {
  const order = state.stored.get(cast.value);
  if (order === undefined) return undefined;
  const { structInfo } = cast;
  const dims = structInfo.kind === "relax.TensorStructInfo" ? shapeOf(structInfo) : undefined;
  const own = dims === undefined ? undefined : storedDims(dims, order);
  if (cast.var.kind === "relax.DataflowVar" && structInfo.kind === "relax.TensorStructInfo" && own !== undefined) {
    const v = ctx.bb.matchCast(cast.value, makeTensorStructInfo(own, structInfo.dtype, structInfo.vdevice), cast.var.name);
    state.stored.set(v, order);
    return v;
  }
  ctx.bb.addBinding({ ...cast, value: restore(cast.value, ctx, state) });
  return cast.var;
}

/** Emits the converted call and remembers in which order its result is stored. */
function bindStored(call: Call, outputs: readonly AxisOrder[], ctx: RuleContext, state: State): Expr | undefined {
  const [order] = outputs;
  if (outputs.length !== 1 || order === undefined || isIdentityOrder(order)) return call;
  const { binding } = ctx;
  const v = ctx.bb.emit(call, binding?.name);
  if (binding === undefined) return v;
  if (binding.kind === "relax.DataflowVar") {
    // Users look the variable itself up: the rewriter renames the old variable to this one.
    state.stored.set(v, order);
    return v;
  }
  return reorderCall(v, order, undefined, ctx.bb);
}

function fits(arg: Expr, order: AxisOrder, state: State): boolean {
  if (isPlainOrder(order)) return true;
  const dims = shapeOf(structInfoOf(arg));
  const own = dims === undefined ? undefined : modelDims(dims, state.stored.get(arg) ?? identityOrder(dims.length));
  return own !== undefined && storedDims(own, order) !== undefined;
}

/** Operands of a call without a rule, in the model's own order. */
function restoreOperands(value: Expr, ctx: RuleContext, state: State): Expr | undefined {
  switch (value.kind) {
    case "relax.Call": {
      const args = value.args.map((a) => restore(a, ctx, state));
      return args.every((a, i) => a === value.args[i]) ? undefined : { ...value, args, structInfo: undefined };
    }
    case "relax.Tuple":
    case "relax.TupleGetItem":
    case "relax.Var":
    case "relax.DataflowVar": {
      const out = value.kind === "relax.TupleGetItem" ? restore(value.tuple, ctx, state) : restore(value, ctx, state);
      if (value.kind === "relax.TupleGetItem") return out === value.tuple ? undefined : { ...value, tuple: out, structInfo: undefined };
      return out === value ? undefined : out;
    }
    default:
      return undefined;
  }
}

function restore(arg: Expr, ctx: RuleContext, state: State): Expr {
  if (arg.kind === "relax.Tuple") {
    const fields = arg.fields.map((f) => restore(f, ctx, state));
    return fields.every((f, i) => f === arg.fields[i]) ? arg : makeTuple(fields, arg.span);
  }
  return storeAs(arg, undefined, ctx, state);
}

/** The operand stored in `order` (undefined: the model's own), through a transpose or a tiling if it is stored in another. */
function storeAs(arg: Expr, order: AxisOrder | undefined, ctx: RuleContext, state: State): Expr {
  const current = state.stored.get(arg) ?? identityOrder(ndimOf(arg));
  const wanted = order ?? identityOrder(modelRank(current));
  if (sameOrder(current, wanted)) return arg;
  const key = isIdentityOrder(wanted) ? arg : undefined;
  const known = key === undefined ? undefined : state.restored.get(key);
  if (known !== undefined) return known;
  const v = ctx.bb.emit(reorderCall(arg, current, wanted, ctx.bb));
  if (key !== undefined) state.restored.set(key, v);
  return v;
}

function ndimOf(arg: Expr): number {
  const info = structInfoOf(arg);
  return info?.kind === "relax.TensorStructInfo" ? Math.max(0, info.ndim) : 0;
}
