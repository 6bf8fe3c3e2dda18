import { createPrimFunc, isTensor as isTeTensor, placeholder, type Tensor as TeTensor } from "@verticil/te";
import { makeVar as makeTirVar, undefinedVars, type AnyVar as TirVar } from "@verticil/tir";
import type { OperandFunction, TeFunction } from "../op/legalize-rule.ts";
import type { BlockBuilder } from "./block-builder.ts";
import { callTir } from "./call-tir.ts";
import type { Call, Expr } from "./expr.ts";
import { makeShapeExpr, makeTensorStructInfo, makeTupleStructInfo, shapeOf } from "./make.ts";
import { structInfoOf } from "./struct-info-of.ts";
import { tirVarsInStructInfo } from "./infer-call.ts";

/**
 * A `call_tir` of the tensor program that `fn` computes on placeholders like `args` (upstream's
 * `BlockBuilder.call_te`). The program is added to the builder's module; an equal one is used again.
 * @throws TypeError if an argument is not a tensor of known shape and dtype.
 */
export function callTe(bb: BlockBuilder, fn: TeFunction, args: readonly Expr[], opts: { readonly name?: string } = {}): Call {
  const tensors = args.flatMap((a) => (a.kind === "relax.Tuple" ? a.fields : [a]));
  const inputs = tensors.map((t, i) => teArgument(t, argumentName(i)));
  return callProgram(bb, fn(...inputs), inputs, tensors, opts.name ?? "te");
}

/** Like `callTe` for arguments that may be scalars (`R.Prim`): the program takes them by value, in their place. */
export function callTeOperands(bb: BlockBuilder, fn: OperandFunction, args: readonly Expr[], opts: { readonly name?: string } = {}): Call {
  const inputs = args.map((a, i) => {
    const info = structInfoOf(a);
    return info?.kind === "relax.PrimStructInfo" ? makeTirVar(argumentName(i), info.dtype) : teArgument(a, argumentName(i));
  });
  return callProgram(bb, fn(...inputs), inputs, args, opts.name ?? "te");
}

function callProgram(bb: BlockBuilder, result: TeTensor | readonly TeTensor[], inputs: readonly (TeTensor | TirVar)[], args: readonly Expr[], name: string): Call {
  const outputs: readonly TeTensor[] = isTensor(result) ? [result] : result;
  const inShapes = unboundVars(inputs.filter(isTeTensor), outputs);
  const made = createPrimFunc([...inputs, ...outputs], { tirVars: inShapes });
  // What only the elements are computed from (the start of an `arange`) is handed over as well.
  const inBody = undefinedVars(made);
  const symbolic = [...inShapes, ...inBody];
  const func = inBody.length === 0 ? made : createPrimFunc([...inputs, ...outputs], { tirVars: symbolic });
  const gv = bb.addFunc(func, name);
  const infos = outputs.map((o) => makeTensorStructInfo(o.shape, o.dtype));
  const [only] = infos;
  const outInfo = infos.length === 1 && only !== undefined ? only : makeTupleStructInfo(infos);
  return callTir(gv, args, outInfo, symbolic.length === 0 ? undefined : makeShapeExpr(symbolic));
}

function isTensor(result: TeTensor | readonly TeTensor[]): result is TeTensor {
  return !Array.isArray(result);
}

/** A placeholder with the shape and dtype of an argument. @throws TypeError if they are not known. */
export function teArgument(arg: Expr, name: string): TeTensor {
  const info = structInfoOf(arg);
  const shape = shapeOf(info);
  if (info?.kind !== "relax.TensorStructInfo" || shape === undefined || info.dtype === undefined) {
    throw new TypeError("A tensor of known shape and dtype was expected.");
  }
  return placeholder(shape, info.dtype, name);
}

/** `A`, `B`, … as upstream names them; `A_1` and so on after `Z`. */
function argumentName(i: number): string {
  const letter = String.fromCharCode(65 + (i % 26));
  return i < 26 ? letter : `${letter}_${Math.floor(i / 26)}`;
}

/** The symbolic variables that no buffer's shape binds: the program takes them as scalars. */
function unboundVars(inputs: readonly TeTensor[], outputs: readonly TeTensor[]): readonly TirVar[] {
  const bound = new Set<TirVar>();
  for (const t of [...inputs, ...outputs]) for (const d of t.shape) if (d.kind === "tir.Var" || d.kind === "tir.SizeVar") bound.add(d);
  const free = new Set<TirVar>();
  for (const t of [...inputs, ...outputs]) {
    tirVarsInStructInfo(makeTensorStructInfo(t.shape, t.dtype), (dim) => {
      for (const v of undefinedVars(dim)) if (!bound.has(v)) free.add(v);
    });
  }
  return [...free];
}
