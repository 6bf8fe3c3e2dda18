import { rewrite, type BaseFunc, type GlobalVar, type Node } from "@verticil/ir-core";
import type { Expr } from "./expr.ts";
import { relaxTable } from "./node-table.ts";

/** A function or expression that refers to other functions of the module in the place of some. */
export function renameGlobals<N extends Expr | BaseFunc>(node: N, map: ReadonlyMap<GlobalVar, GlobalVar>): N {
  if (map.size === 0) return node;
  return rewrite(relaxTable, node, (n: Node) => (n.kind === "ir.GlobalVar" ? map.get(n as GlobalVar) : undefined)) as N;
}
