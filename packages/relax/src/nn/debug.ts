import { makeOp, isNode } from "@verticil/ir-core";
import { constant, type PrimExpr } from "@verticil/tir";
import type { Expr } from "../ir/expr.ts";
import { makeCall, makeExternFunc, makeObjectStructInfo, makePrimValue, makeStringImm } from "../ir/make.ts";
import { scopeOf } from "./ops.ts";
import type { Parameter } from "./parameter.ts";
import { Tensor } from "./value.ts";

/** What a function for debugging is handed: tensors, sizes, numbers (whole ones as int64, others as float32), texts. */
export type DebugArgument = Tensor | Parameter | PrimExpr | number | string;

/**
 * Calls a function of the host at this place of the program, in order with other such calls (upstream's `nn.op.debug_func`): it
 * is handed `lineInfo` and the arguments. The program calls `vm.builtin.invoke_debug_func` with the state, the name, `lineInfo` and
 * the arguments, and goes on with what that gives as state.
 * @throws RangeError if the module is not exported with `debug`; TypeError if no argument is a tensor of the trace.
 */
export function debugFunc(name: string, args: readonly DebugArgument[], lineInfo = ""): void {
  const tensors = args.filter((a): a is Tensor | Parameter => typeof a === "object" && !isNode(a));
  const scope = scopeOf(tensors);
  const io = scope.io;
  if (io === undefined) throw new RangeError(`\`${name}\` is called for debugging: export the module with \`debug\`.`);
  const operands = args.map((a): Expr => {
    if (typeof a === "string") return makeStringImm(a);
    if (typeof a === "number") return makePrimValue(Number.isInteger(a) ? a : constant(a, "float32"));
    if (isNode(a)) return makePrimValue(a);
    return a instanceof Tensor ? a.expr : scope.exprOf(a);
  });
  const info = makeObjectStructInfo();
  const call = makeCall(makeOp("relax.call_pure_packed"), [makeExternFunc("vm.builtin.invoke_debug_func"), scope.stateOf(io), makeStringImm(name), makeStringImm(lineInfo), ...operands], { sinfoArgs: [info], structInfo: info });
  scope.setState(io, scope.bb.emit(call, "io"));
}

/** Prints a tensor at this place of the program (upstream's `nn.op.print_`). @throws RangeError as `debugFunc` does. */
export function print(tensor: Tensor, lineInfo = ""): void {
  debugFunc("vm.builtin.debug_print", [tensor], lineInfo);
}
