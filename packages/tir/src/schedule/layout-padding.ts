import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferStore, makeEvaluate, makeFor } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant, eq, ifThenElse, intrin, isConstInt, not, or } from "../ir/ops.ts";
import type { Block, BlockRealize, BufferStore, For, IndexMap, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { pointsOf } from "./cache-stage.ts";
import { blockKey, stmtChildren, type BlockKey } from "./func-tree.ts";
import { mapIndices, type Inverse } from "./index-map.ts";

/**
 * How elements of a new layout that no old one maps to get their value:
 * `none`: there are none; `before`: assumptions about an input, at the start of the scope; `replace`: nests that write
 * every old element now write every new one; `after`: a nest after the last write fills them.
 */
export type PaddingPlan =
  | { readonly kind: "none" }
  | { readonly kind: "before"; readonly stmt: Stmt }
  | { readonly kind: "replace"; readonly replacements: ReadonlyMap<Stmt, Stmt>; readonly rekeyed: ReadonlyMap<BlockKey, BlockKey> }
  | { readonly kind: "after"; readonly after: Stmt; readonly stmt: Stmt };

/** One store to the buffer, with the loops its indices depend on. */
interface Write {
  readonly store: BufferStore;
  readonly realize: BlockRealize | undefined;
  readonly loops: readonly For[];
  /** True if the loops go over each dimension of the buffer in order, the indices being the loop variables. */
  readonly rowMajor: boolean;
}

/** Chooses a plan for a buffer whose accesses are all in `scope`. `pad` gives the value from the new indices. */
export function planPadding(scope: Block, before: Buffer, after: Buffer, inverse: Inverse, pad: IndexMap): PaddingPlan {
  if (isConstInt(inverse.padding, 0)) return { kind: "none" };
  const writes = findWrites(scope, before);
  if (writes.length === 0) return { kind: "before", stmt: assumptions(after, inverse, pad) };
  const replacements = new Map<Stmt, Stmt>();
  const rekeyed = new Map<BlockKey, BlockKey>();
  for (const w of writes) {
    const [first] = w.loops;
    if (first === undefined || !w.rowMajor || !isOneNest(w.loops) || !storesOnlyIn(first, before)) continue;
    const made = new StoreReplacer(w, after, inverse, pad).nest();
    if (made === undefined) continue;
    replacements.set(first, made.nest);
    if (made.rekeyed !== undefined) rekeyed.set(...made.rekeyed);
  }
  if (replacements.size > 0) return { kind: "replace", replacements, rekeyed };
  const last = writes[writes.length - 1];
  const place = last?.loops[0] ?? last?.realize;
  return place === undefined ? { kind: "none" } : { kind: "after", after: place, stmt: filling(after, inverse, pad) };
}

/** True if each loop is all there is in the one before: no block is between them, nor a statement beside them. */
function isOneNest(loops: readonly For[]): boolean {
  return loops.every((l, i) => i === 0 || loops[i - 1]?.body === l);
}

/** True if all that a nest stores is in one buffer: nothing else goes when the nest is replaced. */
function storesOnlyIn(nest: Stmt, buffer: Buffer): boolean {
  let only = true;
  visitStmt(nest, { stmt: (s) => void (s.kind === "tir.BufferStore" && s.buffer !== buffer && (only = false)) });
  return only;
}

function findWrites(scope: Block, buffer: Buffer): readonly Write[] {
  const out: Write[] = [];
  const loops: For[] = [];
  const depth = new Map<AnyVar, readonly [number, number]>();
  const bindings = new Map<AnyVar, PrimExpr>();
  const spanOf = (exprs: readonly PrimExpr[]): readonly [number, number] | undefined => {
    const spans = exprs.flatMap((e) => undefinedVars(e)).flatMap((v) => (depth.has(v) ? [depth.get(v) ?? ([0, 0] as const)] : []));
    return spans.length === 0 ? undefined : [Math.min(...spans.map((s) => s[0])), Math.max(...spans.map((s) => s[1]))];
  };
  const visit = (s: Stmt, realize: BlockRealize | undefined): void => {
    if (s.kind === "tir.For") {
      depth.set(s.loopVar, [loops.length, loops.length]);
      loops.push(s);
      visit(s.body, realize);
      loops.pop();
      depth.delete(s.loopVar);
      return;
    }
    if (s.kind === "tir.BlockRealize") {
      s.block.iterVars.forEach((iv, i) => {
        const value = s.iterValues[i];
        const span = value && spanOf([value]);
        if (value === undefined || span === undefined) return;
        depth.set(iv.var, span);
        bindings.set(iv.var, substitute(value, bindings));
      });
      visit(s.block, s);
      return;
    }
    if (s.kind === "tir.BufferStore" && s.buffer === buffer) {
      const span = spanOf(s.indices);
      const nest = span === undefined ? [] : loops.slice(span[0], span[1] + 1);
      out.push({ store: s, realize, loops: nest, rowMajor: isRowMajor(s, nest, buffer, bindings) });
      return;
    }
    for (const c of stmtChildren(s)) visit(c, realize);
  };
  visit(scope.body, undefined);
  return out;
}

function isRowMajor(store: BufferStore, loops: readonly For[], buffer: Buffer, bindings: ReadonlyMap<AnyVar, PrimExpr>): boolean {
  if (loops.length === 0 || loops.length !== buffer.shape.length) return false;
  return loops.every((l, i) => {
    const index = store.indices[i];
    const extent = buffer.shape[i];
    if (index === undefined || extent === undefined || l.forKind !== "serial" || !isConstInt(l.min, 0)) return false;
    return substitute(index, bindings) === l.loopVar && exprDeepEqual(l.extent, extent);
  });
}

/** Loops over the new indices around a statement. */
function overNew(after: Buffer, vars: readonly Var[], body: Stmt): Stmt {
  return vars.reduceRight<Stmt>((s, v, i) => makeFor(v, constant(0, "int32"), after.shape[i] ?? constant(1, v.dtype), s), body);
}

interface NewBlock {
  readonly iterVars: readonly IterVar[];
  readonly indices: readonly Var[];
  readonly predicate: PrimExpr;
}

/** Block variables for the new indices, and the padding condition in terms of them if asked. */
function newBlock(after: Buffer, { inverse, padding }: Inverse): NewBlock {
  const values = new Map<AnyVar, PrimExpr>();
  const iterVars = inverse.initialIndices.map((v, i) => {
    const extent = after.shape[i] ?? constant(1, v.dtype);
    const own = makeVar(`v_${v.name}`, v.dtype);
    values.set(v, own);
    return makeIterVar(makeRange(constant(0, extent.dtype), extent), own, "kDataPar");
  });
  return { iterVars, indices: iterVars.map((iv) => iv.var), predicate: substitute(padding, values) };
}

function padAt(pad: IndexMap, indices: readonly PrimExpr[], after: Buffer): PrimExpr {
  return mapIndices(pad, indices)[0] ?? constant(0, after.dtype);
}

function assumptions(after: Buffer, inverse: Inverse, pad: IndexMap): Stmt {
  const { iterVars, indices, predicate } = newBlock(after, inverse);
  const condition = or(not(predicate), eq(makeBufferLoad(after, indices), padAt(pad, indices, after)));
  const body = makeEvaluate(intrin("assume", "bool", [condition]));
  const block = makeBlock(`buffer_${after.name}_assumptions`, iterVars, [pointsOf(after, indices)], [], body);
  const vars = inverse.inverse.initialIndices;
  return overNew(after, vars, makeBlockRealize(vars, constant(1, "bool"), block));
}

function filling(after: Buffer, inverse: Inverse, pad: IndexMap): Stmt {
  const { iterVars, indices } = newBlock(after, inverse);
  const block = makeBlock(`buffer_${after.name}_padding`, iterVars, [], [pointsOf(after, indices)], makeBufferStore(after, padAt(pad, indices, after), indices));
  const vars = inverse.inverse.initialIndices;
  return overNew(after, vars, makeBlockRealize(vars, inverse.padding, block));
}

/** Turns a nest that writes each old element into one that writes each new one, the pad value where there is no old one. */
class StoreReplacer {
  readonly #write: Write;
  readonly #after: Buffer;
  readonly #pad: IndexMap;
  readonly #loopVars: readonly Var[];
  readonly #values = new Map<AnyVar, PrimExpr>();
  #indices: readonly Var[];
  #predicate: PrimExpr;
  #iterVars: readonly IterVar[] | undefined;
  #iterValues: readonly PrimExpr[] | undefined;

  constructor(write: Write, after: Buffer, { inverse, padding }: Inverse, pad: IndexMap) {
    this.#write = write;
    this.#after = after;
    this.#pad = pad;
    this.#loopVars = inverse.initialIndices;
    this.#indices = inverse.initialIndices;
    this.#predicate = padding;
    write.loops.forEach((l, i) => this.#values.set(l.loopVar, inverse.finalIndices[i] ?? l.loopVar));
    this.#redefineBlock(inverse, padding);
  }

  /** Where the block's variables are the indices, it gets one variable for each new index instead. */
  #redefineBlock(inverse: IndexMap, padding: PrimExpr): void {
    const { realize, store } = this.#write;
    const old = realize?.block.iterVars;
    const n = store.indices.length;
    if (realize === undefined || old === undefined || n === 0 || old.length < n) return;
    let start = old.findIndex((iv) => iv.var === store.indices[0]);
    if (start < 0) start = old.length - n;
    if (start > old.length - n) return;
    if (!store.indices.every((e, i) => old[start + i]?.var === e && old[start + i]?.iterType === "kDataPar")) return;
    const { iterVars, indices, predicate } = newBlock(this.#after, { inverse, padding });
    const toOwn = new Map<AnyVar, PrimExpr>(inverse.initialIndices.map((v, i) => [v, indices[i] ?? v]));
    this.#indices = indices;
    this.#predicate = predicate;
    this.#iterVars = [...old.slice(0, start), ...iterVars, ...old.slice(start + n)];
    this.#iterValues = [...realize.iterValues.slice(0, start), ...inverse.initialIndices, ...realize.iterValues.slice(start + n)];
    store.indices.forEach((v, i) => {
      const value = inverse.finalIndices[i];
      if (v.kind === "tir.Var" && value !== undefined) this.#values.set(v, substitute(value, toOwn));
    });
  }

  /** The new nest, and the block's new key; undefined if there are other stores, which would run more often. */
  nest(): { readonly nest: Stmt; readonly rekeyed: readonly [BlockKey, BlockKey] | undefined } | undefined {
    const { loops, realize, store } = this.#write;
    const inner = loops[loops.length - 1];
    if (inner === undefined) return undefined;
    let all = true;
    let rekeyed: readonly [BlockKey, BlockKey] | undefined;
    const mapper: ChildMapper = {
      expr: (e) => (e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? (this.#values.get(e) ?? e) : mapExprChildren(e, mapper)),
      stmt: (s): Stmt => {
        if (s.kind === "tir.BufferStore" && s.buffer === store.buffer && s.indices.every((e, i) => exprDeepEqual(e, store.indices[i] ?? e))) {
          const value = ifThenElse(this.#predicate, padAt(this.#pad, this.#indices, this.#after), mapper.expr(s.value));
          return makeBufferStore(this.#after, value, this.#indices, undefined, s.span);
        }
        if (s.kind === "tir.BufferStore") all = false;
        const t = mapStmtChildren(s, mapper);
        if (s !== realize || t.kind !== "tir.BlockRealize" || this.#iterVars === undefined || this.#iterValues === undefined) return t;
        const block = { ...t.block, iterVars: this.#iterVars };
        rekeyed = [blockKey(s.block), blockKey(block)];
        return { ...t, block, iterValues: this.#iterValues };
      },
    };
    const body = mapper.stmt(inner.body);
    return all ? { nest: overNew(this.#after, this.#loopVars, body), rekeyed } : undefined;
  }
}
