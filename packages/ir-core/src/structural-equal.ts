import { at } from "./at.ts";
import { sameFloat, sameNumber } from "./float-rule.ts";
import type { FloatImm, GlobalVar, IntImm } from "./ir.ts";
import { isNode, type Node } from "./node.ts";
import { formatPath, keyName, type ObjectPath, type PathStep } from "./object-path.ts";
import { PairLog, type PairSummary } from "./pair-log.ts";
import { PairMemo } from "./pair-memo.ts";
import { entriesOf, isEmptyRecord } from "./record-entries.ts";
import { sameTensor } from "./same-tensor.ts";
import { sharedNodes } from "./shared-nodes.ts";
import { completeTable, type StructuralOptions } from "./structural-options.ts";
import { planOf, plansOf, type KindPlan, type Mode, type NodeField } from "./structural-plan.ts";
import { fieldsOf } from "./visit.ts";

/** The first place where two programs differ. A side that has nothing there is undefined. */
export interface Mismatch {
  readonly lhsPath: ObjectPath;
  readonly rhsPath: ObjectPath;
  /** The left path as text. */
  readonly path: string;
  readonly lhs: unknown;
  readonly rhs: unknown;
}

/** A pair of parts of one field, with the steps from the field to each. */
interface Part {
  readonly lhs: unknown;
  readonly rhs: unknown;
  readonly lhsSteps: readonly PathStep[];
  readonly rhsSteps: readonly PathStep[];
}

/** A pair of nodes whose fields are being compared. The frames on the stack are the path. Reused, to save making them. */
interface Frame {
  lhs: Node;
  rhs: Node;
  plan: KindPlan;
  /** What plain children are compared under. */
  mode: Mode;
  field: number;
  /** The next item of the field. */
  item: number;
  /** Of a field that is not a child or a list: its parts, collected when the field is reached. */
  parts: readonly Part[] | undefined;
  /** How much had been compared when the frame was pushed; -1: not to be kept. */
  workBefore: number;
  /** Where the pair begins in the log of variables; -1: not to be kept there. */
  logBefore: number;
}

/**
 * A pair is kept only if comparing it again would cost this many frames, kept pairs in it counted as one. So the table
 * of pairs stays a fraction of the nodes, and a shared part is compared again only where it is small.
 */
const LEAST_KEPT = 8;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The first difference between two nodes, or undefined if they are structurally equal: equal up to the names of
 * variables. Two variables are equal if they were bound at the same place on both sides; unbound ones if they are the
 * same object (see `mapFreeVars`). Functions of modules are matched by name. Linear in the size of the nodes, and safe
 * for trees of any depth.
 *
 * The same object on both sides is not taken to be equal: it may mean another thing where its variables are bound to
 * something else.
 * @throws Error for a node of a kind that no dialect defines.
 */
export function firstMismatch(lhs: Node, rhs: Node, opts: StructuralOptions): Mismatch | undefined {
  const first = new Comparison(opts, undefined);
  const found = first.run(lhs, rhs);
  if (!first.isRebinding) return found;
  // Rare, and it takes longer: what is known of a shared part depends on its variables.
  return new Comparison(opts, sharedNodes(completeTable(opts.dialects), [lhs, rhs])).run(lhs, rhs);
}

/** True if two nodes are equal up to the names of variables; see `firstMismatch`. */
export function structuralEqual(lhs: Node, rhs: Node, opts: StructuralOptions): boolean {
  return firstMismatch(lhs, rhs, opts) === undefined;
}

/** One run: the variable maps, the pairs known to be equal, and the path to the pair at hand. */
class Comparison {
  readonly #plans: ReadonlyMap<string, KindPlan>;
  readonly #mapFreeVars: boolean;
  readonly #tensorContent: boolean;
  /** The variable on the other side that a variable was last bound with; two are equal if each is the other's. */
  readonly #lhsBound = new Map<Node, Node>();
  readonly #rhsBound = new Map<Node, Node>();
  /** Large pairs compared under the present bindings, so that shared parts are not compared again. */
  readonly #known = { use: new PairMemo(), defining: new PairMemo() };
  /** Frames so far; those of a pair that is kept count as one. */
  #work = 0;
  /** Variables that were compared while unbound. */
  readonly #seenFree = new Set<Node>();
  readonly #frames: Frame[] = [];
  #depth = 0;
  /** Where the comparison failed, below the pair that the frames lead to. */
  #failure: Part | undefined;

  /** Where one variable is bound several times: which nodes are shared, and what their pairs need and bind. */
  readonly #shared: ReadonlySet<Node> | undefined;
  readonly #summaries = { use: new Map<Node, Map<Node, PairSummary>>(), defining: new Map<Node, Map<Node, PairSummary>>() };
  readonly #log = new PairLog();
  #isRebinding = false;

  /** `shared`: the nodes that are reached in several ways, which makes a comparison that may bind a variable twice. */
  constructor(opts: StructuralOptions, shared: ReadonlySet<Node> | undefined) {
    this.#shared = shared;
    this.#plans = plansOf(completeTable(opts.dialects));
    this.#mapFreeVars = opts.mapFreeVars === true;
    this.#tensorContent = opts.tensors !== "ignore";
  }

  /** The comparison came to nothing: a variable was bound a second time after pairs had been found equal. */
  get isRebinding(): boolean {
    return this.#isRebinding;
  }

  run(lhs: Node, rhs: Node): Mismatch | undefined {
    let same = this.#pair(lhs, rhs, "use");
    while (same && this.#depth > 0 && !this.#isRebinding) same = this.#advance(at(this.#frames, this.#depth - 1));
    if (same) return undefined;
    const failure = this.#failure ?? { lhs, rhs, lhsSteps: [], rhsSteps: [] };
    const lhsPath = [...this.#path("lhsSteps"), ...failure.lhsSteps];
    const rhsPath = [...this.#path("rhsSteps"), ...failure.rhsSteps];
    return { lhsPath, rhsPath, path: formatPath(lhsPath), lhs: failure.lhs, rhs: failure.rhs };
  }

  #path(side: "lhsSteps" | "rhsSteps"): PathStep[] {
    const path: PathStep[] = [];
    for (let i = 0; i < this.#depth; i++) {
      const frame = at(this.#frames, i);
      const field = frame.plan.nodes[frame.field];
      if (field === undefined || frame.item === 0) continue;
      path.push({ kind: "field", name: field.name });
      if (field.role === "children" || field.role === "defs") path.push({ kind: "index", index: frame.item - 1 });
      else if (frame.parts !== undefined) path.push(...at(frame.parts, frame.item - 1)[side]);
    }
    return path;
  }

  /** Compares what is left of a frame, up to the first pair that has parts of its own. */
  #advance(frame: Frame): boolean {
    const depth = this.#depth;
    const left = fieldsOf(frame.lhs);
    const right = fieldsOf(frame.rhs);
    const fields = frame.plan.nodes;
    for (; frame.field < fields.length; frame.field++, frame.item = 0, frame.parts = undefined) {
      const field = at(fields, frame.field);
      const mode = field.mode ?? frame.mode;
      switch (field.role) {
        case "child":
        case "def":
        case "def-nonrecursive":
          if (frame.item > 0) continue;
          frame.item = 1;
          if (!this.#pair(left[field.name], right[field.name], mode)) return false;
          if (this.#depth > depth) return true;
          break;
        case "children":
        case "defs":
          if (!this.#list(frame, left[field.name], right[field.name], mode)) return false;
          if (this.#depth > depth) return true;
          break;
        default:
          if (frame.parts === undefined) {
            const parts = this.#parts(field, left, right);
            if (parts === undefined) return false;
            frame.parts = parts;
          }
          while (frame.item < frame.parts.length) {
            const part = at(frame.parts, frame.item++);
            if (!this.#pair(part.lhs, part.rhs, mode)) return false;
            if (this.#depth > depth) return true;
          }
      }
    }
    this.#depth--;
    this.#keep(frame);
    return true;
  }

  /** Remembers a pair that was compared to its end, if it is worth it. */
  #keep(frame: Frame): void {
    const { workBefore, logBefore } = frame;
    const mode = frame.mode === "use" ? "use" : "defining";
    if (logBefore >= 0) {
      const known = this.#summaries[mode].get(frame.lhs) ?? new Map<Node, PairSummary>();
      this.#summaries[mode].set(frame.lhs, known.set(frame.rhs, this.#log.summarize(logBefore)));
      return;
    }
    if (workBefore < 0 || this.#work - workBefore < LEAST_KEPT) return;
    this.#known[mode].add(frame.lhs, frame.rhs);
    this.#work = workBefore + 1;
  }

  /** Items in common come first, so that the first one that differs is shown and not the lengths. */
  #list(frame: Frame, lhs: unknown, rhs: unknown, mode: Mode): boolean {
    const l = lhs as readonly Node[] | undefined;
    const r = rhs as readonly Node[] | undefined;
    if (l === undefined || r === undefined) return l === r || this.#failHere(frame, l, r);
    const depth = this.#depth;
    const common = Math.min(l.length, r.length);
    while (frame.item < common) {
      const item = frame.item++;
      if (!this.#pair(l[item], r[item], mode)) return false;
      if (this.#depth > depth) return true;
    }
    if (l.length === r.length) return true;
    frame.item = common + 1;
    return this.#fail(l[common], r[common]);
  }

  /** Compares two nodes at once if they are leaves, or known to be equal; else a frame is pushed that will. */
  #pair(lhs: unknown, rhs: unknown, mode: Mode): boolean {
    if (lhs === undefined || rhs === undefined) return lhs === rhs || this.#fail(lhs, rhs);
    const l = lhs as Node;
    const r = rhs as Node;
    if (l.kind !== r.kind) return this.#fail(l, r);
    if (l.kind === "ir.IntImm") {
      // The commonest node by far.
      const [a, b] = [l as IntImm, r as IntImm];
      if (a.value === b.value && a.dtype === b.dtype) return true;
    }
    const plan = planOf(this.#plans, l);
    switch (plan.category) {
      case "unique":
        return l === r || this.#fail(l, r);
      case "var":
        return this.#variable(plan, l, r, mode);
      case "const-tree":
        return l === r || this.#enter(plan, l, r, "use");
      case "tree":
        return mode === "binder-only" ? this.#enter(plan, l, r, mode) : this.#tree(plan, l, r, mode === "use" ? "use" : "defining");
    }
  }

  #tree(plan: KindPlan, lhs: Node, rhs: Node, mode: "use" | "defining"): boolean {
    if (plan.nodes.length === 0) return this.#enter(plan, lhs, rhs, mode);
    if (this.#shared === undefined) return this.#known[mode].has(lhs, rhs) || this.#enter(plan, lhs, rhs, mode, true);
    if (this.#knownUnderBindings(this.#summaries[mode].get(lhs)?.get(rhs))) return true;
    return this.#enter(plan, lhs, rhs, mode, this.#shared.has(lhs) || this.#shared.has(rhs));
  }

  /** True if the pair was compared before, and its variables mean now what they meant then. */
  #knownUnderBindings(summary: PairSummary | undefined): boolean {
    if (summary === undefined) return false;
    for (const { lhs: l, rhs: r, use } of summary.needs) {
      const [left, right] = [this.#lhsBound.get(l), this.#rhsBound.get(r)];
      if (left === r && right === l) continue;
      if (left !== undefined || right !== undefined || (use && !this.#mapFreeVars && l !== r)) return false;
    }
    for (const { lhs: l, rhs: r, use } of summary.needs) {
      this.#log.add(l, r, use ? "use" : "define");
      if (!use || this.#mapFreeVars) this.#bind(l, r, false);
    }
    for (const [l, r] of summary.binds) {
      this.#log.add(l, r, "bind");
      this.#bind(l, r, false);
    }
    return true;
  }

  #variable(plan: KindPlan, lhs: Node, rhs: Node, mode: Mode): boolean {
    const left = this.#lhsBound.get(lhs);
    const right = this.#rhsBound.get(rhs);
    const isBinder = mode === "binder" || mode === "binder-only";
    const isSame = left === rhs && right === lhs;
    if (this.#shared !== undefined) this.#log.add(lhs, rhs, isBinder ? "bind" : mode === "use" ? "use" : "define");
    if (isSame || ((left !== undefined || right !== undefined) && !isBinder)) return isSame || this.#fail(lhs, rhs);
    if (mode === "use" && !this.#mapFreeVars) {
      this.#seenFree.add(lhs);
      return lhs === rhs || this.#fail(lhs, rhs);
    }
    this.#bind(lhs, rhs, left !== undefined || right !== undefined);
    return this.#enter(plan, lhs, rhs, mode === "binder-only" ? "use" : "defining");
  }

  #bind(lhs: Node, rhs: Node, again: boolean): void {
    const wasFree = this.#seenFree.size > 0 && (this.#seenFree.has(lhs) || this.#seenFree.has(rhs));
    if ((again || wasFree) && this.#shared === undefined) this.#isRebinding = true;
    this.#lhsBound.set(lhs, rhs);
    this.#rhsBound.set(rhs, lhs);
  }

  /** Compares the values of two nodes, and pushes a frame if they have nodes to compare as well. */
  #enter(plan: KindPlan, lhs: Node, rhs: Node, mode: Mode, keep = false): boolean {
    const left = fieldsOf(lhs);
    const right = fieldsOf(rhs);
    const { attrs, tensors } = plan;
    for (let i = 0; i < attrs.length; i++) {
      const name = attrs[i] ?? "";
      const l = left[name];
      const r = right[name];
      if (l !== r && !sameAttr(lhs, l, r)) return this.#failBelow([{ kind: "field", name }], l, r);
    }
    for (let i = 0; i < tensors.length; i++) {
      const name = tensors[i] ?? "";
      if (!sameTensor(left[name], right[name], this.#tensorContent)) return this.#failBelow([{ kind: "field", name }], left[name], right[name]);
    }
    if (plan.nodes.length === 0) return true;
    const workBefore = keep ? this.#work : -1;
    const logBefore = keep && this.#shared !== undefined ? this.#log.length : -1;
    this.#work++;
    const reused = this.#frames[this.#depth];
    if (reused === undefined) this.#frames.push({ lhs, rhs, plan, mode, field: 0, item: 0, parts: undefined, workBefore, logBefore });
    else {
      reused.lhs = lhs;
      reused.rhs = rhs;
      reused.plan = plan;
      reused.mode = mode;
      reused.field = 0;
      reused.item = 0;
      reused.parts = undefined;
      reused.workBefore = workBefore;
      reused.logBefore = logBefore;
    }
    this.#depth++;
    return true;
  }

  /** The pairs of a field that is a map or an attribute tree; undefined if they cannot be paired. */
  #parts(field: NodeField, left: Fields, right: Fields): readonly Part[] | undefined {
    const l = left[field.name];
    const r = right[field.name];
    switch (field.role) {
      case "def-map":
        return this.#defMap(l as ReadonlyMap<Node, Node>, r as ReadonlyMap<Node, Node>);
      case "module-map":
        return this.#moduleMap(l as ReadonlyMap<GlobalVar, Node>, r as ReadonlyMap<GlobalVar, Node>);
      default: {
        const parts: Part[] = [];
        const differs = collectData(l, r, [], parts);
        if (differs === undefined) return parts;
        this.#failBelow([{ kind: "field", name: field.name }, ...differs.lhsSteps], differs.lhs, differs.rhs);
        return undefined;
      }
    }
  }

  /** Entries whose keys are equal variables. Runs when the parameters, which are the keys, are bound. */
  #defMap(lhs: ReadonlyMap<Node, Node>, rhs: ReadonlyMap<Node, Node>): readonly Part[] {
    const parts: Part[] = [];
    const partners = new Set<Node>();
    for (const [key, value] of lhs) {
      const partner = this.#lhsBound.get(key) ?? key;
      const other = this.#lhsBound.has(key) === this.#rhsBound.has(partner) ? rhs.get(partner) : undefined;
      parts.push({ lhs: value, rhs: other, lhsSteps: [keyStep(key)], rhsSteps: [keyStep(other === undefined ? key : partner)] });
      if (other !== undefined) partners.add(partner);
    }
    for (const [key, value] of rhs) {
      if (!partners.has(key)) parts.push({ lhs: undefined, rhs: value, lhsSteps: [keyStep(key)], rhsSteps: [keyStep(key)] });
    }
    return parts;
  }

  /** Global variables of one name are the same; then the functions are compared, in the order of their names. */
  #moduleMap(lhs: ReadonlyMap<GlobalVar, Node>, rhs: ReadonlyMap<GlobalVar, Node>): readonly Part[] {
    const partners = new Map([...rhs.keys()].map((g) => [g.name, g]));
    const names = new Map([...lhs.keys()].map((g) => [g.name, g]));
    for (const [name, gv] of names) {
      const partner = partners.get(name);
      if (partner !== undefined) this.#bind(gv, partner, this.#lhsBound.has(gv) || this.#rhsBound.has(partner));
    }
    return [...new Set([...names.keys(), ...partners.keys()])].sort().map((name) => {
      const [l, r] = [names.get(name), partners.get(name)];
      const steps: readonly PathStep[] = [{ kind: "key", key: name }];
      return { lhs: l && lhs.get(l), rhs: r && rhs.get(r), lhsSteps: steps, rhsSteps: steps };
    });
  }

  #fail(lhs: unknown, rhs: unknown): false {
    return this.#failBelow([], lhs, rhs);
  }

  /** The whole field of a frame differs: it has no item that could. */
  #failHere(frame: Frame, lhs: unknown, rhs: unknown): false {
    const name = frame.plan.nodes[frame.field]?.name ?? "";
    return this.#failBelow([{ kind: "field", name }], lhs, rhs);
  }

  #failBelow(steps: readonly PathStep[], lhs: unknown, rhs: unknown): false {
    this.#failure = { lhs, rhs, lhsSteps: steps, rhsSteps: steps };
    return false;
  }
}

function keyStep(key: Node): PathStep {
  return { kind: "key", key: keyName(key) };
}

/** Compares the plain values of two attribute trees, and gives `parts` their pairs of nodes; the first difference. */
function collectData(lhs: unknown, rhs: unknown, steps: readonly PathStep[], parts: Part[]): Part | undefined {
  if (lhs === rhs && (typeof lhs !== "object" || lhs === null)) return undefined;
  if (isEmptyRecord(lhs) && isEmptyRecord(rhs)) return undefined;
  if (isNode(lhs) && isNode(rhs)) {
    parts.push({ lhs, rhs, lhsSteps: steps, rhsSteps: steps });
    return undefined;
  }
  if (Array.isArray(lhs) && Array.isArray(rhs)) {
    const longest = Math.max(lhs.length, rhs.length);
    for (let i = 0; i < longest; i++) {
      const differs = collectData(lhs[i], rhs[i], [...steps, { kind: "index", index: i }], parts);
      if (differs !== undefined) return differs;
    }
    return undefined;
  }
  if (isRecord(lhs) && isRecord(rhs)) {
    const l = entriesOf(lhs);
    const r = entriesOf(rhs);
    for (const key of new Set([...l.keys(), ...r.keys()])) {
      const differs = collectData(l.get(key), r.get(key), [...steps, { kind: "key", key }], parts);
      if (differs !== undefined) return differs;
    }
    return undefined;
  }
  const same = typeof lhs === "number" && typeof rhs === "number" ? sameNumber(lhs, rhs) : lhs === rhs;
  return same ? undefined : { lhs, rhs, lhsSteps: steps, rhsSteps: steps };
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNode(value);
}

function sameAttr(node: Node, lhs: unknown, rhs: unknown): boolean {
  if (lhs === rhs) return true;
  if (typeof lhs === "number" && typeof rhs === "number") {
    return node.kind === "ir.FloatImm" ? sameFloat(lhs, rhs, (node as FloatImm).dtype) : sameNumber(lhs, rhs);
  }
  if (!Array.isArray(lhs) || !Array.isArray(rhs)) return false;
  return lhs.length === rhs.length && lhs.every((item, i) => sameAttr(node, item, rhs[i]));
}
