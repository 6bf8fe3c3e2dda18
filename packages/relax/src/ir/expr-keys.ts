import { isNode, type AttrValue, type Node } from "@verticil/ir-core";
import type { PrimExpr } from "@verticil/tir";
import type { Expr } from "./expr.ts";
import type { StructInfo } from "./struct-info.ts";
import { shapeOf } from "./make.ts";

/** Names that equal things share. */
export interface ExprKeys {
  /** The key of a value; undefined for values that have none (functions, branches). */
  readonly ofExpr: (expr: Expr) => string | undefined;
  readonly ofInfo: (info: StructInfo) => string;
}

/**
 * Makes functions that give equal keys to values that are equal and use the same variables. Variables, constants and
 * functions count by identity.
 */
export function exprKeys(): ExprKeys {
  const ids = new Map<object, number>();
  const id = (object: object): string => {
    const known = ids.get(object);
    if (known !== undefined) return `#${known}`;
    ids.set(object, ids.size);
    return `#${ids.size - 1}`;
  };
  const prim = (e: PrimExpr): string => {
    if (e.kind === "ir.IntImm") return `${e.value}:${e.dtype}`;
    if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") return id(e);
    const parts = Object.values(e).map((v: unknown) => (isNode(v) ? prim(v as PrimExpr) : Array.isArray(v) ? v.map((x: unknown) => (isNode(x) ? prim(x as PrimExpr) : String(x))).join(",") : String(v)));
    return `(${parts.join(" ")})`;
  };
  const info = (s: StructInfo): string => {
    if (s.kind === "relax.TupleStructInfo") return `T(${s.fields.map(info).join(",")})`;
    const shape = shapeOf(s);
    return `${s.kind}${"dtype" in s ? (s.dtype ?? "?") : ""}${shape === undefined ? id(s) : shape.map(prim).join(",")}`;
  };
  const attr = (v: AttrValue | undefined): string => {
    if (typeof v !== "object" || v === null) return `${typeof v}:${String(v)}`;
    if (isNode(v)) return nodeKey(v);
    if (Array.isArray(v)) return `[${v.map(attr).join(",")}]`;
    return `{${Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, x]) => `${k}=${attr(x)}`).join(",")}}`;
  };
  const nodeKey = (n: Node): string => (n.kind === "ir.IntImm" || n.kind === "ir.FloatImm" ? attr(Object.values(n).join(":")) : id(n));
  const key = (e: Expr): string | undefined => {
    switch (e.kind) {
      case "relax.Var":
      case "relax.DataflowVar":
        return id(e);
      case "relax.Constant":
        return `const${id(e.data)}`;
      case "ir.GlobalVar":
        return id(e);
      case "ir.Op":
        return e.name;
      case "relax.ExternFunc":
        return `extern ${e.globalSymbol}`;
      case "relax.ShapeExpr":
        return `shape(${e.values.map(prim).join(",")})`;
      case "relax.PrimValue":
        return `prim(${prim(e.value)})`;
      case "relax.StringImm":
      case "relax.DataTypeImm":
        return `${e.kind}(${JSON.stringify(e.value)})`;
      case "relax.TupleGetItem": {
        const tuple = key(e.tuple);
        return tuple === undefined ? undefined : `${tuple}[${e.index}]`;
      }
      case "relax.Tuple":
        return all(e.fields, "tuple");
      case "relax.Call": {
        const op = key(e.op);
        const args = all(e.args, "call");
        return op === undefined || args === undefined ? undefined : `${op}${args}${attr(e.attrs)}${e.sinfoArgs.map(info).join(";")}`;
      }
      case "relax.If":
      case "relax.SeqExpr":
      case "relax.Function":
        return undefined;
    }
  };
  const all = (list: readonly Expr[], tag: string): string | undefined => {
    const parts = list.map(key);
    return parts.some((p) => p === undefined) ? undefined : `${tag}(${parts.join(",")})`;
  };
  return { ofExpr: key, ofInfo: info };
}
