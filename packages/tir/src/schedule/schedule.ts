import { isNode, type Node, type AttrMap, type AttrValue, type GlobalVar, type IRModule } from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import type { PrimExpr } from "../ir/expr.ts";
import { constant } from "../ir/ops.ts";
import type { BlockRealize, For, IndexMap, PrimFunc, TensorIntrin } from "../ir/stmt.ts";
import { isPrimExpr } from "../script/result-dtype.ts";
import { tir } from "../script/tir-script.ts";
import { consumersOf, outputBlocks, producersOf } from "./block-relations.ts";
import { blockKey, childBlocks, type FuncTree } from "./func-tree.ts";
import { resolveBuffer, type BufferIndex, type BufferRef } from "./buffer-ref.ts";
import type { Decision, InstructionInput } from "./instruction.ts";
import { kindNamed } from "./instruction-kinds.ts";
import { defaultIndexType, padIndexMap, toIndexMap, type IndexFunction } from "./index-function.ts";
import { packArgs, type InstructionArgs } from "./instruction-args.ts";
import type { Outcome } from "./outcome.ts";
import { annotate, annotationInput, type AnnotationValue } from "./primitive/annotate.ts";
import { annotateBufferAccess } from "./primitive/annotate-buffer-access.ts";
import { blockizeBlocks, blockizeLoop } from "./primitive/blockize.ts";
import { cacheIndex } from "./primitive/cache-index.ts";
import { cacheInplace } from "./primitive/cache-inplace.ts";
import { cacheRead } from "./primitive/cache-read.ts";
import { cacheWrite } from "./primitive/cache-write.ts";
import { computeAt, reverseComputeAt } from "./primitive/compute-at.ts";
import { computeInline } from "./primitive/compute-inline.ts";
import { computeLocations, type ComputeLocation } from "./primitive/compute-location.ts";
import { decomposePadding } from "./primitive/decompose-padding.ts";
import { decomposeReduction } from "./primitive/decompose-reduction.ts";
import { setForKind } from "./primitive/for-kind.ts";
import { fuseLoops } from "./primitive/fuse.ts";
import { partitionLoop } from "./primitive/loop-partition.ts";
import { mergeLoops } from "./primitive/merge.ts";
import { padEinsum } from "./primitive/pad-einsum.ts";
import { readAt, writeAt } from "./primitive/read-write-at.ts";
import { reindex } from "./primitive/reindex.ts";
import { reindexCacheRead, reindexCacheWrite } from "./primitive/reindex-cache.ts";
import { reorderLoops } from "./primitive/reorder.ts";
import { reorderBlockIterVar } from "./primitive/reorder-block-iter-var.ts";
import { reverseComputeInline } from "./primitive/reverse-compute-inline.ts";
import { rfactor } from "./primitive/rfactor.ts";
import { rollingBuffer } from "./primitive/rolling-buffer.ts";
import { sampleCategorical, samplePartitionedTile, samplePerfectTile } from "./primitive/sampling.ts";
import { setAxisSeparator } from "./primitive/set-axis-separator.ts";
import { setScope } from "./primitive/set-scope.ts";
import { splitLoop } from "./primitive/split.ts";
import { storageAlign } from "./primitive/storage-align.ts";
import { tensorize } from "./primitive/tensorize.ts";
import { transformBlockLayout } from "./primitive/transform-block-layout.ts";
import { transformLayout } from "./primitive/transform-layout.ts";
import { addUnitLoop } from "./primitive/unit-loop.ts";
import { unsafeHideBufferAccess } from "./primitive/unsafe-hide-buffer-access.ts";
import { unsafeSetDType } from "./primitive/unsafe-set-dtype.ts";
import { RandomEngine } from "./random-engine.ts";
import { isBlockRV, isLoopRV, type BlockRV, type ExprRV, type LoopRV, type RandomVariable } from "./random-variable.ts";
import { PrimitiveRefused, refuse, ScheduleError, type ErrorRenderLevel } from "./schedule-error.ts";
import { ScheduleState, type BlockSite } from "./schedule-state.ts";
import { Trace } from "./trace.ts";

/** A block by its random variable or, if only one has it, by its name. */
export type BlockRef = BlockRV | string;

/** A whole number: plain, constant, an expression over sampled ones, or left open. */
export type FactorRef = number | PrimExpr | undefined;

/** How a schedule reports, where its randomness starts, and what it may tensorize with. */
export interface ScheduleOptions {
  readonly seed?: number;
  readonly errorRenderLevel?: ErrorRenderLevel;
  /** Tensor intrinsics by the name that `tensorize` is given. */
  readonly intrins?: ReadonlyMap<string, TensorIntrin>;
}

/** Options of the primitives that move a block under a loop. `index`: -1 as late as possible, -2 as early. */
export interface MoveOptions {
  readonly preserveUnitLoops?: boolean;
  readonly index?: number;
}

/** The random variables of what a primitive gave. */
interface Made {
  readonly blocks: readonly BlockRV[];
  readonly loops: readonly LoopRV[];
}


/**
 * Changes how the functions of a module compute, not what (upstream's `tir.Schedule`). The module itself is never
 * changed: `mod` is the current version. Each primitive either applies or throws a `ScheduleError` and leaves everything
 * as it was. Blocks and loops are named by random variables that stay good through every rewrite; every step is recorded
 * in `trace`.
 */
export class Schedule {
  #state: ScheduleState;
  #trace = new Trace();
  #workingOn: GlobalVar | undefined;
  #random: RandomEngine;
  readonly #options: ScheduleOptions;

  constructor(module: IRModule, options: ScheduleOptions = {}) {
    this.#state = new ScheduleState(module);
    this.#options = options;
    this.#random = this.#guard("seed", () => new RandomEngine(options.seed ?? 1));
    const funcs = this.#state.primFuncs();
    const [only] = funcs;
    const entry = funcs.find(([, f]) => f.attrs["tir.is_entry_func"] === true) ?? funcs.find(([gv]) => gv.name === "main");
    this.#workingOn = only !== undefined && funcs.length === 1 ? only[0] : entry?.[0];
  }

  /** The module as it is now. */
  get mod(): IRModule {
    return this.#state.module;
  }

  /** The steps so far with their decisions. */
  get trace(): Trace {
    return this.#trace;
  }

  /** The function that blocks are looked up in. */
  get funcWorkingOn(): GlobalVar | undefined {
    return this.#workingOn;
  }

  /** An independent schedule in the same state; random variables of this one are good there too. */
  copy(): Schedule {
    const other = new Schedule(this.mod, this.#options);
    other.#state = this.#state.copy();
    other.#trace = this.#trace;
    other.#workingOn = this.#workingOn;
    other.#random = new RandomEngine(this.forkSeed());
    return other;
  }

  /** Starts the random choices anew; from 1 to 2^31 - 2. */
  seed(seed: number): void {
    this.#random = this.#guard("seed", () => new RandomEngine(seed));
  }

  /** A seed for another schedule that is independent of this one's next choices. */
  forkSeed(): number {
    return this.#random.fork();
  }

  /** Makes `funcName` the function that blocks are looked up in. */
  workOn(funcName: string): void {
    this.#workingOn = this.#guard("work_on", () => this.#state.functionNamed(funcName));
  }

  /** The loop or block that a random variable stands for now, or the value of an expression over sampled numbers. */
  get(rv: BlockRV): BlockRealize;
  get(rv: LoopRV): For;
  get(rv: PrimExpr): PrimExpr;
  get(rv: BlockRV | LoopRV | PrimExpr): BlockRealize | For | PrimExpr {
    return this.#guard("get", () => {
      if (isBlockRV(rv)) return this.#state.block(rv).realize;
      if (isLoopRV(rv)) return this.#state.loop(rv).loop;
      return this.#state.value(rv);
    });
  }

  /** The statement and those around it, nearest first (what upstream's `StmtSRef` leads to). */
  getSref(rv: BlockRV | LoopRV): { readonly stmt: BlockRealize | For; readonly ancestors: readonly unknown[] } {
    return this.#guard("get_sref", () => {
      const { tree, stmt } = this.#state.site(rv);
      return { stmt, ancestors: tree.ancestors(stmt) };
    });
  }

  /** Forgets a random variable. */
  removeRv(rv: RandomVariable): void {
    this.#guard("remove_rv", () => {
      if (!this.#state.knows(rv)) refuse("this random variable is not of this schedule");
      this.#state.remove(rv);
    });
  }

  /** The module as text. */
  show(): string {
    return print(this.mod, { dialects: [tir] });
  }

  /** The function that a block or loop is in, as it is now. */
  funcOf(rv: BlockRV | LoopRV): PrimFunc {
    return this.#guard("func_of", () => this.#state.site(rv).tree.func);
  }

  // ---- sampling

  /** One of `candidates`, chosen by weight. `decision` is its position. */
  sampleCategorical(candidates: readonly number[], probs: readonly number[], decision?: number): ExprRV {
    return this.#guard("sample_categorical", () => {
      const i = sampleCategorical(this.#random, candidates, probs, decision);
      const rv = this.#state.newValue(candidates[i] ?? 0);
      this.#record("SampleCategorical", { candidates, probs }, [rv], i);
      return rv;
    });
  }

  /** `n` factors whose product is the extent of the loop; the last is at most `maxInnermostFactor` (-1: any). */
  samplePerfectTile(loop: LoopRV, n: number, maxInnermostFactor = 16, decision?: readonly number[]): readonly ExprRV[] {
    return this.#guard("sample_perfect_tile", () => {
      const tile = samplePerfectTile(this.#random, this.#state.loop(loop).loop, n, maxInnermostFactor, decision);
      return this.#sampled("SamplePerfectTile", { loop, n, max_innermost_factor: maxInnermostFactor }, tile);
    }, [loop]);
  }

  /** As `samplePerfectTile`, the factors from `partitionPos` on having a product that `innerpartFactor` divides. */
  samplePartitionedTile(loop: LoopRV, n: number, partitionPos = 0, innerpartFactor = 1, decision?: readonly number[]): readonly ExprRV[] {
    return this.#guard("sample_partitioned_tile", () => {
      const tile = samplePartitionedTile(this.#random, this.#state.loop(loop).loop, n, partitionPos, innerpartFactor, decision);
      const args = { loop, n, partition_pos: partitionPos, innerpart_factor: innerpartFactor };
      return this.#sampled("SamplePartitionedTile", args, tile);
    }, [loop]);
  }

  /** A loop that `computeAt` may move the block to, or a mark for inlining (-2) or for leaving it (-1). */
  sampleComputeLocation(block: BlockRef, decision?: number): LoopRV {
    return this.#guard("sample_compute_location", () => {
      const rv = this.#blockRV(block);
      const { gv, tree, realize } = this.#state.block(rv);
      const chosen = this.#computeLocation(tree, realize, decision);
      const out = chosen?.loop === undefined ? this.#state.newLocation(chosen?.index === -2 ? "inline" : "root") : this.#state.newLoop(gv, chosen.loop.loopVar);
      this.#record("SampleComputeLocation", { block: rv }, [out], chosen?.index ?? -1);
      return out;
    });
  }

  // ---- getters

  /** The block named `name`. */
  getBlock(name: string, funcName?: string): BlockRV {
    return this.#guard("get_block", () => {
      const gv = funcName === undefined ? this.#requireFunction() : this.#state.functionNamed(funcName);
      const tree = this.#state.tree(gv);
      const found = [...tree.blocks].filter(([, r]) => r.block.name === name);
      const [first] = found;
      if (first === undefined || found.length > 1) {
        const names = [...tree.blocks.values()].map((r) => `\`${r.block.name}\``).join(", ");
        return refuse(`there are ${found.length} blocks named \`${name}\` in \`${gv.name}\`, which has ${names}`, found.map(([, r]) => r.block));
      }
      const rv = this.#state.newBlock(gv, first[0]);
      this.#record("GetBlock", { name, func_name: gv.name }, [rv]);
      return rv;
    });
  }

  /** The loops around a block within its scope, outermost first. */
  getLoops(block: BlockRef): readonly LoopRV[] {
    return this.#guard("get_loops", () => {
      const rv = this.#blockRV(block);
      const { gv, tree, realize } = this.#state.block(rv);
      const rvs = tree.loopsOf(realize).map((l) => this.#state.newLoop(gv, l.loopVar));
      this.#record("GetLoops", { block: rv }, rvs);
      return rvs;
    });
  }

  /** The blocks inside a block or a loop, without those inside them, in order. */
  getChildBlocks(of: BlockRef | LoopRV): readonly BlockRV[] {
    const rv = this.#siteRV(of);
    return this.#blocks("GetChildBlocks", { block_or_loop: rv }, rv, (_, s) => childBlocks(s));
  }

  /** The blocks of the same scope that write what `block` reads. */
  getProducers(block: BlockRef): readonly BlockRV[] {
    const rv = this.#blockRV(block);
    return this.#blocks("GetProducers", { block: rv }, rv, (tree, s) => producersOf(tree, s as BlockRealize));
  }

  /** The blocks of the same scope that read what `block` writes. */
  getConsumers(block: BlockRef): readonly BlockRV[] {
    const rv = this.#blockRV(block);
    return this.#blocks("GetConsumers", { block: rv }, rv, (tree, s) => consumersOf(tree, s as BlockRealize));
  }

  /** The blocks in a scope that write to memory the scope does not allocate. */
  getOutputBlocks(scope: BlockRef): readonly BlockRV[] {
    const rv = this.#blockRV(scope);
    return this.#blocks("GetOutputBlocks", { scope_block: rv }, rv, (tree, s) => outputBlocks(tree, s as BlockRealize));
  }

  // ---- loops

  /**
   * The loop split into a nest; of `factors` one may be undefined and takes what is left. Where the factors do not
   * divide the extent a predicate skips the rest, unless `disablePredication`.
   */
  split(
    loop: LoopRV,
    factors: readonly FactorRef[],
    opts: { readonly preserveUnitIters?: boolean; readonly disablePredication?: boolean } = {},
  ): readonly LoopRV[] {
    const { preserveUnitIters = true, disablePredication = false } = opts;
    const args = { loop, factors: factors.map(asInput), preserve_unit_iters: preserveUnitIters, disable_predication: disablePredication };
    return this.#onLoop("Split", args, loop, (tree, l) =>
      splitLoop(tree, l, factors.map((f) => this.#factor(f)), { preserveUnitIters, disablePredication }),
    ).loops;
  }

  /** Nested loops made one. */
  fuse(loops: readonly LoopRV[], opts: { readonly preserveUnitIters?: boolean } = {}): LoopRV {
    const { preserveUnitIters = true } = opts;
    const [first] = loops;
    return one(
      this.#onLoop("Fuse", { loops, preserve_unit_iters: preserveUnitIters }, first, (tree) =>
        fuseLoops(tree, loops.map((l) => this.#state.loop(l).loop), preserveUnitIters),
      ).loops,
    );
  }

  /** Loops beside each other made one of all their bodies. */
  merge(loops: readonly LoopRV[]): LoopRV {
    const [first] = loops;
    return one(this.#onLoop("Merge", { loops }, first, (tree) => mergeLoops(tree, loops.map((l) => this.#state.loop(l).loop))).loops);
  }

  /** The loop cut into consecutive loops of the given lengths, of which one may be undefined. */
  loopPartition(loop: LoopRV, factors: readonly FactorRef[], opts: { readonly preserveUnitIters?: boolean } = {}): readonly LoopRV[] {
    const { preserveUnitIters = true } = opts;
    const args = { loop, factors: factors.map(asInput), preserve_unit_iters: preserveUnitIters };
    return this.#onLoop("LoopPartition", args, loop, (tree, l) => partitionLoop(tree, l, factors.map((f) => this.#factor(f)))).loops;
  }

  /** Loops of one nest put in the given order; loops between them that are not listed stay where they are. */
  reorder(loops: readonly LoopRV[]): void {
    const [first] = loops;
    this.#onLoop("Reorder", { ordered_loops: loops }, first, (tree) => reorderLoops(tree, loops.map((l) => this.#state.loop(l).loop)));
  }

  /** The iteration variables of a block in another order: number `newOrder[i]` comes at place `i`. */
  reorderBlockIterVar(block: BlockRef, newOrder: readonly number[]): void {
    this.#onBlock("ReorderBlockIterVar", block, { new_order: newOrder }, ({ tree, realize }) => reorderBlockIterVar(tree, realize, newOrder));
  }

  /** A loop of one iteration around a block or loop. */
  addUnitLoop(inside: BlockRef | LoopRV): LoopRV {
    return this.#guard("add_unit_loop", () => {
      const rv = this.#siteRV(inside);
      const { gv, tree, stmt } = this.#state.site(rv);
      return one(this.#commit("AddUnitLoop", { block_or_loop: rv }, gv, addUnitLoop(tree, stmt)).loops);
    }, [typeof inside === "string" ? undefined : inside]);
  }

  // ---- kinds of loops

  parallel(loop: LoopRV): void {
    this.#onLoop("Parallel", { loop }, loop, (tree, l) => setForKind(tree, l, "parallel"));
  }

  vectorize(loop: LoopRV): void {
    this.#onLoop("Vectorize", { loop }, loop, (tree, l) => setForKind(tree, l, "vectorized"));
  }

  unroll(loop: LoopRV): void {
    this.#onLoop("Unroll", { loop }, loop, (tree, l) => setForKind(tree, l, "unrolled"));
  }

  /** Runs the iterations on the threads of an axis such as `threadIdx.x`. */
  bind(loop: LoopRV, threadAxis: string): void {
    this.#onLoop("Bind", { loop, thread_axis: threadAxis }, loop, (tree, l) => setForKind(tree, l, "thread_binding", threadAxis));
  }

  // ---- caching

  /** A copy of a buffer that the block reads, in another scope, which `consumers` (all readers if none) read; gives the block that makes it. */
  cacheRead(block: BlockRef, readBuffer: BufferRef, storageScope: string, consumers: readonly BlockRef[] = []): BlockRV {
    const rvs = consumers.map((c) => this.#blockRV(c));
    return this.#oneBlock("CacheRead", block, (site) => {
      const { index } = resolveBuffer(site.realize.block, readBuffer, "read");
      const args = { read_buffer_index: index, storage_scope: storageScope, consumer_blocks: rvs };
      return [args, cacheRead(site.tree, site.realize, index, storageScope, rvs.map((c) => this.#state.block(c).realize))];
    });
  }

  /** What the block writes made in another scope first, where `consumers` read it; gives the block that copies it out. */
  cacheWrite(block: BlockRef, writeBuffer: BufferRef, storageScope: string, consumers: readonly BlockRef[] = []): BlockRV {
    const rvs = consumers.map((c) => this.#blockRV(c));
    return this.#oneBlock("CacheWrite", block, (site) => {
      const { index } = resolveBuffer(site.realize.block, writeBuffer, "write");
      const args = { write_buffer_index: index, storage_scope: storageScope, consumer_blocks: rvs };
      return [args, cacheWrite(site.tree, site.realize, index, storageScope, rvs.map((c) => this.#state.block(c).realize))];
    });
  }

  /** As `cacheRead`, the copy laid out by a map of the block's variables to indices. */
  reindexCacheRead(block: BlockRef, readBufferIndex: number, storageScope: string, indexMap: IndexFunction): BlockRV {
    return this.#oneBlock("ReindexCacheRead", block, ({ tree, realize }) => {
      const map = toIndexMap(indexMap, undefined, defaultIndexType(realize.block)).map;
      const args = { read_buffer_index: readBufferIndex, storage_scope: storageScope, index_map: map };
      return [args, reindexCacheRead(tree, realize, readBufferIndex, storageScope, map)];
    });
  }

  /** As `cacheWrite`, the cache laid out by a map of the block's variables to indices. */
  reindexCacheWrite(block: BlockRef, writeBufferIndex: number, storageScope: string, indexMap: IndexFunction): BlockRV {
    return this.#oneBlock("ReindexCacheWrite", block, ({ tree, realize }) => {
      const map = toIndexMap(indexMap, undefined, defaultIndexType(realize.block)).map;
      const args = { write_buffer_index: writeBufferIndex, storage_scope: storageScope, index_map: map };
      return [args, reindexCacheWrite(tree, realize, writeBufferIndex, storageScope, map)];
    });
  }

  /** A buffer that the block changes in place copied in before it and out after it; gives both copying blocks. */
  cacheInplace(block: BlockRef, readBuffer: BufferRef, storageScope: string): readonly BlockRV[] {
    return this.#onBlockWith("CacheInplace", block, ({ tree, realize }) => {
      const { index } = resolveBuffer(realize.block, readBuffer, "read");
      return [{ read_buffer_index: index, storage_scope: storageScope }, cacheInplace(tree, realize, index, storageScope)];
    }).blocks;
  }

  /** The indices that the block computes stored in buffers, those that occur more than `cseThresh` times; gives the blocks that do. */
  cacheIndex(block: BlockRef, storageScope: string, cseThresh = 0): readonly BlockRV[] {
    return this.#onBlock("CacheIndex", block, { storage_scope: storageScope, cse_thresh: cseThresh }, ({ tree, realize }) =>
      cacheIndex(tree, realize, storageScope, cseThresh),
    ).blocks;
  }

  /** A copy of a buffer in the order in which the block goes over it, which the block uses in its place. */
  reindex(block: BlockRef, buffer: BufferRef): BlockRV {
    return this.#oneBlock("ReIndex", block, ({ tree, realize }) => {
      const which = resolveBuffer(realize.block, buffer, undefined);
      return [{ buffer: which }, reindex(tree, realize, which)];
    });
  }

  /** The part of a buffer that the block reads in one iteration of `loop`, copied at its start by an opaque block. */
  readAt(loop: LoopRV, block: BlockRef, readBufferIndex: number, storageScope: string): BlockRV {
    return this.#oneBlock("ReadAt", block, ({ tree, realize }) => [
      { loop, read_buffer_index: readBufferIndex, storage_scope: storageScope },
      readAt(tree, this.#state.loop(loop).loop, realize, readBufferIndex, storageScope),
    ]);
  }

  /** The part of a buffer that the block writes in one iteration of `loop`, copied out at its end by an opaque block. */
  writeAt(loop: LoopRV, block: BlockRef, writeBufferIndex: number, storageScope: string): BlockRV {
    return this.#oneBlock("WriteAt", block, ({ tree, realize }) => [
      { loop, write_buffer_index: writeBufferIndex, storage_scope: storageScope },
      writeAt(tree, this.#state.loop(loop).loop, realize, writeBufferIndex, storageScope),
    ]);
  }

  // ---- compute location

  /** The block moved under a loop of its consumers. At a sampled location the block may be inlined or left. */
  computeAt(block: BlockRef, loop: LoopRV, opts: MoveOptions = {}): void {
    this.#move("ComputeAt", block, loop, opts, computeAt, computeInline);
  }

  /** The block moved under a loop of its producers. At a sampled location the block may be inlined or left. */
  reverseComputeAt(block: BlockRef, loop: LoopRV, opts: MoveOptions = {}): void {
    this.#move("ReverseComputeAt", block, loop, opts, reverseComputeAt, reverseComputeInline);
  }

  /** The block's expression put in place of every read of its output; the block goes. */
  computeInline(block: BlockRef): void {
    this.#onBlock("ComputeInline", block, {}, ({ tree, realize }) => computeInline(tree, realize));
  }

  /** The block put into its only producer; the block goes. */
  reverseComputeInline(block: BlockRef): void {
    this.#onBlock("ReverseComputeInline", block, {}, ({ tree, realize }) => reverseComputeInline(tree, realize));
  }

  // ---- reduction

  /** The init of a reduction made a block before `loop`; gives that block. */
  decomposeReduction(block: BlockRef, loop: LoopRV): BlockRV {
    return this.#oneBlock("DecomposeReduction", block, ({ tree, realize }) => [
      { loop },
      decomposeReduction(tree, realize, this.#state.loop(loop).loop),
    ]);
  }

  /** A reduction over `loop` split in two: partial results along a new axis, and their reduction; gives the block of the former. */
  rfactor(loop: LoopRV, factorAxis: number): BlockRV {
    const { blocks } = this.#onLoop("RFactor", { loop, factor_axis: factorAxis }, loop, (tree, l) => rfactor(tree, l, factorAxis));
    return one(blocks);
  }

  /** The iteration domains of a contraction padded to multiples of `padding`, its operands and result with them. */
  padEinsum(block: BlockRef, padding: readonly number[]): void {
    this.#onBlock("PadEinsum", block, { padding }, ({ tree, realize }) => padEinsum(tree, realize, padding));
  }

  // ---- annotations of buffers

  /** The stride of one axis of a written buffer made `k * factor + offset`. */
  storageAlign(block: BlockRef, bufferIndex: number, axis: number, factor: number, offset: number): void {
    this.#onBlock("StorageAlign", block, { buffer_index: bufferIndex, axis, factor, offset }, ({ tree, realize }) =>
      storageAlign(tree, realize, bufferIndex, axis, factor, offset),
    );
  }

  /** The storage scope of a buffer the block writes. */
  setScope(block: BlockRef, buffer: BufferRef, storageScope: string): void {
    this.#onBlockWith("SetScope", block, ({ tree, realize }) => {
      const { index } = resolveBuffer(realize.block, buffer, "write");
      return [{ buffer_index: index, storage_scope: storageScope }, setScope(tree, realize, index, storageScope)];
    });
  }

  /** Another element type for a buffer the block writes, with conversions at its uses. May change results. */
  unsafeSetDType(block: BlockRef, bufferIndex: number, dtype: string): void {
    this.#onBlock("UnsafeSetDType", block, { buffer_index: bufferIndex, dtype }, ({ tree, realize }) =>
      unsafeSetDType(tree, realize, bufferIndex, dtype),
    );
  }

  /** Groups the axes of a buffer, each group being a dimension of the memory it lies in. */
  setAxisSeparator(block: BlockRef, buffer: BufferRef, axisSeparators: readonly number[]): void {
    this.#onBlockWith("SetAxisSeparator", block, ({ tree, realize }) => {
      const which = resolveBuffer(realize.block, buffer, undefined);
      return [{ buffer: which, axis_separators: axisSeparators }, setAxisSeparator(tree, realize, which, axisSeparators)];
    });
  }

  annotate(at: BlockRef | LoopRV, key: string, value: AnnotationValue): void {
    this.#onSite("Annotate", at, { ann_key: key, ann_val: annotationInput(value) }, (tree, stmt) => annotate(tree, stmt, key, this.#annotation(value)));
  }

  unannotate(at: BlockRef | LoopRV, key: string): void {
    this.#onSite("Unannotate", at, { ann_key: key }, (tree, stmt) => annotate(tree, stmt, key, undefined));
  }

  /** The region of a buffer that the block is said to touch, as (begin, end) pairs of the block's variables. */
  annotateBufferAccess(block: BlockRef, bufferIndex: number, side: "read" | "write", ranges: IndexMap): void {
    const args = { buffer_index: bufferIndex, buf_type: side, gen_new_ranges: ranges };
    this.#onBlock("AnnotateBufferAccess", block, args, ({ tree, realize }) => annotateBufferAccess(tree, realize, bufferIndex, side, ranges));
  }

  /** Takes buffers out of the declared reads or writes of a block. The program may be wrong after it. */
  unsafeHideBufferAccess(block: BlockRef, side: string, indices: readonly number[]): void {
    this.#onBlock("UnsafeHideBufferAccess", block, { buf_type: side, buf_index_array: indices }, ({ tree, realize }) =>
      unsafeHideBufferAccess(tree, realize, side, indices),
    );
  }

  // ---- blocks of blocks

  /** The subtree of a loop, or blocks under one loop, made one block; gives it. */
  blockize(target: LoopRV | readonly BlockRV[], opts: { readonly preserveUnitIters?: boolean } = {}): BlockRV {
    const { preserveUnitIters = true } = opts;
    const args = { target, preserve_unit_iters: preserveUnitIters };
    if (isLoopRV(target)) return one(this.#onLoop("Blockize", args, target, (tree, l) => blockizeLoop(tree, l, preserveUnitIters)).blocks);
    return this.#guard("blockize", () => {
      const sites = target.map((b) => this.#state.block(b));
      const [first] = sites;
      if (first === undefined) return refuse("no blocks were given");
      const outcome = blockizeBlocks(first.tree, sites.map((s) => s.realize), preserveUnitIters);
      return one(this.#commit("Blockize", args, first.gv, outcome).blocks);
    }, target);
  }

  /** The computation under a loop, or of a block, replaced by a tensor intrinsic that computes the same. */
  tensorize(at: BlockRef | LoopRV, intrin: string | TensorIntrin, opts: { readonly preserveUnitIters?: boolean } = {}): void {
    const { preserveUnitIters = true } = opts;
    const name = typeof intrin === "string" ? intrin : "";
    this.#onSite("Tensorize", at, { tensor_intrin: name, preserve_unit_iters: preserveUnitIters }, (tree, stmt) => {
      const found = typeof intrin === "string" ? this.#options.intrins?.get(intrin) : intrin;
      if (found === undefined) return refuse(`there is no tensor intrinsic \`${name}\``, undefined, "Give it to the schedule in `intrins`.");
      return tensorize(tree, stmt, found, preserveUnitIters);
    });
  }

  // ---- layout

  /** Element `i` of a buffer that the block reads or writes kept at `indexMap(i)`, everywhere in the function. */
  transformLayout(
    block: BlockRef,
    buffer: BufferRef,
    indexMap: IndexFunction,
    opts: { readonly padValue?: PrimExpr | number | IndexFunction | undefined; readonly assumeInjectiveTransform?: boolean } = {},
  ): void {
    const { padValue, assumeInjectiveTransform = false } = opts;
    let separators: readonly number[] = [];
    let which: BufferIndex | undefined;
    this.#onBlockWith("TransformLayout", block, ({ tree, realize }) => {
      const found = resolveBuffer(realize.block, buffer, undefined);
      which = found;
      const target = found.buffer;
      const dtype = defaultIndexType(realize.block);
      const { map, axisSeparators } = toIndexMap(indexMap, target.shape.length, dtype);
      separators = axisSeparators;
      const pad = padValue === undefined ? undefined : padIndexMap(padValue, map.finalIndices.length, dtype, target);
      const args = { buffer: found, index_map: map, pad_value: pad ?? null, assume_injective_transform: assumeInjectiveTransform };
      return [args, transformLayout(tree, realize, found, map, pad, assumeInjectiveTransform)];
    });
    if (separators.length > 0 && which !== undefined) this.setAxisSeparator(block, [which.side, which.index], separators);
  }

  /** The variables of a block changed by a map; its loops become one for each new variable. */
  transformBlockLayout(block: BlockRef, indexMap: IndexFunction): void {
    this.#onBlockWith("TransformBlockLayout", block, ({ tree, realize }) => {
      const { map } = toIndexMap(indexMap, realize.block.iterVars.length, defaultIndexType(realize.block));
      return [{ index_map: map }, transformBlockLayout(tree, realize, map)];
    });
  }

  // ---- padding and rolling

  /** A block that pads split in two before `loop`: one fills with the pad value, one copies; gives the former. */
  decomposePadding(block: BlockRef, loop: LoopRV): BlockRV {
    return this.#oneBlock("DecomposePadding", block, ({ tree, realize }) => [{ loop }, decomposePadding(tree, realize, this.#state.loop(loop).loop)]);
  }

  /** True if `decomposePadding` would apply. */
  canDecomposePadding(block: BlockRef, loop: LoopRV): boolean {
    try {
      const { tree, realize } = this.#state.block(this.#blockRV(block));
      decomposePadding(tree, realize, this.#state.loop(loop).loop);
      return true;
    } catch (e) {
      if (e instanceof PrimitiveRefused) return false;
      throw e;
    }
  }

  /** A buffer that a sliding window goes over made circular, so that each element is computed once. */
  rollingBuffer(block: BlockRef, writeBufferIndex: number): void {
    this.#onBlock("RollingBuffer", block, { write_buffer_index: writeBufferIndex }, ({ tree, realize }) => rollingBuffer(tree, realize, writeBufferIndex));
  }

  /** Marks the place in the trace from which on steps are post-processing. */
  enterPostproc(): void {
    this.#record("EnterPostproc", {}, []);
  }

  // ---- machinery

  #guard<T>(primitive: string, run: () => T, on: readonly (BlockRV | LoopRV | undefined)[] = []): T {
    try {
      return run();
    } catch (e) {
      if (!(e instanceof PrimitiveRefused)) throw e;
      const funcs = this.#state.primFuncs().map(([, f]) => f);
      throw new ScheduleError(primitive, e.problem, funcs, this.#options.errorRenderLevel ?? "detail", on.flatMap((rv) => this.#nodesOf(rv)));
    }
  }

  /** The loop or block of a random variable, if it is still there. */
  #nodesOf(rv: BlockRV | LoopRV | undefined): readonly Node[] {
    if (rv === undefined) return [];
    try {
      const { stmt } = this.#state.site(rv);
      return [stmt.kind === "tir.For" ? stmt : stmt.block];
    } catch (e) {
      if (e instanceof PrimitiveRefused) return [];
      throw e;
    }
  }

  #requireFunction(): GlobalVar {
    return this.#workingOn ?? refuse("it is not known which function to work on", undefined, "Name the function, or call `workOn` first.");
  }

  #blockRV(ref: BlockRef): BlockRV {
    return typeof ref === "string" ? this.getBlock(ref) : ref;
  }

  #siteRV(ref: BlockRef | LoopRV): BlockRV | LoopRV {
    return typeof ref === "string" ? this.getBlock(ref) : ref;
  }

  #factor(f: FactorRef): PrimExpr | undefined {
    if (f === undefined) return undefined;
    return typeof f === "number" ? constant(f, "int32") : this.#state.value(f);
  }

  #annotation(value: AnnotationValue): AttrValue {
    if (isNode(value) && isPrimExpr(value)) {
      // Plain numbers stand for int32, as the script reader has it.
      const e = this.#state.value(value);
      return e.kind === "ir.IntImm" && e.dtype === "int32" ? Number(e.value) : e;
    }
    if (Array.isArray(value)) return value.map((x: AnnotationValue) => this.#annotation(x));
    if (typeof value !== "object" || value === null || isNode(value)) return value as AttrValue;
    return Object.fromEntries(Object.entries(value as AttrMap).map(([k, v]) => [k, this.#annotation(v as AnnotationValue)]));
  }

  /** The place decided for a block, or the nearest one further in; one drawn where nothing was decided. */
  #computeLocation(tree: FuncTree, realize: BlockRealize, decision: number | undefined): ComputeLocation | undefined {
    if (decision === undefined) {
      const places = [...computeLocations(tree, realize)];
      return places[this.#random.int(0, places.length)];
    }
    const [place] = computeLocations(tree, realize, decision);
    const fits = place !== undefined && (decision >= 0 || place.index === decision);
    return fits ? place : { index: -1, loop: undefined };
  }

  #sampled(kind: string, args: InstructionArgs, tile: readonly number[]): readonly ExprRV[] {
    const rvs = tile.map((t) => this.#state.newValue(t));
    this.#record(kind, args, rvs, tile);
    return rvs;
  }

  #record(kind: string, args: InstructionArgs, outputs: readonly RandomVariable[], decision?: Decision): void {
    const spec = kindNamed(kind);
    if (spec === undefined) throw new Error(`internal: no instruction kind ${kind}`);
    this.#trace = this.#trace.append({ kind, ...packArgs(spec, args), outputs }, decision);
  }

  #commit(kind: string, args: InstructionArgs, gv: GlobalVar, outcome: Outcome): Made {
    this.#state.commit(gv, outcome);
    const blocks = (outcome.blocks ?? []).map((b) => this.#state.newBlock(gv, b));
    const loops = (outcome.loops ?? []).map((l) => this.#state.newLoop(gv, l));
    const outputs = kindNamed(kind)?.outputs === "none" ? [] : blocks.length > 0 ? blocks : loops;
    this.#record(kind, args, outputs);
    return { blocks, loops };
  }

  #onLoop(kind: string, args: InstructionArgs, at: LoopRV | undefined, run: (tree: FuncTree, loop: For) => Outcome): Made {
    return this.#guard(kindNamed(kind)?.method ?? kind, () => {
      if (at === undefined) return refuse("no loops were given");
      const { gv, tree, loop } = this.#state.loop(at);
      return this.#commit(kind, args, gv, run(tree, loop));
    }, [at]);
  }

  #onBlockWith(kind: string, ref: BlockRef, run: (site: BlockSite) => readonly [InstructionArgs, Outcome]): Made {
    const block = this.#blockRV(ref);
    return this.#guard(kindNamed(kind)?.method ?? kind, () => {
      const site = this.#state.block(block);
      const [args, outcome] = run(site);
      return this.#commit(kind, { block, ...args }, site.gv, outcome);
    }, [block]);
  }

  #onBlock(kind: string, ref: BlockRef, args: InstructionArgs, run: (site: BlockSite) => Outcome): Made {
    return this.#onBlockWith(kind, ref, (site) => [args, run(site)]);
  }

  #oneBlock(kind: string, ref: BlockRef, run: (site: BlockSite) => readonly [InstructionArgs, Outcome]): BlockRV {
    return one(this.#onBlockWith(kind, ref, run).blocks);
  }

  #onSite(kind: string, at: BlockRef | LoopRV, args: InstructionArgs, run: (tree: FuncTree, stmt: BlockRealize | For) => Outcome): void {
    const rv = this.#siteRV(at);
    this.#guard(kindNamed(kind)?.method ?? kind, () => {
      const { gv, tree, stmt } = this.#state.site(rv);
      this.#commit(kind, { block_or_loop: rv, ...args }, gv, run(tree, stmt));
    }, [rv]);
  }

  #move(
    kind: string,
    ref: BlockRef,
    loop: LoopRV,
    opts: MoveOptions,
    move: (tree: FuncTree, realize: BlockRealize, loop: For, opts: Required<MoveOptions>) => Outcome,
    inline: (tree: FuncTree, realize: BlockRealize) => Outcome,
  ): void {
    const { preserveUnitLoops = false, index = -1 } = opts;
    this.#onBlock(kind, ref, { loop, preserve_unit_loops: preserveUnitLoops, index }, ({ tree, realize }) => {
      const location = this.#state.locationOf(loop);
      if (location === "root") return { func: tree.func };
      if (location === "inline") return inline(tree, realize);
      return move(tree, realize, this.#state.loop(loop).loop, { preserveUnitLoops, index });
    });
  }

  #blocks(kind: string, args: InstructionArgs, of: BlockRV | LoopRV, find: (tree: FuncTree, s: BlockRealize | For) => readonly BlockRealize[]): readonly BlockRV[] {
    return this.#guard(kindNamed(kind)?.method ?? kind, () => {
      const { gv, tree, stmt } = this.#state.site(of);
      const rvs = find(tree, stmt).map((r) => this.#state.newBlock(gv, blockKey(r.block)));
      this.#record(kind, args, rvs);
      return rvs;
    }, [of]);
  }
}

function asInput(f: FactorRef): InstructionInput {
  return f === undefined ? null : f;
}

function one<T>(list: readonly T[]): T {
  const [only] = list;
  if (only === undefined) throw new Error("internal: a primitive made no result");
  return only;
}
