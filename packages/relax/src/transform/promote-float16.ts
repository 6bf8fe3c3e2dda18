import { definePass, type Pass } from "@verticil/ir-core";
import { elementCount, getElement, tensor, type Tensor } from "@verticil/runtime-ffi";
import { isVar } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { AnyBindingBlock, AnyVar, Binding, Call, Expr, Function } from "../ir/expr.ts";
import { forEachExpr } from "../ir/for-each-expr.ts";
import { makeConstant, makeDataflowVar, makeTensorStructInfo, makeTuple, makeTupleGetItem, makeVar, makeVarBinding } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/**
 * Computes float16 graphs in float32, for targets without 16-bit arithmetic: operators take and give float32, constants are
 * widened once and for all. Parameters, results, and what other functions take and give stay as they are. Where the graph
 * itself makes float16 of another type numbers are rounded, as they are then; between operators they are not, so that
 * results are at least as exact as in float16.
 */
export function promoteFloat16(): Pass {
  return definePass("PromoteFloat16", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    const promoter = new Promoter(bb);
    let changed = false;
    for (const [gv, func] of module.functions) {
      if (!isRelaxFunction(func) || !usesFloat16(func)) continue;
      bb.updateFunc(gv, promoter.function(func));
      changed = true;
    }
    return changed ? bb.finalize() : module;
  });
}

function isHalf(info: StructInfo | undefined): boolean {
  if (info?.kind === "relax.TupleStructInfo") return info.fields.some(isHalf);
  return info?.kind === "relax.TensorStructInfo" && info.dtype === "float16";
}

function usesFloat16(func: Function): boolean {
  let found = func.params.some((p) => isHalf(p.structInfo));
  const visit = (e: Expr): boolean => {
    if (e.kind !== "relax.SeqExpr" && e.kind !== "relax.Function" && isHalf(structInfoOf(e))) found = true;
    return !found;
  };
  forEachExpr(func.body, visit, (b) => {
    if (isHalf(b.var.structInfo)) found = true;
  });
  return found;
}

/** A type with float32 in the place of float16. */
function widened(info: StructInfo): StructInfo {
  if (info.kind === "relax.TupleStructInfo") return { ...info, fields: info.fields.map(widened) };
  if (info.kind !== "relax.TensorStructInfo" || info.dtype !== "float16") return info;
  return makeTensorStructInfo(info.shape ?? info.ndim, "float32", info.vdevice);
}

class Promoter {
  readonly #bb: BlockBuilder;
  /** What holds a variable's numbers for operators; those without are as they were. */
  #held = new Map<AnyVar, Expr>();
  /** Variables that are held widened beside what they were. */
  readonly #asTheyWere = new Set<AnyVar>();
  readonly #constants = new Map<Tensor, Expr>();

  constructor(bb: BlockBuilder) {
    this.#bb = bb;
  }

  function(func: Function): Function {
    const build = (): Expr => this.#result(func);
    return this.#bb.buildFunction(func.params, build, { attrs: func.attrs, isPure: func.isPure });
  }

  /** Parameters are widened in the first block and results made in the last one, so that one block stays one. */
  #result(func: Function): Expr {
    const [own, blocks] = func.body.kind === "relax.SeqExpr" ? [func.body.body, func.body.blocks] : [func.body, []];
    const start = (): void => func.params.forEach((p) => this.#hold(p));
    const end = (): Expr => {
      const result = this.#original(own);
      return result === own ? result : this.#bb.emitOutput(result);
    };
    let result = own;
    blocks.forEach((block, i) =>
      this.#within(block, () => {
        if (i === 0) start();
        for (const b of block.bindings) this.#binding(b);
        if (i === blocks.length - 1) result = end();
      }),
    );
    if (blocks.length > 0) return result;
    return this.#bb.dataflow(() => {
      start();
      return end();
    });
  }

  /** Runs `build` in a block of the kind of `like`. */
  #within<T>(like: AnyBindingBlock | undefined, build: () => T): T {
    return like?.kind === "relax.BindingBlock" ? this.#bb.bindings(build) : this.#bb.dataflow(build);
  }

  /** Emits the bindings of a sequence; gives its result as operators take it. */
  #seq(expr: Expr): Expr {
    if (expr.kind !== "relax.SeqExpr") return this.#operand(expr);
    for (const block of expr.blocks) {
      this.#within(block, () => {
        for (const b of block.bindings) this.#binding(b);
      });
    }
    return this.#operand(expr.body);
  }

  #binding(b: Binding): void {
    if (b.kind === "relax.MatchCast") {
      const value = this.#operand(b.value);
      // What has its types still is checked before it is widened: only then operators know its shape.
      if (value === b.value || (isVar(b.value) && this.#asTheyWere.has(b.value))) {
        this.#bb.addBinding(b);
        this.#hold(b.var);
        return;
      }
      const info = widened(b.structInfo);
      const held = this.#variable(b.var, info);
      this.#bb.addBinding({ ...b, var: held, value, structInfo: info });
      this.#held.set(b.var, held);
      return;
    }
    const value = this.#value(b.value);
    if (value === undefined) {
      // What does not compute with its operands keeps its types; its result is widened for those that do.
      this.#bb.addBinding({ ...b, value: this.#original(b.value) });
      this.#hold(b.var);
      return;
    }
    const normal = this.#bb.normalize(value);
    const info = structInfoOf(normal) ?? b.var.structInfo;
    const held = info === undefined || !isHalf(b.var.structInfo) ? b.var : this.#variable(b.var, info);
    this.#bb.addBinding(makeVarBinding(held, normal, b.span));
    if (held !== b.var) this.#held.set(b.var, held);
  }

  #variable(old: AnyVar, info: StructInfo): AnyVar {
    return old.kind === "relax.Var" ? makeVar(old.name, info, old.span) : makeDataflowVar(old.name, info, old.span);
  }

  /** Widens a variable that is there. */
  #hold(v: AnyVar): void {
    if (v.structInfo?.kind !== "relax.TensorStructInfo" || !isHalf(v.structInfo)) return;
    const call = this.#bb.callOp("relax.astype", [v], { dtype: "float32" });
    this.#asTheyWere.add(v);
    this.#held.set(v, v.kind === "relax.Var" ? this.#bb.emitOutput(call, v.name) : this.#bb.emit(call, v.name));
  }

  /** A bound value that computes in float32; undefined for one that takes its operands as they were. */
  #value(value: Expr): Expr | undefined {
    switch (value.kind) {
      case "relax.Call":
        return value.op.kind === "ir.Op" && value.sinfoArgs.length === 0 ? this.#call(value) : undefined;
      case "relax.If": {
        const [trueBranch, falseBranch] = [this.#branch(value.trueBranch), this.#branch(value.falseBranch)];
        return { ...value, cond: this.#original(value.cond), trueBranch, falseBranch, structInfo: structInfoOf(trueBranch) };
      }
      case "relax.TupleGetItem": {
        const tuple = this.#operand(value.tuple);
        return isHalf(structInfoOf(tuple)) ? undefined : makeTupleGetItem(tuple, value.index, value.span);
      }
      case "relax.Function":
        return this.function(value);
      default:
        return this.#operand(value);
    }
  }

  #branch(expr: Expr): Expr {
    const around = this.#held;
    this.#held = new Map(around);
    try {
      return this.#bb.seq(() => this.#seq(expr));
    } finally {
      this.#held = around;
    }
  }

  #call(call: Call): Expr {
    const args = call.args.map((a) => this.#operand(a));
    if (opNameOf(call) === "relax.astype") return this.#converted(call, args);
    const attrs = Object.fromEntries(Object.entries(call.attrs).map(([k, v]) => [k, v === "float16" ? "float32" : v]));
    return { ...call, args, attrs, structInfo: undefined };
  }

  #converted(call: Call, args: readonly Expr[]): Expr {
    const [given, own] = [call.args[0], args[0]];
    if (given === undefined || own === undefined) return call;
    const [from, to] = [structInfoOf(given), call.attrs["dtype"]];
    if (isHalf(from) && (to === "float16" || to === "float32")) return own;
    const next: Call = { ...call, args, structInfo: undefined };
    return to === "float16" ? this.#bb.callOp("relax.astype", [this.#bb.emit(next)], { dtype: "float32" }) : next;
  }

  /** An operand in float32. */
  #operand(e: Expr): Expr {
    if (isVar(e)) return this.#held.get(e) ?? e;
    if (e.kind === "relax.Constant" && e.data.dtype === "float16") {
      const known = this.#constants.get(e.data) ?? makeConstant(widen(e.data), e.span);
      this.#constants.set(e.data, known);
      return known;
    }
    if (e.kind === "relax.Tuple") return makeTuple(e.fields.map((f) => this.#operand(f)), e.span);
    if (e.kind === "relax.TupleGetItem") return makeTupleGetItem(this.#operand(e.tuple), e.index, e.span);
    return e;
  }

  /** An expression with its operands in the types that they had. */
  #original(e: Expr): Expr {
    if (isVar(e)) return this.#held.has(e) && !this.#asTheyWere.has(e) ? this.#narrow(this.#operand(e), e.structInfo) : e;
    switch (e.kind) {
      case "relax.Call":
        return { ...e, op: e.op.kind === "ir.Op" || e.op.kind === "ir.GlobalVar" ? e.op : this.#original(e.op), args: e.args.map((a) => this.#original(a)) };
      case "relax.Tuple":
        return makeTuple(e.fields.map((f) => this.#original(f)), e.span);
      case "relax.TupleGetItem":
        return makeTupleGetItem(this.#original(e.tuple), e.index, e.span);
      default:
        return e;
    }
  }

  /** A value with float16 where `info` has it. */
  #narrow(e: Expr, info: StructInfo | undefined): Expr {
    if (!isHalf(info)) return e;
    if (info?.kind === "relax.TupleStructInfo") {
      return makeTuple(info.fields.map((f, i) => this.#narrow(e.kind === "relax.Tuple" ? (e.fields[i] ?? e) : this.#bb.emit(makeTupleGetItem(e, i)), f)));
    }
    return isHalf(structInfoOf(e)) ? e : this.#bb.emit(this.#bb.callOp("relax.astype", [e], { dtype: "float16" }));
  }
}

function widen(t: Tensor): Tensor {
  const out = new Float32Array(elementCount(t.shape));
  for (let i = 0; i < out.length; i++) out[i] = Number(getElement(t, i));
  return tensor(out, t.shape);
}
