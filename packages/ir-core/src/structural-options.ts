import { nodeTable, type Dialect, type NodeTable } from "./field-table.ts";
import { irDialect } from "./ir.ts";

/** What a structural comparison needs to know. */
export interface StructuralOptions {
  /** The dialects whose nodes may occur; ir-core's own are added if they are not in the list. */
  readonly dialects: readonly Dialect[];
  /** Unbound variables may stand for each other, one to one; without it they equal only themselves. */
  readonly mapFreeVars?: boolean;
  /** `ignore`: tensors of one data type and shape are equal whatever they hold (upstream's `ignore-ndarray`). */
  readonly tensors?: "content" | "ignore";
}

const completed = new WeakMap<readonly Dialect[], NodeTable>();

/** The table of a list of dialects, ir-core's included. The same list object gives the same table. */
export function completeTable(dialects: readonly Dialect[]): NodeTable {
  if (dialects.includes(irDialect)) return nodeTable(dialects);
  const known = completed.get(dialects);
  if (known !== undefined) return known;
  const table = nodeTable([irDialect, ...dialects]);
  completed.set(dialects, table);
  return table;
}
