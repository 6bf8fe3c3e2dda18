import { definePass, type Pass } from "@verticil/ir-core";
import { elementCount, dtypeBytes, zeros, type Tensor } from "@verticil/runtime-ffi";
import { interpretPrimFunc, type PrimFunc } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, opNameOf } from "../ir/call-target.ts";
import { callTe } from "../ir/call-te.ts";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { leafInfos } from "../ir/infer-call.ts";
import { makeConstant, makeTuple, staticShapeOf } from "../ir/make.ts";
import { rewriteModule, type RuleContext } from "../ir/mutate.ts";
import { opRegistryKey, type OpRegistry } from "../ir/op-def.ts";
import type { LegalizeTable } from "../op/legalize-rule.ts";
import { legalizeTableKey } from "./legalize-ops.ts";
import { foldMetadataOp } from "./fold-metadata-op.ts";

/** Options of `foldConstant`. */
export interface FoldConstantOptions {
  /** A result of more bytes than this, and more than its operands have, is left to run time; 64 KiB unless told. */
  readonly maxGrowth?: number;
}

/**
 * Upstream's `FoldConstant`: evaluates calls whose operands are all constants, by the interpreter of tensor programs.
 * Operators that are not legalized yet are legalized aside to be evaluated. A call without tensor operands (`zeros`)
 * is folded only if its result is small.
 */
export function foldConstant(opts: FoldConstantOptions = {}): Pass {
  const maxGrowth = opts.maxGrowth ?? 65536;
  return definePass("FoldConstant", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    const legalize = ctx.find(legalizeTableKey) ?? new Map();
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops, module }),
      (func) =>
        func.attrs["Primitive"] !== undefined ? undefined : (value, ruleCtx) => fold(value, ruleCtx, ops, legalize, maxGrowth),
    );
  });
}

function fold(value: Expr, ctx: RuleContext, ops: OpRegistry, legalize: LegalizeTable, maxGrowth: number): Expr | undefined {
  if (value.kind === "relax.TupleGetItem") {
    const tuple = ctx.value(value.tuple);
    const field = tuple?.kind === "relax.Tuple" ? tuple.fields[value.index] : undefined;
    return field !== undefined && field.kind === "relax.Constant" ? field : undefined;
  }
  if (value.kind !== "relax.Call") return undefined;
  const args = constantArgs(value, ctx);
  if (args === undefined) return undefined;
  // An operand that was folded just now took with it what was known of the result.
  if (value.structInfo === undefined) return fold(ctx.bb.normalize(value), ctx, ops, legalize, maxGrowth);
  const call = callTirParts(value);
  if (call !== undefined) {
    const func = ctx.bb.getFunc(call.callee);
    return func?.kind === "tir.PrimFunc" && call.tirVars === undefined ? evaluate(func as PrimFunc, args, value, maxGrowth) : undefined;
  }
  const name = opNameOf(value);
  if (name === undefined || !(ops.get(name)?.pure ?? false)) return undefined;
  const cheap = foldMetadataOp(value, args);
  return cheap ?? evaluateOp(value, name, args, ops, legalize, maxGrowth);
}

/** The constant operands of a call, in order, tuples flattened; undefined if any tensor operand is none. */
function constantArgs(call: Call, ctx: RuleContext): readonly Constant[] | undefined {
  const out: Constant[] = [];
  const visit = (e: Expr): boolean => {
    switch (e.kind) {
      case "relax.Constant":
        out.push(e);
        return true;
      case "relax.Tuple":
        return e.fields.every(visit);
      case "relax.Var":
      case "relax.DataflowVar": {
        const bound = ctx.value(e);
        return bound?.kind === "relax.Constant" || bound?.kind === "relax.Tuple" ? visit(bound) : false;
      }
      case "relax.ShapeExpr":
        return e.values.every((v) => v.kind === "ir.IntImm");
      case "relax.PrimValue":
        return e.value.kind === "ir.IntImm" || e.value.kind === "ir.FloatImm";
      case "relax.StringImm":
      case "relax.DataTypeImm":
      case "ir.GlobalVar":
        return true;
      default:
        return false;
    }
  };
  return call.args.every(visit) ? out : undefined;
}

/** Legalizes a call aside and evaluates what comes of it. */
function evaluateOp(
  call: Call,
  name: string,
  args: readonly Constant[],
  ops: OpRegistry,
  legalize: LegalizeTable,
  maxGrowth: number,
): Expr | undefined {
  const rule = legalize.get(name);
  if (rule === undefined || !fits(call, args, maxGrowth)) return undefined;
  const aside = new BlockBuilder({ ops });
  let lowered: Expr | undefined;
  try {
    lowered = rule(call, { callTe: (fn, a, o) => callTe(aside, fn, a, o), callTeOperands: () => refuseEmit(), emit: () => refuseEmit(), matchCast: () => refuseEmit() });
  } catch (error) {
    if (error instanceof CannotFold) return undefined;
    throw error;
  }
  const parts = lowered === undefined ? undefined : callTirParts(lowered);
  const func = parts === undefined ? undefined : aside.getFunc(parts.callee);
  if (parts === undefined || func?.kind !== "tir.PrimFunc") return undefined;
  const operands = parts.args.fields.filter((f): f is Constant => f.kind === "relax.Constant");
  return operands.length === parts.args.fields.length ? evaluate(func as PrimFunc, operands, parts.call, maxGrowth) : undefined;
}

/** Programs over so few elements are done before strips of them would be prepared. */
const fewElements = 512;

class CannotFold extends Error {}

function refuseEmit(): never {
  throw new CannotFold("more than one program");
}

function fits(call: Call, args: readonly Constant[], maxGrowth: number): boolean {
  const infos = call.structInfo === undefined ? [] : leafInfos(call.structInfo);
  let bytes = 0;
  for (const info of infos) {
    const shape = staticShapeOf(info);
    if (info.kind !== "relax.TensorStructInfo" || shape === undefined || info.dtype === undefined) return false;
    bytes += elementCount(shape) * dtypeBytes(info.dtype);
  }
  const given = args.reduce((sum, a) => sum + a.data.data.byteLength, 0);
  return infos.length > 0 && bytes <= Math.max(maxGrowth, 2 * given);
}

function evaluate(func: PrimFunc, args: readonly Constant[], call: Call, maxGrowth: number): Expr | undefined {
  if (!fits(call, args, maxGrowth) || call.structInfo === undefined) return undefined;
  const outputs: Tensor[] = [];
  for (const info of leafInfos(call.structInfo)) {
    const shape = staticShapeOf(info);
    if (info.kind !== "relax.TensorStructInfo" || shape === undefined || info.dtype === undefined) return undefined;
    outputs.push(zeros(info.dtype, shape));
  }
  const tensors = [...args.map((a) => a.data), ...outputs];
  const elements = tensors.reduce((sum, t) => sum + elementCount(t.shape), 0);
  interpretPrimFunc(func, tensors, { strips: elements > fewElements });
  const constants = outputs.map((t) => makeConstant(t, call.span));
  const [only] = constants;
  return constants.length === 1 && only !== undefined && call.structInfo.kind !== "relax.TupleStructInfo" ? only : makeTuple(constants);
}
