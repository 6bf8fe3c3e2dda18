import { makeOp } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import type { PrimFunc } from "@verticil/tir";
import { callTir } from "../ir/call-tir.ts";
import { makeCall, makeExternFunc, makeTensorStructInfo, makeTuple, makeTupleStructInfo, type Dim } from "../ir/make.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { exprOf, onlyTensor, scopeOf, wrapNested } from "./ops.ts";
import type { Parameter } from "./parameter.ts";
import type { Tensor } from "./value.ts";

/** A tensor that a program or a function of the host makes. */
export interface ResultSpec {
  readonly shape: readonly Dim[];
  readonly dtype: ScalarDType;
}

function infoOf(results: readonly ResultSpec[]): StructInfo {
  const infos = results.map((r) => makeTensorStructInfo(r.shape, r.dtype));
  const [only] = infos;
  return only !== undefined && infos.length === 1 ? only : makeTupleStructInfo(infos);
}

/**
 * Calls a tensor program that was written by hand: its parameters are the operands and then the results (upstream's
 * `tensor_ir_op`).
 */
export function tensorIrOp(func: PrimFunc, name: string, operands: readonly (Tensor | Parameter)[], results: readonly ResultSpec[]): readonly Tensor[] {
  const scope = scopeOf(operands);
  const callee = scope.bb.addFunc(func, name);
  const call = callTir(callee, operands.map((o) => exprOf(o, scope, "float32")), infoOf(results));
  return [wrapNested(call, scope, name)].flat().map((v) => onlyTensor(v, name));
}

/**
 * Calls a tensor program that writes results over some of its operands (upstream's `tensor_ir_inplace_op`): `inplaceIndices` says for
 * each result which, or -1 for one that is new.
 */
export function tensorIrInplaceOp(func: PrimFunc, name: string, operands: readonly (Tensor | Parameter)[], inplaceIndices: readonly number[], results: readonly ResultSpec[]): readonly Tensor[] {
  const scope = scopeOf(operands);
  const callee = scope.bb.addFunc(func, name);
  const info = infoOf(results);
  const args = makeTuple(operands.map((o) => exprOf(o, scope, "float32")));
  const call = makeCall(makeOp("relax.call_tir_inplace"), [callee, args], { attrs: { inplace_indices: [...inplaceIndices] }, sinfoArgs: [info], structInfo: info });
  return [wrapNested(call, scope, name)].flat().map((v) => onlyTensor(v, name));
}

/**
 * Calls a function of the host in destination-passing style: it is given the operands and then tensors to write to
 * (upstream's `extern`).
 */
export function extern(name: string, operands: readonly (Tensor | Parameter)[], results: readonly ResultSpec[]): readonly Tensor[] {
  const scope = scopeOf(operands);
  const info = infoOf(results);
  const args = makeTuple(operands.map((o) => exprOf(o, scope, "float32")));
  const call = makeCall(makeOp("relax.call_dps_packed"), [makeExternFunc(name), args], { sinfoArgs: [info], structInfo: info });
  return [wrapNested(call, scope, name.replaceAll(".", "_"))].flat().map((v) => onlyTensor(v, name));
}
