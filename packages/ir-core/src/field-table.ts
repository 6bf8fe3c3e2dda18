import type { Node } from "./node.ts";
import type { AnyObjectForm } from "./objects/object-form.ts";

/**
 * What a field means to the generic machinery (visiting, rewriting, equality, hash, JSON, paths).
 *
 * - `child`: a sub-node, or undefined
 * - `children`: a list of sub-nodes
 * - `def`: a variable (or buffer) bound here; variables inside its own fields (type, shape) are bound as well
 * - `defs`: a list of those
 * - `def-nonrecursive`: a variable bound here; variables inside its own fields are uses
 * - `def-map`: a map from variables used here to nodes that are bound here (`PrimFunc.bufferMap`)
 * - `module-map`: a map from global variables, bound by name, to nodes (`IRModule.functions`)
 * - `attr`: a plain value (string, number, bigint, boolean, undefined, or a list of those), compared by value
 * - `data`: an attribute tree: plain values, nodes, lists and string-keyed records (also `ReadonlyMap<string, …>`)
 * - `tensor`: a runtime tensor, compared by data type, shape and content
 * - `ignore`: not compared, not visited, not serialised as part of identity
 */
export type Role =
  | "child"
  | "children"
  | "def"
  | "defs"
  | "def-nonrecursive"
  | "def-map"
  | "module-map"
  | "attr"
  | "data"
  | "tensor"
  | "ignore";

/**
 * How nodes of a kind compare, after tvm-ffi's `SEqHashKind`.
 *
 * - `tree`: field by field
 * - `var`: by the definition that binds it; unbound ones by identity
 * - `const-tree`: like `tree`, and holds no variable, so that the same object is equal to itself at once
 * - `unique`: by identity
 */
export type Category = "tree" | "var" | "const-tree" | "unique";

/** The roles that a field of type `T` may be given. */
type RoleFor<T> = [T] extends [Node | undefined]
  ? "child" | "def" | "def-nonrecursive" | "ignore"
  : [T] extends [readonly Node[] | undefined]
    ? "children" | "defs" | "data" | "ignore"
    : [T] extends [ReadonlyMap<infer K, Node>]
      ? [K] extends [Node]
        ? "def-map" | "module-map"
        : "data"
      : "attr" | "data" | "tensor" | "ignore";

/** What a kind is made of, in evaluation order: a binder comes after what it does not scope over. */
export interface KindSpec<N extends Node> {
  readonly category: Category;
  /** Upstream's type key, used in JSON and metadata, e.g. `tir.For`. */
  readonly typeKey: string;
  /**
   * Set for kinds that are referred to from many places and declare variables each time (`tir.Buffer`): where a
   * variable of theirs is bound already, that binding stands. Everywhere else a binder that is met again binds anew.
   */
  readonly shared?: true;
  readonly fields: { readonly [F in Exclude<keyof N, "kind" | "span">]-?: RoleFor<N[F]> };
}

/** One entry a kind; leaving out a kind, or a field, or giving a field a role that its type forbids does not compile. */
export type FieldTable<N extends Node> = {
  readonly [K in N["kind"]]: KindSpec<Extract<N, { readonly kind: K }>>;
};

/** A kind's entry as the generic functions use it: fields as a list of pairs. */
export interface KindEntry {
  readonly kind: string;
  readonly category: Category;
  readonly typeKey: string;
  readonly shared: boolean;
  readonly fields: readonly (readonly [name: string, role: Role])[];
}

/** The tables of several dialects as one. */
export type NodeTable = ReadonlyMap<string, KindEntry>;

/** What the generic machinery needs of a dialect. Its syntax comes on top of this, see `@verticil/tvmscript`. */
export interface Dialect {
  readonly name: string;
  /** A `FieldTable` of the dialect's own node union. */
  readonly kinds: Readonly<Record<string, AnyKindSpec>>;
  /** How nodes of a kind look in upstream's JSON, which the metadata of programs is written in. */
  readonly objectForms?: Readonly<Record<string, AnyObjectForm>>;
}


/** A `KindSpec` with the node type forgotten. */
export interface AnyKindSpec {
  readonly category: Category;
  readonly typeKey: string;
  readonly shared?: true;
  readonly fields: Readonly<Record<string, Role>>;
}

const merged = new WeakMap<readonly Dialect[], NodeTable>();

/**
 * Joins the tables of `dialects`; the table of ir-core itself is not added, so list `irDialect` first.
 * The same list object gives the same table.
 * @throws RangeError if two dialects define the same kind.
 */
export function nodeTable(dialects: readonly Dialect[]): NodeTable {
  const known = merged.get(dialects);
  if (known !== undefined) return known;
  const table = new Map<string, KindEntry>();
  for (const dialect of dialects) {
    for (const [kind, spec] of Object.entries(dialect.kinds)) {
      if (table.has(kind)) throw new RangeError(`Two dialects define the node kind \`${kind}\`.`);
      table.set(kind, {
        kind,
        category: spec.category,
        typeKey: spec.typeKey,
        shared: spec.shared === true,
        fields: Object.entries(spec.fields),
      });
    }
  }
  merged.set(dialects, table);
  return table;
}
