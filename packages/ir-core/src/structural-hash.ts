import { tensorBytes, type Tensor } from "@verticil/runtime-ffi";
import { at } from "./at.ts";
import { floatHashKey, numberHashKey } from "./float-rule.ts";
import { HashState } from "./hash-state.ts";
import type { FloatImm, GlobalVar, IntImm } from "./ir.ts";
import { isNode, type Node } from "./node.ts";
import { entriesOf, isEmptyRecord } from "./record-entries.ts";
import { completeTable, type StructuralOptions } from "./structural-options.ts";
import { planOf, plansOf, textHash, type KindPlan, type Mode } from "./structural-plan.ts";
import { fieldsOf } from "./visit.ts";

/**
 * A hash for which `structuralEqual` nodes agree: a non-negative safe integer, the same in every run for nodes without
 * unbound variables. The names of variables do not count, nor do floats that equality has a tolerance for (see
 * `floatHashKey`). A bound variable counts as the place of its binder: its depth, and its position in the lists around it.
 * @throws Error for a node of a kind that no dialect defines.
 */
export function structuralHash(node: Node, opts: StructuralOptions): number {
  return new Hashing(opts).run(node);
}

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
  /** What had been bound when the node was entered; -1 if its hash is not to be kept. */
  bindingsBefore: number;
  /** How much had been hashed when the node was entered, and how often hashes had been forgotten. */
  workBefore: number;
  epoch: number;
  state: HashState;
}

/** A node in a map, with what stands for its key. */
interface Part {
  readonly node: Node;
  readonly key: number;
}

/** The hash of a node in a place, and those in other places. */
interface Placed {
  readonly place: number;
  readonly hash: number;
  readonly next: Placed | undefined;
}

/** How far below a binder the variables that it defines along are told apart. */
const MAX_DEFINITION_DEPTH = 8;

/** A hash is kept only if the node took this many frames, as in a comparison. */
const LEAST_KEPT = 8;

class Hashing {
  readonly #plans: ReadonlyMap<string, KindPlan>;
  readonly #mapFreeVars: boolean;
  readonly #tensorContent: boolean;
  /** The place of the binder of each bound variable. */
  readonly #bound = new Map<Node, number>();
  readonly #seenFree = new Set<Node>();
  #bindings = 0;
  #free = 0;
  /** Frames so far; those of a node whose hash is kept count as one. */
  #work = 0;
  /** How often hashes were forgotten. */
  #epoch = 0;
  /** Hashes under the present bindings, of parts that bind nothing. */
  readonly #known = new Map<Node, number>();
  /** Those of parts that bind something, with the place they were hashed in: there they bind to the same effect. */
  readonly #knownBinding = new Map<Node, Placed>();
  readonly #texts = new Map<string, number>();
  readonly #frames: Frame[] = [];
  #depth = 0;

  constructor(opts: StructuralOptions) {
    this.#plans = plansOf(completeTable(opts.dialects));
    this.#mapFreeVars = opts.mapFreeVars === true;
    this.#tensorContent = opts.tensors !== "ignore";
  }

  run(root: Node): number {
    const result = new HashState();
    this.#node(result, root, "use");
    while (this.#depth > 0) {
      const frame = at(this.#frames, this.#depth - 1);
      if (!this.#advance(frame)) continue;
      this.#depth--;
      const hash = frame.state.value();
      this.#keep(frame, hash);
      const parent = this.#depth > 0 ? at(this.#frames, this.#depth - 1).state : result;
      parent.addHash(hash);
    }
    return result.value();
  }

  /** Call when the frame is off the stack. */
  #keep(frame: Frame, hash: number): void {
    if (frame.bindingsBefore < 0 || this.#work - frame.workBefore < LEAST_KEPT || frame.epoch !== this.#epoch) return;
    this.#work = frame.workBefore + 1;
    if (frame.bindingsBefore === this.#bindings) this.#known.set(frame.node, hash);
    else this.#knownBinding.set(frame.node, { place: this.#position(), hash, next: this.#knownBinding.get(frame.node) });
  }

  /**
   * The place of the binder at hand: its depth, the fields and items that lead to it from the node that binds, and, where
   * that binds for what comes after it (as a binding in a block does), the position of the node. It does not say how
   * the node is reached, so that a part that is used twice at one depth binds to the same effect both times.
   */
  #binderPlace(): number {
    let place = this.#depth;
    for (let i = 1; i <= this.#depth; i++) {
      const frame = at(this.#frames, this.#depth - i);
      place = mixPlace(place, (frame.field << 20) ^ frame.item);
      if (frame.mode !== "use" && i < MAX_DEFINITION_DEPTH) continue;
      return frame.plan.nodes[frame.field]?.outward === true ? this.#position(place, i) : place;
    }
    return place;
  }

  /** The place of the node at hand, as far as those of the binders in it depend on it. */
  #position(start = this.#depth, below = 0): number {
    let place = start;
    for (let i = below + 1; i <= below + 2 && i <= this.#depth; i++) place = mixPlace(place, at(this.#frames, this.#depth - i).item);
    return place;
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
          else this.#node(frame.state, value as Node, mode);
          if (this.#depth > depth) return false;
          break;
        case "children":
        case "defs": {
          const list = value as readonly Node[] | undefined;
          const length = list === undefined ? -1 : list.length;
          if (frame.item === 0) frame.state.addInt(length);
          while (frame.item < length) {
            this.#node(frame.state, at(list ?? [], frame.item++), mode);
            if (this.#depth > depth) return false;
          }
          break;
        }
        default: {
          frame.parts ??= this.#parts(frame.state, field.role, value);
          while (frame.item < frame.parts.length) {
            const part = at(frame.parts, frame.item++);
            frame.state.addInt(part.key);
            this.#node(frame.state, part.node, mode);
            if (this.#depth > depth) return false;
          }
        }
      }
    }
    return true;
  }

  /** Mixes a node's hash into `state` at once if it is known or a leaf; else a frame is pushed that will. */
  #node(state: HashState, node: Node, mode: Mode): void {
    if (node.kind === "ir.IntImm") {
      // The commonest node by far.
      this.#intImm(state, node as IntImm);
      return;
    }
    const plan = planOf(this.#plans, node);
    if (plan.category === "var") return this.#variable(state, plan, node, mode);
    if (plan.category === "unique") return state.addInt(plan.code);
    if (plan.nodes.length === 0) return this.#leaf(state, plan, node);
    if (mode !== "use") return this.#push(plan, node, mode === "binder" ? "defining" : mode, false);
    const known = this.#known.get(node);
    if (known !== undefined) return state.addHash(known);
    for (let placed = this.#knownBinding.get(node); placed !== undefined; placed = placed.next) {
      if (placed.place === this.#position()) return state.addHash(placed.hash);
    }
    this.#push(plan, node, "use", true);
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

  /**
   * A definition counts in full whether or not its variable was bound before, so that a part that is used twice has
   * the same hash both times. An unbound variable that may stand for another counts by the order of first uses.
   */
  #variable(state: HashState, plan: KindPlan, node: Node, mode: Mode): void {
    const bound = this.#bound.get(node);
    if (mode === "use") {
      if (bound !== undefined) return state.addInt(bound);
      if (!this.#mapFreeVars) {
        this.#seenFree.add(node);
        return state.addInt(plan.code);
      }
      this.#bound.set(node, ~this.#free);
      return state.addInt(~this.#free++);
    }
    if (bound === undefined || mode !== "defining") this.#bind(node, this.#binderPlace());
    state.addInt(this.#bound.get(node) ?? 0);
    if (plan.nodes.length === 0) return this.#leaf(state, plan, node);
    this.#push(plan, node, mode === "binder-only" ? "use" : "defining", false);
  }

  #bind(node: Node, place: number): void {
    const before = this.#bound.get(node);
    this.#bindings++;
    if (before === place) return;
    if (before !== undefined || this.#seenFree.has(node)) {
      this.#known.clear();
      this.#knownBinding.clear();
      this.#epoch++;
    }
    this.#bound.set(node, place);
  }

  #push(plan: KindPlan, node: Node, mode: Mode, keep: boolean): void {
    const bindingsBefore = keep ? this.#bindings : -1;
    const workBefore = this.#work++;
    const epoch = this.#epoch;
    let frame = this.#frames[this.#depth];
    if (frame === undefined) {
      frame = { node, plan, mode, field: 0, item: 0, parts: undefined, bindingsBefore, workBefore, epoch, state: new HashState() };
      this.#frames.push(frame);
    } else {
      frame.node = node;
      frame.plan = plan;
      frame.mode = mode;
      frame.field = 0;
      frame.item = 0;
      frame.parts = undefined;
      frame.bindingsBefore = bindingsBefore;
      frame.workBefore = workBefore;
      frame.epoch = epoch;
      frame.state.reset();
    }
    this.#depth++;
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

  #parts(state: HashState, role: string, value: unknown): readonly Part[] {
    switch (role) {
      case "def-map": {
        const map = value as ReadonlyMap<Node, Node>;
        state.addInt(map.size);
        // Entries whose key nothing binds have no order that could be told; they are only counted.
        const parts: Part[] = [];
        for (const [k, node] of map) {
          const key = this.#bound.get(k);
          if (key !== undefined) parts.push({ node, key });
        }
        return parts.length > 1 ? parts.sort((a, b) => a.key - b.key) : parts;
      }
      case "module-map": {
        const entries = [...(value as ReadonlyMap<GlobalVar, Node>)].sort(([a], [b]) => (a.name < b.name ? -1 : 1));
        state.addInt(entries.length);
        for (const [gv] of entries) this.#bind(gv, this.#text(gv.name));
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

function mixPlace(place: number, value: number): number {
  const mixed = Math.imul(place ^ value, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
