import { opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Call, DataflowBlock, Expr, VarBinding } from "../ir/expr.ts";
import { shapeOf } from "../ir/make.ts";
import type { InferContext } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { dataflowAliases, UNKNOWN_PLACE } from "./dataflow-aliases.ts";
import { dataflowLiveness } from "./dataflow-liveness.ts";
import { isVar } from "./variables.ts";

/** Operators that compute each element of the result from the elements at its place. */
const elementwise = new Set(["add", "subtract", "multiply", "divide", "nn.silu", "nn.relu"].map((name) => `relax.${name}`));

/** A call that may write its result over some of its arguments. */
export interface InplaceOpportunity {
  readonly call: Call;
  /** The numbers of those arguments, ascending. */
  readonly args: readonly number[];
}

/**
 * The bindings of a block whose calls may write over an argument (upstream's exact matches): it has the shape and type of the
 * result, and neither it nor what may share its memory is used later.
 */
export function inplaceOpportunities(block: DataflowBlock, ctx: InferContext): ReadonlyMap<VarBinding, InplaceOpportunity> {
  const ends = dataflowLiveness(block);
  const held = dataflowAliases(block);
  // Variables that are bound later count as well: a field may yet be taken of a tuple.
  const isFree = (v: AnyVar, i: number): boolean => {
    const places = held.get(v);
    if (places === undefined || places.has(UNKNOWN_PLACE) || (ends.get(v) ?? 0) > i) return false;
    return [...held].every(([other, theirs]) => other === v || (ends.get(other) ?? 0) <= i || ![...theirs].some((p) => places.has(p)));
  };
  const out = new Map<VarBinding, InplaceOpportunity>();
  for (const [i, b] of block.bindings.entries()) {
    const name = opNameOf(b.value);
    if (b.kind !== "relax.VarBinding" || b.value.kind !== "relax.Call" || name === undefined || !elementwise.has(name)) continue;
    const fits = (arg: Expr): boolean => isVar(arg) && isSameTensor(structInfoOf(arg), b.var.structInfo, ctx) && isFree(arg, i);
    const args = b.value.args.flatMap((arg, j) => (fits(arg) ? [j] : []));
    if (args.length > 0) out.set(b, { call: b.value, args });
  }
  return out;
}

function isSameTensor(a: StructInfo | undefined, b: StructInfo | undefined, ctx: InferContext): boolean {
  if (a?.kind !== "relax.TensorStructInfo" || b?.kind !== "relax.TensorStructInfo" || a.dtype === undefined || a.dtype !== b.dtype || a.vdevice !== b.vdevice) return false;
  const [x, y] = [shapeOf(a), shapeOf(b)];
  return x !== undefined && y !== undefined && x.length === y.length && x.every((d, i) => ctx.proveEqual(d, y[i] ?? d));
}
