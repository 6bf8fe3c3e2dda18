import type { NodeContext } from "./node-context.ts";
import type { Output } from "./value.ts";

/**
 * Turns a node into calls of Relax operators: emits them through `ctx` and gives the node's outputs in order
 * (one value stands for a list of one). Third parties add theirs by `ImportOptions.converters`.
 */
export type Converter = (ctx: NodeContext) => Output | readonly Output[];

/** A converter from the version of the operator set at which its semantics begin. */
export interface VersionedConverter {
  readonly since: number;
  readonly convert: Converter;
}

/** Converters by operator; those with versions are in rising order. Names outside the standard domain are `domain:Name`. */
export type ConverterTable = Readonly<Record<string, Converter | readonly VersionedConverter[]>>;

/** Versions of one operator: `versions([1, a], [13, b])`. */
export function versions(...list: readonly (readonly [since: number, convert: Converter])[]): readonly VersionedConverter[] {
  return list.map(([since, convert]) => ({ since, convert }));
}

/** The converter of an operator at a version, undefined if there is none. */
export function findConverter(table: ConverterTable, op: string, version: number): Converter | undefined {
  const entry = Object.hasOwn(table, op) ? table[op] : undefined;
  if (entry === undefined || typeof entry === "function") return entry;
  return entry.findLast((v) => v.since <= version)?.convert;
}
