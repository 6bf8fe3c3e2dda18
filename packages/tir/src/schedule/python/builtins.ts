import { makeIntImm } from "@verticil/ir-core";
import { isDType } from "@verticil/runtime-ffi";
import { Analyzer } from "../../arith/analyzer.ts";
import type { PrimExpr } from "../../ir/expr.ts";
import { ceilDiv, intrin } from "../../ir/ops.ts";
import { axisSeparator } from "../index-function.ts";
import { PyCallable, wantInt, wantString, type PyValue } from "../script-value.ts";

const simplifier = new PyCallable(["expr"], ([e]) => new Analyzer().simplify(e as PrimExpr));

/** The functions and constants that schedule scripts name, by dotted path. */
const BUILTINS: ReadonlyMap<string, PyValue> = new Map<string, PyValue>([
  ["tvm.tir.IndexMap.AXIS_SEPARATOR", axisSeparator],
  ["tir.IndexMap.AXIS_SEPARATOR", axisSeparator],
  ["IndexMap.AXIS_SEPARATOR", axisSeparator],
  ["tvm.te.AXIS_SEPARATOR", axisSeparator],
  ["te.AXIS_SEPARATOR", axisSeparator],
  ["tvm.tir.expr.IntImm", new PyCallable(["dtype", "value"], intImm)],
  ["tvm.tir.IntImm", new PyCallable(["dtype", "value"], intImm)],
  ["T.vscale", new PyCallable([], () => intrin("vscale", "int32", []))],
  ["T.ceildiv", new PyCallable(["a", "b"], ([a, b]) => ceilDiv(a as PrimExpr, b as PrimExpr))],
  ["T.int64", new PyCallable(["value"], ([v]) => makeIntImm(wantInt(v, "the value"), "int64"))],
  ["T.int32", new PyCallable(["value"], ([v]) => makeIntImm(wantInt(v, "the value"), "int32"))],
  ["tvm.arith.Analyzer", new PyCallable([], () => ({ simplify: simplifier }))],
  ["len", new PyCallable(["list"], ([list]) => (Array.isArray(list) ? list.length : 0))],
  ["list", new PyCallable(["list"], ([list]) => list)],
  ["tuple", new PyCallable(["list"], ([list]) => list)],
]);

function intImm(args: readonly PyValue[], named: ReadonlyMap<string, PyValue>): PyValue {
  const dtype = wantString(named.get("dtype") ?? args[0], "the dtype");
  return makeIntImm(wantInt(named.get("value") ?? args[1], "the value"), isDType(dtype) ? dtype : "int32");
}

/** The value of a dotted name; undefined if it is none. */
export function builtinOf(path: string): PyValue {
  return BUILTINS.get(path);
}
