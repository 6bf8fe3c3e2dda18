import { Analyzer } from "../../arith/analyzer.ts";
import { detectIterMap } from "../../arith/detect-iter-map.ts";
import { evalSet } from "../../arith/eval-set.ts";
import { exprDeepEqual } from "../../arith/expr-deep-equal.ts";
import { intSetOfRange, type IntSet } from "../../arith/int-set.ts";
import { inverseAffineIterMap } from "../../arith/inverse-affine-iter-map.ts";
import type { Buffer } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../../ir/expr.ts";
import { usesVar } from "../../ir/free-vars.ts";
import { mapExpr } from "../../ir/mutate.ts";
import { add, and, asInt, constant, ge, gt, isConstInt, lt } from "../../ir/ops.ts";
import type { Block, BlockRealize, BufferStore, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { alwaysRuns, bindingsOf, incompleteUnder, requireClosed, requireComplete, requireNotOutput, scopeRoot } from "../block-relations.ts";
import { childBlocks, FuncTree, replaceStmts } from "../func-tree.ts";
import { makeRange } from "../../ir/make-expr.ts";
import { withoutLeaf } from "../leaf-removal.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { loadsFrom, requireNoInit, requireNoOpaque, rewriteScope } from "./compute-inline.ts";

/** The block put into its only producer: what the producer computed is transformed before it is written. */
export function reverseComputeInline(tree: FuncTree, realize: BlockRealize): Outcome {
  const { block } = realize;
  requireNoInit(block);
  const scope = scopeRoot(tree, realize, { stagePipeline: true });
  const buffer = onlyProduced(scope, block);
  requireComplete(realize, scope);
  requireClosed(tree, realize);
  const producer = onlyProducer(tree, scope, realize, buffer);
  requireNotOutput(tree, producer);
  const { store, values } = matchBodies(realize, producer, buffer);
  const without = withoutLeaf(tree, realize);
  requireNoOpaque(scope.block, buffer);
  const replace = (e: PrimExpr, rhs: PrimExpr): PrimExpr =>
    mapExpr(substitute(e, values), (x) => (x.kind === "tir.BufferLoad" && x.buffer === buffer ? rhs : x));
  const newStore = (s: BufferStore): BufferStore => ({
    ...s,
    buffer: store.buffer,
    indices: store.indices.map((i) => replace(i, s.value)),
    value: replace(store.value, s.value),
  });
  const rest = new FuncTree(without);
  const newScope = [...rest.blocks.values()].find((b) => b.block.name === scope.block.name && b.block.iterVars === scope.block.iterVars);
  if (newScope === undefined) throw new Error("internal: the scope went with the block");
  const inlined = rewriteScope(newScope.block, buffer, (e) => e, (s) => {
    if (s.kind === "tir.BufferStore" && s.buffer === buffer) return newStore(s);
    if (s.kind === "tir.BlockRealize" && s.block.name === producer.block.name && s.iterValues === producer.iterValues) return guarded(s, block, values);
    return s;
  });
  return { func: replaceStmts(without, new Map<Stmt, Stmt>([[newScope.block, inlined]])) };
}

/** The buffer that the block reads and that a block of the scope writes; there must be exactly one. */
function onlyProduced(scope: BlockRealize, block: Block): Buffer {
  const written = new Set(childBlocks(scope).flatMap((b) => b.block.writes.map((w) => w.buffer)));
  const [buffer, ...more] = new Set(block.reads.map((r) => r.buffer).filter((b) => written.has(b)));
  if (buffer === undefined || more.length > 0) {
    return refuse(`block \`${block.name}\` reads ${buffer === undefined ? "nothing" : "several buffers"} that the scope computes`, block, "Reverse inlining needs exactly one.");
  }
  return buffer;
}

/** The only block, at any depth of the scope, that writes the buffer and has no blocks inside that do; it must be complete. */
function onlyProducer(tree: FuncTree, scope: BlockRealize, realize: BlockRealize, buffer: Buffer): BlockRealize {
  const find = (b: BlockRealize): readonly BlockRealize[] => {
    const inner = childBlocks(b).flatMap(find);
    if (inner.length > 0 || b === scope) return inner;
    return b.block.writes.some((w) => w.buffer === buffer) ? [b] : [];
  };
  const found = find(scope);
  const [producer] = found;
  for (const p of found) {
    if (incompleteUnder(scope, p)) refuse(`producer \`${p.block.name}\` is not complete`, p.block, "Only a complete block that no other one shares its output with can take a consumer in.");
  }
  if (producer === undefined || found.length !== 1) return refuse(`block \`${realize.block.name}\` has ${found.length} producers`, realize.block, "Reverse inlining needs exactly one.");
  const around = tree.ancestors(realize);
  const others = [...tree.blocks.values()].filter((b) => b !== realize && !around.includes(b) && b.block.reads.some((r) => r.buffer === buffer));
  if (others.length > 0) refuse(`\`${buffer.name}\` is read by other blocks too`, others.map((b) => b.block), "Inline their producer into them with `computeInline`.");
  return producer;
}

interface Matched {
  readonly store: BufferStore;
  readonly values: ReadonlyMap<AnyVar, PrimExpr>;
}

/** The values of the consumer's variables where the producer writes. */
function matchBodies(realize: BlockRealize, producer: BlockRealize, buffer: Buffer): Matched {
  const { block } = realize;
  if (!alwaysRuns(realize)) refuse(`block \`${block.name}\` has a predicate`, block);
  if (block.body.kind !== "tir.BufferStore") return refuse(`the body of block \`${block.name}\` is not a single store`, block);
  const store = block.body;
  const loads = [...store.indices, store.value].flatMap((e) => loadsFrom(e, buffer));
  const [indices] = loads;
  if (indices === undefined || !loads.every((l) => l.every((e, i) => exprDeepEqual(e, indices[i] ?? e)))) {
    return refuse(`block \`${block.name}\` does not read \`${buffer.name}\` at one place`, block);
  }
  const analyzer = new Analyzer();
  const doms = new Map<AnyVar, Range>();
  for (const iv of block.iterVars) if (iv.dom !== undefined) doms.set(iv.var, iv.dom);
  const found = detectIterMap(indices, doms, { level: "noCheck", analyzer, simplifyTrivial: false }).indices;
  if (found.length === 0) return refuse(`the indices at which block \`${block.name}\` reads \`${buffer.name}\` are not affine`, block);
  const produced = storeOf(producer.block);
  const values = new Map<AnyVar, PrimExpr>();
  for (const iv of block.iterVars) if (iv.dom !== undefined && isConstInt(iv.dom.extent, 1) && asInt(iv.dom.min) !== undefined) values.set(iv.var, iv.dom.min);
  let inverse: ReadonlyMap<AnyVar, PrimExpr>;
  try {
    inverse = inverseAffineIterMap(found, produced.indices);
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    return refuse(`the indices at which block \`${block.name}\` reads \`${buffer.name}\` cannot be inverted`, block, e.message);
  }
  for (const [v, e] of inverse) values.set(v, e);
  requireCovered(block, producer.block, values, analyzer);
  requireProduced(block, indices, producer.block, produced.indices, analyzer);
  return { store, values };
}

function storeOf(block: Block): BufferStore {
  const { body } = block;
  const inner = body.kind === "tir.IfThenElse" && body.elseCase === undefined ? body.thenCase : body;
  let s: Stmt = inner;
  if (block.annotations["auto_copy"] !== undefined) while (s.kind === "tir.For") s = s.body;
  return s.kind === "tir.BufferStore" ? s : refuse(`the body of block \`${block.name}\` is not a single store`, block);
}

/** Refuses if the consumer goes over elements that the producer never writes. */
function requireCovered(consumer: Block, producer: Block, values: ReadonlyMap<AnyVar, PrimExpr>, analyzer: Analyzer): void {
  const dom = domainOf(producer);
  for (const iv of consumer.iterVars) {
    const value = values.get(iv.var);
    if (value === undefined || iv.dom === undefined) return refuse(`\`${iv.var.name}\` of block \`${consumer.name}\` is not in the indices it reads at`, consumer);
    if (misses(evalSet(value, dom), intSetOfRange(iv.dom), analyzer)) refuse(`block \`${consumer.name}\` goes over more than producer \`${producer.name}\` computes`, [consumer, producer]);
  }
}

/**
 * Refuses if the consumer's indices, under a condition in what it stores, leave what the producer writes: of an index that
 * several variables make up, `requireCovered` does not see it.
 */
function requireProduced(consumer: Block, indices: readonly PrimExpr[], producer: Block, produced: readonly PrimExpr[], analyzer: Analyzer): void {
  const [reads, writes] = [domainOf(consumer), domainOf(producer)];
  const bound = new Analyzer();
  for (const iv of consumer.iterVars) if (iv.dom !== undefined) bound.bind(iv.var, iv.dom);
  const outside = indices.some((index, i) => {
    const own = produced[i];
    return own !== undefined && misses(evalSet(own, writes), evalSet(bound.simplify(index), reads), analyzer);
  });
  if (outside) refuse(`block \`${consumer.name}\` reads at more indices than producer \`${producer.name}\` writes`, [consumer, producer]);
}

/** The values of a block's variables, and of loops right inside. */
function domainOf(block: Block): ReadonlyMap<AnyVar, IntSet> {
  const dom = new Map<AnyVar, IntSet>();
  for (const iv of block.iterVars) if (iv.dom !== undefined) dom.set(iv.var, intSetOfRange(iv.dom));
  for (let s = block.body; s.kind === "tir.For"; s = s.body) dom.set(s.loopVar, intSetOfRange(makeRange(s.min, s.extent)));
  return dom;
}

/** True if the bounds of what is there are known to be within those of what is needed. */
function misses(there: IntSet, needed: IntSet, analyzer: Analyzer): boolean {
  if (there.tag === "empty" || needed.tag === "empty") return there.tag === "empty";
  const low = there.min !== undefined && needed.min !== undefined && analyzer.canProve(gt(there.min, needed.min));
  return low || (there.max !== undefined && needed.max !== undefined && analyzer.canProve(lt(there.max, needed.max)));
}

/** The producer run only where the consumer did. */
function guarded(realize: BlockRealize, consumer: Block, values: ReadonlyMap<AnyVar, PrimExpr>): BlockRealize {
  const analyzer = new Analyzer();
  const { block } = realize;
  for (const iv of block.iterVars) if (iv.dom !== undefined) analyzer.bind(iv.var, iv.dom);
  if (block.annotations["auto_copy"] !== undefined) {
    for (let s = block.body; s.kind === "tir.For"; s = s.body) analyzer.bind(s.loopVar, makeRange(constant(0, s.extent.dtype), s.extent));
  }
  let inside: PrimExpr = constant(1, "bool");
  for (const iv of consumer.iterVars) {
    if (iv.dom !== undefined) inside = and(inside, and(ge(iv.var, iv.dom.min), lt(iv.var, add(iv.dom.min, iv.dom.extent))));
  }
  let predicate = analyzer.simplify(substitute(inside, values));
  if (isConstInt(predicate, 1)) return realize;
  let body = block.body;
  if (body.kind === "tir.IfThenElse" && body.elseCase === undefined && !exprDeepEqual(predicate, analyzer.simplify(body.condition))) {
    predicate = analyzer.simplify(and(predicate, body.condition));
    body = body.thenCase;
  }
  const inner = new Set<AnyVar>();
  for (let x = body; x.kind === "tir.For"; x = x.body) inner.add(x.loopVar);
  if (usesVar(predicate, (v) => inner.has(v))) refuse(`block \`${consumer.name}\` goes over less than producer \`${block.name}\` copies at a time`, [consumer, block]);
  const outer = substitute(predicate, bindingsOf(realize));
  return { ...realize, block: { ...block, body }, predicate: analyzer.simplify(and(realize.predicate, outer)) };
}
