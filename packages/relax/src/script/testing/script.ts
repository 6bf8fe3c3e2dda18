import { firstMismatch, isNode, type BaseFunc, type IRModule, type Node } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { MetadataTable, parse, print, type PrintOptions } from "@verticil/tvmscript";
import type { Expr, Function } from "../../ir/expr.ts";
import { relax } from "../relax-script.ts";

const dialects = [tir, relax];

/** The module that a script in the short form of these tests defines: functions without the class around them. */
export function moduleOf(script: string): IRModule {
  return parse(script, { dialects });
}

/** The graph function of that name. */
export function functionOf(script: string, name = "main"): Function {
  for (const [gv, func] of moduleOf(script).functions) if (gv.name === name && isFunction(func)) return func;
  throw new Error(`The script has no function \`${name}\`.`);
}

function isFunction(func: BaseFunc): func is Function {
  return func.kind === "relax.Function";
}

/** The values that a function binds, in order; those of inner sequences are left out. */
export function valuesOf(func: Function): readonly Expr[] {
  return func.body.kind === "relax.SeqExpr" ? func.body.blocks.flatMap((b) => b.bindings.map((x) => x.value)) : [];
}

/** A node as TVMScript without the header. */
export function textOf(node: Node, opts: Partial<PrintOptions> = {}): string {
  return print(node, { dialects, ...opts }).replace(/^(#.*\n)*\n?/, "").trimEnd();
}

/** Where a module differs from what is read from its own text; undefined where it does not. */
export function roundTripMismatch(module: IRModule, opts: Partial<PrintOptions> = {}): string | undefined {
  const metadata = new MetadataTable();
  const text = print(module, { dialects, metadata, ...opts });
  const again = parse(text, { dialects, metadata });
  const mismatch = firstMismatch(module, again, { dialects });
  if (mismatch === undefined) return undefined;
  return `${mismatch.path}: ${part(mismatch.lhs)} became ${part(mismatch.rhs)}\n${text}`;
}

function part(value: unknown): string {
  return isNode(value) ? value.kind : String(value);
}
