import { tensorBytes, type Tensor } from "@verticil/runtime-ffi";
import { at } from "./at.ts";
import { floatHashKey, numberHashKey } from "./float-rule.ts";
import { HashState } from "./hash-state.ts";
import type { FloatImm, GlobalVar, IntImm } from "./ir.ts";
import { isNode, type Node } from "./node.ts";
import { entriesOf, isEmptyRecord } from "./record-entries.ts";
import { sharedNodes } from "./shared-nodes.ts";
import { completeTable, type StructuralOptions } from "./structural-options.ts";
import { planOf, plansOf, textHash, type KindPlan, type Mode } from "./structural-plan.ts";
import { copyPlace, extend, rootPlace, stepOf, VariableUses, type Place } from "./variable-uses.ts";
import { fieldsOf } from "./visit.ts";

/**
 * A hash for which `structuralEqual` nodes agree: a non-negative safe integer, the same in every run. The names of
 * variables do not count, nor do floats that equality has a tolerance for (see `floatHashKey`). A variable counts as the
 * places where it is used, as seen from where it is bound. Linear in the nodes, however often they are shared.
 * @throws Error for a node of a kind that no dialect defines.
 */
export function structuralHash(node: Node, opts: StructuralOptions): number {
  const asTree = new Hashing(opts, new Set(), TREE_LIMIT).run(node);
  return asTree ?? new Hashing(opts, sharedNodes(completeTable(opts.dialects), [node]), Infinity).run(node) ?? 0;
}

/**
 * How many nodes are hashed as if none was shared, which takes half the time; the hash is the same. Beyond that, it pays
 * to find out which are.
 */
const TREE_LIMIT = 2 ** 20;

/** A node whose fields are being hashed. Reused, to save making them. */
interface Frame {
  node: Node;
  plan: KindPlan;
  mode: Mode;
  field: number;
  /** The next item of the field. */
  item: number;
  /** Of a field that is a map or an attribute tree: its nodes, in an order that does not depend on the map's. */
  parts: readonly Part[] | undefined;
  /** Where the node is, as seen from the shared node around it, and the variables of that one. */
  readonly place: Place;
  uses: VariableUses;
  /** It is shared: it has variables of its own, which are handed to those around it when it is done. */
  isShared: boolean;
  /** How many variables had been bound when it was entered. */
  bindingsBefore: number;
  readonly state: HashState;
}

/** A node in a map, with what stands for its key. */
interface Part {
  readonly node: Node;
  readonly key: number;
}

/** A shared node: what it is made of, and which variables it uses where. */
interface Known {
  readonly hash: number;
  readonly uses: VariableUses;
}

class Hashing {
  readonly #plans: ReadonlyMap<string, KindPlan>;
  readonly #tensorContent: boolean;
  readonly #shared: ReadonlySet<Node>;
  /** Shared nodes that are done. What defines variables is another thing than what uses them. */
  readonly #known: { readonly [M in Mode]: Map<Node, Known> } = { use: new Map(), binder: new Map(), "binder-only": new Map(), defining: new Map() };
  readonly #texts = new Map<string, number>();
  readonly #frames: Frame[] = [];
  #depth = 0;
  /** The place of the node at hand; changed in place. */
  readonly #here: Place = { ...rootPlace };

  /** How many nodes may still be looked at. */
  #left: number;

  constructor(opts: StructuralOptions, shared: ReadonlySet<Node>, limit: number) {
    this.#plans = plansOf(completeTable(opts.dialects));
    this.#tensorContent = opts.tensors !== "ignore";
    this.#shared = shared;
    this.#left = limit;
  }

  /** The hash; undefined if there are more nodes than the limit. */
  run(root: Node): number | undefined {
    const result = new HashState();
    const uses = new VariableUses();
    this.#node(result, uses, root, "use");
    while (this.#depth > 0) {
      const frame = at(this.#frames, this.#depth - 1);
      if (!this.#advance(frame)) {
        if (this.#left < 0) return undefined;
        continue;
      }
      this.#depth--;
      const hash = frame.state.value();
      const parent = this.#depth > 0 ? at(this.#frames, this.#depth - 1) : undefined;
      (parent?.state ?? result).addHash(hash);
      if (!frame.isShared) continue;
      this.#known[frame.mode].set(frame.node, { hash, uses: frame.uses });
      this.#locate(parent);
      (parent?.uses ?? uses).addAll(frame.uses, this.#here);
    }
    uses.close();
    uses.addTo(result);
    return result.value();
  }

  /** Sets `#here` to the node that the frame is at. */
  #locate(frame: Frame | undefined): void {
    if (frame === undefined) copyPlace(this.#here, rootPlace);
    else extend(this.#here, frame.place, stepOf(frame.field, frame.item));
  }

  /** Mixes in what is left of a frame; true if it is done, false if a node of its was entered first. */
  #advance(frame: Frame): boolean {
    const depth = this.#depth;
    const fields = fieldsOf(frame.node);
    const specs = frame.plan.nodes;
    for (; frame.field < specs.length; frame.field++, frame.item = 0, frame.parts = undefined) {
      const field = at(specs, frame.field);
      const mode = field.mode ?? frame.mode;
      const value = fields[field.name];
      switch (field.role) {
        case "child":
        case "def":
        case "def-nonrecursive":
          if (frame.item > 0) continue;
          frame.item = 1;
          if (value === undefined) frame.state.addInt(0);
          else this.#node(frame.state, frame.uses, value as Node, mode);
          if (this.#depth > depth) return false;
          break;
        case "children":
        case "defs": {
          const list = value as readonly Node[] | undefined;
          const length = list === undefined ? -1 : list.length;
          if (frame.item === 0) frame.state.addInt(length);
          while (frame.item < length) {
            this.#node(frame.state, frame.uses, at(list ?? [], frame.item++), mode);
            if (this.#depth > depth) return false;
          }
          break;
        }
        default: {
          frame.parts ??= this.#parts(frame, field.role, value);
          while (frame.item < frame.parts.length) {
            const part = at(frame.parts, frame.item++);
            frame.state.addInt(part.key);
            this.#node(frame.state, frame.uses, part.node, mode);
            if (this.#depth > depth) return false;
          }
        }
      }
    }
    return true;
  }

  /** Mixes a node's hash into `state` at once if it is known or a leaf; else a frame is pushed that will. */
  #node(state: HashState, uses: VariableUses, node: Node, mode: Mode): void {
    if (node.kind === "ir.IntImm") {
      // The commonest node by far.
      this.#intImm(state, node as IntImm);
      return;
    }
    const plan = planOf(this.#plans, node);
    if (plan.category === "var") return this.#variable(state, uses, plan, node, mode);
    if (plan.category === "unique") return state.addInt(plan.code);
    if (plan.nodes.length === 0) return this.#leaf(state, plan, node);
    const within = mode === "binder" ? "defining" : mode;
    const isShared = this.#shared.size > 0 && this.#shared.has(node);
    const known = isShared ? this.#known[within].get(node) : undefined;
    if (known === undefined) return this.#push(uses, plan, node, within, isShared);
    state.addHash(known.hash);
    this.#locate(this.#frames[this.#depth - 1]);
    uses.addAll(known.uses, this.#here);
  }

  #intImm(state: HashState, node: IntImm): void {
    state.addInt(this.#text(node.dtype));
    if (typeof node.value === "number") state.addNumber(node.value);
    else state.addInt(this.#text(String(node.value)));
  }

  #leaf(state: HashState, plan: KindPlan, node: Node): void {
    state.addInt(plan.code);
    this.#values(state, plan, node);
  }

  /** Variables look alike; what tells them apart is where each is used, which `uses` keeps. */
  #variable(state: HashState, uses: VariableUses, plan: KindPlan, node: Node, mode: Mode): void {
    this.#locate(this.#frames[this.#depth - 1]);
    state.addInt(plan.code);
    if (mode === "binder" || mode === "binder-only") uses.bind(node, this.#here);
    else uses.use(node, this.#here);
    if (mode === "use") return;
    this.#leaf(state, plan, node);
    if (plan.nodes.length > 0) this.#push(uses, plan, node, mode === "binder-only" ? "use" : "defining", false);
  }

  #push(uses: VariableUses, plan: KindPlan, node: Node, mode: Mode, isShared: boolean): void {
    const parent = this.#frames[this.#depth - 1];
    let frame = this.#frames[this.#depth];
    if (frame === undefined) {
      frame = { node, plan, mode, field: 0, item: 0, parts: undefined, place: { ...rootPlace }, uses, isShared, bindingsBefore: 0, state: new HashState() };
      this.#frames.push(frame);
    } else {
      frame.node = node;
      frame.plan = plan;
      frame.mode = mode;
      frame.field = 0;
      frame.item = 0;
      frame.parts = undefined;
      frame.isShared = isShared;
      frame.state.reset();
    }
    frame.uses = isShared ? new VariableUses() : uses;
    frame.bindingsBefore = frame.uses.bindings;
    if (parent === undefined || isShared) copyPlace(frame.place, rootPlace);
    else extend(frame.place, parent.place, stepOf(parent.field, parent.item));
    this.#depth++;
    this.#left--;
    this.#leaf(frame.state, plan, node);
  }

  #values(state: HashState, plan: KindPlan, node: Node): void {
    const fields = fieldsOf(node);
    const { attrs, tensors } = plan;
    for (let i = 0; i < attrs.length; i++) this.#attr(state, node, fields[attrs[i] ?? ""]);
    for (let i = 0; i < tensors.length; i++) this.#tensor(state, fields[tensors[i] ?? ""] as Tensor | undefined);
  }

  #attr(state: HashState, node: Node, value: unknown): void {
    if (typeof value === "number") state.addNumber(node.kind === "ir.FloatImm" ? floatHashKey(value, (node as FloatImm).dtype) : numberHashKey(value));
    else if (Array.isArray(value)) {
      state.addInt(value.length);
      for (const item of value) this.#attr(state, node, item);
    } else this.#plain(state, value);
  }

  #plain(state: HashState, value: unknown): void {
    switch (typeof value) {
      case "number":
        return state.addNumber(numberHashKey(value));
      case "string":
        return state.addInt(this.#text(value));
      case "boolean":
        return state.addInt(value ? 1 : 2);
      case "bigint":
        return state.addInt(this.#text(String(value)));
      default:
        return state.addInt(value === null ? 3 : 0);
    }
  }

  #parts(frame: Frame, role: string, value: unknown): readonly Part[] {
    const { state } = frame;
    switch (role) {
      case "def-map": {
        const map = value as ReadonlyMap<Node, Node>;
        state.addInt(map.size);
        // Entries whose key the node does not bind have no order that could be told; they are only counted.
        const parts: Part[] = [];
        for (const [k, node] of map) {
          const key = frame.uses.boundAt(k, frame.place, frame.bindingsBefore);
          if (key !== undefined) parts.push({ node, key });
        }
        return parts.length > 1 ? parts.sort((a, b) => a.key - b.key) : parts;
      }
      case "module-map": {
        const entries = [...(value as ReadonlyMap<GlobalVar, Node>)].sort(([a], [b]) => (a.name < b.name ? -1 : 1));
        state.addInt(entries.length);
        for (const [gv] of entries) {
          extend(this.#here, frame.place, stepOf(frame.field, this.#text(gv.name)));
          frame.uses.bind(gv, this.#here);
        }
        return entries.map(([gv, node]) => ({ node, key: this.#text(gv.name) }));
      }
      default: {
        const parts: Part[] = [];
        this.#data(state, value, parts);
        return parts;
      }
    }
  }

  #data(state: HashState, value: unknown, parts: Part[]): void {
    if (typeof value !== "object" || value === null) this.#plain(state, value);
    else if (isEmptyRecord(value)) return;
    else if (isNode(value)) parts.push({ node: value, key: parts.length });
    else if (Array.isArray(value)) {
      state.addInt(value.length);
      for (const item of value) this.#data(state, item, parts);
    } else {
      for (const [key, item] of [...entriesOf(value)].sort(([a], [b]) => (a < b ? -1 : 1))) {
        state.addInt(this.#text(key));
        this.#data(state, item, parts);
      }
    }
  }

  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const hash = textHash(text);
    this.#texts.set(text, hash);
    return hash;
  }

  #tensor(state: HashState, tensor: Tensor | undefined): void {
    if (tensor === undefined) return state.addInt(0);
    state.addInt(this.#text(`${tensor.dtype}[${tensor.shape.join()}]`));
    if (!this.#tensorContent) return;
    const bytes = tensorBytes(tensor);
    // A sample of large tensors is enough to tell most apart.
    const step = Math.max(1, Math.floor(bytes.length / 4096));
    let h = 0;
    for (let i = 0; i < bytes.length; i += step) h = Math.imul(h ^ (bytes[i] ?? 0), 0x01000193);
    state.addInt(h);
  }
}
