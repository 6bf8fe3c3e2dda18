import { definePass, withFunctions, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import type { Tensor } from "@verticil/runtime-ffi";
import type { IndexMap, PrimFunc } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, opNameOf } from "../ir/call-target.ts";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { makeCall, makeConstant, makeTuple } from "../ir/make.ts";
import { isRelaxFunction, rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { packTensor } from "./pack-tensor.ts";

/** A tensor program that takes one of its parameters in another layout. */
export interface OperandPacking {
  readonly func: PrimFunc;
  /** The place of the parameter. */
  readonly param: number;
  /** Where each element of the parameter lies in the new layout. */
  readonly indexMap: IndexMap;
}

/**
 * Stores weights as the programs that use them want them: where every call of a program passes a constant for the
 * parameter that `choose` names, the program and the constants are changed to the new layout. It costs nothing at run
 * time (upstream: layout-free buffers and `LiftTransformParams`). Programs that have a schedule keep their layouts.
 */
export function packConstants(choose: (func: PrimFunc) => OperandPacking | undefined): Pass {
  return definePass("PackConstants", (module, ctx) => {
    const packings = new Map<GlobalVar, OperandPacking>();
    const calls = callsByProgram(module);
    for (const [gv, func] of module.functions) {
      const own = calls.get(gv) ?? [];
      if (func.kind !== "tir.PrimFunc" || own.length === 0 || func.attrs["tir.is_scheduled"] !== undefined) continue;
      const packing = choose(func as PrimFunc);
      if (packing !== undefined && own.every((c) => constantAt(c, packing.param) !== undefined)) packings.set(gv, packing);
    }
    if (packings.size === 0) return module;
    const functions = new Map([...module.functions].map(([gv, f]) => [gv, packings.get(gv)?.func ?? f]));
    const packed = new Map<Tensor, Map<GlobalVar, Constant>>();
    return rewriteModule(
      withFunctions(module, functions),
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module: withFunctions(module, functions) }),
      () => (value) => {
        const parts = callTirParts(value);
        const packing = parts && packings.get(parts.callee);
        const constant = parts && packing && constantAt(parts.call, packing.param);
        if (parts === undefined || packing === undefined || constant === undefined) return undefined;
        const known = packed.get(constant.data) ?? new Map<GlobalVar, Constant>();
        packed.set(constant.data, known);
        const next = known.get(parts.callee) ?? makeConstant(packTensor(constant.data, packing.indexMap), constant.span);
        known.set(parts.callee, next);
        return withArgument(parts.call, packing.param, next);
      },
    );
  });
}

/** Every `call_tir` of each program; a program that is used in another way than called has a call without arguments. */
export function callsByProgram(module: IRModule): ReadonlyMap<GlobalVar, readonly Call[]> {
  const calls = new Map<GlobalVar, Call[]>();
  for (const func of module.functions.values()) {
    if (!isRelaxFunction(func) || func.body.kind !== "relax.SeqExpr") continue;
    for (const { value } of func.body.blocks.flatMap((b) => b.bindings)) {
      for (const gv of programsIn(value)) {
        const list = calls.get(gv) ?? [];
        list.push(value as Call);
        calls.set(gv, list);
      }
    }
  }
  return calls;
}

function programsIn(value: Expr): readonly GlobalVar[] {
  if (value.kind !== "relax.Call") return [];
  const args = value.args.filter((a) => a.kind === "ir.GlobalVar");
  return value.op.kind === "ir.GlobalVar" ? [value.op, ...args] : args;
}

/** The constant that a `call_tir` passes for a parameter. */
export function constantAt(call: Call, param: number): Constant | undefined {
  const parts = opNameOf(call) === "relax.call_tir" ? callTirParts(call) : undefined;
  const arg = parts?.tirVars === undefined ? parts?.args.fields[param] : undefined;
  return arg?.kind === "relax.Constant" ? arg : undefined;
}

function withArgument(call: Call, param: number, value: Expr): Call {
  const [callee, args, ...rest] = call.args;
  if (callee === undefined || args?.kind !== "relax.Tuple") return call;
  const fields = args.fields.map((f, i) => (i === param ? value : f));
  return makeCall(call.op, [callee, makeTuple(fields, args.span), ...rest], { attrs: call.attrs, sinfoArgs: call.sinfoArgs, span: call.span });
}
