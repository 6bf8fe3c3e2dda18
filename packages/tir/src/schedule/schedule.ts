import type { GlobalVar, IRModule } from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import type { PrimExpr } from "../ir/expr.ts";
import type { BlockRealize, For, IndexMap, PrimFunc, TensorIntrin } from "../ir/stmt.ts";
import { tir } from "../script/tir-script.ts";
import { consumersOf, outputBlocks, producersOf } from "./block-relations.ts";
import { childBlocks } from "./func-tree.ts";
import { resolveBuffer, type BufferIndex, type BufferRef } from "./buffer-ref.ts";
import type { InstructionInput } from "./instruction.ts";
import { defaultIndexType, padIndexMap, toIndexMap, type IndexFunction } from "./index-function.ts";
import { annotate, annotationInput, type AnnotationValue } from "./primitive/annotate.ts";
import { annotateBufferAccess } from "./primitive/annotate-buffer-access.ts";
import { blockizeBlocks, blockizeLoop } from "./primitive/blockize.ts";
import { cacheIndex } from "./primitive/cache-index.ts";
import { cacheInplace } from "./primitive/cache-inplace.ts";
import { cacheRead } from "./primitive/cache-read.ts";
import { cacheWrite } from "./primitive/cache-write.ts";
import { computeAt, reverseComputeAt } from "./primitive/compute-at.ts";
import { computeInline } from "./primitive/compute-inline.ts";
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
import { PrimitiveRefused, refuse } from "./schedule-error.ts";
import type { Trace } from "./trace.ts";
import { one, ScheduleRun, type BlockRef, type FactorRef, type MoveOptions, type ScheduleOptions } from "./schedule-run.ts";

/**
 * Changes how the functions of a module compute, not what (upstream's `tir.Schedule`). The module itself is never
 * changed: `mod` is the current version. Each primitive either applies or throws a `ScheduleError` and leaves everything
 * as it was. Blocks and loops are named by random variables that stay good through every rewrite; every step is recorded
 * in `trace`.
 */
export class Schedule {
  readonly #run: ScheduleRun;

  constructor(module: IRModule, options: ScheduleOptions = {}) {
    this.#run = new ScheduleRun(module, options);
  }

  /** The module as it is now. */
  get mod(): IRModule {
    return this.#run.state.module;
  }

  /** The steps so far with their decisions. */
  get trace(): Trace {
    return this.#run.trace;
  }

  /** The function that blocks are looked up in. */
  get funcWorkingOn(): GlobalVar | undefined {
    return this.#run.workingOn;
  }

  /** An independent schedule in the same state; random variables of this one are good there too. */
  copy(): Schedule {
    const other = new Schedule(this.mod, this.#run.options);
    other.#run.become(this.#run);
    return other;
  }

  /** Starts the random choices anew; from 1 to 2^31 - 2. */
  seed(seed: number): void {
    this.#run.random = this.#run.guard("seed", () => new RandomEngine(seed));
  }

  /** A seed for another schedule that is independent of this one's next choices. */
  forkSeed(): number {
    return this.#run.random.fork();
  }

  /** Makes `funcName` the function that blocks are looked up in. */
  workOn(funcName: string): void {
    this.#run.workingOn = this.#run.guard("work_on", () => this.#run.state.functionNamed(funcName));
  }

  /** The loop or block that a random variable stands for now, or the value of an expression over sampled numbers. */
  get(rv: BlockRV): BlockRealize;
  get(rv: LoopRV): For;
  get(rv: PrimExpr): PrimExpr;
  get(rv: BlockRV | LoopRV | PrimExpr): BlockRealize | For | PrimExpr {
    return this.#run.guard("get", () => {
      if (isBlockRV(rv)) return this.#run.state.block(rv).realize;
      if (isLoopRV(rv)) return this.#run.state.loop(rv).loop;
      return this.#run.state.value(rv);
    });
  }

  /** The statement and those around it, nearest first (what upstream's `StmtSRef` leads to). */
  getSref(rv: BlockRV | LoopRV): { readonly stmt: BlockRealize | For; readonly ancestors: readonly unknown[] } {
    return this.#run.guard("get_sref", () => {
      const { tree, stmt } = this.#run.state.site(rv);
      return { stmt, ancestors: tree.ancestors(stmt) };
    });
  }

  /** Forgets a random variable. */
  removeRv(rv: RandomVariable): void {
    this.#run.guard("remove_rv", () => {
      if (!this.#run.state.knows(rv)) refuse("this random variable is not of this schedule");
      this.#run.state.remove(rv);
    });
  }

  /** The module as text. */
  show(): string {
    return print(this.mod, { dialects: [tir] });
  }

  /** The function that a block or loop is in, as it is now. */
  funcOf(rv: BlockRV | LoopRV): PrimFunc {
    return this.#run.guard("func_of", () => this.#run.state.site(rv).tree.func);
  }

  // ---- sampling

  /** One of `candidates`, chosen by weight. `decision` is its position. */
  sampleCategorical(candidates: readonly number[], probs: readonly number[], decision?: number): ExprRV {
    return this.#run.guard("sample_categorical", () => {
      const i = sampleCategorical(this.#run.random, candidates, probs, decision);
      const rv = this.#run.state.newValue(candidates[i] ?? 0);
      this.#run.record("SampleCategorical", { candidates, probs }, [rv], i);
      return rv;
    });
  }

  /** `n` factors whose product is the extent of the loop; the last is at most `maxInnermostFactor` (-1: any). */
  samplePerfectTile(loop: LoopRV, n: number, maxInnermostFactor = 16, decision?: readonly number[]): readonly ExprRV[] {
    return this.#run.guard("sample_perfect_tile", () => {
      const tile = samplePerfectTile(this.#run.random, this.#run.state.loop(loop).loop, n, maxInnermostFactor, decision);
      return this.#run.sampled("SamplePerfectTile", { loop, n, max_innermost_factor: maxInnermostFactor }, tile);
    }, [loop]);
  }

  /** As `samplePerfectTile`, the factors from `partitionPos` on having a product that `innerpartFactor` divides. */
  samplePartitionedTile(loop: LoopRV, n: number, partitionPos = 0, innerpartFactor = 1, decision?: readonly number[]): readonly ExprRV[] {
    return this.#run.guard("sample_partitioned_tile", () => {
      const tile = samplePartitionedTile(this.#run.random, this.#run.state.loop(loop).loop, n, partitionPos, innerpartFactor, decision);
      const args = { loop, n, partition_pos: partitionPos, innerpart_factor: innerpartFactor };
      return this.#run.sampled("SamplePartitionedTile", args, tile);
    }, [loop]);
  }

  /** A loop that `computeAt` may move the block to, or a mark for inlining (-2) or for leaving it (-1). */
  sampleComputeLocation(block: BlockRef, decision?: number): LoopRV {
    return this.#run.guard("sample_compute_location", () => {
      const rv = this.#run.blockRV(block);
      const { gv, tree, realize } = this.#run.state.block(rv);
      const chosen = this.#run.computeLocation(tree, realize, decision);
      const out = chosen?.loop === undefined ? this.#run.state.newLocation(chosen?.index === -2 ? "inline" : "root") : this.#run.state.newLoop(gv, chosen.loop.loopVar);
      this.#run.record("SampleComputeLocation", { block: rv }, [out], chosen?.index ?? -1);
      return out;
    });
  }

  // ---- getters

  /** The block named `name`. */
  getBlock(name: string, funcName?: string): BlockRV {
    return this.#run.getBlock(name, funcName);
  }

  /** The loops around a block within its scope, outermost first. */
  getLoops(block: BlockRef): readonly LoopRV[] {
    return this.#run.guard("get_loops", () => {
      const rv = this.#run.blockRV(block);
      const { gv, tree, realize } = this.#run.state.block(rv);
      const rvs = tree.loopsOf(realize).map((l) => this.#run.state.newLoop(gv, l.loopVar));
      this.#run.record("GetLoops", { block: rv }, rvs);
      return rvs;
    });
  }

  /** The blocks inside a block or a loop, without those inside them, in order. */
  getChildBlocks(of: BlockRef | LoopRV): readonly BlockRV[] {
    const rv = this.#run.siteRV(of);
    return this.#run.blocks("GetChildBlocks", { block_or_loop: rv }, rv, (_, s) => childBlocks(s));
  }

  /** The blocks of the same scope that write what `block` reads. */
  getProducers(block: BlockRef): readonly BlockRV[] {
    const rv = this.#run.blockRV(block);
    return this.#run.blocks("GetProducers", { block: rv }, rv, (tree, s) => producersOf(tree, s as BlockRealize));
  }

  /** The blocks of the same scope that read what `block` writes. */
  getConsumers(block: BlockRef): readonly BlockRV[] {
    const rv = this.#run.blockRV(block);
    return this.#run.blocks("GetConsumers", { block: rv }, rv, (tree, s) => consumersOf(tree, s as BlockRealize));
  }

  /** The blocks in a scope that write to memory the scope does not allocate. */
  getOutputBlocks(scope: BlockRef): readonly BlockRV[] {
    const rv = this.#run.blockRV(scope);
    return this.#run.blocks("GetOutputBlocks", { scope_block: rv }, rv, (tree, s) => outputBlocks(tree, s as BlockRealize));
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
    return this.#run.onLoop("Split", args, loop, (tree, l) =>
      splitLoop(tree, l, factors.map((f) => this.#run.factor(f)), { preserveUnitIters, disablePredication }),
    ).loops;
  }

  /** Nested loops made one. */
  fuse(loops: readonly LoopRV[], opts: { readonly preserveUnitIters?: boolean } = {}): LoopRV {
    const { preserveUnitIters = true } = opts;
    const [first] = loops;
    return one(
      this.#run.onLoop("Fuse", { loops, preserve_unit_iters: preserveUnitIters }, first, (tree) =>
        fuseLoops(tree, loops.map((l) => this.#run.state.loop(l).loop), preserveUnitIters),
      ).loops,
    );
  }

  /** Loops beside each other made one of all their bodies. */
  merge(loops: readonly LoopRV[]): LoopRV {
    const [first] = loops;
    return one(this.#run.onLoop("Merge", { loops }, first, (tree) => mergeLoops(tree, loops.map((l) => this.#run.state.loop(l).loop))).loops);
  }

  /** The loop cut into consecutive loops of the given lengths, of which one may be undefined. */
  loopPartition(loop: LoopRV, factors: readonly FactorRef[], opts: { readonly preserveUnitIters?: boolean } = {}): readonly LoopRV[] {
    const { preserveUnitIters = true } = opts;
    const args = { loop, factors: factors.map(asInput), preserve_unit_iters: preserveUnitIters };
    return this.#run.onLoop("LoopPartition", args, loop, (tree, l) => partitionLoop(tree, l, factors.map((f) => this.#run.factor(f)))).loops;
  }

  /** Loops of one nest put in the given order; loops between them that are not listed stay where they are. */
  reorder(loops: readonly LoopRV[]): void {
    const [first] = loops;
    this.#run.onLoop("Reorder", { ordered_loops: loops }, first, (tree) => reorderLoops(tree, loops.map((l) => this.#run.state.loop(l).loop)));
  }

  /** The iteration variables of a block in another order: number `newOrder[i]` comes at place `i`. */
  reorderBlockIterVar(block: BlockRef, newOrder: readonly number[]): void {
    this.#run.onBlock("ReorderBlockIterVar", block, { new_order: newOrder }, ({ tree, realize }) => reorderBlockIterVar(tree, realize, newOrder));
  }

  /** A loop of one iteration around a block or loop. */
  addUnitLoop(inside: BlockRef | LoopRV): LoopRV {
    return this.#run.guard("add_unit_loop", () => {
      const rv = this.#run.siteRV(inside);
      const { gv, tree, stmt } = this.#run.state.site(rv);
      return one(this.#run.commit("AddUnitLoop", { block_or_loop: rv }, gv, addUnitLoop(tree, stmt)).loops);
    }, [typeof inside === "string" ? undefined : inside]);
  }

  // ---- kinds of loops

  parallel(loop: LoopRV): void {
    this.#run.onLoop("Parallel", { loop }, loop, (tree, l) => setForKind(tree, l, "parallel"));
  }

  vectorize(loop: LoopRV): void {
    this.#run.onLoop("Vectorize", { loop }, loop, (tree, l) => setForKind(tree, l, "vectorized"));
  }

  unroll(loop: LoopRV): void {
    this.#run.onLoop("Unroll", { loop }, loop, (tree, l) => setForKind(tree, l, "unrolled"));
  }

  /** Runs the iterations on the threads of an axis such as `threadIdx.x`. */
  bind(loop: LoopRV, threadAxis: string): void {
    this.#run.onLoop("Bind", { loop, thread_axis: threadAxis }, loop, (tree, l) => setForKind(tree, l, "thread_binding", threadAxis));
  }

  // ---- caching

  /** A copy of a buffer that the block reads, in another scope, which `consumers` (all readers if none) read; gives the block that makes it. */
  cacheRead(block: BlockRef, readBuffer: BufferRef, storageScope: string, consumers: readonly BlockRef[] = []): BlockRV {
    const rvs = consumers.map((c) => this.#run.blockRV(c));
    return this.#run.oneBlock("CacheRead", block, (site) => {
      const { index } = resolveBuffer(site.realize.block, readBuffer, "read");
      const args = { read_buffer_index: index, storage_scope: storageScope, consumer_blocks: rvs };
      return [args, cacheRead(site.tree, site.realize, index, storageScope, rvs.map((c) => this.#run.state.block(c).realize))];
    });
  }

  /** What the block writes made in another scope first, where `consumers` read it; gives the block that copies it out. */
  cacheWrite(block: BlockRef, writeBuffer: BufferRef, storageScope: string, consumers: readonly BlockRef[] = []): BlockRV {
    const rvs = consumers.map((c) => this.#run.blockRV(c));
    return this.#run.oneBlock("CacheWrite", block, (site) => {
      const { index } = resolveBuffer(site.realize.block, writeBuffer, "write");
      const args = { write_buffer_index: index, storage_scope: storageScope, consumer_blocks: rvs };
      return [args, cacheWrite(site.tree, site.realize, index, storageScope, rvs.map((c) => this.#run.state.block(c).realize))];
    });
  }

  /** As `cacheRead`, the copy laid out by a map of the block's variables to indices. */
  reindexCacheRead(block: BlockRef, readBufferIndex: number, storageScope: string, indexMap: IndexFunction): BlockRV {
    return this.#run.oneBlock("ReindexCacheRead", block, ({ tree, realize }) => {
      const map = toIndexMap(indexMap, undefined, defaultIndexType(realize.block)).map;
      const args = { read_buffer_index: readBufferIndex, storage_scope: storageScope, index_map: map };
      return [args, reindexCacheRead(tree, realize, readBufferIndex, storageScope, map)];
    });
  }

  /** As `cacheWrite`, the cache laid out by a map of the block's variables to indices. */
  reindexCacheWrite(block: BlockRef, writeBufferIndex: number, storageScope: string, indexMap: IndexFunction): BlockRV {
    return this.#run.oneBlock("ReindexCacheWrite", block, ({ tree, realize }) => {
      const map = toIndexMap(indexMap, undefined, defaultIndexType(realize.block)).map;
      const args = { write_buffer_index: writeBufferIndex, storage_scope: storageScope, index_map: map };
      return [args, reindexCacheWrite(tree, realize, writeBufferIndex, storageScope, map)];
    });
  }

  /** A buffer that the block changes in place copied in before it and out after it; gives both copying blocks. */
  cacheInplace(block: BlockRef, readBuffer: BufferRef, storageScope: string): readonly BlockRV[] {
    return this.#run.onBlockWith("CacheInplace", block, ({ tree, realize }) => {
      const { index } = resolveBuffer(realize.block, readBuffer, "read");
      return [{ read_buffer_index: index, storage_scope: storageScope }, cacheInplace(tree, realize, index, storageScope)];
    }).blocks;
  }

  /** The indices that the block computes stored in buffers, those that occur more than `cseThresh` times; gives the blocks that do. */
  cacheIndex(block: BlockRef, storageScope: string, cseThresh = 0): readonly BlockRV[] {
    return this.#run.onBlock("CacheIndex", block, { storage_scope: storageScope, cse_thresh: cseThresh }, ({ tree, realize }) =>
      cacheIndex(tree, realize, storageScope, cseThresh),
    ).blocks;
  }

  /** A copy of a buffer in the order in which the block goes over it, which the block uses in its place. */
  reindex(block: BlockRef, buffer: BufferRef): BlockRV {
    return this.#run.oneBlock("ReIndex", block, ({ tree, realize }) => {
      const which = resolveBuffer(realize.block, buffer, undefined);
      return [{ buffer: which }, reindex(tree, realize, which)];
    });
  }

  /** The part of a buffer that the block reads in one iteration of `loop`, copied at its start by an opaque block. */
  readAt(loop: LoopRV, block: BlockRef, readBufferIndex: number, storageScope: string): BlockRV {
    return this.#run.oneBlock("ReadAt", block, ({ tree, realize }) => [
      { loop, read_buffer_index: readBufferIndex, storage_scope: storageScope },
      readAt(tree, this.#run.state.loop(loop).loop, realize, readBufferIndex, storageScope),
    ]);
  }

  /** The part of a buffer that the block writes in one iteration of `loop`, copied out at its end by an opaque block. */
  writeAt(loop: LoopRV, block: BlockRef, writeBufferIndex: number, storageScope: string): BlockRV {
    return this.#run.oneBlock("WriteAt", block, ({ tree, realize }) => [
      { loop, write_buffer_index: writeBufferIndex, storage_scope: storageScope },
      writeAt(tree, this.#run.state.loop(loop).loop, realize, writeBufferIndex, storageScope),
    ]);
  }

  // ---- compute location

  /** The block moved under a loop of its consumers. At a sampled location the block may be inlined or left. */
  computeAt(block: BlockRef, loop: LoopRV, opts: MoveOptions = {}): void {
    this.#run.move("ComputeAt", block, loop, opts, computeAt, computeInline);
  }

  /** The block moved under a loop of its producers. At a sampled location the block may be inlined or left. */
  reverseComputeAt(block: BlockRef, loop: LoopRV, opts: MoveOptions = {}): void {
    this.#run.move("ReverseComputeAt", block, loop, opts, reverseComputeAt, reverseComputeInline);
  }

  /** The block's expression put in place of every read of its output; the block goes. */
  computeInline(block: BlockRef): void {
    this.#run.onBlock("ComputeInline", block, {}, ({ tree, realize }) => computeInline(tree, realize));
  }

  /** The block put into its only producer; the block goes. */
  reverseComputeInline(block: BlockRef): void {
    this.#run.onBlock("ReverseComputeInline", block, {}, ({ tree, realize }) => reverseComputeInline(tree, realize));
  }

  // ---- reduction

  /** The init of a reduction made a block before `loop`; gives that block. */
  decomposeReduction(block: BlockRef, loop: LoopRV): BlockRV {
    return this.#run.oneBlock("DecomposeReduction", block, ({ tree, realize }) => [
      { loop },
      decomposeReduction(tree, realize, this.#run.state.loop(loop).loop),
    ]);
  }

  /** A reduction over `loop` split in two: partial results along a new axis, and their reduction; gives the block of the former. */
  rfactor(loop: LoopRV, factorAxis: number): BlockRV {
    const { blocks } = this.#run.onLoop("RFactor", { loop, factor_axis: factorAxis }, loop, (tree, l) => rfactor(tree, l, factorAxis));
    return one(blocks);
  }

  /** The iteration domains of a contraction padded to multiples of `padding`, its operands and result with them. */
  padEinsum(block: BlockRef, padding: readonly number[]): void {
    this.#run.onBlock("PadEinsum", block, { padding }, ({ tree, realize }) => padEinsum(tree, realize, padding));
  }

  // ---- annotations of buffers

  /** The stride of one axis of a written buffer made `k * factor + offset`. */
  storageAlign(block: BlockRef, bufferIndex: number, axis: number, factor: number, offset: number): void {
    this.#run.onBlock("StorageAlign", block, { buffer_index: bufferIndex, axis, factor, offset }, ({ tree, realize }) =>
      storageAlign(tree, realize, bufferIndex, axis, factor, offset),
    );
  }

  /** The storage scope of a buffer the block writes. */
  setScope(block: BlockRef, buffer: BufferRef, storageScope: string): void {
    this.#run.onBlockWith("SetScope", block, ({ tree, realize }) => {
      const { index } = resolveBuffer(realize.block, buffer, "write");
      return [{ buffer_index: index, storage_scope: storageScope }, setScope(tree, realize, index, storageScope)];
    });
  }

  /** Another element type for a buffer the block writes, with conversions at its uses. May change results. */
  unsafeSetDType(block: BlockRef, bufferIndex: number, dtype: string): void {
    this.#run.onBlock("UnsafeSetDType", block, { buffer_index: bufferIndex, dtype }, ({ tree, realize }) =>
      unsafeSetDType(tree, realize, bufferIndex, dtype),
    );
  }

  /** Groups the axes of a buffer, each group being a dimension of the memory it lies in. */
  setAxisSeparator(block: BlockRef, buffer: BufferRef, axisSeparators: readonly number[]): void {
    this.#run.onBlockWith("SetAxisSeparator", block, ({ tree, realize }) => {
      const which = resolveBuffer(realize.block, buffer, undefined);
      return [{ buffer: which, axis_separators: axisSeparators }, setAxisSeparator(tree, realize, which, axisSeparators)];
    });
  }

  annotate(at: BlockRef | LoopRV, key: string, value: AnnotationValue): void {
    this.#run.onSite("Annotate", at, { ann_key: key, ann_val: annotationInput(value) }, (tree, stmt) => annotate(tree, stmt, key, this.#run.annotation(value)));
  }

  unannotate(at: BlockRef | LoopRV, key: string): void {
    this.#run.onSite("Unannotate", at, { ann_key: key }, (tree, stmt) => annotate(tree, stmt, key, undefined));
  }

  /** The region of a buffer that the block is said to touch, as (begin, end) pairs of the block's variables. */
  annotateBufferAccess(block: BlockRef, bufferIndex: number, side: "read" | "write", ranges: IndexMap): void {
    const args = { buffer_index: bufferIndex, buf_type: side, gen_new_ranges: ranges };
    this.#run.onBlock("AnnotateBufferAccess", block, args, ({ tree, realize }) => annotateBufferAccess(tree, realize, bufferIndex, side, ranges));
  }

  /** Takes buffers out of the declared reads or writes of a block. The program may be wrong after it. */
  unsafeHideBufferAccess(block: BlockRef, side: string, indices: readonly number[]): void {
    this.#run.onBlock("UnsafeHideBufferAccess", block, { buf_type: side, buf_index_array: indices }, ({ tree, realize }) =>
      unsafeHideBufferAccess(tree, realize, side, indices),
    );
  }

  // ---- blocks of blocks

  /** The subtree of a loop, or blocks under one loop, made one block; gives it. */
  blockize(target: LoopRV | readonly BlockRV[], opts: { readonly preserveUnitIters?: boolean } = {}): BlockRV {
    const { preserveUnitIters = true } = opts;
    const args = { target, preserve_unit_iters: preserveUnitIters };
    if (isLoopRV(target)) return one(this.#run.onLoop("Blockize", args, target, (tree, l) => blockizeLoop(tree, l, preserveUnitIters)).blocks);
    return this.#run.guard("blockize", () => {
      const sites = target.map((b) => this.#run.state.block(b));
      const [first] = sites;
      if (first === undefined) return refuse("no blocks were given");
      const outcome = blockizeBlocks(first.tree, sites.map((s) => s.realize), preserveUnitIters);
      return one(this.#run.commit("Blockize", args, first.gv, outcome).blocks);
    }, target);
  }

  /** The computation under a loop, or of a block, replaced by a tensor intrinsic that computes the same. */
  tensorize(at: BlockRef | LoopRV, intrin: string | TensorIntrin, opts: { readonly preserveUnitIters?: boolean } = {}): void {
    const { preserveUnitIters = true } = opts;
    const name = typeof intrin === "string" ? intrin : "";
    this.#run.onSite("Tensorize", at, { tensor_intrin: name, preserve_unit_iters: preserveUnitIters }, (tree, stmt) => {
      const found = typeof intrin === "string" ? this.#run.options.intrins?.get(intrin) : intrin;
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
    this.#run.onBlockWith("TransformLayout", block, ({ tree, realize }) => {
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
    this.#run.onBlockWith("TransformBlockLayout", block, ({ tree, realize }) => {
      const { map } = toIndexMap(indexMap, realize.block.iterVars.length, defaultIndexType(realize.block));
      return [{ index_map: map }, transformBlockLayout(tree, realize, map)];
    });
  }

  // ---- padding and rolling

  /** A block that pads split in two before `loop`: one fills with the pad value, one copies; gives the former. */
  decomposePadding(block: BlockRef, loop: LoopRV): BlockRV {
    return this.#run.oneBlock("DecomposePadding", block, ({ tree, realize }) => [{ loop }, decomposePadding(tree, realize, this.#run.state.loop(loop).loop)]);
  }

  /** True if `decomposePadding` would apply. */
  canDecomposePadding(block: BlockRef, loop: LoopRV): boolean {
    try {
      const { tree, realize } = this.#run.state.block(this.#run.blockRV(block));
      decomposePadding(tree, realize, this.#run.state.loop(loop).loop);
      return true;
    } catch (e) {
      if (e instanceof PrimitiveRefused) return false;
      throw e;
    }
  }

  /** A buffer that a sliding window goes over made circular, so that each element is computed once. */
  rollingBuffer(block: BlockRef, writeBufferIndex: number): void {
    this.#run.onBlock("RollingBuffer", block, { write_buffer_index: writeBufferIndex }, ({ tree, realize }) => rollingBuffer(tree, realize, writeBufferIndex));
  }

  /** Marks the place in the trace from which on steps are post-processing. */
  enterPostproc(): void {
    this.#run.record("EnterPostproc", {}, []);
  }
}

function asInput(f: FactorRef): InstructionInput {
  return f === undefined ? null : f;
}
