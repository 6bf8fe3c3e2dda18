import { exprDeepEqual, normalizeIterMapToExpr, type IterMark, type IterSplit, type IterSum, type PrimExpr, type Range } from "@verticil/tir";
import { PyFloat, type Value } from "./py-values.ts";
import { EqualOp, isExpr, plain, toExpr, isSet, isTagged } from "./host-values.ts";

/** Structural equality of everything that the tests compare. */
export function sameStructure(a: Value, b: Value): boolean {
  if (plain(a) && isExpr(b)) return sameStructure(toExpr(a, b.dtype), b);
  if (plain(b) && isExpr(a)) return sameStructure(a, toExpr(b, a.dtype));
  if (a instanceof EqualOp) return sameStructure(a.expr(), b);
  if (b instanceof EqualOp) return sameStructure(a, b.expr());
  if (isExpr(a) && isExpr(b)) return exprDeepEqual(a, b);
  if (isTagged(a, "sum") && isTagged(b, "sum")) {
    const [x, y] = [a as IterSum, b as IterSum];
    return x.args.length === y.args.length && exprDeepEqual(x.base, y.base) && x.args.every((s, i) => sameStructure(s, y.args[i]));
  }
  if (isTagged(a, "split") && isTagged(b, "split")) {
    const [x, y] = [a as IterSplit, b as IterSplit];
    return exprDeepEqual(x.lowerFactor, y.lowerFactor) && exprDeepEqual(x.extent, y.extent) && exprDeepEqual(x.scale, y.scale) && sameStructure(x.source, y.source);
  }
  if (isTagged(a, "mark") && isTagged(b, "mark")) {
    const [x, y] = [a as IterMark, b as IterMark];
    return exprDeepEqual(x.extent, y.extent) && sameStructure(x.source, y.source);
  }
  if (isRange(a) && isRange(b)) return exprDeepEqual(a.min, b.min) && exprDeepEqual(a.extent, b.extent);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => sameStructure(x, b[i]));
  if (a instanceof PyFloat || b instanceof PyFloat) return false;
  return a === b;
}

export function isRange(v: Value): v is Range {
  return typeof v === "object" && v !== null && "kind" in v && v.kind === "tir.Range";
}

/** A value as text, for reports. */
export function textOf(v: Value): string {
  if (v instanceof EqualOp) return textOf(v.expr());
  if (isExpr(v)) return exprText(v);
  if (isTagged(v, "sum", "split")) return exprText(normalizeIterMapToExpr(v as IterSum));
  if (isRange(v)) return `[${exprText(v.min)}, +${exprText(v.extent)})`;
  if (isSet(v)) return v.tag === "empty" ? "empty" : `[${v.min === undefined ? "-inf" : exprText(v.min)}, ${v.max === undefined ? "inf" : exprText(v.max)}]`;
  if (Array.isArray(v)) return `[${v.map(textOf).join(", ")}]`;
  return typeof v === "object" && v !== null ? v.constructor.name : String(v);
}

export function exprText(e: PrimExpr): string {
  if ("a" in e && "b" in e) return `${e.kind.slice(4)}(${exprText(e.a)}, ${exprText(e.b)})`;
  switch (e.kind) {
    case "ir.IntImm":
    case "ir.FloatImm":
      return `${e.value}${e.dtype === "int32" ? "" : `:${e.dtype}`}`;
    case "tir.Var":
    case "tir.SizeVar":
      return e.name;
    case "tir.Cast":
      return `${e.dtype}(${exprText(e.value)})`;
    case "tir.Not":
      return `!${exprText(e.a)}`;
    case "tir.Select":
      return `select(${[e.condition, e.trueValue, e.falseValue].map(exprText).join(", ")})`;
    case "tir.Ramp":
      return `ramp(${exprText(e.base)}, ${exprText(e.stride)}, ${e.lanes})`;
    case "tir.Broadcast":
      return `broadcast(${exprText(e.value)}, ${e.lanes})`;
    case "tir.Call":
      return `${e.op.name}(${e.args.map(exprText).join(", ")})`;
    case "tir.BufferLoad":
      return `${e.buffer.name}[${e.indices.map(exprText).join(", ")}]`;
    default:
      return e.kind;
  }
}
