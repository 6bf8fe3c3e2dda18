import { scalarOf } from "@verticil/runtime-ffi";
import { asInt, undefinedVars, type AnyVar, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { eraseStructInfo } from "../ir/erase-struct-info.ts";
import type { Call } from "../ir/expr.ts";
import { deriveReturn, tirVarsInStructInfo } from "../ir/infer-call.ts";
import { makeFuncStructInfo, makeObjectStructInfo, makePrimStructInfo, makeTensorStructInfo, makeTupleStructInfo, type Dim } from "../ir/make.ts";
import type { InferContext } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoText } from "../script/struct-info-text.ts";
import { structInfoBaseCheck } from "./struct-info-base-check.ts";

/**
 * What a tensor program takes, parameter by parameter: tensors for buffers, scalars for the rest. Dimensions of a graph
 * are int64; a buffer with others says no more than its rank.
 */
function paramInfos(func: PrimFunc): readonly StructInfo[] {
  return func.params.map((p) => {
    const buffer = func.bufferMap.get(p);
    if (buffer !== undefined) {
      const isSimple = buffer.shape.every((d) => d.kind === "ir.IntImm" || d.dtype === "int64");
      return makeTensorStructInfo(isSimple ? buffer.shape.map(asDim) : buffer.shape.length, scalarOf(buffer.dtype));
    }
    return p.dtype === "handle" ? makeObjectStructInfo() : makePrimStructInfo(scalarOf(p.dtype), p);
  });
}

function asDim(d: PrimExpr): Dim {
  const value = asInt(d);
  return value ?? d;
}

/** The outputs in terms of the inputs; a dimension that only the output has is not known. */
function closed(outputs: readonly StructInfo[], inputs: readonly StructInfo[]): readonly StructInfo[] {
  const known = new Set<AnyVar>();
  for (const i of inputs) tirVarsInStructInfo(i, (d) => undefinedVars(d).forEach((v) => known.add(v)));
  return outputs.map((o) => eraseStructInfo(o, (d) => undefinedVars(d).every((v) => known.has(v))));
}

/**
 * What a destination-passing call of `func` gives, by the function's signature: inputs first, then outputs, then symbolic
 * values. Undefined where it cannot be told (tensors on a mesh).
 * @throws RangeError if the call has more arguments than the function, or one that cannot stand for the parameter.
 */
export function callTirResult(call: Call, func: PrimFunc, ctx: InferContext): StructInfo | undefined {
  const infos = paramInfos(func);
  const tuple = call.args[1] === undefined ? undefined : structInfoOf(call.args[1]);
  const packed = call.args[2] === undefined ? undefined : structInfoOf(call.args[2]);
  if (tuple?.kind !== "relax.TupleStructInfo" || tuple.fields.some((f) => f.kind === "relax.DTensorStructInfo")) return undefined;
  if (packed !== undefined && (packed.kind !== "relax.ShapeStructInfo" || packed.ndim < 0)) return undefined;
  const ints = packed?.kind === "relax.ShapeStructInfo" ? packed.ndim : 0;
  const inputs = tuple.fields.length;
  if (inputs + ints > infos.length) {
    throw new RangeError(`The tensor program takes ${infos.length} parameters, but the call has ${inputs} tensors and ${ints} symbolic values.`);
  }
  const outputs = infos.slice(inputs, infos.length - ints);
  const reused = call.attrs["inplace_indices"];
  if (Array.isArray(reused)) {
    for (const [i, index] of (reused as readonly unknown[]).entries()) {
      const info = typeof index === "number" && index >= 0 ? infos[index] : undefined;
      if (info !== undefined) outputs.splice(i, 0, info);
    }
  }
  const params = [...infos.slice(0, inputs), ...infos.slice(infos.length - ints)];
  const results = closed(outputs, params);
  const [only] = results;
  const ret = results.length === 1 && only !== undefined ? only : makeTupleStructInfo(results);
  const values = packed?.kind === "relax.ShapeStructInfo" ? packed.values : undefined;
  const given = [...tuple.fields, ...Array.from({ length: ints }, (_, i) => makePrimStructInfo("int64", values?.[i]))];
  params.forEach((p, i) => {
    const arg = given[i];
    if (arg !== undefined && structInfoBaseCheck(p, arg, ctx) === "never") {
      throw new RangeError(`The tensor program takes ${structInfoText(p)} as argument ${i}, not ${structInfoText(arg)}.`);
    }
  });
  return deriveReturn(makeFuncStructInfo(params, ret), given);
}
