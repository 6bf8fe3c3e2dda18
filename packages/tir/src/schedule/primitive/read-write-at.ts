import { Analyzer } from "../../arith/analyzer.ts";
import { estimateRegionStrictBound } from "../../arith/estimate-region.ts";
import { evalRegionSets } from "../../arith/eval-set.ts";
import { intSetsOfRanges, unionRegions, type IntSet } from "../../arith/int-set.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Range } from "../../ir/expr.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar, renameVar } from "../../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBufferRegion, makeBufferStore, makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { add, constant, isConstInt, sub } from "../../ir/ops.ts";
import type { BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { bindingsOf, relaxedLoops, scopeRoot } from "../block-relations.ts";
import { changeAccess, conditionAt, renamed, withScope } from "../cache-stage.ts";
import { rangesOf, requireInBounds, requireNotUpdated, requireWritesAll } from "../copy-safety.ts";
import { blockKey, childBlocks, replaceStmts, withAllocated, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** What is read of a buffer in one iteration of `loop`, copied before the first read by a block that lowering may spread over threads. */
export function readAt(tree: FuncTree, loop: For, realize: BlockRealize, index: number, storageScope: string): Outcome {
  const buffer = realize.block.reads[index]?.buffer;
  if (buffer === undefined) return refuse(`block \`${realize.block.name}\` has no read number ${index}`, realize.block);
  const { items, readers, writers, regions } = survey(tree, loop, buffer, storageScope, "read");
  const [first] = readers;
  if (first === undefined) return refuse(`nothing under loop \`${loop.loopVar.name}\` reads \`${buffer.name}\``, loop);
  if (writers.some((w) => w >= first)) refuse(`\`${buffer.name}\` is written after it is read under loop \`${loop.loopVar.name}\``, loop);
  return copyAt(tree, loop, buffer, storageScope, items, regions, first, "read");
}

/** What is written of a buffer in one iteration of `loop`, copied out after the last write by a block that lowering may spread over threads. */
export function writeAt(tree: FuncTree, loop: For, realize: BlockRealize, index: number, storageScope: string): Outcome {
  const buffer = realize.block.writes[index]?.buffer;
  if (buffer === undefined) return refuse(`block \`${realize.block.name}\` has no write number ${index}`, realize.block);
  const { items, readers, writers, regions } = survey(tree, loop, buffer, storageScope, "write");
  const last = writers[writers.length - 1];
  if (last === undefined) return refuse(`nothing under loop \`${loop.loopVar.name}\` writes \`${buffer.name}\``, loop);
  if (readers.some((r) => r > last)) refuse(`\`${buffer.name}\` is read after it is written under loop \`${loop.loopVar.name}\``, loop);
  return copyAt(tree, loop, buffer, storageScope, items, regions, last + 1, "write");
}

interface Survey {
  readonly items: readonly Stmt[];
  /** Positions of the items with readers, and with writers. */
  readonly readers: readonly number[];
  readonly writers: readonly number[];
  readonly regions: readonly (readonly IntSet[])[];
}

function survey(tree: FuncTree, loop: For, buffer: Buffer, storageScope: string, side: "read" | "write"): Survey {
  const items = loop.body.kind === "tir.SeqStmt" ? loop.body.seq : [loop.body];
  const touches = (list: readonly BufferRegion[]): boolean => list.some((r) => r.buffer === buffer);
  const readers: number[] = [];
  const writers: number[] = [];
  const regions: (readonly IntSet[])[] = [];
  items.forEach((item, i) => {
    const blocks = item.kind === "tir.BlockRealize" ? [item] : childBlocks(item);
    if (blocks.some((b) => touches(b.block.reads))) readers.push(i);
    if (blocks.some((b) => touches(b.block.writes))) writers.push(i);
    for (const b of blocks) {
      const dom = intSetsOfRanges(relaxedLoops(tree, b, loop, storageScope));
      for (const r of side === "read" ? b.block.reads : b.block.writes) {
        if (r.buffer === buffer) regions.push(evalRegionSets(substitute(r, bindingsOf(b)).region, dom));
      }
    }
  });
  return { items, readers, writers, regions };
}

function copyAt(
  tree: FuncTree,
  loop: For,
  buffer: Buffer,
  storageScope: string,
  items: readonly Stmt[],
  regions: Survey["regions"],
  pos: number,
  side: "read" | "write",
): Outcome {
  const scope = scopeRoot(tree, loop, { stagePipeline: true });
  const cache = withScope(buffer, storageScope);
  const analyzer = new Analyzer();
  const domain = unionRegions(regions, analyzer).map((s, i): Range => {
    if (s.tag === "empty" || s.min === undefined || s.max === undefined) {
      const extent = buffer.shape[i] ?? constant(1, "int32");
      return makeRange(constant(0, extent.dtype), extent);
    }
    const min = analyzer.simplify(s.min);
    return makeRange(min, analyzer.simplify(sub(add(s.max, 1), min)));
  });
  const changed = items.map((s, i) => ((side === "read" ? i >= pos : i < pos) ? changeAccess(s, renamed(buffer, cache), { writes: true }) : s));
  const condition = requireExact(tree, loop, buffer, storageScope, domain, side);
  const [from, to] = side === "read" ? [buffer, cache] : [cache, buffer];
  const copy = copyBlock(tree, loop, from, to, `${buffer.name}_${storageScope}`, domain, condition);
  const body = makeSeq([...changed.slice(0, pos), copy, ...changed.slice(pos)]);
  const inner = replaceStmts({ ...tree.func, body: scope.block.body }, new Map<Stmt, Stmt>([[loop, { ...loop, body }]])).body;
  const block = withAllocated({ ...scope.block, body: inner }, [cache]);
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[scope.block, block]])), blocks: [blockKey(copy.block)] };
}

/**
 * Refuses to copy out elements that may not have been written, and to copy in what the buffer does not have. Gives the
 * condition under which there is something to copy.
 */
function requireExact(tree: FuncTree, loop: For, buffer: Buffer, storageScope: string, domain: readonly Range[], side: "read" | "write"): PrimExpr {
  const always = constant(1, "bool");
  const accesses = (b: BlockRealize): readonly BufferRegion[] => (side === "read" ? b.block.reads : b.block.writes).filter((r) => r.buffer === buffer);
  const under = childBlocks(loop).filter((b) => [...b.block.reads, ...b.block.writes].some((r) => r.buffer === buffer));
  const [first] = under;
  if (first === undefined) return always;
  requireInBounds(first.block, buffer, domain, rangesOf([...tree.loopsOf(loop), loop]));
  if (side === "read") {
    for (const b of under) if (accesses(b).length > 0) requireNotUpdated(b.block, buffer);
    return always;
  }
  if (first.block.init === undefined && first.block.reads.some((r) => r.buffer === buffer)) refuse(`block \`${first.block.name}\` reads \`${buffer.name}\` before it is written under loop \`${loop.loopVar.name}\``, first.block);
  const exact = under.find((b) => accesses(b).some((r) => writesAll(tree, b, r, loop, storageScope, domain)));
  if (exact === undefined) return refuse(`not all that is copied out of \`${buffer.name}\` is known to be written under loop \`${loop.loopVar.name}\``, [loop, first.block]);
  for (const r of accesses(exact)) requireWritesAll(tree, exact, r, undefined);
  const condition = conditionAt(tree, exact, loop);
  if (!isConstInt(condition, 1) && under.length > 1) refuse(`\`${buffer.name}\` is written under a condition and by several blocks under loop \`${loop.loopVar.name}\``, under.map((b) => b.block));
  return condition;
}

/** True if a block is known to write just `domain` in each iteration of the loop. */
function writesAll(tree: FuncTree, realize: BlockRealize, region: BufferRegion, loop: For, storageScope: string, domain: readonly Range[]): boolean {
  const analyzer = new Analyzer();
  const { region: ranges } = substitute(region, bindingsOf(realize));
  const found = estimateRegionStrictBound(ranges, relaxedLoops(tree, realize, loop, storageScope), { predicate: realize.predicate, analyzer });
  const same = (s: IntSet, d: Range | undefined): boolean =>
    s.tag === "interval" && s.min !== undefined && s.max !== undefined && d !== undefined && analyzer.canProveEqual(s.min, d.min) && analyzer.canProveEqual(add(sub(s.max, s.min), 1), d.extent);
  return found !== undefined && found.every((s, i) => same(s, domain[i]));
}

function copyBlock(tree: FuncTree, loop: For, from: Buffer, to: Buffer, name: string, domain: readonly Range[], condition: PrimExpr): BlockRealize {
  const bindings = new Map<AnyVar, PrimExpr>();
  const iterVars: IterVar[] = [];
  const values: PrimExpr[] = [];
  const loops = new Map<AnyVar, For>([...tree.loopsOf(loop), loop].map((l) => [l.loopVar, l]));
  const rename = (v: AnyVar): PrimExpr | undefined => {
    const known = bindings.get(v);
    const l = loops.get(v);
    if (known !== undefined || l === undefined) return known;
    const own = renameVar(l.loopVar, `v${iterVars.length}`);
    bindings.set(v, own);
    values.push(v);
    iterVars.push(makeIterVar(makeRange(l.min, l.extent), own, "kDataPar"));
    return own;
  };
  const own = domain.map((r) => makeRange(substitute(r.min, rename), substitute(r.extent, rename)));
  const vars = own.map((_, i) => makeVar(`ax${i}`));
  const indices = own.map((r, i) => add(r.min, vars[i] ?? r.min));
  const store = makeBufferStore(to, makeBufferLoad(from, indices), indices);
  const nest = own.reduceRight<Stmt>((body, r, i) => makeFor(vars[i] ?? makeVar("ax"), constant(0, "int32"), r.extent, body), store);
  const block = makeBlock(name, iterVars, [makeBufferRegion(from, own)], [makeBufferRegion(to, own)], nest, { annotations: { auto_copy: 1 } });
  return makeBlockRealize(values, condition, block);
}
