import type { IRModule } from "@verticil/ir-core";
import { shapeOf, type Binding, type Call, type Expr, type Function, type StructInfo } from "@verticil/relax";
import type { PrimExpr } from "@verticil/tir";

/** The function `main` of an imported module. */
export function mainOf(module: IRModule): Function {
  for (const [gv, f] of module.functions) if (gv.name === "main" && f.kind === "relax.Function") return f as Function;
  throw new Error("The module has no main.");
}

/** The bindings of `main` in order. */
export function bindingsOf(module: IRModule): readonly Binding[] {
  const { body } = mainOf(module);
  return body.kind === "relax.SeqExpr" ? body.blocks.flatMap((b) => b.bindings) : [];
}

/** The calls of `main` in order. */
export function callsOf(module: IRModule): readonly Call[] {
  return bindingsOf(module).flatMap((b) => (b.value.kind === "relax.Call" ? [b.value] : []));
}

/** The names of the operators that `main` calls, without `relax.`. */
export function opsOf(module: IRModule): readonly string[] {
  return callsOf(module).map((c) => (c.op.kind === "ir.Op" ? c.op.name.replace("relax.", "") : c.op.kind));
}

/** Struct info as text: `float32[1, n]`. */
export function infoText(info: StructInfo | undefined): string {
  if (info === undefined) return "?";
  if (info.kind === "relax.TupleStructInfo") return `(${info.fields.map(infoText).join(", ")})`;
  if (info.kind !== "relax.TensorStructInfo") return info.kind;
  const dims = shapeOf(info);
  return `${info.dtype ?? "?"}[${dims === undefined ? `ndim ${info.ndim}` : dims.map(dimText).join(", ")}]`;
}

function dimText(d: PrimExpr): string {
  if (d.kind === "ir.IntImm") return String(d.value);
  if (d.kind === "tir.Var") return d.name;
  if ("a" in d && "b" in d) return `${d.kind.replace("tir.", "")}(${dimText(d.a)}, ${dimText(d.b)})`;
  return d.kind;
}

/** The result of `main` as text. */
export function resultText(module: IRModule): string {
  return infoText(mainOf(module).retStructInfo);
}

/** The values of a constant as numbers. */
export function constantValues(e: Expr | undefined): readonly number[] {
  return e?.kind === "relax.Constant" ? Array.from(e.data.data, Number) : [];
}
