import { tensorBytes, type Tensor } from "@verticil/runtime-ffi";
import { at } from "./at.ts";
import type { KindEntry, NodeTable } from "./field-table.ts";
import type { GlobalVar, IntImm } from "./ir.ts";
import { isNode, type Node } from "./node.ts";
import { formatPath, keyName, type ObjectPath, type PathStep } from "./object-path.ts";
import { completeTable, sameFloat, sameNumber, type StructuralOptions } from "./structural-options.ts";
import { entryOf, fieldsOf } from "./visit.ts";

/** The first place where two programs differ. A side that has nothing there is undefined. */
export interface Mismatch {
  readonly lhsPath: ObjectPath;
  readonly rhsPath: ObjectPath;
  /** The left path as text. */
  readonly path: string;
  readonly lhs: unknown;
  readonly rhs: unknown;
}

/**
 * How a variable that is met here is treated.
 *
 * - `use`: it must be bound to its partner, or be unbound and the same
 * - `binder`: a binder binds it, anew if need be; what its own fields mention is `defining`
 * - `binder-only`: like `binder`, but its own fields are uses
 * - `defining`: inside something that is being defined; it is bound if it has no binding yet
 */
type Mode = "use" | "binder" | "binder-only" | "defining";

/** Two parts still to be compared. The path to them is the chain of parents. */
interface Task {
  readonly what: "node" | "def-map" | "fail";
  readonly lhs: unknown;
  readonly rhs: unknown;
  readonly mode: Mode;
  readonly parent: Task | undefined;
  readonly field: string | undefined;
  /** Below the field: an index, a pair of map keys, or steps through an attribute tree. */
  readonly below: number | { readonly lhs: string; readonly rhs: string } | readonly PathStep[] | undefined;
}

/**
 * The first difference between two nodes, or undefined if they are structurally equal: equal up to the names of
 * variables. Two variables are equal if they were bound at the same place on both sides; unbound ones if they are the
 * same object (see `mapFreeVars`). Functions of modules are matched by name. Linear in the size of the nodes, and safe
 * for trees of any depth.
 *
 * The same object on both sides is not taken to be equal: it may mean another thing where its variables are bound to
 * something else.
 */
export function firstMismatch(lhs: Node, rhs: Node, opts: StructuralOptions): Mismatch | undefined {
  return new Comparison(completeTable(opts.dialects), opts.mapFreeVars === true).run(lhs, rhs);
}

/** True if two nodes are equal up to the names of variables; see `firstMismatch`. */
export function structuralEqual(lhs: Node, rhs: Node, opts: StructuralOptions): boolean {
  return firstMismatch(lhs, rhs, opts) === undefined;
}

/** One run: the variable maps, the pairs known to be equal, and what is left to do. */
class Comparison {
  readonly #table: NodeTable;
  readonly #mapFreeVars: boolean;
  /** The number of a variable's binding; two variables are equal if they have the same one. */
  readonly #lhsBound = new Map<Node, number>();
  readonly #rhsBound = new Map<Node, number>();
  #bindings = 0;
  /** Pairs compared under the present bindings, so that shared parts are not compared again. */
  readonly #known = new Map<Node, Node>();
  /** Variables that were compared while unbound. */
  readonly #seenFree = new Set<Node>();
  readonly #stack: Task[] = [];
  /** Sub-tasks of the node at hand, in order. */
  readonly #next: Task[] = [];

  constructor(table: NodeTable, mapFreeVars: boolean) {
    this.#table = table;
    this.#mapFreeVars = mapFreeVars;
  }

  run(lhs: Node, rhs: Node): Mismatch | undefined {
    const stack = this.#stack;
    stack.push({ what: "node", lhs, rhs, mode: "use", parent: undefined, field: undefined, below: undefined });
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      const mismatch = this.#step(task);
      if (mismatch !== undefined) return mismatch;
      const next = this.#next;
      for (let i = next.length - 1; i >= 0; i--) stack.push(at(next, i));
      next.length = 0;
    }
    return undefined;
  }

  #step(task: Task): Mismatch | undefined {
    switch (task.what) {
      case "fail":
        return differ(task);
      case "def-map":
        return this.#defMap(task, task.lhs as ReadonlyMap<Node, Node>, task.rhs as ReadonlyMap<Node, Node>);
      case "node":
        if (task.lhs === undefined || task.rhs === undefined) return task.lhs === task.rhs ? undefined : differ(task);
        return this.#node(task, task.lhs as Node, task.rhs as Node);
    }
  }

  #node(task: Task, lhs: Node, rhs: Node): Mismatch | undefined {
    if (lhs.kind !== rhs.kind) return differ(task);
    const entry = entryOf(this.#table, lhs);
    switch (entry.category) {
      case "unique":
        return lhs === rhs ? undefined : differ(task);
      case "var":
        return this.#variable(task, entry, lhs, rhs);
      case "const-tree":
        return lhs === rhs ? undefined : this.#fields(task, entry, lhs, rhs, "use");
      case "tree":
        if (task.mode === "use") {
          if (this.#known.get(lhs) === rhs) return undefined;
          this.#known.set(lhs, rhs);
        }
        return this.#fields(task, entry, lhs, rhs, task.mode === "binder" ? "defining" : task.mode);
    }
  }

  #variable(task: Task, entry: KindEntry, lhs: Node, rhs: Node): Mismatch | undefined {
    const left = this.#lhsBound.get(lhs);
    const right = this.#rhsBound.get(rhs);
    const isBinder = task.mode === "binder" || task.mode === "binder-only";
    if ((left !== undefined || right !== undefined) && (left === right || !isBinder)) {
      return left === right ? undefined : differ(task);
    }
    if (task.mode === "use" && !this.#mapFreeVars) {
      this.#seenFree.add(lhs);
      return lhs === rhs ? undefined : differ(task);
    }
    this.#bind(lhs, rhs);
    return this.#fields(task, entry, lhs, rhs, task.mode === "binder-only" ? "use" : "defining");
  }

  #bind(lhs: Node, rhs: Node): void {
    const again = this.#lhsBound.has(lhs) || this.#rhsBound.has(rhs);
    if (again || this.#seenFree.has(lhs) || this.#seenFree.has(rhs)) this.#known.clear();
    this.#lhsBound.set(lhs, this.#bindings);
    this.#rhsBound.set(rhs, this.#bindings);
    this.#bindings++;
  }

  /** `mode` is what plain children are compared under. */
  #fields(task: Task, entry: KindEntry, lhs: Node, rhs: Node, mode: Mode): Mismatch | undefined {
    const left = fieldsOf(lhs);
    const right = fieldsOf(rhs);
    const specs = entry.fields;
    for (let i = 0; i < specs.length; i++) {
      const [field, role] = at(specs, i);
      const l = left[field];
      const r = right[field];
      switch (role) {
        case "ignore":
          break;
        case "attr":
          if (!sameAttr(entry.kind, l, r)) return differ(task, [{ kind: "field", name: field }], l, r);
          break;
        case "tensor":
          if (!sameTensor(l as Tensor | undefined, r as Tensor | undefined)) {
            return differ(task, [{ kind: "field", name: field }], l, r);
          }
          break;
        case "child":
          if (!this.#isSameLeaf(l, r, mode)) this.#push(task, l, r, mode, field, undefined);
          break;
        case "def":
          this.#push(task, l, r, entry.shared ? "defining" : "binder", field, undefined);
          break;
        case "def-nonrecursive":
          this.#push(task, l, r, "binder-only", field, undefined);
          break;
        case "children":
          this.#list(task, l, r, mode, field);
          break;
        case "defs":
          this.#list(task, l, r, entry.shared ? "defining" : "binder", field);
          break;
        case "def-map":
          this.#next.push({ what: "def-map", lhs: l, rhs: r, mode, parent: task, field, below: undefined });
          break;
        case "module-map":
          this.#moduleMap(task, l as ReadonlyMap<GlobalVar, Node>, r as ReadonlyMap<GlobalVar, Node>, field);
          break;
        case "data": {
          const mismatch = this.#data(task, l, r, [{ kind: "field", name: field }]);
          if (mismatch !== undefined) return mismatch;
          break;
        }
      }
    }
    return undefined;
  }

  /**
   * True for what can be seen at once to be equal, which saves most tasks: nothing on either side, the same constant,
   * and two uses of variables that have their bindings already.
   */
  #isSameLeaf(lhs: unknown, rhs: unknown, mode: Mode): boolean {
    if (lhs === undefined || rhs === undefined) return lhs === rhs;
    if (mode !== "use") return false;
    const l = lhs as Node;
    if (l.kind === "ir.IntImm") {
      const a = l as IntImm;
      const b = rhs as IntImm;
      return b.kind === a.kind && a.value === b.value && a.dtype === b.dtype;
    }
    // What comes before may bind variables still.
    if (this.#next.length > 0) return false;
    if (this.#known.get(l) === rhs) return true;
    const bound = this.#lhsBound.get(l);
    return bound !== undefined && bound === this.#rhsBound.get(rhs as Node);
  }

  #push(parent: Task, lhs: unknown, rhs: unknown, mode: Mode, field: string | undefined, below: Task["below"]): void {
    this.#next.push({ what: "node", lhs, rhs, mode, parent, field, below });
  }

  #fail(parent: Task, lhs: unknown, rhs: unknown, field: string | undefined, below: Task["below"]): void {
    this.#next.push({ what: "fail", lhs, rhs, mode: "use", parent, field, below });
  }

  /** Items in common come first, so that the first one that differs is shown and not the lengths. */
  #list(parent: Task, lhs: unknown, rhs: unknown, mode: Mode, field: string): void {
    const l = lhs as readonly Node[] | undefined;
    const r = rhs as readonly Node[] | undefined;
    if (l === undefined || r === undefined) {
      if (l !== r) this.#fail(parent, l, r, field, undefined);
      return;
    }
    const common = Math.min(l.length, r.length);
    for (let i = 0; i < common; i++) {
      if (!this.#isSameLeaf(l[i], r[i], mode)) this.#push(parent, l[i], r[i], mode, field, i);
    }
    if (l.length !== r.length) this.#fail(parent, l[common], r[common], field, common);
  }

  /** Entries whose keys are equal variables. Runs when the parameters, which are the keys, are bound. */
  #defMap(task: Task, lhs: ReadonlyMap<Node, Node>, rhs: ReadonlyMap<Node, Node>): undefined {
    const rest = new Set(rhs.keys());
    const byBinding = new Map([...rhs.keys()].map((k) => [this.#rhsBound.get(k) ?? k, k]));
    for (const [key, value] of lhs) {
      const partner = byBinding.get(this.#lhsBound.get(key) ?? key);
      const below = { lhs: keyName(key), rhs: keyName(partner ?? key) };
      if (partner === undefined) this.#fail(task, value, undefined, undefined, below);
      else this.#push(task, value, rhs.get(partner), "binder", undefined, below);
      if (partner !== undefined) rest.delete(partner);
    }
    for (const key of rest) {
      this.#fail(task, undefined, rhs.get(key), undefined, { lhs: keyName(key), rhs: keyName(key) });
    }
    return undefined;
  }

  /** Global variables of one name are the same; then the functions are compared, in the order of their names. */
  #moduleMap(parent: Task, lhs: ReadonlyMap<GlobalVar, Node>, rhs: ReadonlyMap<GlobalVar, Node>, field: string): void {
    const partners = new Map([...rhs.keys()].map((g) => [g.name, g]));
    const names = new Map([...lhs.keys()].map((g) => [g.name, g]));
    for (const [name, gv] of names) {
      const partner = partners.get(name);
      if (partner !== undefined) this.#bind(gv, partner);
    }
    for (const name of [...new Set([...names.keys(), ...partners.keys()])].sort()) {
      const l = names.get(name);
      const r = partners.get(name);
      const below = { lhs: name, rhs: name };
      if (l === undefined || r === undefined) {
        this.#fail(parent, l && lhs.get(l), r && rhs.get(r), field, below);
      } else this.#push(parent, lhs.get(l), rhs.get(r), "use", field, below);
    }
  }

  #data(task: Task, lhs: unknown, rhs: unknown, steps: readonly PathStep[]): Mismatch | undefined {
    if (isNode(lhs) && isNode(rhs)) {
      this.#push(task, lhs, rhs, "use", undefined, steps);
      return undefined;
    }
    if (Array.isArray(lhs) && Array.isArray(rhs)) {
      const longest = Math.max(lhs.length, rhs.length);
      for (let i = 0; i < longest; i++) {
        const mismatch = this.#data(task, lhs[i], rhs[i], [...steps, { kind: "index", index: i }]);
        if (mismatch !== undefined) return mismatch;
      }
      return undefined;
    }
    if (isRecord(lhs) && isRecord(rhs)) {
      const l = entriesOf(lhs);
      const r = entriesOf(rhs);
      for (const key of new Set([...l.keys(), ...r.keys()])) {
        const mismatch = this.#data(task, l.get(key), r.get(key), [...steps, { kind: "key", key }]);
        if (mismatch !== undefined) return mismatch;
      }
      return undefined;
    }
    const same = typeof lhs === "number" && typeof rhs === "number" ? sameNumber(lhs, rhs) : lhs === rhs;
    return same ? undefined : differ(task, steps, lhs, rhs);
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNode(value);
}

/** The entries of an attribute record, those that are undefined left out. */
export function entriesOf(record: object): ReadonlyMap<string, unknown> {
  const entries: Iterable<[string, unknown]> = record instanceof Map ? record : Object.entries(record);
  const out = new Map<string, unknown>();
  for (const [key, value] of entries) if (value !== undefined) out.set(key, value);
  return out;
}

function sameAttr(kind: string, lhs: unknown, rhs: unknown): boolean {
  if (lhs === rhs) return true;
  if (typeof lhs === "number" && typeof rhs === "number") {
    return kind === "ir.FloatImm" ? sameFloat(lhs, rhs) : sameNumber(lhs, rhs);
  }
  if (!Array.isArray(lhs) || !Array.isArray(rhs)) return false;
  return lhs.length === rhs.length && lhs.every((item, i) => sameAttr(kind, item, rhs[i]));
}

function sameTensor(lhs: Tensor | undefined, rhs: Tensor | undefined): boolean {
  if (lhs === rhs) return true;
  if (lhs === undefined || rhs === undefined || lhs.dtype !== rhs.dtype) return false;
  if (lhs.shape.length !== rhs.shape.length || lhs.shape.some((d, i) => d !== rhs.shape[i])) return false;
  const a = tensorBytes(lhs);
  const b = tensorBytes(rhs);
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function differ(task: Task, further: readonly PathStep[] = [], lhs = task.lhs, rhs = task.rhs): Mismatch {
  const lhsPath = [...pathOf(task, "lhs"), ...further];
  return { lhsPath, rhsPath: [...pathOf(task, "rhs"), ...further], path: formatPath(lhsPath), lhs, rhs };
}

function pathOf(task: Task, side: "lhs" | "rhs"): PathStep[] {
  const reversed: PathStep[] = [];
  for (let t: Task | undefined = task; t !== undefined; t = t.parent) {
    const { below } = t;
    if (typeof below === "number") reversed.push({ kind: "index", index: below });
    else if (below !== undefined && "lhs" in below) reversed.push({ kind: "key", key: below[side] });
    else if (below !== undefined) reversed.push(...[...below].reverse());
    if (t.field !== undefined) reversed.push({ kind: "field", name: t.field });
  }
  return reversed.reverse();
}
