import { nodeTable, type Dialect, type NodeTable } from "./field-table.ts";
import { irDialect } from "./ir.ts";

/** What a structural comparison needs to know. */
export interface StructuralOptions {
  /** The dialects whose nodes may occur; ir-core's own are added if they are not in the list. */
  readonly dialects: readonly Dialect[];
  /** Unbound variables may stand for each other, one to one; without it they equal only themselves. */
  readonly mapFreeVars?: boolean;
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

/** Floats that differ by no more than this are equal (upstream's tolerance). */
const TOLERANCE = 1e-9;

/** Equality of floats: NaN equals NaN, and a tiny absolute difference does not count. */
export function sameFloat(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= TOLERANCE || (Number.isNaN(a) && Number.isNaN(b));
}

/** Equality of plain numbers: integers exactly, fractions as floats. An integer is never equal to a fraction. */
export function sameNumber(a: number, b: number): boolean {
  return a === b || (!Number.isInteger(a) && !Number.isInteger(b) && sameFloat(a, b));
}
