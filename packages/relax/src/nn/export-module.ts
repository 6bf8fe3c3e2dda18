import type { IRModule } from "@verticil/ir-core";
import { makeVar as makeTirVar, type PrimExpr } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { Expr, Var } from "../ir/expr.ts";
import {
  makeObjectStructInfo,
  makeShapeStructInfo,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  type Dim,
} from "../ir/make.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { relaxOps } from "../op/index.ts";
import type { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";
import type { ArgSpec, MethodSpec, ModuleSpec, SpecDim } from "./spec.ts";
import { ObjectValue, ShapeValue, Tensor, Value, type TraceScope } from "./value.ts";

/** A module of graph functions, and what it takes as weights. */
export interface ExportedModule {
  readonly module: IRModule;
  /** The parameters by name, in the order in which the functions take them. */
  readonly params: ReadonlyMap<string, Parameter>;
}

/** Options of `exportModule`. */
export interface ExportOptions {
  /** The operators that forward functions may call; the standard ones unless told. */
  readonly ops?: OpRegistry;
}

/**
 * Traces methods of a module into graph functions of the same names (upstream's `Module.export_tvm`). Each takes the
 * method's arguments, then the module's parameters; the attribute `num_input` says how many arguments come first.
 *
 * A parameter that is reached by two names (tied weights) is taken once, under the first.
 *
 * @throws RangeError if the module has no method of a name.
 * @throws TypeError if a method gives back something other than values of its trace.
 *
 * @example
 * const { module, params } = exportModule(new Linear(4, 2), { forward: { args: { x: spec.tensor(["n", 4]) } } });
 */
export function exportModule(module: Module, methods: ModuleSpec, opts: ExportOptions = {}): ExportedModule {
  const params = uniqueParameters(module);
  const bb = new BlockBuilder({ ops: opts.ops ?? relaxOps });
  for (const [name, method] of Object.entries(methods)) exportMethod(bb, module, name, method, params);
  return { module: bb.finalize(), params };
}

function uniqueParameters(module: Module): ReadonlyMap<string, Parameter> {
  const seen = new Set<Parameter>();
  const out = new Map<string, Parameter>();
  for (const [name, p] of module.namedParameters()) {
    if (!seen.has(p)) out.set(name, p);
    seen.add(p);
  }
  return out;
}

function exportMethod(bb: BlockBuilder, module: Module, name: string, method: MethodSpec, params: ReadonlyMap<string, Parameter>): void {
  const dims = new Map<string, PrimExpr>();
  const args = Object.entries(method.args).map(([arg, s]) => makeVar(arg, infoOf(s, dims)));
  const given = parameterVars(params, method.paramMode ?? "plain");
  bb.function(
    name,
    [...args, ...given.vars],
    () =>
      bb.dataflow(() => {
        const scope = makeScope(bb, given.exprs);
        const values = args.map((v) => valueOf(v, scope));
        return bb.emitOutput(resultOf(callMethod(module, name, values), name));
      }),
    { attrs: { num_input: args.length } },
  );
}

function infoOf(s: ArgSpec, dims: Map<string, PrimExpr>): StructInfo {
  const dim = (d: SpecDim): Dim => {
    if (typeof d === "number") return d;
    const known = dims.get(d) ?? makeTirVar(d, "int64");
    dims.set(d, known);
    return known;
  };
  switch (s.kind) {
    case "tensor":
      return makeTensorStructInfo(s.shape.map(dim), s.dtype);
    case "shape":
      return makeShapeStructInfo(s.dims.map(dim));
    case "object":
      return makeObjectStructInfo();
  }
}

interface ParameterVars {
  readonly vars: readonly Var[];
  readonly exprs: ReadonlyMap<Parameter, Expr>;
}

function parameterVars(params: ReadonlyMap<string, Parameter>, mode: "plain" | "packed" | "none"): ParameterVars {
  if (mode === "none") return { vars: [], exprs: new Map() };
  const named = [...params].map(([name, p]) => [p, makeVar(name, makeTensorStructInfo(p.shape, p.dtype))] as const);
  if (mode === "plain") return { vars: named.map(([, v]) => v), exprs: new Map(named) };
  const packed = makeVar("packed_params", makeTupleStructInfo([...params.values()].map((p) => makeTensorStructInfo(p.shape, p.dtype))));
  return { vars: [packed], exprs: new Map(named.map(([p], i) => [p, makeTupleGetItem(packed, i)])) };
}

function makeScope(bb: BlockBuilder, exprs: ReadonlyMap<Parameter, Expr>): TraceScope {
  const emitted = new Map<Parameter, Expr>();
  return {
    bb,
    exprOf(parameter) {
      const known = emitted.get(parameter);
      if (known !== undefined) return known;
      const expr = exprs.get(parameter);
      if (expr === undefined) throw new RangeError(`A parameter of shape [${parameter.shape.join(", ")}] is no field of the module being exported, nor of one of its modules; or the method takes none.`);
      const value = expr.kind === "relax.TupleGetItem" ? bb.emit(expr) : expr;
      emitted.set(parameter, value);
      return value;
    },
  };
}

function valueOf(v: Var, scope: TraceScope): Value {
  const info = v.structInfo;
  if (info?.kind === "relax.TensorStructInfo") return new Tensor(v, scope);
  return info?.kind === "relax.ShapeStructInfo" ? new ShapeValue(v, scope, info.values ?? []) : new ObjectValue(v, scope);
}

function callMethod(module: Module, name: string, args: readonly Value[]): unknown {
  const method: unknown = Reflect.get(module, name);
  if (typeof method !== "function") throw new RangeError(`\`${module.constructor.name}\` has no method \`${name}\` to export.`);
  return Reflect.apply(method, module, args);
}

function resultOf(result: unknown, name: string): Expr {
  if (result instanceof Value) return result.expr;
  if (Array.isArray(result)) return makeTuple(result.map((r) => resultOf(r, name)));
  throw new TypeError(`\`${name}\` gives back ${result === undefined ? "nothing" : typeof result}; a tensor or a list of tensors was expected.`);
}
