import type { IRModule } from "@verticil/ir-core";
import { makeVar as makeTirVar, type PrimExpr } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyVar, Expr, Var } from "../ir/expr.ts";
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
import { IOEffect, type Effect } from "./effect.ts";
import type { Module } from "./module.ts";
import type { Parameter } from "./parameter.ts";
import type { ArgSpec, MethodSpec, ModuleSpec, PassingMode, SpecDim } from "./spec.ts";
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
  /** Lets methods call `debugFunc` and `print`: their functions then take and give back the state of that, before other effects. */
  readonly debug?: boolean;
}

/**
 * Traces methods of a module into graph functions of the same names (upstream's `Module.export_tvm`). Each takes the
 * method's arguments, then the module's parameters; the attribute `num_input` says how many arguments come first.
 *
 * Modules with effects have a function `_initialize_effect` too, which gives what the effects are at first, all in one tuple. The
 * others take effects between their arguments and the parameters (`num_input` counts them) and give `(result, (effects…))`.
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
  const io = opts.debug === true ? new IOEffect() : undefined;
  const effects = new Map<Effect, string>();
  if (io !== undefined) effects.set(io, "");
  for (const [name, effect] of module.namedEffects()) if (!effects.has(effect)) effects.set(effect, name);
  const bb = new BlockBuilder({ ops: opts.ops ?? relaxOps });
  if (effects.size > 0) {
    bb.function("_initialize_effect", [], () => bb.dataflow(() => bb.emitOutput(makeTuple([...effects].map(([effect, name]) => effect.emitInit(name, bb))))));
  }
  for (const [name, method] of Object.entries(methods)) exportMethod({ bb, module, params, effects, io }, name, method);
  return { module: bb.finalize(), params };
}

/** What all methods of a module share. */
interface Exporting {
  readonly bb: BlockBuilder;
  readonly module: Module;
  readonly params: ReadonlyMap<string, Parameter>;
  readonly effects: ReadonlyMap<Effect, string>;
  readonly io: Effect | undefined;
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

function exportMethod({ bb, module, params, effects, io }: Exporting, name: string, method: MethodSpec): void {
  const dims = new Map<string, PrimExpr>();
  const args = Object.entries(method.args).map(([arg, s]) => makeVar(arg, infoOf(s, dims, arg)));
  const effectMode = method.effectMode ?? "plain";
  const states = passed([...effects].map(([effect, path]) => [effect, effect.stateName(path), effect.structInfo] as const), effectMode, "packed_effects");
  const given = passed([...params].map(([path, p]) => [p, path, makeTensorStructInfo(p.shape, p.dtype)] as const), method.paramMode ?? "plain", "packed_params");
  bb.function(
    name,
    [...args, ...states.vars, ...given.vars],
    () =>
      bb.dataflow(() => {
        const scope = new MethodScope(bb, given.exprs, states.exprs, io);
        const values = args.map((v) => valueOf(v, scope));
        const result = resultOf(callMethod(module, name, values), name);
        if (states.exprs.size === 0) return bb.emitOutput(result);
        return bb.emitOutput(makeTuple([result, makeTuple([...effects.keys()].map((effect) => scope.stateOf(effect)))]));
      }),
    { attrs: { num_input: args.length + states.vars.length } },
  );
}

function infoOf(s: ArgSpec, dims: Map<string, PrimExpr>, name: string): StructInfo {
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
    case "int":
      return makeShapeStructInfo([dim(name)]);
    case "tuple":
      return makeTupleStructInfo(s.elements.map((e, i) => infoOf(e, dims, `${name}_${i}`)));
  }
}

/** Variables that a function takes, and what stands for each thing that they pass. */
interface Passed<T> {
  readonly vars: readonly Var[];
  readonly exprs: ReadonlyMap<T, Expr>;
}

function passed<T>(items: readonly (readonly [thing: T, name: string, info: StructInfo])[], mode: PassingMode, packedName: string): Passed<T> {
  if (mode === "none" || items.length === 0) return { vars: mode === "packed" ? [makeVar(packedName, makeTupleStructInfo([]))] : [], exprs: new Map() };
  if (mode === "packed") {
    const packed = makeVar(packedName, makeTupleStructInfo(items.map(([, , info]) => info)));
    return { vars: [packed], exprs: new Map(items.map(([thing], i) => [thing, makeTupleGetItem(packed, i)])) };
  }
  const named = items.map(([thing, name, info]) => [thing, makeVar(name, info)] as const);
  return { vars: named.map(([, v]) => v), exprs: new Map(named) };
}

/** The trace of one method. */
class MethodScope implements TraceScope {
  readonly bb: BlockBuilder;
  readonly io: Effect | undefined;
  readonly #exprs: ReadonlyMap<Parameter, Expr>;
  readonly #emitted = new Map<Parameter, Expr>();
  readonly #states = new Map<Effect, Expr>();

  constructor(bb: BlockBuilder, exprs: ReadonlyMap<Parameter, Expr>, states: ReadonlyMap<Effect, Expr>, io: Effect | undefined) {
    this.bb = bb;
    this.#exprs = exprs;
    this.io = io;
    for (const [effect, state] of states) this.#states.set(effect, this.#bound(state));
  }

  exprOf(parameter: Parameter): Expr {
    const known = this.#emitted.get(parameter);
    if (known !== undefined) return known;
    const expr = this.#exprs.get(parameter);
    if (expr === undefined) throw new RangeError(`A parameter of shape [${parameter.shape.join(", ")}] is no field of the module being exported, nor of one of its modules; or the method takes none.`);
    const value = this.#bound(expr);
    this.#emitted.set(parameter, value);
    return value;
  }

  stateOf(effect: Effect): Expr {
    const state = this.#states.get(effect);
    if (state === undefined) throw new RangeError(`An effect (${effect.constructor.name}) is no field of the module being exported, nor of one of its modules; or the method takes none.`);
    return state;
  }

  setState(effect: Effect, state: Expr): void {
    this.stateOf(effect);
    this.#states.set(effect, state);
  }

  #bound(expr: Expr): Expr {
    return expr.kind === "relax.TupleGetItem" ? this.bb.emit(expr) : expr;
  }
}

type Argument = Value | readonly Argument[];

function valueOf(v: AnyVar, scope: TraceScope): Argument {
  const info = v.structInfo;
  switch (info?.kind) {
    case "relax.TensorStructInfo":
      return new Tensor(v, scope);
    case "relax.ShapeStructInfo":
      return new ShapeValue(v, scope, info.values ?? []);
    case "relax.TupleStructInfo":
      return info.fields.map((_, i) => valueOf(scope.bb.emit(makeTupleGetItem(v, i), `${v.name}_${i}`), scope));
    default:
      return new ObjectValue(v, scope);
  }
}

function callMethod(module: Module, name: string, args: readonly Argument[]): unknown {
  const method: unknown = Reflect.get(module, name);
  if (typeof method !== "function") throw new RangeError(`\`${module.constructor.name}\` has no method \`${name}\` to export.`);
  return Reflect.apply(method, module, args);
}

function resultOf(result: unknown, name: string): Expr {
  if (result instanceof Value) return result.expr;
  if (Array.isArray(result)) return makeTuple(result.map((r) => resultOf(r, name)));
  throw new TypeError(`\`${name}\` gives back ${result === undefined ? "nothing" : typeof result}; a tensor or a list of tensors was expected.`);
}
