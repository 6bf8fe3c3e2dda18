import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { forEachExprChild } from "../ir/visit.ts";

/** Numbers for expressions: equal ones have one number. Variables and buffers are equal only to themselves. */
export class ExprIds {
  readonly #normalize: (e: PrimExpr) => PrimExpr;
  readonly #classes = new WeakMap<PrimExpr, number>();
  readonly #byKey = new Map<string, number>();
  readonly #known = new WeakMap<PrimExpr, number>();
  readonly #objects = new Map<object, number>();

  /** With `normalize`, expressions count as equal that it makes equal. */
  constructor(normalize: (e: PrimExpr) => PrimExpr = (e) => e) {
    this.#normalize = normalize;
  }

  /** The number of an expression. */
  of(e: PrimExpr): number {
    let id = this.#classes.get(e);
    if (id === undefined) this.#classes.set(e, (id = this.#exact(this.#normalize(e))));
    return id;
  }

  #exact(e: PrimExpr): number {
    const known = this.#known.get(e);
    if (known !== undefined) return known;
    const parts: (string | number)[] = [e.kind, e.dtype, this.#detail(e)];
    forEachExprChild(e, (c) => void parts.push(this.#exact(c)));
    const key = parts.join(" ");
    let id = this.#byKey.get(key);
    if (id === undefined) this.#byKey.set(key, (id = this.#byKey.size));
    this.#known.set(e, id);
    return id;
  }

  /** What an expression is made of beside its parts. */
  #detail(e: PrimExpr): string | number {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#object(e);
      case "ir.IntImm":
      case "ir.FloatImm":
        return Object.is(e.value, -0) ? "-0" : String(e.value);
      case "tir.StringImm":
        return JSON.stringify(e.value);
      case "tir.BufferLoad":
        return `${this.#object(e.buffer)} ${e.predicate === undefined ? "" : "p"}`;
      case "tir.ProducerLoad":
        return this.#object(e.producer);
      case "tir.Call":
        return e.op.kind === "ir.Op" ? e.op.name : this.#object(e.op);
      case "tir.Let":
        return this.#object(e.bind);
      case "tir.Shuffle":
        return e.vectors.length;
      case "tir.Reduce":
        return this.#object(e);
      default:
        return "";
    }
  }

  #object(o: object | Buffer): number {
    let id = this.#objects.get(o);
    if (id === undefined) this.#objects.set(o, (id = this.#objects.size));
    return id;
  }
}
