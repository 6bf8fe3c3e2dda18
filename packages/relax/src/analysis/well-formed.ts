import type { BaseFunc, Diagnostics, GlobalVar, IRModule, PassContext, Reporter, Span, WellFormedCheck } from "@verticil/ir-core";
import { undefinedVars, type AnyVar as TirVar, type PrimExpr, type PrimFunc } from "@verticil/tir";
import type { AnyVar, Binding, Call, Expr, Function, If, MatchCast, VarBinding } from "../ir/expr.ts";
import { inferCall, inferScope, tirVarsInStructInfo, type InferScope } from "../ir/infer-call.ts";
import { takesWrittenTuple } from "../ir/inline-operands.ts";
import { completeAttrs, opRegistryKey, type OpRegistry } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { callTirResult } from "./call-tir-result.ts";
import { checkInplace } from "./check-inplace.ts";
import { structInfoText } from "../script/struct-info-text.ts";
import { calleeName, findImpureCall } from "./purity.ts";
import { isBaseOf, structInfoBaseCheck } from "./struct-info-base-check.ts";
import { relaxDiagnostics } from "./well-formed-diagnostics.ts";

/** What a check is told. */
export interface WellFormedOptions {
  readonly ops: OpRegistry;
  /** False leaves out what needs struct info: types of bindings, purity, signatures. */
  readonly checkStructInfo?: boolean;
}

/**
 * Reports what is wrong with the graph functions of a module (upstream's `well_formed`). The rules are for programs in
 * normal form, as the reader and the `BlockBuilder` make them.
 */
export function checkWellFormed(module: IRModule, diagnostics: Diagnostics, opts: WellFormedOptions): void {
  const checker = new Checker(module, diagnostics, opts);
  for (const [gv, func] of module.functions) if (func.kind === "relax.Function") checker.globalFunction(gv, func as Function);
}

/** The check for `wellFormedInstrument`. */
export const relaxWellFormed: WellFormedCheck = (module: IRModule, ctx: PassContext, diagnostics: Diagnostics): void => {
  checkWellFormed(module, diagnostics, { ops: ctx.get(opRegistryKey) });
};

const LEAVES: ReadonlySet<string> = new Set([
  "relax.Var", "relax.DataflowVar", "relax.Constant", "relax.ShapeExpr", "relax.PrimValue", "relax.StringImm",
  "relax.DataTypeImm", "relax.ExternFunc", "relax.Tuple", "ir.GlobalVar", "ir.Op",
]);

class Checker {
  readonly #module: IRModule;
  readonly #report: Reporter<typeof relaxDiagnostics>;
  readonly #infer: InferScope;
  readonly #typed: boolean;
  #vars = new Set<AnyVar>();
  #dataflowVars = new Set<AnyVar>();
  #symbolic = new Set<TirVar>();
  #inDataflow = false;
  /** The function of the module that is being checked; its local functions count as part of it. */
  #owner: Function | undefined;
  readonly #params = new Set<AnyVar>();
  readonly #symbolicOwner = new Map<TirVar, Function>();

  constructor(module: IRModule, diagnostics: Diagnostics, opts: WellFormedOptions) {
    this.#module = module;
    this.#report = diagnostics.reporter("relax", relaxDiagnostics);
    this.#infer = inferScope(opts.ops, (gv) => this.#lookup(gv));
    this.#typed = opts.checkStructInfo ?? true;
  }

  #lookup(gv: GlobalVar): BaseFunc | undefined {
    return this.#module.functions.get(gv);
  }

  globalFunction(gv: GlobalVar, func: Function): void {
    const symbol = func.attrs["global_symbol"];
    if (typeof symbol === "string" && symbol !== gv.name) this.#report("symbol-mismatch", { name: gv.name, symbol }, func.span);
    this.#owner = func;
    this.#function(func, `\`${gv.name}\``);
    this.#owner = undefined;
  }

  #function(func: Function, name: string): void {
    const saved = { vars: this.#vars, dataflow: this.#dataflowVars, symbolic: this.#symbolic, inDataflow: this.#inDataflow };
    this.#vars = new Set(saved.vars);
    this.#dataflowVars = new Set(saved.dataflow);
    // Symbolic variables of the function around are not seen inside.
    this.#symbolic = new Set();
    this.#inDataflow = false;
    for (const p of func.params) if (p.structInfo !== undefined) this.#defineSymbolic(p.structInfo);
    for (const p of func.params) {
      if (this.#params.has(p)) this.#report("shared-parameter", { name: p.name }, p.span ?? func.span);
      this.#params.add(p);
      this.#define(p, func.span);
    }
    this.#info(func.retStructInfo, func.span);
    this.#purity(func, name);
    this.#seq(func.body, "body of a function", func.span);
    this.#vars = saved.vars;
    this.#dataflowVars = saved.dataflow;
    this.#symbolic = saved.symbolic;
    this.#inDataflow = saved.inDataflow;
  }

  #purity(func: Function, name: string): void {
    const isForced = func.attrs["relax.force_pure"] === true || func.attrs["relax.force_pure"] === 1;
    if (isForced && !func.isPure) this.#report("forced-impure", { name }, func.span);
    if (!this.#typed || isForced || !func.isPure) return;
    const impure = findImpureCall(func.body, this.#infer);
    if (impure !== undefined) this.#report("impure-in-pure", { name, callee: calleeName(impure) }, impure.span ?? func.span);
  }

  // Scopes.

  #define(v: AnyVar, at: Span | undefined): void {
    const span = v.span ?? at;
    if (v.kind === "relax.DataflowVar" && !this.#inDataflow) this.#report("dataflow-var-outside", { name: v.name, does: "bound" }, span);
    const set = v.kind === "relax.DataflowVar" ? this.#dataflowVars : this.#vars;
    if (set.has(v)) this.#report("redefined-var", { name: v.name }, span);
    set.add(v);
    if (!this.#typed) return;
    if (v.structInfo === undefined) this.#report("no-struct-info", { what: `The variable \`${v.name}\`` }, span);
    else this.#info(v.structInfo, span);
  }

  /** Symbolic variables that stand alone as a dimension get their value there. */
  #defineSymbolic(info: StructInfo): void {
    tirVarsInStructInfo(info, (dim) => {
      if (dim.kind === "tir.Var" || dim.kind === "tir.SizeVar") this.#symbolic.add(dim);
    });
    if (info.kind === "relax.TensorStructInfo" && info.shape?.kind === "relax.Var") this.#vars.add(info.shape);
  }

  /** Struct info mentions known symbolic variables only. */
  #info(info: StructInfo, at: Span | undefined): void {
    if (info.kind === "relax.FuncStructInfo") {
      const saved = this.#symbolic;
      this.#symbolic = new Set(saved);
      for (const p of info.params ?? []) this.#defineSymbolic(p);
      this.#withoutOwner(() => this.#info(info.ret, at));
      this.#symbolic = saved;
      return;
    }
    if (info.kind === "relax.TupleStructInfo") {
      for (const f of info.fields) this.#info(f, at);
      return;
    }
    tirVarsInStructInfo(info, (dim) => this.#dim(dim, at));
  }

  #withoutOwner(f: () => void): void {
    const owner = this.#owner;
    this.#owner = undefined;
    f();
    this.#owner = owner;
  }

  #dim(dim: PrimExpr, at: Span | undefined): void {
    if (dim.kind === "ir.IntImm") return;
    for (const v of undefinedVars(dim)) {
      if (!this.#symbolic.has(v)) {
        this.#report("undefined-symbolic", { name: v.name }, dim.span ?? at);
        // Once is enough.
        this.#symbolic.add(v);
      }
      if (this.#owner === undefined) continue;
      const other = this.#symbolicOwner.get(v);
      if (other !== undefined && other !== this.#owner) this.#report("shared-symbolic", { name: v.name }, dim.span ?? at);
      this.#symbolicOwner.set(v, this.#owner);
    }
  }

  // Expressions.

  #seq(body: Expr, where: string, at: Span | undefined): void {
    if (body.kind !== "relax.SeqExpr") {
      this.#report("no-sequence", { where }, body.span ?? at);
      return;
    }
    for (const block of body.blocks) {
      const before = this.#inDataflow;
      this.#inDataflow = block.kind === "relax.DataflowBlock";
      for (const b of block.bindings) this.#binding(b);
      if (block.kind === "relax.DataflowBlock") this.#dataflowVars = new Set();
      this.#inDataflow = before;
    }
    this.#operand(body.body, `result of the ${where}`, { span: body.span ?? at });
    if (this.#typed && structInfoOf(body) === undefined && structInfoOf(body.body) === undefined && body.body.kind !== "ir.GlobalVar") {
      this.#report("no-struct-info", { what: `The result of the ${where}` }, body.span ?? at);
    }
  }

  #binding(b: Binding): void {
    if (b.kind === "relax.MatchCast") return this.#matchCast(b);
    const { value } = b;
    // A local function may call itself.
    const isRecursive = value.kind === "relax.Function" && !this.#vars.has(b.var);
    if (isRecursive) this.#vars.add(b.var);
    this.#value(value, b);
    if (isRecursive) this.#vars.delete(b.var);
    this.#define(b.var, b.span);
    const [said, found] = [b.var.structInfo, structInfoOf(value)];
    if (this.#typed && said !== undefined && found !== undefined && !isBaseOf(said, found, this.#infer)) {
      this.#report("wrong-struct-info", { found: structInfoText(found), said: structInfoText(said) }, b.span ?? b.var.span);
    }
  }

  #matchCast(b: MatchCast): void {
    this.#operand(b.value, "value of a match_cast", b);
    this.#defineSymbolic(b.structInfo);
    this.#info(b.structInfo, b.span);
    this.#define(b.var, b.span);
  }

  #value(value: Expr, b: VarBinding): void {
    switch (value.kind) {
      case "relax.Call":
        return this.#call(value, b);
      case "relax.If":
        return this.#if(value, b);
      case "relax.TupleGetItem":
        this.#operand(value.tuple, "tuple that is indexed", b);
        return this.#typedAs(value, b);
      case "relax.Function":
        return this.#function(value, `\`${b.var.name}\``);
      case "relax.SeqExpr":
        return this.#report("misplaced-sequence", {}, value.span ?? b.span);
      default:
        // A tensor program is no graph expression; it can only come in through a hole in the types.
        if ((value.kind as string) === "tir.PrimFunc") return this.#report("inline-prim-func", {}, b.span);
        return this.#leaf(value, b);
    }
  }

  #typedAs(value: Expr, at: { readonly span?: Span | undefined }): void {
    if (!this.#typed || value.kind === "ir.GlobalVar" || value.kind === "ir.Op") return;
    const info = structInfoOf(value);
    if (info === undefined) this.#report("no-struct-info", { what: `A \`${value.kind}\`` }, value.span ?? at.span);
    else this.#info(info, value.span ?? at.span);
  }

  /** What must be a leaf, and is checked as one. */
  #operand(e: Expr, where: string, at: { readonly span?: Span | undefined }): void {
    if (LEAVES.has(e.kind)) return this.#leaf(e, at);
    this.#report("not-normal", { where, kind: e.kind }, e.span ?? at.span);
  }

  #leaf(e: Expr, at: { readonly span?: Span | undefined }): void {
    switch (e.kind) {
      case "relax.Var":
        if (!this.#vars.has(e)) this.#report("undefined-var", { name: e.name }, at.span ?? e.span);
        return;
      case "relax.DataflowVar":
        if (!this.#inDataflow) this.#report("dataflow-var-outside", { name: e.name, does: "used" }, at.span ?? e.span);
        else if (!this.#dataflowVars.has(e)) this.#report("undefined-var", { name: e.name }, at.span ?? e.span);
        return;
      case "relax.Tuple":
        for (const f of e.fields) this.#operand(f, "field of a tuple", at);
        return;
      case "relax.ShapeExpr":
        for (const d of e.values) {
          this.#dim(d, e.span ?? at.span);
          if (!/^u?int/.test(d.dtype)) this.#report("shape-not-integer", { dtype: d.dtype }, e.span ?? at.span);
        }
        return;
      case "relax.PrimValue":
        return this.#dim(e.value, e.span ?? at.span);
      case "ir.GlobalVar":
        if (!this.#module.functions.has(e)) this.#report("unknown-function", { name: e.name }, at.span ?? e.span);
        return;
      default:
        return;
    }
  }

  #if(e: If, b: VarBinding): void {
    if (this.#inDataflow) this.#report("branch-in-dataflow", {}, e.span ?? b.span);
    this.#operand(e.cond, "condition of a branch", b);
    for (const branch of [e.trueBranch, e.falseBranch]) {
      const saved = { vars: new Set(this.#vars), symbolic: new Set(this.#symbolic) };
      this.#seq(branch, "branch", e.span ?? b.span);
      this.#vars = saved.vars;
      this.#symbolic = saved.symbolic;
    }
    this.#typedAs(e, b);
  }

  #call(call: Call, b: VarBinding): void {
    const span = call.span ?? b.span;
    this.#operand(call.op, "called function", b);
    for (const [i, a] of call.args.entries()) this.#operand(a, `argument ${i} of a call`, { span: a.span ?? span });
    for (const info of call.sinfoArgs) this.#info(info, span);
    const isDirect = call.op.kind === "ir.Op" && takesWrittenTuple(call.op.name);
    if (isDirect && call.args[1] !== undefined && call.args[1].kind !== "relax.Tuple") this.#report("tuple-not-written", { callee: calleeName(call) }, span);
    this.#typedAs(call, b);
    if (!this.#typed) return;
    if (this.#inDataflow) {
      const impure = findImpureCall(call, this.#infer);
      if (impure !== undefined) this.#report("impure-in-dataflow", { callee: calleeName(impure) }, span);
    }
    this.#result(call, span);
    this.#signature(call, span);
  }

  /** The attributes of a call are those of its operator: however it was made, not by a `BlockBuilder` alone. */
  #attributes(call: Call, span: Span | undefined): boolean {
    const def = call.op.kind === "ir.Op" ? this.#infer.ops.get(call.op.name) : undefined;
    if (def === undefined) return true;
    try {
      completeAttrs(def, call.attrs);
      return true;
    } catch (e) {
      if (!(e instanceof RangeError)) throw e;
      this.#report("invalid-attribute", { reason: e.message }, span);
      return false;
    }
  }

  /** What the call is said to give is not against its operator's rule. */
  #result(call: Call, span: Span | undefined): void {
    // How operators spread over meshes is not inferred here.
    const isSpread = call.args.some((a) => structInfoOf(a)?.kind === "relax.DTensorStructInfo");
    if (!this.#attributes(call, span) || call.structInfo === undefined || isSpread) return;
    try {
      const found = inferCall(call, this.#infer);
      if (structInfoBaseCheck(call.structInfo, found, this.#infer) !== "never") return;
      this.#report("wrong-struct-info", { found: structInfoText(found), said: structInfoText(call.structInfo) }, span);
    } catch (e) {
      if (!(e instanceof RangeError || e instanceof TypeError)) throw e;
      this.#report("cannot-infer", { reason: e.message }, span);
    }
  }

  /** A destination-passing call fits the tensor program that it calls. */
  #signature(call: Call, span: Span | undefined): void {
    const [callee] = call.args;
    const [said] = call.sinfoArgs;
    if (call.op.kind !== "ir.Op" || !call.op.name.startsWith("relax.call_tir") || callee?.kind !== "ir.GlobalVar" || said === undefined) return;
    const func = this.#lookup(callee);
    if (func?.kind !== "tir.PrimFunc") return;
    try {
      if (call.op.name === "relax.call_tir_inplace") checkInplace(call, this.#infer);
      const found = callTirResult(call, func as PrimFunc, this.#infer);
      if (found === undefined || isBaseOf(found, said, this.#infer)) return;
      this.#report("wrong-struct-info", { found: structInfoText(found), said: structInfoText(said) }, span);
    } catch (e) {
      if (!(e instanceof RangeError || e instanceof TypeError)) throw e;
      this.#report("invalid-call", { reason: e.message }, span);
    }
  }
}
