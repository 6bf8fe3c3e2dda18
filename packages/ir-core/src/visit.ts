import type { NodeTable, KindEntry } from "./field-table.ts";
import { isNode, type AttrMap, type AttrValue, type Node } from "./node.ts";

/** The table entry of a node. @throws Error if no dialect of the table defines its kind. */
export function entryOf(table: NodeTable, node: Node): KindEntry {
  const entry = table.get(node.kind);
  if (entry === undefined) {
    throw new Error(`No dialect defines the node kind \`${node.kind}\`. Was its dialect left out of the list?`);
  }
  return entry;
}

/** The fields of a node by name. Nodes are plain objects; this is the one place that looks at them untyped. */
export function fieldsOf(node: Node): Readonly<Record<string, unknown>> {
  return node as unknown as Readonly<Record<string, unknown>>;
}

/** Calls `f` on each direct sub-node, in the order of the table; nodes inside `data` fields included. */
export function forEachChild(table: NodeTable, node: Node, f: (child: Node) => void): void {
  const rec = fieldsOf(node);
  for (const [field, role] of entryOf(table, node).fields) {
    const value = rec[field];
    switch (role) {
      case "child":
      case "def":
      case "def-nonrecursive":
        if (value !== undefined) f(value as Node);
        break;
      case "children":
      case "defs":
        if (value !== undefined) for (const c of value as readonly Node[]) f(c);
        break;
      case "def-map":
      case "module-map":
        for (const [k, v] of value as ReadonlyMap<Node, Node>) {
          f(k);
          f(v);
        }
        break;
      case "data":
        forEachInData(value as AttrValue | undefined, f);
        break;
      case "attr":
      case "tensor":
      case "ignore":
        break;
    }
  }
}

function forEachInData(value: unknown, f: (child: Node) => void): void {
  if (typeof value !== "object" || value === null) return;
  if (isNode(value)) f(value);
  else if (Array.isArray(value)) for (const v of value) forEachInData(v, f);
  else if (value instanceof Map) for (const v of value.values()) forEachInData(v, f);
  else for (const v of Object.values(value)) forEachInData(v, f);
}

/**
 * Maps the direct sub-nodes; gives back `node` itself if none of them changed.
 * Binders (`def` fields) are mapped too: return them as they are unless you rename them everywhere.
 */
export function mapChildren<N extends Node>(table: NodeTable, node: N, f: (child: Node) => Node): N {
  const rec = fieldsOf(node);
  let out: Record<string, unknown> | undefined;
  for (const [field, role] of entryOf(table, node).fields) {
    const before = rec[field];
    if (before === undefined) continue;
    let after: unknown = before;
    switch (role) {
      case "child":
      case "def":
      case "def-nonrecursive":
        after = f(before as Node);
        break;
      case "children":
      case "defs":
        after = mapList(before as readonly Node[], f);
        break;
      case "def-map":
      case "module-map":
        after = mapMap(before as ReadonlyMap<Node, Node>, f);
        break;
      case "data":
        after = mapData(before as AttrValue, f);
        break;
      case "attr":
      case "tensor":
      case "ignore":
        break;
    }
    if (after !== before) (out ??= { ...rec })[field] = after;
  }
  return (out as N | undefined) ?? node;
}

/** Like `Array.map`, but gives back `list` itself if no item changed. */
export function mapList<T>(list: readonly T[], f: (x: T, i: number) => T): readonly T[] {
  let out: T[] | undefined;
  for (const [i, before] of list.entries()) {
    const after = f(before, i);
    if (after !== before) (out ??= list.slice())[i] = after;
  }
  return out ?? list;
}

function mapMap(map: ReadonlyMap<Node, Node>, f: (x: Node) => Node): ReadonlyMap<Node, Node> {
  let changed = false;
  const out = new Map<Node, Node>();
  for (const [k, v] of map) {
    const k2 = f(k);
    const v2 = f(v);
    if (k2 !== k || v2 !== v) changed = true;
    out.set(k2, v2);
  }
  return changed ? out : map;
}

function mapData(value: AttrValue, f: (x: Node) => Node): AttrValue {
  if (typeof value !== "object" || value === null) return value;
  if (isNode(value)) return f(value);
  if (Array.isArray(value)) return mapList(value as readonly AttrValue[], (v) => mapData(v, f));
  let changed = false;
  const out: [string, AttrValue][] = [];
  const entries: Iterable<[string, AttrValue | undefined]> = value instanceof Map ? value : Object.entries(value);
  for (const [k, v] of entries) {
    if (v === undefined) continue;
    const v2 = mapData(v, f);
    if (v2 !== v) changed = true;
    out.push([k, v2]);
  }
  if (!changed) return value;
  return value instanceof Map ? (new Map(out) as unknown as AttrMap) : Object.fromEntries(out);
}

/** Pre-order walk of a tree. A handler that returns `"skip"` keeps the walk out of that node. */
export function walk(table: NodeTable, root: Node, enter: (node: Node) => void | "skip"): void {
  const stack: Node[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (enter(node) === "skip") continue;
    const children: Node[] = [];
    forEachChild(table, node, (c) => children.push(c));
    for (let i = children.length - 1; i >= 0; i--) {
      const child = children[i];
      if (child !== undefined) stack.push(child);
    }
  }
}

/** A node of a rewrite whose children are being rewritten. */
interface RewriteFrame {
  readonly node: Node;
  readonly children: readonly Node[];
  readonly done: Node[];
}

/**
 * Bottom-up rewrite to a new tree; parts that `rule` leaves alone are shared with the old one. `rule` sees each node
 * after its children were rewritten and gives back a replacement, or undefined to leave it. A node that occurs in
 * several places is rewritten once, so that what was shared (a buffer, a variable) stays shared. Safe for any depth.
 */
export function rewrite(table: NodeTable, root: Node, rule: (node: Node) => Node | undefined): Node {
  const results = new Map<Node, Node>();
  const frameOf = (node: Node): RewriteFrame => {
    const children: Node[] = [];
    forEachChild(table, node, (c) => children.push(c));
    return { node, children, done: [] };
  };
  const stack: RewriteFrame[] = [frameOf(root)];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const child = frame.children[frame.done.length];
    if (child === undefined) {
      stack.pop();
      let i = 0;
      const { done, node } = frame;
      const visited = done.length === 0 ? node : mapChildren(table, node, (c) => done[i++] ?? c);
      const result = rule(visited) ?? visited;
      results.set(node, result);
      stack.at(-1)?.done.push(result);
      continue;
    }
    const known = results.get(child);
    if (known !== undefined) frame.done.push(known);
    else stack.push(frameOf(child));
  }
  return results.get(root) ?? root;
}
