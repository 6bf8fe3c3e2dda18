import { isNode, type AttrMap, type BaseFunc } from "@verticil/ir-core";
import { scalarOf } from "@verticil/runtime-ffi";
import { isPrimSignature } from "@verticil/tir";
import {
  describeValue,
  isInt,
  ScriptFloat,
  ScriptNamespace,
  type ParseContext,
  type PyExpr,
  type PyFunctionDef,
  type PyStmt,
  type ScriptValue,
  type Site,
} from "@verticil/tvmscript";
import { structInfoLca } from "../analysis/struct-info-lca.ts";
import type { AnyBindingBlock, AnyVar, Binding, Call, Expr } from "../ir/expr.ts";
import { inferCall, inferScope, type InferScope } from "../ir/infer-call.ts";
import {
  makeBindingBlock,
  makeConstant,
  makeDataflowBlock,
  makeDataflowVar,
  makeIf,
  makeMatchCast,
  makePrimStructInfo,
  makeSeqExpr,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { isExpr, toRelax, toStructInfo, toTensor } from "./convert.ts";
import { isNewTirVar } from "./new-tir-var.ts";
import { isPrimExpr, type TirVar } from "./tir-names.ts";
import { DataflowValue, FuncAttrValue, MatchCastValue, OutputValue, ReturnInfoValue } from "./values.ts";

/** Reads bodies of graph functions into blocks of bindings in normal form. */
export class SeqParser {
  attrs: AttrMap = {};
  returnInfo: StructInfo | undefined;
  readonly #ctx: ParseContext;
  readonly #infer: InferScope;
  #blocks: AnyBindingBlock[] = [];
  #bindings: Binding[] = [];
  /** In a dataflow block: its outputs, and how often each is still to be bound; the last time makes the output. */
  #outputs: Map<string, number> | undefined;

  constructor(ctx: ParseContext, ops: OpRegistry) {
    this.#ctx = ctx;
    this.#infer = inferScope(ops, (gv) => {
      const known = ctx.signature(gv.name);
      return isFunction(known) ? known : undefined;
    });
  }

  /** The body of a function, which ends with `return`. */
  functionBody(body: readonly PyStmt[]): Expr {
    const [first] = body;
    const isDoc = first?.py === "ExprStmt" && first.value.py === "Str";
    const result = this.#ctx.reading(
      (stmts) => this.#macro(stmts),
      () => this.#statements(isDoc ? body.slice(1) : body),
    );
    this.#flush();
    if (result === undefined) {
      this.#ctx.attempt(() => this.#ctx.fail({ start: first?.start ?? 0, end: first?.end ?? 0 }, "A graph function ends with `return`."));
      return makeSeqExpr(this.#blocks, makeTuple([]));
    }
    return makeSeqExpr(this.#blocks, result);
  }

  /** Reads statements into `#bindings` and `#blocks`; the value of `return`, if there is one. */
  #statements(body: readonly PyStmt[]): Expr | undefined {
    let result: Expr | undefined;
    for (const s of body) {
      const ok = this.#ctx.attempt(() => {
        if (s.py === "Return") result = this.#return(s);
        else this.#stmt(s);
      });
      if (!ok && s.py === "Assign") for (const t of s.targets) this.#ctx.poison(t);
      if (!ok && s.py === "AnnAssign") this.#ctx.poison(s.target);
      if (!ok && s.py === "Return") result = makeTuple([]);
    }
    return result;
  }

  /** The body of a macro, where it is called: its bindings stand before what its value is used in. */
  #macro(body: readonly PyStmt[]): ScriptValue {
    return this.#statements(body) ?? null;
  }

  #flush(): void {
    if (this.#bindings.length > 0) this.#blocks.push(makeBindingBlock(this.#bindings));
    this.#bindings = [];
  }

  #return(s: PyStmt & { readonly py: "Return" }): Expr {
    if (s.value === undefined) return makeTuple([]);
    return this.#leaf(toRelax(this.#ctx.evaluate(s.value), this.#ctx.site(s.value)), this.#ctx.site(s.value), "gv");
  }

  #stmt(s: PyStmt): void {
    const ctx = this.#ctx;
    switch (s.py) {
      case "Assign":
        for (const t of s.targets) this.#assign(t, undefined, ctx.evaluate(s.value), ctx.site(s));
        return;
      case "AnnAssign": {
        const info = toStructInfo(ctx.evaluate(s.annotation), ctx.site(s.annotation));
        if (s.value !== undefined) return this.#assign(s.target, info, ctx.evaluate(s.value), ctx.site(s));
        if (s.target.py === "Name") ctx.define(s.target.id, makeVar(s.target.id, info, ctx.span(s)));
        return;
      }
      case "ExprStmt":
        return this.#exprStmt(ctx.evaluate(s.value), ctx.site(s));
      case "With": {
        const [item] = s.items;
        const value = item === undefined ? null : ctx.evaluate(item.context);
        if (!(value instanceof DataflowValue)) return ctx.fail(s, `\`with\` opens a dataflow block here, not ${describeValue(value)}.`);
        return this.#dataflow(s.body);
      }
      case "If":
        return this.#if(s, ctx.site(s));
      case "FunctionDef":
        return this.#localFunction(s);
      case "Pass":
        return;
      case "OtherStmt":
        return ctx.needsPython(s, s.what);
      case "For":
      case "While":
        return ctx.needsPython(s, "a loop");
      default:
        return ctx.fail(s, "This has no meaning in a graph function.");
    }
  }

  #localFunction(def: PyFunctionDef): void {
    const ctx = this.#ctx;
    const declared = mentions(def.body, def.name) ? this.#declared(def) : undefined;
    const hint = this.#newVar(def.name, declared, ctx.site(def));
    const func = ctx.scoped(() => {
      // A function that calls itself knows itself by what its signature says.
      if (declared !== undefined) ctx.define(def.name, hint);
      return ctx.localFunction(def);
    });
    if (!isExpr(func)) return ctx.fail(def, "Only graph functions can stand inside a graph function.");
    const v = declared === undefined ? { ...hint, structInfo: structInfoOf(func) } : hint;
    ctx.define(def.name, v);
    this.#bindings.push(makeVarBinding(v, func, ctx.span(def)));
  }

  /** The struct info of a function by its signature. */
  #declared(def: PyFunctionDef): StructInfo | undefined {
    const ctx = this.#ctx;
    const found = ctx.functionParser(def);
    if (found === undefined) return undefined;
    const signature = ctx.scoped(() => found.parser.declare(def, ctx));
    return isNode(signature) && isExpr(signature) ? structInfoOf(signature) : undefined;
  }

  #exprStmt(value: ScriptValue, site: Site): void {
    if (value instanceof FuncAttrValue) {
      this.attrs = { ...this.attrs, ...value.attrs };
      return;
    }
    if (value instanceof ReturnInfoValue) {
      this.returnInfo = value.structInfo;
      return;
    }
    if (value instanceof OutputValue || typeof value === "string" || value === null || value === undefined) return;
    if (!isExpr(value)) return site.fail(`${describeValue(value)} is no statement.`);
    this.#bind(undefined, undefined, value, site);
  }

  #assign(target: PyExpr, info: StructInfo | undefined, value: ScriptValue, site: Site): void {
    const ctx = this.#ctx;
    if (target.py === "Tuple" || target.py === "List") return this.#unpack(target.items, value, site);
    if (target.py !== "Name") return ctx.fail(target, "Only names can be assigned in a graph function.");
    if (value instanceof ScriptNamespace) return ctx.define(target.id, value);
    if (isNewTirVar(value, ctx)) return this.#symbolic(target.id, value, site);
    if (value instanceof MatchCastValue) {
      const operand = this.#leaf(value.value, site);
      const v = this.#newVar(target.id, info ?? value.structInfo, site);
      ctx.define(target.id, v);
      this.#bindings.push(makeMatchCast(v, operand, value.structInfo, site.span));
      return;
    }
    if (isInt(value) || typeof value === "boolean" || value instanceof ScriptFloat) {
      this.#bind(target.id, info, makeConstant(toTensor(value, undefined, site), site.span), site);
      return;
    }
    // What is no expression is a name for something here: a type, a device, a text.
    if (!isExpr(value) && !Array.isArray(value) && !(isNode(value) && isPrimExpr(value))) return ctx.define(target.id, value);
    this.#bind(target.id, info, toRelax(value, site), site);
  }

  /** `n = T.int64()`; the signature may have declared it before. */
  #symbolic(name: string, value: TirVar, site: Site): void {
    const ctx = this.#ctx;
    if (value.name !== "" && value.name !== name) return site.fail(`The symbolic variable \`${value.name}\` cannot be called \`${name}\`.`, "Give it the same name on both sides.");
    const known = ctx.lookup(name);
    if (!isNode(known) || (known.kind !== "tir.Var" && known.kind !== "tir.SizeVar")) return ctx.define(name, { ...value, name });
    if ("dtype" in known && known.dtype !== value.dtype) return site.fail(`\`${name}\` is ${String(known.dtype)} already, not ${value.dtype}.`);
  }

  #unpack(targets: readonly PyExpr[], value: ScriptValue, site: Site): void {
    if (Array.isArray(value)) {
      const list = value as readonly ScriptValue[];
      for (const [i, t] of targets.entries()) this.#assign(t, undefined, list[i], site);
      return;
    }
    const tuple = this.#leaf(toRelax(value, site), site);
    for (const [i, t] of targets.entries()) this.#assign(t, undefined, makeTupleGetItem(tuple, i, site.span), site);
  }

  /** Binds the value to a new variable; without a name nothing can refer to it. */
  #bind(name: string | undefined, info: StructInfo | undefined, value: Expr, site: Site): AnyVar {
    const normal = this.#normalize(value, info, site);
    const known = info ?? structInfoOf(normal);
    const v = this.#newVar(name ?? "_", known, site);
    if (name !== undefined) this.#ctx.define(name, v);
    this.#bindings.push(makeVarBinding(v, normal, site.span));
    return v;
  }

  #newVar(name: string, info: StructInfo | undefined, site: Site): AnyVar {
    const left = this.#outputs?.get(name);
    if (left !== undefined) this.#outputs?.set(name, left - 1);
    const isLocal = this.#outputs !== undefined && left !== 1;
    return isLocal ? makeDataflowVar(name, info, site.span) : makeVar(name, info, site.span);
  }

  /** Operands bound to variables, struct info found; `info` is what the script says the value is. */
  #normalize(value: Expr, info: StructInfo | undefined, site: Site): Expr {
    switch (value.kind) {
      case "relax.Call": {
        const args = value.args.map((a) => this.#leaf(a, site));
        const same = args.every((a, i) => a === value.args[i]);
        const call = same ? value : { ...value, args };
        return { ...call, structInfo: info ?? this.#inferCall(call, site) };
      }
      case "relax.Tuple": {
        const fields = value.fields.map((f) => this.#leaf(f, site));
        return fields.every((f, i) => f === value.fields[i]) ? value : makeTuple(fields, value.span);
      }
      case "relax.TupleGetItem": {
        const tuple = this.#leaf(value.tuple, site);
        return tuple === value.tuple ? value : makeTupleGetItem(tuple, value.index, value.span);
      }
      default:
        return value;
    }
  }

  #inferCall(call: Call, site: Site): StructInfo {
    if (call.op.kind === "ir.GlobalVar") {
      const signature = this.#ctx.signature(call.op.name);
      if (isPrimSignature(signature)) {
        const { returns } = signature;
        return returns === "void" ? makeTupleStructInfo([]) : makePrimStructInfo(scalarOf(returns));
      }
    }
    return this.#ctx.guard(site, () => inferCall(call, this.#infer));
  }

  /** The value if it may stand as an operand; else a variable bound to it. */
  #leaf(value: Expr, site: Site, hint = "lv"): Expr {
    switch (value.kind) {
      case "relax.Call":
      case "relax.TupleGetItem":
      case "relax.If":
      case "relax.SeqExpr":
      case "relax.Function": {
        const normal = this.#normalize(value, undefined, site);
        const v = this.#newVar(hint, structInfoOf(normal), site);
        this.#bindings.push(makeVarBinding(v, normal, site.span));
        return v;
      }
      case "relax.Tuple":
        return this.#normalize(value, undefined, site);
      default:
        return value;
    }
  }

  #dataflow(body: readonly PyStmt[]): void {
    this.#flush();
    this.#outputs = outputCounts(body);
    for (const s of body) {
      if (!this.#ctx.attempt(() => this.#stmt(s)) && s.py === "Assign") for (const t of s.targets) this.#ctx.poison(t);
    }
    this.#blocks.push(makeDataflowBlock(this.#bindings));
    this.#bindings = [];
    this.#outputs = undefined;
  }

  #if(s: PyStmt & { readonly py: "If" }, site: Site): void {
    const ctx = this.#ctx;
    const test = this.#leaf(toRelax(ctx.evaluate(s.test), ctx.site(s.test)), site);
    const name = lastName(s.body);
    if (name === undefined || name !== lastName(s.orelse)) {
      return site.fail("Both branches of an `if` end by binding the same name.", "Add the missing branch or assignment.");
    }
    const annotation = lastAnnotation(s.body);
    const info = annotation === undefined ? undefined : toStructInfo(ctx.evaluate(annotation), ctx.site(annotation));
    const t = this.#branch(s.body, `${name}_then`, site);
    const f = this.#branch(s.orelse, `${name}_else`, site);
    const known = info ?? this.#either(structInfoOf(t), structInfoOf(f));
    const v = this.#newVar(name, known, site);
    ctx.define(name, v);
    this.#bindings.push(makeVarBinding(v, makeIf(test, t, f, known, site.span), site.span));
  }

  #either(a: StructInfo | undefined, b: StructInfo | undefined): StructInfo | undefined {
    return a === undefined || b === undefined ? undefined : structInfoLca(a, b, this.#infer);
  }

  /** A branch: its last statement gives its value, called `name` where it is not a variable's already. */
  #branch(body: readonly PyStmt[], name: string, site: Site): Expr {
    const ctx = this.#ctx;
    const saved = { blocks: this.#blocks, bindings: this.#bindings };
    this.#blocks = [];
    this.#bindings = [];
    const mark = ctx.mark();
    this.#statements(body.slice(0, -1));
    const last = body[body.length - 1];
    let result: Expr = makeTuple([]);
    if (last !== undefined) ctx.attempt(() => void (result = this.#branchResult(last, name, site)));
    this.#flush();
    const seq = makeSeqExpr(this.#blocks, result, site.span);
    ctx.release(mark);
    this.#blocks = saved.blocks;
    this.#bindings = saved.bindings;
    return seq;
  }

  #branchResult(last: PyStmt, name: string, site: Site): Expr {
    const ctx = this.#ctx;
    if (last.py === "Assign" || (last.py === "AnnAssign" && last.value !== undefined)) {
      const value = last.value === undefined ? null : ctx.evaluate(last.value);
      if (isExpr(value) && isLeaf(value)) return value;
      if (Array.isArray(value)) return this.#leaf(toRelax(value, site), site);
    }
    this.#stmt(last);
    const binding = this.#bindings.pop();
    if (binding === undefined) return makeTuple([]);
    const v = { ...binding.var, name };
    this.#bindings.push({ ...binding, var: v });
    return v;
  }
}

/** True if a name occurs anywhere in the statements. */
function mentions(part: unknown, name: string): boolean {
  if (Array.isArray(part)) return part.some((p) => mentions(p, name));
  if (typeof part !== "object" || part === null) return false;
  if ("py" in part && part.py === "Name" && "id" in part) return part.id === name;
  return Object.values(part).some((p) => mentions(p, name));
}

function isLeaf(e: Expr): boolean {
  switch (e.kind) {
    case "relax.Call":
    case "relax.TupleGetItem":
    case "relax.If":
    case "relax.SeqExpr":
    case "relax.Function":
      return false;
    case "relax.Tuple":
      return e.fields.every(isLeaf);
    default:
      return true;
  }
}

function isFunction(v: unknown): v is BaseFunc {
  return isNode(v) && v.kind === "relax.Function";
}

/** The outputs of a dataflow block, and how often each name is bound in it. */
function outputCounts(body: readonly PyStmt[]): Map<string, number> {
  const outputs = new Map<string, number>();
  for (const s of body) {
    if (s.py !== "ExprStmt" || s.value.py !== "Call" || s.value.func.py !== "Attribute" || s.value.func.attr !== "output") continue;
    for (const a of s.value.args) if (a.py === "Name") outputs.set(a.id, 0);
  }
  for (const s of body) {
    const targets = s.py === "Assign" ? s.targets : s.py === "AnnAssign" ? [s.target] : [];
    for (const t of targets.flatMap((x) => (x.py === "Tuple" ? x.items : [x]))) {
      const count = t.py === "Name" ? outputs.get(t.id) : undefined;
      if (t.py === "Name" && count !== undefined) outputs.set(t.id, count + 1);
    }
    if (s.py === "FunctionDef") {
      const count = outputs.get(s.name);
      if (count !== undefined) outputs.set(s.name, count + 1);
    }
  }
  return outputs;
}

/** The name that the last statement of a branch binds. */
function lastName(body: readonly PyStmt[]): string | undefined {
  const last = body[body.length - 1];
  const target = last?.py === "Assign" ? last.targets[0] : last?.py === "AnnAssign" ? last.target : undefined;
  if (target?.py === "Name") return target.id;
  return last?.py === "If" ? lastName(last.body) : last?.py === "FunctionDef" ? last.name : last?.py === "ExprStmt" ? "_" : undefined;
}

function lastAnnotation(body: readonly PyStmt[]): PyExpr | undefined {
  const last = body[body.length - 1];
  if (last?.py === "AnnAssign") return last.annotation;
  return last?.py === "If" ? lastAnnotation(last.body) : undefined;
}
