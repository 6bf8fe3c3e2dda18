import { definePass, type Pass } from "@verticil/ir-core";
import { elementCount, getElement, tensor, type Tensor } from "@verticil/runtime-ffi";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyVar, Call, Expr, Function } from "../ir/expr.ts";
import { makeCall, makeConstant, makeTuple, makeTupleGetItem } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { isVar } from "../analysis/variables.ts";
import { opNameOf } from "../ir/call-target.ts";

/**
 * Computes float16 graphs in float32, for targets without 16-bit arithmetic: parameters are widened where they come in,
 * constants once and for all, and results narrowed where they leave. The signature stays. `astype` to float16 in the
 * middle becomes nothing, so that results are at least as exact as in float16.
 */
export function promoteFloat16(): Pass {
  return definePass("PromoteFloat16", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    let changed = false;
    for (const [gv, func] of module.functions) {
      if (!isRelaxFunction(func) || !usesFloat16(func)) continue;
      bb.updateFunc(gv, promote(func, bb));
      changed = true;
    }
    return changed ? bb.finalize() : module;
  });
}

function usesFloat16(func: Function): boolean {
  const half = (e: Expr): boolean => {
    const info = structInfoOf(e);
    return info?.kind === "relax.TensorStructInfo" && info.dtype === "float16";
  };
  if (func.params.some(half)) return true;
  if (func.body.kind !== "relax.SeqExpr") return false;
  return func.body.blocks.some((block) =>
    block.bindings.some((b) => half(b.var) || (b.value.kind === "relax.Call" && b.value.args.some(half))),
  );
}

function promote(func: Function, bb: BlockBuilder): Function {
  const values = new Map<AnyVar, Expr>();
  const widened = new Map<Tensor, Expr>();
  const operand = (e: Expr): Expr => {
    if (isVar(e)) return values.get(e) ?? e;
    if (e.kind === "relax.Constant" && e.data.dtype === "float16") {
      const known = widened.get(e.data) ?? makeConstant(widen(e.data), e.span);
      widened.set(e.data, known);
      return known;
    }
    if (e.kind === "relax.Tuple") return makeTuple(e.fields.map(operand), e.span);
    return e;
  };
  return bb.buildFunction(
    func.params,
    () =>
      bb.dataflow(() => {
        for (const p of func.params) {
          if (p.structInfo?.kind === "relax.TensorStructInfo" && p.structInfo.dtype === "float16") {
            values.set(p, bb.emitOp("relax.astype", [p], { dtype: "float32" }));
          }
        }
        if (func.body.kind !== "relax.SeqExpr") return narrow(operand(func.body), func.retStructInfo, bb);
        for (const block of func.body.blocks) {
          for (const b of block.bindings) {
            const value = promoteValue(b.value, operand);
            values.set(b.var, isVar(value) ? value : value.kind === "relax.Constant" ? value : bb.emit(value, b.var.name));
          }
        }
        return narrow(operand(func.body.body), func.retStructInfo, bb);
      }),
    { attrs: func.attrs, isPure: func.isPure },
  );
}

function promoteValue(value: Expr, operand: (e: Expr) => Expr): Expr {
  if (value.kind === "relax.TupleGetItem") return makeTupleGetItem(operand(value.tuple), value.index, value.span);
  if (value.kind !== "relax.Call") return operand(value);
  const args = value.args.map(operand);
  const attrs = Object.fromEntries(Object.entries(value.attrs).map(([k, v]) => [k, v === "float16" ? "float32" : v]));
  const next: Call = makeCall(value.op, args, { attrs, sinfoArgs: value.sinfoArgs, span: value.span });
  const [data] = args;
  const info = data === undefined ? undefined : structInfoOf(data);
  const same = opNameOf(value) === "relax.astype" && info?.kind === "relax.TensorStructInfo" && info.dtype === attrs["dtype"];
  return same && data !== undefined ? data : next;
}

/** A result in the type that the signature promises. */
function narrow(result: Expr, info: Function["retStructInfo"], bb: BlockBuilder): Expr {
  if (info.kind === "relax.TupleStructInfo") {
    const fields = info.fields.map((f, i) => narrow(result.kind === "relax.Tuple" ? (result.fields[i] ?? result) : makeTupleGetItem(result, i), f, bb));
    return bb.emitOutput(makeTuple(fields));
  }
  const now = structInfoOf(result);
  const same = now?.kind === "relax.TensorStructInfo" && info.kind === "relax.TensorStructInfo" && now.dtype === info.dtype;
  if (same || info.kind !== "relax.TensorStructInfo") return bb.emitOutput(result);
  return bb.emitOutput(bb.callOp("relax.astype", [result], { dtype: info.dtype ?? "float16" }));
}

function widen(t: Tensor): Tensor {
  const out = new Float32Array(elementCount(t.shape));
  for (let i = 0; i < out.length; i++) out[i] = Number(getElement(t, i));
  return tensor(out, t.shape);
}
