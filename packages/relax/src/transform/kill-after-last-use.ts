import { definePass, makeOp, type Pass } from "@verticil/ir-core";
import { forEachUse, isVar } from "../analysis/variables.ts";
import { isCallTo } from "../ir/call-target.ts";
import type { AnyVar, Binding, Expr, Function, SeqExpr } from "../ir/expr.ts";
import { makeBindingBlock, makeCall, makeSeqExpr, makeTupleStructInfo, makeVar, makeVarBinding } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import { UniqueNames } from "../ir/unique-names.ts";

/**
 * Upstream's `KillAfterLastUse`: lets go of each value after the last binding of its sequence that uses it, branches
 * included. What a sequence gives, and what is let go of already, is left alone.
 */
export function killAfterLastUse(): Pass {
  return definePass("KillAfterLastUse", (module) => mapRelaxFunctions(module, killInFunction));
}

function killInFunction(func: Function): Function {
  const names = new UniqueNames();
  return mapSequences(func, (seq) => killInSequence(seq, names));
}

function killInSequence(seq: SeqExpr, names: UniqueNames): SeqExpr {
  const bindings = seq.blocks.flatMap((b) => b.bindings);
  if (seq.blocks.some((b) => b.kind === "relax.DataflowBlock")) return seq;
  const lastUse = new Map<AnyVar, number>();
  const kept = new Set<AnyVar>();
  forEachUse(seq.body, (v) => kept.add(v));
  bindings.forEach((b, i) => {
    lastUse.set(b.var, i);
    forEachUse(b.value, (v) => {
      if (lastUse.has(v)) lastUse.set(v, i);
    });
    const killed = killedBy(b.value);
    if (killed !== undefined) kept.add(killed);
  });
  const out: Binding[] = [];
  const ends = new Map<number, AnyVar[]>();
  for (const [v, i] of lastUse) {
    if (kept.has(v) || isNothing(v)) continue;
    ends.set(i, [...(ends.get(i) ?? []), v]);
  }
  bindings.forEach((b, i) => {
    out.push(b);
    for (const v of ends.get(i) ?? []) out.push(makeVarBinding(makeVar(names.fresh("_"), makeTupleStructInfo([])), kill(v, bindings)));
  });
  return out.length === bindings.length ? seq : makeSeqExpr([makeBindingBlock(out)], seq.body, seq.span);
}

function killedBy(value: Expr): AnyVar | undefined {
  const kills = ["relax.memory.kill_tensor", "relax.memory.kill_storage", "relax.vm.kill_object"];
  if (value.kind !== "relax.Call" || !kills.some((k) => isCallTo(value, k))) return undefined;
  const [arg] = value.args;
  return arg !== undefined && isVar(arg) ? arg : undefined;
}

/** The empty tuple, a scalar or a shape holds nothing. */
function isNothing(v: AnyVar): boolean {
  const info = v.structInfo;
  return info?.kind === "relax.PrimStructInfo" || info?.kind === "relax.ShapeStructInfo" || (info?.kind === "relax.TupleStructInfo" && info.fields.length === 0);
}

function kill(v: AnyVar, bindings: readonly Binding[]): Expr {
  const value = bindings.find((b) => b.var === v)?.value;
  const op =
    value === undefined
      ? "relax.vm.kill_object"
      : isCallTo(value, "relax.memory.alloc_storage")
        ? "relax.memory.kill_storage"
        : isCallTo(value, "relax.memory.alloc_tensor")
          ? "relax.memory.kill_tensor"
          : "relax.vm.kill_object";
  return makeCall(makeOp(op), [v], { structInfo: makeTupleStructInfo([]) });
}
