import type { BaseFunc, GlobalVar } from "@verticil/ir-core";
import type { AnyVar as TirVar, PrimExpr } from "@verticil/tir";
import { Analyzer, substitute, undefinedVars } from "@verticil/tir";
import { eraseStructInfo } from "./erase-struct-info.ts";
import type { Call, Function } from "./expr.ts";
import {
  makeObjectStructInfo,
  makePrimStructInfo,
  makeShapeStructInfo,
  makeTensorStructInfo,
  makeTupleStructInfo,
  shapeOf,
} from "./make.ts";
import type { InferContext, OpRegistry } from "./op-def.ts";
import { structInfoOf } from "./struct-info-of.ts";
import type { FuncStructInfo, StructInfo } from "./struct-info.ts";

/** What inference of a call needs: the operators and the functions of the module. */
export interface InferScope extends InferContext {
  readonly ops: OpRegistry;
  lookup(gv: GlobalVar): BaseFunc | undefined;
}

/** A scope with an analyzer of its own. */
export function inferScope(ops: OpRegistry, lookup: (gv: GlobalVar) => BaseFunc | undefined): InferScope {
  return { ops, lookup, ...dimensionContext() };
}

/** What can be said of dimensions without knowing operators, by an analyzer of its own. */
export function dimensionContext(): InferContext {
  const analyzer = new Analyzer();
  const known = new Set<TirVar>();
  // Sizes are not negative.
  const sized = (e: PrimExpr): PrimExpr => {
    for (const v of undefinedVars(e)) {
      if (known.has(v)) continue;
      known.add(v);
      analyzer.bindBound(v, { min: 0, max: Infinity });
    }
    return e;
  };
  return {
    proveEqual: (a, b) => analyzer.canProveEqual(sized(a), sized(b)),
    simplify: (e) => analyzer.simplify(sized(e)),
  };
}

/**
 * The struct info of a call (upstream's `DeriveCallRetStructInfo` and the operators' own rules).
 * @throws RangeError for an operator that the registry does not have, or what its rule throws.
 */
export function inferCall(call: Call, scope: InferScope): StructInfo {
  const { op } = call;
  if (op.kind === "ir.Op") {
    const def = scope.ops.get(op.name);
    if (def === undefined) throw new RangeError(`The operator \`${op.name}\` is not registered.`);
    return def.inferStructInfo(call, scope);
  }
  const info = op.kind === "ir.GlobalVar" ? functionInfo(scope.lookup(op)) : structInfoOf(op);
  if (info?.kind === "relax.FuncStructInfo" && info.params !== undefined) {
    return deriveReturn(info, call.args.map(structInfoOf));
  }
  return call.sinfoArgs.length === 1 && call.sinfoArgs[0] !== undefined
    ? call.sinfoArgs[0]
    : call.sinfoArgs.length > 1
      ? makeTupleStructInfo(call.sinfoArgs)
      : makeObjectStructInfo();
}

function functionInfo(func: BaseFunc | undefined): StructInfo | undefined {
  return func?.kind === "relax.Function" ? (func as Function).structInfo : undefined;
}

/**
 * The return struct info with the parameters' symbolic variables replaced by what the arguments have in their place;
 * where that is not known, the dimension is not known either.
 * @throws RangeError if the number of arguments is wrong.
 */
export function deriveReturn(info: FuncStructInfo, args: readonly (StructInfo | undefined)[]): StructInfo {
  const { params = [] } = info;
  if (params.length !== args.length) throw new RangeError(`The function takes ${params.length} arguments, not ${args.length}.`);
  const map = new Map<TirVar, PrimExpr>();
  params.forEach((param, i) => bindSymbolic(param, args[i], map));
  const unbound = new Set<TirVar>();
  for (const p of params) tirVarsInStructInfo(p, (d) => undefinedVars(d).forEach((v) => map.has(v) || unbound.add(v)));
  const ret = unbound.size === 0 ? info.ret : eraseStructInfo(info.ret, (d) => !undefinedVars(d).some((v) => unbound.has(v)));
  return map.size === 0 ? ret : substituteStructInfo(ret, map);
}

/** Collects which symbolic variable of `param` stands for which expression of `arg`. */
export function bindSymbolic(param: StructInfo, arg: StructInfo | undefined, map: Map<TirVar, PrimExpr>): void {
  if (arg === undefined) return;
  if (param.kind === "relax.TupleStructInfo" && arg.kind === "relax.TupleStructInfo") {
    param.fields.forEach((f, i) => bindSymbolic(f, arg.fields[i], map));
    return;
  }
  if (param.kind === "relax.PrimStructInfo" && arg.kind === "relax.PrimStructInfo") {
    if (param.value !== undefined && arg.value !== undefined) bindDim(param.value, arg.value, map);
    return;
  }
  const ps = shapeOf(param);
  const as = shapeOf(arg);
  if (ps === undefined || as === undefined) return;
  ps.forEach((p, i) => {
    const a = as[i];
    if (a !== undefined) bindDim(p, a, map);
  });
}

function bindDim(p: PrimExpr, a: PrimExpr, map: Map<TirVar, PrimExpr>): void {
  if ((p.kind === "tir.Var" || p.kind === "tir.SizeVar") && !map.has(p)) map.set(p, a);
}

/** A dimension with symbolic variables replaced; simplified where numbers have come in. */
export function substituteDim(e: PrimExpr, map: ReadonlyMap<TirVar, PrimExpr>): PrimExpr {
  const out = substitute(e, map);
  if (out === e || out.kind === "ir.IntImm" || out.kind === "tir.Var") return out;
  return [...map.values()].some((v) => v.kind === "ir.IntImm") ? new Analyzer().simplify(out) : out;
}

/** Struct info with symbolic variables replaced. */
export function substituteStructInfo(info: StructInfo, map: ReadonlyMap<TirVar, PrimExpr>): StructInfo {
  const sub = (e: PrimExpr): PrimExpr => substituteDim(e, map);
  switch (info.kind) {
    case "relax.ObjectStructInfo":
    case "relax.FuncStructInfo":
      return info;
    case "relax.PrimStructInfo":
      return info.value === undefined ? info : makePrimStructInfo(info.dtype, sub(info.value));
    case "relax.ShapeStructInfo":
      return info.values === undefined ? info : makeShapeStructInfo(info.values.map(sub));
    case "relax.TupleStructInfo":
      return makeTupleStructInfo(info.fields.map((f) => substituteStructInfo(f, map)));
    case "relax.TensorStructInfo":
      return info.shape?.kind === "relax.ShapeExpr"
        ? makeTensorStructInfo(info.shape.values.map(sub), info.dtype, info.vdevice)
        : info;
    case "relax.DTensorStructInfo": {
      const tensorInfo = substituteStructInfo(info.tensorInfo, map);
      return tensorInfo.kind === "relax.TensorStructInfo" ? { ...info, tensorInfo } : info;
    }
  }
}

/** The symbolic variables that occur in struct info, in order of appearance. */
export function tirVarsInStructInfo(info: StructInfo, visitDim: (dim: PrimExpr) => void): void {
  switch (info.kind) {
    case "relax.ObjectStructInfo":
      return;
    case "relax.PrimStructInfo":
      if (info.value !== undefined) visitDim(info.value);
      return;
    case "relax.ShapeStructInfo":
      info.values?.forEach(visitDim);
      return;
    case "relax.TensorStructInfo":
      shapeOf(info)?.forEach(visitDim);
      return;
    case "relax.DTensorStructInfo":
      tirVarsInStructInfo(info.tensorInfo, visitDim);
      return;
    case "relax.TupleStructInfo":
      info.fields.forEach((f) => tirVarsInStructInfo(f, visitDim));
      return;
    case "relax.FuncStructInfo":
      info.params?.forEach((p) => tirVarsInStructInfo(p, visitDim));
      tirVarsInStructInfo(info.ret, visitDim);
      return;
  }
}

/** The symbolic variables in any of these. */
export function symbolicIn(infos: readonly (StructInfo | undefined)[]): ReadonlySet<TirVar> {
  const vars = new Set<TirVar>();
  for (const info of infos) if (info !== undefined) tirVarsInStructInfo(info, (d) => undefinedVars(d).forEach((v) => vars.add(v)));
  return vars;
}

/** The tensors of an expression's value: itself, or the fields of a tuple. */
export function leafInfos(info: StructInfo): readonly StructInfo[] {
  return info.kind === "relax.TupleStructInfo" ? info.fields.flatMap(leafInfos) : [info];
}

