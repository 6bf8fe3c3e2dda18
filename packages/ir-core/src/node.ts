import type { Span } from "./source-text.ts";

/**
 * What every node of every dialect is: an immutable plain object with a kind (`<dialect>.<Name>`).
 * A dialect declares its own kinds as interfaces that extend this one, a union of them, and one table that
 * says what their fields mean (see `FieldTable`).
 */
export interface Node {
  readonly kind: string;
  /** Where the node came from. Never part of structural equality. */
  readonly span?: Span | undefined;
}

/** A list of nodes or a dictionary value: what a `data` field may hold. */
export type AttrValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Node
  | readonly AttrValue[]
  | AttrMap;

/**
 * Attributes by name (upstream's `DictAttrs` and operator attributes).
 * A plain number is what Python writes as a plain number; an integer of another width than int32, or a float in a
 * dictionary, is an `ir.IntImm` or `ir.FloatImm` node.
 */
export interface AttrMap {
  readonly [name: string]: AttrValue | undefined;
}

/** Narrow an attribute value to a node. */
export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "kind" in value && typeof value.kind === "string" && value.kind.includes(".");
}
