import { asInt, type AnyVar, type PrimExpr } from "@verticil/tir";
import type { Buffer } from "@verticil/tir";

/** Names expressions so that equal ones, and no others, have the same name. */
export class ExprKeys {
  readonly #ids = new Map<object, number>();

  #id(node: AnyVar | Buffer): number {
    const known = this.#ids.get(node);
    if (known !== undefined) return known;
    this.#ids.set(node, this.#ids.size);
    return this.#ids.size - 1;
  }

  /** The name of `e`; undefined for what is never equal to anything (a call with effects could be). */
  key(e: PrimExpr): string {
    const list = (es: readonly PrimExpr[]): string => es.map((x) => this.key(x)).join(",");
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return `v${this.#id(e)}`;
      case "ir.IntImm":
      case "ir.FloatImm":
        return `${e.value}:${e.dtype}`;
      case "tir.Cast":
        return `${e.dtype}(${this.key(e.value)})`;
      case "tir.BufferLoad":
        return `b${this.#id(e.buffer)}[${list(e.indices)}]`;
      case "tir.Call":
        return `${e.op.kind === "ir.Op" ? e.op.name : e.op.name}(${list(e.args)})`;
      case "tir.Select":
        return `sel(${list([e.condition, e.trueValue, e.falseValue])})`;
      case "tir.Not":
        return `!(${this.key(e.a)})`;
      default:
        return "a" in e && "b" in e ? `${e.kind}(${list([e.a, e.b])})` : `?${e.kind}`;
    }
  }

  /** `a - b` if it is the same number for all values of the variables. */
  constantDifference(a: PrimExpr, b: PrimExpr): number | undefined {
    const terms = new Map<string, number>();
    this.#collect(a, 1, terms);
    this.#collect(b, -1, terms);
    const constant = terms.get("") ?? 0;
    terms.delete("");
    return [...terms.values()].every((c) => c === 0) ? constant : undefined;
  }

  #collect(e: PrimExpr, scale: number, terms: Map<string, number>): void {
    const value = asInt(e);
    if (value !== undefined) {
      terms.set("", (terms.get("") ?? 0) + scale * value);
    } else if (e.kind === "tir.Add" || e.kind === "tir.Sub") {
      this.#collect(e.a, scale, terms);
      this.#collect(e.b, e.kind === "tir.Add" ? scale : -scale, terms);
    } else if (e.kind === "tir.Mul" && asInt(e.b) !== undefined) {
      this.#collect(e.a, scale * (asInt(e.b) ?? 1), terms);
    } else {
      const key = this.key(e);
      terms.set(key, (terms.get(key) ?? 0) + scale);
    }
  }
}
