import type { Category, KindEntry, NodeTable, Role } from "./field-table.ts";
import type { Node } from "./node.ts";

/** A kind's entry, sorted for comparing and hashing: values that are looked at at once, and fields that hold nodes. */
export interface KindPlan {
  readonly kind: string;
  /** A number for the kind, the same in every run. */
  readonly code: number;
  readonly category: Category;
  readonly shared: boolean;
  readonly attrs: readonly string[];
  readonly tensors: readonly string[];
  readonly nodes: readonly NodeField[];
}

/** A field that holds nodes, and how variables in it are treated. */
export interface NodeField {
  readonly name: string;
  readonly role: Exclude<Role, "attr" | "tensor" | "ignore">;
  /** Undefined: as in the node that it is a field of. */
  readonly mode: Mode | undefined;
  /** It binds for what comes after its node, not for the node's own later fields, as a binding in a block does. */
  readonly outward: boolean;
}

/**
 * How a variable that is met is treated.
 *
 * - `use`: it must be bound to its partner, or be unbound and the same
 * - `binder`: a binder binds it, anew if need be; what its own fields mention is `defining`
 * - `binder-only`: like `binder`, but its own fields are uses
 * - `defining`: inside something that is being defined; it is bound if it has no binding yet
 */
export type Mode = "use" | "binder" | "binder-only" | "defining";

const plans = new WeakMap<NodeTable, ReadonlyMap<string, KindPlan>>();

/** The plans of a table, made once. */
export function plansOf(table: NodeTable): ReadonlyMap<string, KindPlan> {
  const known = plans.get(table);
  if (known !== undefined) return known;
  const made = new Map<string, KindPlan>();
  for (const entry of table.values()) {
    const named = (role: Role): string[] => entry.fields.filter(([, r]) => r === role).map(([name]) => name);
    made.set(entry.kind, {
      kind: entry.kind,
      code: textHash(entry.kind),
      category: entry.category,
      shared: entry.shared,
      attrs: named("attr"),
      tensors: named("tensor"),
      nodes: nodeFields(entry),
    });
  }
  plans.set(table, made);
  return made;
}

function nodeFields(entry: KindEntry): readonly NodeField[] {
  const out: NodeField[] = [];
  const isInward = (role: Role): boolean => role !== "attr" && role !== "tensor" && role !== "ignore" && !role.startsWith("def");
  for (const [i, [name, role]] of entry.fields.entries()) {
    if (role === "attr" || role === "tensor" || role === "ignore") continue;
    const outward = role.startsWith("def") && !entry.fields.slice(i).some(([, later]) => isInward(later));
    out.push({ name, role, mode: modeOf(role, entry.shared), outward });
  }
  return out;
}

function modeOf(role: NodeField["role"], shared: boolean): Mode | undefined {
  switch (role) {
    case "def":
    case "defs":
      return shared ? "defining" : "binder";
    case "def-nonrecursive":
      return "binder-only";
    case "def-map":
      return "binder";
    case "data":
    case "module-map":
      return "use";
    case "child":
    case "children":
      return undefined;
  }
}

/** A 32-bit hash of a text (FNV-1a). */
export function textHash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h | 0;
}

/** The plan of a node's kind. @throws Error if no dialect of the table defines it. */
export function planOf(all: ReadonlyMap<string, KindPlan>, node: Node): KindPlan {
  const plan = all.get(node.kind);
  if (plan === undefined) throw new Error(`No dialect defines the node kind \`${String(node.kind)}\`. Was its dialect left out of the list?`);
  return plan;
}
