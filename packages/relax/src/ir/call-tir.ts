import { makeOp, type GlobalVar } from "@verticil/ir-core";
import type { Call, Expr } from "./expr.ts";
import { makeCall, makeTuple } from "./make.ts";
import type { StructInfo } from "./struct-info.ts";

/**
 * A call of a tensor program in destination-passing style (upstream's `R.call_tir`): `args` are its input tensors,
 * `outInfo` says what it makes (a tensor, or a tuple of tensors), `tirVars` are symbolic values passed beside them.
 */
export function callTir(callee: GlobalVar, args: readonly Expr[], outInfo: StructInfo, tirVars?: Expr): Call {
  const sinfoArgs = [outInfo];
  const tuple = makeTuple(args);
  return makeCall(makeOp("relax.call_tir"), tirVars === undefined ? [callee, tuple] : [callee, tuple, tirVars], {
    sinfoArgs,
    structInfo: outInfo,
  });
}
