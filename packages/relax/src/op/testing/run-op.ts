import { makeGlobalVar } from "@verticil/ir-core";
import { tensorFrom, zeros, getElement, elementCount, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { createPrimFunc, placeholder, Tensor as TeTensor } from "@verticil/te";
import { Analyzer, interpretPrimFunc, type PrimFunc } from "@verticil/tir";
import type { AttrMap } from "@verticil/ir-core";
import { makeOp } from "@verticil/ir-core";
import type { Call, Expr } from "../../ir/expr.ts";
import { makeCall, makeConstant, makeTuple, makeTupleStructInfo, makeTensorStructInfo, makeVar, shapeOf, staticShapeOf } from "../../ir/make.ts";
import { completeAttrs, type InferContext } from "../../ir/op-def.ts";
import type { StructInfo } from "../../ir/struct-info.ts";
import { relaxOps } from "../index.ts";
import type { LegalizeBuilder } from "../legalize-rule.ts";
import { legalizeTable } from "../legalize/index.ts";

const analyzer = new Analyzer();

/** Inference with an analyzer of its own. */
export const inferContext: InferContext = {
  proveEqual: (a, b) => analyzer.canProveEqual(a, b),
  simplify: (e) => analyzer.simplify(e),
};

/** A call of an operator with attributes completed and struct info inferred. */
export function opCall(name: string, args: readonly Expr[], attrs: AttrMap = {}): Call {
  const def = relaxOps.get(`relax.${name}`);
  if (def === undefined) throw new RangeError(`No operator ${name}.`);
  const call = makeCall(makeOp(def.name), args, { attrs: completeAttrs(def, attrs) });
  return { ...call, structInfo: def.inferStructInfo(call, inferContext) };
}

/** A tensor from plain values. */
export function t(values: readonly (number | bigint)[], shape: readonly number[], dtype: ScalarDType = "float32"): Tensor {
  return tensorFrom(values, shape, dtype);
}

/** Small distinct values in a shape: -1 to 1, dense enough to tell cells apart. */
export function ramp(shape: readonly number[], dtype: ScalarDType = "float32", scale = 1): Tensor {
  const count = elementCount(shape);
  return tensorFrom(Array.from({ length: count }, (_, i) => scale * (((i * 37) % 101) / 50 - 1)), shape, dtype);
}

/** The elements of a tensor as numbers. */
export function values(tensor: Tensor): number[] {
  return Array.from({ length: elementCount(tensor.shape) }, (_, i) => Number(getElement(tensor, i)));
}

type Arg = Tensor | Expr | readonly Tensor[];

/**
 * Legalizes a call of an operator on tensors and runs the tensor program in the interpreter. Tensors are variables,
 * expressions go in as they are. A rule that gives a constant gives that.
 */
export function runOp(name: string, args: readonly Arg[], attrs: AttrMap = {}): readonly Tensor[] {
  const bound = new Map<Expr, Tensor>();
  const variable = (tensor: Tensor): Expr => {
    const v = makeVar("x", makeTensorStructInfo(tensor.shape, tensor.dtype));
    bound.set(v, tensor);
    return v;
  };
  const exprs = args.map((a): Expr => (Array.isArray(a) ? makeTuple(a.map(variable)) : isExpr(a) ? a : variable(a as Tensor)));
  const call = opCall(name, exprs, attrs);
  const rule = legalizeTable.get(`relax.${name}`);
  if (rule === undefined) throw new RangeError(`No legalization of ${name}.`);
  const results = new Map<Expr, readonly Tensor[]>();
  const valueOf = (e: Expr): Tensor => {
    if (e.kind === "relax.Constant") return e.data;
    const found = bound.get(e) ?? results.get(e)?.[0];
    if (found === undefined) throw new Error(`No value for ${e.kind}.`);
    return found;
  };
  const builder: LegalizeBuilder = {
    callTe(fn, operands) {
      const inputs = operands.flatMap((o) => (o.kind === "relax.Tuple" ? o.fields : [o]));
      const placeholders = inputs.map((o, i) => {
        const info = "structInfo" in o ? o.structInfo : undefined;
        if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined) throw new Error("A tensor was expected.");
        return placeholder(shapeOf(info) ?? [], info.dtype, `A${i}`);
      });
      const result = fn(...placeholders);
      const outputs = result instanceof TeTensor ? [result] : result;
      const func = createPrimFunc([...placeholders, ...outputs]);
      const infos = outputs.map((o) => makeTensorStructInfo(o.shape, o.dtype));
      const structInfo = infos.length === 1 && result instanceof TeTensor ? infos[0] : makeTupleStructInfo(infos);
      const made = makeCall(makeGlobalVar("f"), operands, { structInfo: structInfo as StructInfo });
      results.set(made, interpret(func, inputs.map(valueOf), infos));
      return made;
    },
    callTeOperands() {
      throw new Error("Scalars are not run here.");
    },
    matchCast() {
      throw new Error("Sizes that values decide are not run here.");
    },
    emit(value, hint = "lv") {
      const v = makeVar(hint, "structInfo" in value ? value.structInfo : undefined);
      const known = results.get(value);
      if (known !== undefined) results.set(v, known);
      return v;
    },
  };
  const out = rule(call, builder);
  if (out === undefined) throw new Error(`\`${name}\` was left as it is.`);
  if (out.kind === "relax.Constant") return [out.data];
  const found = results.get(out) ?? (bound.get(out) === undefined ? undefined : [valueOf(out)]);
  if (found === undefined) throw new Error(`\`${name}\` became ${out.kind}.`);
  expectSameInfo(call.structInfo, found);
  return found;
}

function expectSameInfo(info: StructInfo | undefined, results: readonly Tensor[]): void {
  const infos = info?.kind === "relax.TupleStructInfo" ? info.fields : [info];
  infos.forEach((own, i) => {
    const shape = staticShapeOf(own);
    const result = results[i];
    const dtype = own?.kind === "relax.TensorStructInfo" ? own.dtype : undefined;
    if (result === undefined || shape?.join() !== result.shape.join() || dtype !== result.dtype) {
      throw new Error(`Inferred ${dtype} [${shape?.join()}], computed ${result?.dtype} [${result?.shape.join()}].`);
    }
  });
}

function isExpr(a: Arg): a is Expr {
  return "kind" in a;
}

function interpret(func: PrimFunc, inputs: readonly Tensor[], infos: readonly StructInfo[]): readonly Tensor[] {
  const outputs = infos.map((info) => zeros(info.kind === "relax.TensorStructInfo" ? (info.dtype ?? "float32") : "float32", staticShapeOf(info) ?? []));
  interpretPrimFunc(func, [...inputs, ...outputs]);
  return outputs;
}

/** A constant operand. */
export function constantOf(tensor: Tensor): Expr {
  return makeConstant(tensor);
}
