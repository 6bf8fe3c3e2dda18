import { definePass, makeGlobalVar, makeOp, withFunctions, type BaseFunc, type GlobalVar, type Pass } from "@verticil/ir-core";
import { undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { forEachUse, freeVars, isVar } from "../analysis/variables.ts";
import { cloneFunction } from "../ir/clone-function.ts";
import { bindSymbolic, tirVarsInStructInfo } from "../ir/infer-call.ts";
import type { AnyVar, Binding, Call, Expr, Function, SeqExpr, Var } from "../ir/expr.ts";
import { makeBindingBlock, makeCall, makeObjectStructInfo, makeSeqExpr, makeShapeExpr, makeShapeStructInfo, makeTuple, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { renameExpr } from "../ir/rename.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { UniqueNames } from "../ir/unique-names.ts";

/**
 * Upstream's `LambdaLift`: local functions become private functions of the module. What a local function uses from
 * around it comes as its last arguments; in its place stands a closure that holds them. One that uses nothing from around it,
 * and is only called, needs no closure; nor do calls of itself in one that does.
 */
export function lambdaLift(): Pass {
  return definePass("LambdaLift", (module) => {
    const names = new UniqueNames();
    for (const gv of module.functions.keys()) names.reserve(gv.name);
    const lifted = new Map<GlobalVar, BaseFunc>();
    const functions = new Map<GlobalVar, BaseFunc>();
    for (const [gv, func] of module.functions) functions.set(gv, isRelaxFunction(func) ? new Lifter(gv.name, names, lifted).function(func) : func);
    return lifted.size === 0 ? module : withFunctions(module, new Map([...functions, ...lifted]));
  });
}

class Lifter {
  readonly #owner: string;
  readonly #names: UniqueNames;
  readonly #lifted: Map<GlobalVar, BaseFunc>;
  /** The functions that local functions have become which are called without a closure, and what calls add to their arguments. */
  readonly #direct: Map<AnyVar, { readonly gv: GlobalVar; readonly held: readonly Expr[] }>;

  constructor(owner: string, names: UniqueNames, lifted: Map<GlobalVar, BaseFunc>, direct: Map<AnyVar, { readonly gv: GlobalVar; readonly held: readonly Expr[] }> = new Map()) {
    this.#owner = owner;
    this.#names = names;
    this.#lifted = lifted;
    this.#direct = direct;
  }

  function(func: Function): Function {
    const body = this.#expr(func.body);
    return body === func.body ? func : { ...func, body };
  }

  #expr(e: Expr): Expr {
    switch (e.kind) {
      case "relax.SeqExpr":
        return this.#seq(e);
      case "relax.If": {
        const trueBranch = this.#expr(e.trueBranch);
        const falseBranch = this.#expr(e.falseBranch);
        return trueBranch === e.trueBranch && falseBranch === e.falseBranch ? e : { ...e, trueBranch, falseBranch };
      }
      case "relax.Call":
        return this.#call(e);
      default:
        return e;
    }
  }

  #seq(seq: SeqExpr): SeqExpr {
    let changed = false;
    const blocks = seq.blocks.map((block) => {
      const bindings = block.bindings.flatMap((b): readonly Binding[] => {
        if (b.value.kind === "relax.Function" && !escapes(seq, b.var) && capturesNothing(b.var, b.value)) {
          // Nothing to hold: its calls are calls of the function that it becomes.
          changed = true;
          this.#liftDirectly(b.var, b.value);
          return [];
        }
        const value = b.value.kind === "relax.Function" ? this.#lift(b.var, b.value) : this.#expr(b.value);
        changed ||= value !== b.value;
        return [value === b.value ? b : { ...b, value }];
      });
      return { ...block, bindings };
    }).filter((block) => block.bindings.length > 0);
    return changed ? makeSeqExpr(blocks, seq.body, seq.span) : seq;
  }

  /** A call of a variable is a call of a closure. */
  #call(call: Call): Call {
    if (!isVar(call.op)) return call;
    const direct = this.#direct.get(call.op);
    if (direct !== undefined) return { ...call, op: direct.gv, args: [...call.args, ...direct.held] };
    const info = structInfoOf(call.op);
    const isPure = info?.kind === "relax.FuncStructInfo" && info.purity;
    return makeCall(makeOp(isPure ? "relax.invoke_pure_closure" : "relax.invoke_closure"), [call.op, makeTuple(call.args)], {
      sinfoArgs: call.structInfo === undefined ? [] : [call.structInfo],
      structInfo: call.structInfo,
      span: call.span,
    });
  }

  /** `OWNER_NAME`, with a number behind it where that is taken. */
  #global(v: AnyVar): GlobalVar {
    const name = `${this.#owner}_${v.name}`;
    return makeGlobalVar(this.#names.has(name) ? this.#names.fresh(`${name}_0`) : this.#names.fresh(name));
  }

  #liftDirectly(v: AnyVar, func: Function): void {
    const gv = this.#global(v);
    this.#direct.set(v, { gv, held: [] });
    const inner = new Lifter(this.#owner, this.#names, this.#lifted, this.#direct);
    this.#lifted.set(gv, cloneFunction(inner.function(func)));
  }

  #lift(v: AnyVar, func: Function): Expr {
    const gv = this.#global(v);
    const captured = freeVars(func).filter((x) => x !== v);
    const sizes = capturedSizes(func, captured);
    const params = captured.map((x): Var => makeVar(x.name, x.structInfo ?? makeObjectStructInfo()));
    const shape = sizes.length === 0 ? [] : [makeVar("s", makeShapeStructInfo(sizes))];
    const outer = new Map<AnyVar, Expr>(captured.map((x, i) => [x, params[i] ?? x]));
    const self = makeVar(v.name, v.structInfo ?? makeObjectStructInfo());
    outer.set(v, self);
    const all = [...params, ...shape];
    const body = renameExpr(func.body, outer);
    const direct = new Map([...this.#direct, [self, { gv, held: all }] as const]);
    const held = body.kind === "relax.SeqExpr" && freeVars(func).includes(v) && escapes(body, self);
    const own = makeVarBinding(self, closureOf(gv, all, v));
    const seq = held ? makeSeqExpr([makeBindingBlock([own]), ...body.blocks], body.body) : body;
    const made = makeFunction([...func.params, ...all], seq, func.retStructInfo, { isPure: func.isPure });
    // Cloned, so that no variable is bound twice in the module.
    this.#lifted.set(gv, cloneFunction(new Lifter(this.#owner, this.#names, this.#lifted, direct).function(made)));
    return closureOf(gv, [...captured, ...(sizes.length === 0 ? [] : [makeShapeExpr(sizes)])], v);
  }
}

function capturesNothing(v: AnyVar, func: Function): boolean {
  return freeVars(func).every((x) => x === v) && capturedSizes(func, []).length === 0;
}

/** True if a variable is used other than as what a call calls. */
function escapes(seq: SeqExpr, v: AnyVar): boolean {
  let all = 0;
  forEachUse(seq, (x) => {
    if (x === v) all++;
  });
  let called = 0;
  const visit = (e: Expr): void => {
    if (e.kind === "relax.Call" && e.op === v) called++;
    else if (e.kind === "relax.If") [e.trueBranch, e.falseBranch].forEach(visit);
    else if (e.kind === "relax.Function") visit(e.body);
    else if (e.kind === "relax.SeqExpr") for (const block of e.blocks) for (const b of block.bindings) visit(b.value);
  };
  visit(seq);
  return all !== called;
}

function closureOf(gv: GlobalVar, held: readonly Expr[], v: AnyVar): Call {
  return makeCall(makeOp("relax.make_closure"), [gv, makeTuple(held)], { structInfo: v.structInfo ?? makeObjectStructInfo() });
}

/** Symbolic variables of the function around that a local function needs, and that no parameter or captured value has. */
function capturedSizes(func: Function, captured: readonly AnyVar[]): readonly TirVar[] {
  const known = new Map<TirVar, PrimExpr>();
  const own = (info: StructInfo | undefined): void => {
    if (info !== undefined) bindSymbolic(info, info, known);
  };
  for (const p of [...func.params, ...captured]) own(structInfoOf(p));
  const mentioned = new Set<TirVar>();
  const mention = (info: StructInfo | undefined): void => {
    if (info !== undefined) tirVarsInStructInfo(info, (d) => undefinedVars(d).forEach((x) => mentioned.add(x)));
  };
  const visit = (e: Expr): void => {
    mention(structInfoOf(e));
    if (e.kind === "relax.PrimValue") mention(makeShapeStructInfo([e.value]));
    else if (e.kind === "relax.Call") {
      e.sinfoArgs.forEach(mention);
      e.args.forEach(visit);
    } else if (e.kind === "relax.Tuple") e.fields.forEach(visit);
    else if (e.kind === "relax.If") [e.cond, e.trueBranch, e.falseBranch].forEach(visit);
    else if (e.kind === "relax.SeqExpr") {
      for (const b of e.blocks.flatMap((block) => block.bindings)) {
        if (b.kind === "relax.MatchCast") own(b.structInfo);
        visit(b.value);
        mention(b.var.structInfo);
      }
      visit(e.body);
    }
  };
  visit(func.body);
  for (const p of func.params) mention(p.structInfo);
  return [...mentioned].filter((x) => !known.has(x));
}
