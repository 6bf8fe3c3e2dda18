import { isFloat } from "@verticil/runtime-ffi";
import type { Analyzer } from "../arith/analyzer.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, BufferLoad, Call, PrimExpr } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeBinary, makeNot, makeRange } from "../ir/make-expr.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { asInt, isConst, isConstInt, not } from "../ir/ops.ts";
import type { BufferStore, For, IfThenElse, Stmt } from "../ir/stmt.ts";
import { foldTop } from "./fold.ts";
import { noOp, simplifyExpr, storesItself, withoutHint } from "./simplify.ts";

/**
 * What `simplifyStmt` makes of a simple statement after more became known of one variable: `value`, if given, or the bounds
 * that `analyzer` knows. Only what mentions the variable is looked at; the rest is the same nodes. Undefined for statements
 * that are not of the flat form, such as blocks, and loops of unknown extent.
 */
export function simplifyMentions(s: Stmt, v: AnyVar, value: PrimExpr | undefined, analyzer: Analyzer): Stmt | undefined {
  const mentions = new MentionSimplifier(v, value, analyzer);
  const simple = mentions.stmt(s);
  return mentions.isFlat ? simple : undefined;
}

class MentionSimplifier implements ChildMapper {
  /** False once something was met that this is not made for. */
  isFlat = true;
  readonly #v: AnyVar;
  readonly #value: PrimExpr | undefined;
  readonly #analyzer: Analyzer;
  /** The variable, and those of loops whose bounds mention it. */
  readonly #affected: Set<AnyVar>;
  readonly #fixed = new Set<Buffer>();
  /** Whether one of those was met since this was reset. */
  #met = false;
  /** Under a condition that mentions the variable everything may have become simpler. */
  #everything = false;

  constructor(v: AnyVar, value: PrimExpr | undefined, analyzer: Analyzer) {
    this.#v = v;
    this.#value = value;
    this.#analyzer = analyzer;
    this.#affected = new Set([v]);
  }

  /** An expression that is simplified by itself. */
  readonly expr = (e: PrimExpr): PrimExpr => {
    switch (e.kind) {
      case "ir.IntImm":
      case "ir.FloatImm":
      case "tir.StringImm":
        return e;
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.Div":
      case "tir.Max":
      case "tir.Min":
        return isFloat(e.dtype) ? this.#pair(e) : this.#whole(e);
      case "tir.And":
      case "tir.Or":
        return this.#pair(e);
      case "tir.Not": {
        const a = this.expr(e.a);
        return a === e.a ? e : simplifyExpr(makeNot(a, e.span), this.#analyzer);
      }
      case "tir.BufferLoad":
        return e.predicate === undefined ? this.#load(e) : this.#whole(e);
      case "tir.Call":
        return e.op.kind === "ir.Op" && e.op.name === "tir.if_then_else" ? this.#branches(e) : this.#whole(e);
      default:
        return this.#whole(e);
    }
  };

  /** Both sides each by itself; with one that became a constant it may fold. */
  #pair(e: PrimExpr & { readonly a: PrimExpr; readonly b: PrimExpr; readonly kind: Parameters<typeof makeBinary>[0] }): PrimExpr {
    const a = this.expr(e.a);
    const b = this.expr(e.b);
    if (a === e.a && b === e.b) return e;
    const made = makeBinary(e.kind, a, b, e.span);
    if (!isConst(a) && !isConst(b)) return made;
    return e.kind === "tir.And" || e.kind === "tir.Or" ? foldTop(made) : simplifyExpr(made, this.#analyzer);
  }

  #load(e: BufferLoad): PrimExpr {
    this.#use(e.buffer);
    const indices = mapItems(e.indices, this.expr);
    return indices === e.indices ? e : { kind: "tir.BufferLoad", dtype: e.dtype, buffer: e.buffer, indices, predicate: undefined, span: e.span };
  }

  #branches(e: Call): PrimExpr {
    const [c0, t0, f0] = e.args;
    if (c0 === undefined || t0 === undefined || f0 === undefined) return this.#whole(e);
    const c = this.expr(c0);
    if (isConstInt(c)) return this.expr(c.value === 0 ? f0 : t0);
    // What needs the condition to become simpler is simplified with it.
    if (!isPlain(t0) || !isPlain(f0)) return this.#whole(e);
    const t = this.expr(t0);
    const f = this.expr(f0);
    return c === c0 && t === t0 && f === f0 ? e : { ...e, args: [c, t, f] };
  }

  #whole(e: PrimExpr): PrimExpr {
    const before = this.#met;
    this.#met = false;
    const replaced = this.#replaced(e);
    const simple = this.#met || this.#everything ? simplifyExpr(replaced, this.#analyzer) : replaced;
    this.#met ||= before;
    return simple;
  }

  readonly #replaced = (e: PrimExpr): PrimExpr => {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        this.#met ||= this.#affected.has(e);
        return e === this.#v ? (this.#value ?? e) : e;
      case "tir.BufferLoad":
        this.#use(e.buffer);
        return mapExprChildren(e, this.#replacer);
      default:
        return mapExprChildren(e, this.#replacer);
    }
  };
  readonly #replacer = { expr: this.#replaced };

  /** A buffer that is not at the same place for all values of the variable is not for here. */
  #use(b: Buffer): void {
    if (this.#fixed.has(b)) return;
    this.#fixed.add(b);
    const parts = [...b.shape, ...b.strides, ...(b.elemOffset === undefined ? [] : [b.elemOffset])];
    if (parts.some((e) => usesVar(e, this.#v))) this.isFlat = false;
  }

  readonly stmt = (s: Stmt): Stmt => {
    if (!this.isFlat) return s;
    switch (s.kind) {
      case "tir.For":
        return this.#for(s);
      case "tir.IfThenElse":
        return this.#if(s);
      case "tir.BufferStore":
        return this.#store(s);
      case "tir.DeclBuffer":
        this.#use(s.buffer);
        return mapStmtChildren(s, this);
      case "tir.SeqStmt":
      case "tir.Evaluate":
      case "tir.Allocate":
        return mapStmtChildren(s, this);
      case "tir.AttrStmt":
        if (s.node === undefined || s.node.kind === "tir.Var") return mapStmtChildren(s, this);
        break;
      default:
        break;
    }
    this.isFlat = false;
    return s;
  };

  #for(s: For): Stmt {
    const before = this.#met;
    this.#met = false;
    const min = this.expr(s.min);
    const extent = this.expr(s.extent);
    if (this.#met) this.#affected.add(s.loopVar);
    this.#met ||= before;
    if (asInt(min) === undefined || asInt(extent) === undefined || s.threadBinding !== undefined) this.isFlat = false;
    else this.#analyzer.bind(s.loopVar, makeRange(min, extent), { override: true });
    const body = this.stmt(s.body);
    const { loopVar, forKind, threadBinding, annotations, span } = s;
    const same = min === s.min && extent === s.extent && body === s.body;
    return same ? s : { kind: "tir.For", loopVar, min, extent, forKind, threadBinding, annotations, body, span };
  }

  #if(s: IfThenElse): Stmt {
    const [met, everything] = [this.#met, this.#everything];
    this.#met = false;
    const condition = this.expr(s.condition);
    this.#everything ||= this.#met;
    this.#met ||= met;
    const result = this.#underCondition(s, condition);
    this.#everything = everything;
    return result;
  }

  #underCondition(s: IfThenElse, condition: PrimExpr): Stmt {
    const { elseCase } = s;
    if (isConstInt(condition)) return condition.value !== 0 ? this.stmt(s.thenCase) : elseCase === undefined ? noOp() : this.stmt(elseCase);
    const thenCase = this.#analyzer.withConstraint(condition, () => this.stmt(s.thenCase));
    const otherwise = elseCase && this.#analyzer.withConstraint(not(withoutHint(condition)), () => this.stmt(elseCase));
    const same = condition === s.condition && thenCase === s.thenCase && otherwise === elseCase;
    return same ? s : { kind: "tir.IfThenElse", condition, thenCase, elseCase: otherwise, span: s.span };
  }

  #store(s: BufferStore): Stmt {
    this.#use(s.buffer);
    const mapped = mapStmtChildren(s, this);
    return mapped !== s && mapped.kind === "tir.BufferStore" && storesItself(mapped) ? noOp() : mapped;
  }
}

/** A constant, or an element at sums of scaled variables: what no condition makes simpler. */
function isPlain(e: PrimExpr): boolean {
  if (e.kind === "tir.BufferLoad") return e.predicate === undefined && e.indices.every(isSum);
  return e.kind === "ir.IntImm" || e.kind === "ir.FloatImm";
}

function isSum(e: PrimExpr): boolean {
  if (e.kind === "tir.Add" || e.kind === "tir.Sub") return isSum(e.a) && isSum(e.b);
  if (e.kind === "tir.Mul") return isSum(e.a) && e.b.kind === "ir.IntImm";
  return e.kind === "tir.Var" || e.kind === "tir.SizeVar" || e.kind === "ir.IntImm";
}
