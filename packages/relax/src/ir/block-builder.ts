import {
  makeGlobalVar,
  makeIRModule,
  makeOp,
  structuralEqual,
  structuralHash,
  type AttrMap,
  type BaseFunc,
  type GlobalVar,
  type IRModule,
} from "@verticil/ir-core";
import type { AnyBindingBlock, AnyVar, Binding, Call, Expr, Function, Var } from "./expr.ts";
import { inferCall, inferScope, type InferScope } from "./infer-call.ts";
import { inlineOperands } from "./inline-operands.ts";
import {
  makeBindingBlock,
  makeCall,
  makeDataflowBlock,
  makeDataflowVar,
  makeFunction,
  makeMatchCast,
  makeSeqExpr,
  makeTuple,
  makeTupleGetItem,
  makeVar,
  makeVarBinding,
} from "./make.ts";
import { completeAttrs, type OpRegistry } from "./op-def.ts";
import { relaxNodes } from "./node-table.ts";
import { structInfoOf } from "./struct-info-of.ts";
import type { StructInfo } from "./struct-info.ts";
import { irDialect, type Dialect } from "@verticil/ir-core";
import { tirNodes } from "@verticil/tir";
import { UniqueNames } from "./unique-names.ts";

const dialects: readonly Dialect[] = [irDialect, tirNodes, relaxNodes];

interface Scope {
  readonly dataflow: boolean;
  readonly bindings: Binding[];
}

/**
 * Builds functions binding by binding in normal form: every argument a variable or a constant, every variable with its
 * struct info (upstream's `BlockBuilder`). Also holds the module that the functions go into.
 *
 * @example
 * const bb = new BlockBuilder({ ops: relaxOps });
 * bb.function("main", [x], () => bb.dataflow(() => bb.emitOutput(bb.callOp("relax.nn.relu", [x]))));
 * const module = bb.finalize();
 */
export class BlockBuilder {
  readonly ops: OpRegistry;
  readonly infer: InferScope;
  readonly #functions: Map<GlobalVar, BaseFunc>;
  readonly #byHash = new Map<string, GlobalVar[]>();
  readonly #attrs: AttrMap;
  readonly #globalInfos: AttrMap;
  readonly #functionNames = new UniqueNames();
  #varNames = new UniqueNames();
  #blocks: AnyBindingBlock[] = [];
  #scopes: Scope[] = [];
  #values = new Map<AnyVar, Expr>();

  /** An empty builder, or one that adds to `module`. */
  constructor(opts: { readonly ops: OpRegistry; readonly module?: IRModule }) {
    this.ops = opts.ops;
    this.#functions = new Map(opts.module?.functions ?? []);
    this.#attrs = opts.module?.attrs ?? {};
    this.#globalInfos = opts.module?.globalInfos ?? {};
    for (const gv of this.#functions.keys()) this.#functionNames.reserve(gv.name);
    this.infer = inferScope(this.ops, (gv) => this.#functions.get(gv));
  }

  /** A name for a variable that the function being built does not use yet. */
  uniqueName(hint: string): string {
    return this.#varNames.fresh(hint);
  }

  /** What a variable was bound to in this builder; undefined for parameters. */
  lookupBinding(v: AnyVar): Expr | undefined {
    return this.#values.get(v);
  }

  /** True inside `dataflow`. */
  get inDataflow(): boolean {
    return this.#scopes[this.#scopes.length - 1]?.dataflow ?? false;
  }

  /**
   * Builds a function and adds it to the module. `build` gives its result.
   * @returns its global variable.
   */
  function(
    name: string,
    params: readonly Var[],
    build: () => Expr,
    opts: { readonly attrs?: AttrMap; readonly isPure?: boolean; readonly private?: boolean } = {},
  ): GlobalVar {
    const func = this.buildFunction(params, build, {
      ...opts,
      attrs: opts.private === true ? (opts.attrs ?? {}) : { global_symbol: name, ...opts.attrs },
    });
    return this.setFunction(name, func);
  }

  /** Builds a function without adding it. */
  buildFunction(
    params: readonly Var[],
    build: () => Expr,
    opts: { readonly attrs?: AttrMap; readonly isPure?: boolean } = {},
  ): Function {
    const saved = { names: this.#varNames, values: this.#values };
    this.#varNames = new UniqueNames();
    this.#values = new Map();
    for (const p of params) this.#varNames.reserve(p.name);
    const body = this.seq(build);
    this.#varNames = saved.names;
    this.#values = saved.values;
    const ret = structInfoOf(body);
    if (ret === undefined) throw new Error("The result of the function has no struct info.");
    return makeFunction(params, body, ret, opts);
  }

  /** Runs `build` in a scope of its own; gives its bindings and its result as one expression. */
  seq(build: () => Expr): Expr {
    const blocks = this.#blocks;
    const scopes = this.#scopes;
    this.#blocks = [];
    this.#scopes = [{ dataflow: false, bindings: [] }];
    const result = this.#leaf(build());
    this.#flush();
    const body = makeSeqExpr(this.#blocks, result);
    this.#blocks = blocks;
    this.#scopes = scopes;
    return body;
  }

  /** Runs `build` inside a dataflow block; variables made by `emit` are local to it, those by `emitOutput` are not. */
  dataflow<T>(build: () => T): T {
    if (this.inDataflow) return build();
    this.#flush();
    this.#scopes.push({ dataflow: true, bindings: [] });
    const result = build();
    const scope = this.#scopes.pop();
    if (scope !== undefined && scope.bindings.length > 0) this.#blocks.push(makeDataflowBlock(scope.bindings));
    return result;
  }

  /** Runs `build` inside a plain binding block, even in a function whose other blocks are dataflow blocks. */
  bindings<T>(build: () => T): T {
    this.#flush();
    const result = build();
    this.#flush();
    return result;
  }

  /** Binds the value to a new variable, unless it is one. */
  emit(value: Expr, nameHint = "lv"): AnyVar {
    return this.#emit(value, nameHint, this.inDataflow);
  }

  /** Binds the value to a variable that is visible outside the dataflow block. */
  emitOutput(value: Expr, nameHint = "gv"): AnyVar {
    return this.#emit(value, nameHint, false);
  }

  /** Emits a call of an operator: `emitOp("relax.nn.conv2d", [x, w], { strides: [2, 2] })`. */
  emitOp(name: string, args: readonly Expr[], attrs: AttrMap = {}, nameHint?: string): AnyVar {
    return this.emit(this.callOp(name, args, attrs), nameHint);
  }

  /** Checks `value` against struct info at run time, binding its symbolic variables. */
  matchCast(value: Expr, structInfo: StructInfo, nameHint = "lv"): AnyVar {
    const v = this.#newVar(nameHint, structInfo, this.inDataflow);
    this.addBinding(makeMatchCast(v, this.#leaf(value), structInfo));
    return v;
  }

  /**
   * A call of an operator, attributes completed and struct info inferred; not bound yet.
   * @throws RangeError if the operator or an attribute is unknown, or the operands do not fit.
   */
  callOp(name: string, args: readonly Expr[], attrs: AttrMap = {}, sinfoArgs: readonly StructInfo[] = []): Call {
    const def = this.ops.get(name);
    if (def === undefined) throw new RangeError(`The operator \`${name}\` is not registered.`);
    const call = makeCall(makeOp(name), args, { attrs: completeAttrs(def, attrs), sinfoArgs });
    return this.normalizeCall(call);
  }

  /** Adds a binding as it is (a pass that keeps a variable). */
  addBinding(binding: Binding): void {
    const scope = this.#scopes[this.#scopes.length - 1];
    if (scope === undefined) throw new Error("A binding was emitted outside a function.");
    scope.bindings.push(binding);
    this.#varNames.reserve(binding.var.name);
    if (binding.kind === "relax.VarBinding") this.#values.set(binding.var, binding.value);
  }

  /** The expression in normal form: operands bound to variables, struct info inferred. */
  normalize(expr: Expr): Expr {
    switch (expr.kind) {
      case "relax.Call":
        return this.normalizeCall(expr);
      case "relax.Tuple": {
        const fields = expr.fields.map((f) => this.#leaf(f));
        return fields.every((f, i) => f === expr.fields[i]) && expr.structInfo !== undefined ? expr : makeTuple(fields, expr.span);
      }
      case "relax.TupleGetItem": {
        const tuple = this.#leaf(expr.tuple);
        return tuple === expr.tuple && expr.structInfo !== undefined ? expr : makeTupleGetItem(tuple, expr.index, expr.span);
      }
      default:
        return expr;
    }
  }

  /** A call with operands bound and struct info inferred anew unless it has one and nothing changed. */
  normalizeCall(given: Call): Call {
    const call = inlineOperands(given, (v) => this.#values.get(v));
    const args = call.args.map((a) => this.#leaf(a));
    const same = args.every((a, i) => a === call.args[i]);
    if (same && call.structInfo !== undefined) return call;
    const next = same ? call : { ...call, args };
    return { ...next, structInfo: inferCall(next, this.infer) };
  }

  /**
   * Adds a function under a name made from `hint`. An equal private function that is there already is used instead
   * (upstream dedups the same way).
   */
  addFunc(func: BaseFunc, hint: string): GlobalVar {
    const shareable = func.attrs["global_symbol"] === undefined;
    const hash = shareable ? String(structuralHash(func, { dialects })) : "";
    if (shareable) {
      for (const gv of this.#byHash.get(hash) ?? []) {
        const other = this.#functions.get(gv);
        if (other !== undefined && structuralEqual(other, func, { dialects })) return gv;
      }
    }
    const gv = makeGlobalVar(this.#functionNames.fresh(hint));
    this.#functions.set(gv, func);
    if (shareable) this.#byHash.set(hash, [...(this.#byHash.get(hash) ?? []), gv]);
    return gv;
  }

  /** Adds a function under exactly this name, replacing one that is there. */
  setFunction(name: string, func: BaseFunc): GlobalVar {
    for (const gv of this.#functions.keys()) {
      if (gv.name === name) {
        this.#functions.set(gv, func);
        return gv;
      }
    }
    this.#functionNames.reserve(name);
    const gv = makeGlobalVar(name);
    this.#functions.set(gv, func);
    return gv;
  }

  /** Replaces the function of a global variable. */
  updateFunc(gv: GlobalVar, func: BaseFunc): void {
    this.#functions.set(gv, func);
  }

  /** Removes a function. */
  removeFunc(gv: GlobalVar): void {
    this.#functions.delete(gv);
  }

  /** The function of a global variable, or undefined. */
  getFunc(gv: GlobalVar): BaseFunc | undefined {
    return this.#functions.get(gv);
  }

  /** The module as built so far. */
  finalize(): IRModule {
    return makeIRModule(new Map(this.#functions), { attrs: this.#attrs, globalInfos: this.#globalInfos });
  }

  #emit(value: Expr, nameHint: string, dataflow: boolean): AnyVar {
    if (value.kind === "relax.DataflowVar" && dataflow) return value;
    if (value.kind === "relax.Var" && nameHint !== "gv") return value;
    const normal = this.normalize(value);
    const info = structInfoOf(normal);
    if (info === undefined) throw new Error(`\`${normal.kind}\` has no struct info to bind.`);
    const v = this.#newVar(nameHint, info, dataflow);
    this.addBinding(makeVarBinding(v, normal, value.span));
    return v;
  }

  #newVar(hint: string, info: StructInfo, dataflow: boolean): AnyVar {
    const name = this.uniqueName(hint);
    return dataflow ? makeDataflowVar(name, info) : makeVar(name, info);
  }

  /** The expression if it may stand as an operand, else a variable bound to it. Tuples of operands are operands. */
  #leaf(expr: Expr): Expr {
    switch (expr.kind) {
      case "relax.Call":
      case "relax.TupleGetItem":
      case "relax.If":
      case "relax.SeqExpr":
      case "relax.Function":
        return this.emit(expr);
      case "relax.Tuple":
        return this.normalize(expr);
      default:
        return expr;
    }
  }

  #flush(): void {
    const scope = this.#scopes[this.#scopes.length - 1];
    if (scope === undefined || scope.bindings.length === 0) return;
    const bindings = scope.bindings.splice(0);
    this.#blocks.push(scope.dataflow ? makeDataflowBlock(bindings) : makeBindingBlock(bindings));
  }
}
