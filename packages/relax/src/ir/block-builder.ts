import {
  makeGlobalVar,
  makeIRModule,
  makeOp,
  type AttrMap,
  type BaseFunc,
  type GlobalVar,
  type IRModule,
} from "@verticil/ir-core";
import { structInfoLca } from "../analysis/struct-info-lca.ts";
import { eraseStructInfo } from "./erase-struct-info.ts";
import type { AnyBindingBlock, AnyVar, Binding, Call, Expr, Function, If, Var } from "./expr.ts";
import { inferCall, inferScope, symbolicIn, type InferScope } from "./infer-call.ts";
import { inlineOperands } from "./inline-operands.ts";
import { isNormalSeq } from "./is-normal.ts";
import {
  makeBindingBlock,
  makeCall,
  makeDataflowBlock,
  makeDataflowVar,
  makeIf,
  makeMatchCast,
  makeSeqExpr,
  makeTuple,
  makeTupleGetItem,
  makeVar,
  makeVarBinding,
} from "./make.ts";
import { makeFunction } from "./make-function.ts";
import { completeAttrs, type OpRegistry } from "./op-def.ts";
import { relaxNodes } from "./node-table.ts";
import { SharedFunctions } from "./shared-functions.ts";
import { structInfoOf } from "./struct-info-of.ts";
import type { StructInfo } from "./struct-info.ts";
import { irDialect, type Dialect } from "@verticil/ir-core";
import { tirNodes, undefinedVars } from "@verticil/tir";
import { renameExpr } from "./rename.ts";
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
  readonly #shared = new SharedFunctions(dialects);
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
    opts: { readonly attrs?: AttrMap; readonly isPure?: boolean; readonly private?: boolean; readonly retStructInfo?: StructInfo } = {},
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
    opts: { readonly attrs?: AttrMap; readonly isPure?: boolean; readonly retStructInfo?: StructInfo } = {},
  ): Function {
    const saved = { names: this.#varNames, values: this.#values };
    this.#varNames = new UniqueNames();
    this.#values = new Map();
    for (const p of params) this.#varNames.reserve(p.name);
    try {
      return makeFunction(params, this.seq(build), opts.retStructInfo, opts);
    } finally {
      this.#varNames = saved.names;
      this.#values = saved.values;
    }
  }

  /** Runs `build` in a scope of its own; gives its bindings and its result as one expression. One that throws leaves no trace. */
  seq(build: () => Expr): Expr {
    const blocks = this.#blocks;
    const scopes = this.#scopes;
    this.#blocks = [];
    this.#scopes = [{ dataflow: false, bindings: [] }];
    try {
      const result = this.#leaf(build());
      this.#flush();
      return makeSeqExpr(this.#blocks, result);
    } finally {
      this.#blocks = blocks;
      this.#scopes = scopes;
    }
  }

  /** Runs `build` inside a dataflow block; variables made by `emit` are local to it, those by `emitOutput` are not. */
  dataflow<T>(build: () => T): T {
    if (this.inDataflow) return build();
    this.#flush();
    this.#scopes.push({ dataflow: true, bindings: [] });
    try {
      return build();
    } finally {
      const scope = this.#scopes.pop();
      if (scope !== undefined && scope.bindings.length > 0) this.#blocks.push(makeDataflowBlock(scope.bindings));
    }
  }

  /** Runs `build` inside a plain binding block, even in a function whose other blocks are dataflow blocks. */
  bindings<T>(build: () => T): T {
    this.#flush();
    const result = build();
    this.#flush();
    return result;
  }

  /** Binds the value to a new variable, unless it is one. A list is a tuple. */
  emit(value: Expr | readonly Expr[], nameHint = "lv"): AnyVar {
    return this.#emit(isList(value) ? makeTuple(value) : value, nameHint, this.inDataflow);
  }

  /** Binds the value to a variable that is visible outside the dataflow block. */
  emitOutput(value: Expr | readonly Expr[], nameHint = "gv"): AnyVar {
    return this.#emit(isList(value) ? makeTuple(value) : value, nameHint, false);
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

  /**
   * The expression in normal form: operands bound to variables, bodies sequences of bindings, struct info inferred. What
   * is in normal form already is given back as it is.
   */
  normalize(expr: Expr): Expr {
    switch (expr.kind) {
      case "relax.If":
        return this.#normalizeIf(expr);
      case "relax.SeqExpr":
        return this.normalize(this.#replay(expr));
      case "relax.Function":
        return this.normalizeFunction(expr);
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

  /** A function with its body in normal form. */
  normalizeFunction(func: Function): Function {
    if (isNormalSeq(func.body)) return func;
    const saved = { names: this.#varNames, values: this.#values };
    this.#varNames = new UniqueNames();
    this.#values = new Map(saved.values);
    for (const p of func.params) this.#varNames.reserve(p.name);
    const body = this.seq(() => this.#replay(func.body));
    this.#varNames = saved.names;
    this.#values = saved.values;
    return { ...func, body };
  }

  #normalizeIf(expr: If): If {
    const cond = this.#leaf(expr.cond);
    const [t, f] = [this.#branch(expr.trueBranch), this.#branch(expr.falseBranch)];
    if (cond === expr.cond && t === expr.trueBranch && f === expr.falseBranch && expr.structInfo !== undefined) return expr;
    const [a, b] = [branchInfo(t), branchInfo(f)];
    if (a === undefined || b === undefined) throw new TypeError("A branch has no struct info.");
    return makeIf(cond, t, f, structInfoLca(a, b, this.infer), expr.span);
  }

  #branch(expr: Expr): Expr {
    return isNormalSeq(expr) ? expr : this.seq(() => this.#replay(expr));
  }

  /** Emits the bindings of a sequence here, in normal form; gives its result. */
  #replay(expr: Expr): Expr {
    if (expr.kind !== "relax.SeqExpr") return expr;
    const map = new Map<AnyVar, Expr>();
    for (const block of expr.blocks) {
      const emit = (): void => {
        for (const b of block.bindings) this.#rebind(b, map);
      };
      // Plain bindings join those before and after: nothing tells two such blocks apart.
      if (block.kind === "relax.DataflowBlock") this.dataflow(emit);
      else emit();
    }
    return renameExpr(expr.body, map);
  }

  /** A binding in normal form; a variable without struct info is made anew. */
  #rebind(b: Binding, map: Map<AnyVar, Expr>): void {
    const value = renameExpr(b.value, map);
    if (b.kind === "relax.MatchCast") {
      const v = b.var.structInfo === undefined ? { ...b.var, structInfo: b.structInfo } : b.var;
      if (v !== b.var) map.set(b.var, v);
      return this.addBinding(makeMatchCast(v, this.#leaf(value), b.structInfo, b.span));
    }
    const normal = this.normalize(value);
    const v = b.var.structInfo === undefined ? { ...b.var, structInfo: structInfoOf(normal) } : b.var;
    if (v !== b.var) map.set(b.var, v);
    this.addBinding(makeVarBinding(v, normal, b.span));
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
    const same = shareable ? this.#shared.find(func, (gv) => this.#functions.get(gv)) : undefined;
    if (same !== undefined) return same;
    const gv = makeGlobalVar(this.#functionNames.fresh(hint));
    this.#functions.set(gv, func);
    if (shareable) this.#shared.add(gv, func);
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
      case "relax.Function":
        return this.emit(expr);
      case "relax.SeqExpr":
        return this.#leaf(this.#replay(expr));
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

function isList(value: Expr | readonly Expr[]): value is readonly Expr[] {
  return Array.isArray(value);
}

/** What a branch gives, without the dimensions that it binds itself. */
function branchInfo(branch: Expr): StructInfo | undefined {
  const info = structInfoOf(branch);
  if (info === undefined || branch.kind !== "relax.SeqExpr") return info;
  const casts = branch.blocks.flatMap((b) => b.bindings).filter((b) => b.kind === "relax.MatchCast");
  const own = symbolicIn(casts.map((b) => b.structInfo));
  return own.size === 0 ? info : eraseStructInfo(info, (d) => !undefinedVars(d).some((v) => own.has(v)));
}
