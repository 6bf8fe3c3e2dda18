import { findGlobalVar, isNode, makeIntImm, mapFunctions, type AttrValue, type BaseFunc, type GlobalVar, type IRModule } from "@verticil/ir-core";
import type { PrimExpr } from "../ir/expr.ts";
import type { BlockRealize, For, IndexMap, PrimFunc } from "../ir/stmt.ts";
import { asInt, constant } from "../ir/ops.ts";
import { childBlocks, blockKey, FuncTree, type BlockKey } from "./func-tree.ts";
import { consumersOf, outputBlocks, producersOf, rootRealize } from "./block-relations.ts";
import type { Decision, Instruction, InstructionInput } from "./instruction.ts";
import { annotateBlock, storageAlign } from "./primitive/block-edit.ts";
import { cacheRead, cacheWrite, setScope, type BlockResult } from "./primitive/cache.ts";
import { computeAt, reverseComputeAt } from "./primitive/compute-at.ts";
import { computeInline, reverseComputeInline } from "./primitive/compute-inline.ts";
import { annotateLoop, setForKind } from "./primitive/loop-kind.ts";
import { addUnitLoop, fuseLoops, mergeLoops, partitionLoop, reorderLoops, splitLoop, type LoopResult } from "./primitive/loop-shape.ts";
import { transformBlockLayout, transformLayout } from "./primitive/layout.ts";
import { decomposeReduction } from "./primitive/reduction.ts";
import type { BlockRV, ExprRV, LoopRV, RandomVariable } from "./random-variable.ts";
import { PrimitiveRefused, ScheduleError, refuse } from "./schedule-error.ts";

/** A block by its random variable or, if only one has it, by its name. */
export type BlockRef = BlockRV | string;

/** A whole number: plain, constant, sampled, or left open. */
export type FactorRef = number | PrimExpr | ExprRV | undefined;

/** How a schedule reports and where it starts. */
export interface ScheduleOptions {
  /** Prints a function for error messages; `at` is the node to mark. */
  readonly render?: (func: PrimFunc, at: unknown) => string;
}

type Place = { readonly func: GlobalVar; readonly block: BlockKey } | { readonly func: GlobalVar; readonly loop: For["loopVar"] };

interface Outcome {
  readonly func: PrimFunc;
  readonly places: readonly Place[];
  /** Blocks that are recognised by another key from now on. */
  readonly rekeyed?: ReadonlyMap<BlockKey, BlockKey>;
}

/**
 * Changes how the functions of a module compute, not what (upstream's `tir.Schedule`). The module itself is never
 * changed: `mod` is the current version. Each primitive either applies or throws a `ScheduleError` and leaves everything
 * as it was. Blocks and loops are named by random variables that stay good through every rewrite.
 */
export class Schedule {
  #module: IRModule;
  #places = new Map<RandomVariable, Place>();
  #values = new Map<ExprRV, number>();
  #instructions: Instruction[] = [];
  #decisions = new Map<Instruction, Decision>();
  #trees = new Map<GlobalVar, FuncTree>();
  #workingOn: GlobalVar | undefined;
  #nextId = 0;
  readonly #render: ScheduleOptions["render"];

  constructor(module: IRModule, options: ScheduleOptions = {}) {
    this.#module = module;
    this.#render = options.render;
  }

  /** The module as it is now. */
  get mod(): IRModule {
    return this.#module;
  }

  /** The steps so far, in order. */
  get instructions(): readonly Instruction[] {
    return this.#instructions;
  }

  /** What sampling steps have chosen. */
  get decisions(): ReadonlyMap<Instruction, Decision> {
    return this.#decisions;
  }

  /** An independent schedule in the same state; random variables of this one are good there too. */
  copy(): Schedule {
    const other = new Schedule(this.#module, this.#render ? { render: this.#render } : {});
    other.#places = new Map(this.#places);
    other.#values = new Map(this.#values);
    other.#instructions = [...this.#instructions];
    other.#decisions = new Map(this.#decisions);
    other.#workingOn = this.#workingOn;
    other.#nextId = this.#nextId;
    return other;
  }

  /** Makes `funcName` the function that `getBlock` looks in. */
  workOn(funcName: string): void {
    this.#workingOn = this.#functionNamed("workOn", funcName);
  }

  /** The loop or block that a random variable stands for now, or the value of an expression. */
  get(rv: BlockRV): BlockRealize;
  get(rv: LoopRV): For;
  get(rv: ExprRV): number;
  get(rv: RandomVariable): BlockRealize | For | number {
    return this.#guard("get", undefined, () => {
      if (rv.kind === "BlockRV") return this.#block(rv).realize;
      if (rv.kind === "LoopRV") return this.#loop(rv).loop;
      return this.#values.get(rv) ?? refuse("this expression has no value here");
    });
  }

  /** The function that a block or loop is in, as it is now. */
  funcOf(rv: BlockRV | LoopRV): PrimFunc {
    return this.#guard("funcOf", undefined, () => this.#treeOf(rv).func);
  }

  // ---- getters

  /** The block named `name`. */
  getBlock(name: string, funcName?: string): BlockRV {
    return this.#guard("getBlock", undefined, () => {
      const gv = funcName === undefined ? this.#defaultFunction() : this.#functionNamed("getBlock", funcName);
      const found = [...this.#tree(gv).blocks].filter(([, r]) => r.block.name === name);
      const [first] = found;
      if (first === undefined || found.length > 1) {
        const names = [...this.#tree(gv).blocks.values()].map((r) => `\`${r.block.name}\``).join(", ");
        return refuse(`there are ${found.length} blocks named \`${name}\` in \`${gv.name}\`, which has ${names}`);
      }
      const rv = this.#newBlock({ func: gv, block: first[0] });
      this.#record("GetBlock", [], [name, gv.name], [rv]);
      return rv;
    });
  }

  /** The loops around a block within its scope, outermost first. */
  getLoops(block: BlockRef): readonly LoopRV[] {
    return this.#guard("getLoops", block, () => {
      const { gv, tree, realize } = this.#block(block);
      const rvs = tree.loopsOf(realize).map((l) => this.#newLoop({ func: gv, loop: l.loopVar }));
      this.#record("GetLoops", [block], [], rvs);
      return rvs;
    });
  }

  /** The blocks inside a block or a loop, without those inside them, in order. */
  getChildBlocks(of: BlockRef | LoopRV): readonly BlockRV[] {
    return this.#blocks("GetChildBlocks", of, (_, s) => childBlocks(s));
  }

  /** The blocks of the same scope that write what `block` reads. */
  getProducers(block: BlockRef): readonly BlockRV[] {
    return this.#blocks("GetProducers", block, (tree, s) => producersOf(tree, s as BlockRealize));
  }

  /** The blocks of the same scope that read what `block` writes. */
  getConsumers(block: BlockRef): readonly BlockRV[] {
    return this.#blocks("GetConsumers", block, (tree, s) => consumersOf(tree, s as BlockRealize));
  }

  /** The blocks in a scope that write to memory the scope does not allocate. */
  getOutputBlocks(scope: BlockRef): readonly BlockRV[] {
    return this.#blocks("GetOutputBlocks", scope, (tree, s) => outputBlocks(tree, s as BlockRealize));
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
    return this.#loops("Split", loop, [loop, ...factors], [Number(preserveUnitIters), Number(disablePredication)], (tree, l) =>
      splitLoop(tree, l, factors.map((f) => this.#factor(f, l.loopVar.dtype)), { preserveUnitIters, disablePredication }),
    );
  }

  /** Nested loops made one. */
  fuse(loops: readonly LoopRV[], opts: { readonly preserveUnitIters?: boolean } = {}): LoopRV {
    const { preserveUnitIters = true } = opts;
    const out = this.#loops("Fuse", loops[0], loops, [Number(preserveUnitIters)], (tree) =>
      fuseLoops(tree, loops.map((l) => this.#loop(l).loop), preserveUnitIters),
    );
    return one(out);
  }

  /** Loops beside each other made one of all their bodies. */
  merge(loops: readonly LoopRV[]): LoopRV {
    return one(this.#loops("Merge", loops[0], loops, [], (tree) => mergeLoops(tree, loops.map((l) => this.#loop(l).loop))));
  }

  /** Loops of one nest in the given order. */
  reorder(loops: readonly LoopRV[]): void {
    this.#edit("Reorder", loops[0], loops, [], (tree) => reorderLoops(tree, loops.map((l) => this.#loop(l).loop)));
  }

  /** The loop cut into consecutive ones of the given lengths, of which one may be undefined. */
  loopPartition(loop: LoopRV, factors: readonly FactorRef[], opts: { readonly preserveUnitIters?: boolean } = {}): readonly LoopRV[] {
    const { preserveUnitIters = true } = opts;
    return this.#loops("LoopPartition", loop, [loop, ...factors], [Number(preserveUnitIters)], (tree, l) => {
      const lengths = factors.map((f) => {
        const e = this.#factor(f, l.loopVar.dtype);
        return e && (asInt(e) ?? refuse("a length is not constant"));
      });
      return partitionLoop(tree, l, lengths, preserveUnitIters);
    });
  }

  /** A loop of one iteration around a block or loop. */
  addUnitLoop(inside: BlockRef | LoopRV): LoopRV {
    return this.#guard("addUnitLoop", inside, () => {
      const { gv, tree, stmt } = this.#site(inside);
      return one(this.#commitLoops("AddUnitLoop", gv, [inside], [], addUnitLoop(tree, stmt)));
    });
  }

  parallel(loop: LoopRV): void {
    this.#edit("Parallel", loop, [loop], [], (tree, l) => setForKind(tree, l, "parallel"));
  }

  vectorize(loop: LoopRV): void {
    this.#edit("Vectorize", loop, [loop], [], (tree, l) => setForKind(tree, l, "vectorized"));
  }

  unroll(loop: LoopRV): void {
    this.#edit("Unroll", loop, [loop], [], (tree, l) => setForKind(tree, l, "unrolled"));
  }

  /** Runs the iterations on the threads of an axis such as `threadIdx.x`. */
  bind(loop: LoopRV, threadAxis: string): void {
    this.#edit("Bind", loop, [loop], [threadAxis], (tree, l) => setForKind(tree, l, "thread_binding", threadAxis));
  }

  // ---- compute location

  /** The block put in place of every read of its output. */
  computeInline(block: BlockRef): void {
    this.#editBlock("ComputeInline", block, [block], [], computeInline);
  }

  /** The block put into its only producer. */
  reverseComputeInline(block: BlockRef): void {
    this.#editBlock("ReverseComputeInline", block, [block], [], reverseComputeInline);
  }

  /** The block moved under a loop of its consumers. `index`: -1 as late as possible, -2 as early. */
  computeAt(block: BlockRef, loop: LoopRV, opts: { readonly preserveUnitLoops?: boolean; readonly index?: number } = {}): void {
    const { preserveUnitLoops = false, index = -1 } = opts;
    this.#editBlock("ComputeAt", block, [block, loop], [Number(preserveUnitLoops), index], (tree, realize) =>
      computeAt(tree, realize, this.#loop(loop).loop, { preserveUnitLoops, index }),
    );
  }

  /** The block moved under a loop of its producers. `index`: -1 as late as possible, -2 as early. */
  reverseComputeAt(block: BlockRef, loop: LoopRV, opts: { readonly preserveUnitLoops?: boolean; readonly index?: number } = {}): void {
    const { preserveUnitLoops = false, index = -1 } = opts;
    this.#editBlock("ReverseComputeAt", block, [block, loop], [Number(preserveUnitLoops), index], (tree, realize) =>
      reverseComputeAt(tree, realize, this.#loop(loop).loop, { preserveUnitLoops, index }),
    );
  }

  // ---- caching

  /** A copy of read number `readIndex` in another scope; gives the block that makes it. */
  cacheRead(block: BlockRef, readIndex: number, storageScope: string, consumers: readonly BlockRef[] = []): BlockRV {
    return this.#block1("CacheRead", block, [block, consumers], [readIndex, storageScope], (tree, realize) =>
      cacheRead(tree, realize, readIndex, storageScope, consumers.map((c) => this.#block(c).realize)),
    );
  }

  /** Write number `writeIndex` made to another scope first; gives the block that copies it out. */
  cacheWrite(block: BlockRef, writeIndex: number, storageScope: string, consumers: readonly BlockRef[] = []): BlockRV {
    return this.#block1("CacheWrite", block, [block, consumers], [writeIndex, storageScope], (tree, realize) =>
      cacheWrite(tree, realize, writeIndex, storageScope, consumers.map((c) => this.#block(c).realize)),
    );
  }

  /** The storage scope of a buffer the block writes. */
  setScope(block: BlockRef, bufferIndex: number, storageScope: string): void {
    this.#editBlock("SetScope", block, [block], [bufferIndex, storageScope], (tree, r) => setScope(tree, r, bufferIndex, storageScope));
  }

  storageAlign(block: BlockRef, bufferIndex: number, axis: number, factor: number, offset: number): void {
    this.#editBlock("StorageAlign", block, [block], [bufferIndex, axis, factor, offset], (tree, r) =>
      storageAlign(tree, r, bufferIndex, axis, factor, offset),
    );
  }

  // ---- reduction

  /** The init of a reduction made a block before `loop`; gives that block. */
  decomposeReduction(block: BlockRef, loop: LoopRV): BlockRV {
    return this.#block1("DecomposeReduction", block, [block, loop], [], (tree, realize) =>
      decomposeReduction(tree, realize, this.#loop(loop).loop),
    );
  }

  // ---- layout

  /** Element `i` of a buffer that the block reads or writes kept at `indexMap(i)`, everywhere in the function. */
  transformLayout(
    block: BlockRef,
    bufferIndex: number,
    side: "read" | "write",
    indexMap: IndexMap,
    opts: { readonly padValue?: PrimExpr } = {},
  ): void {
    this.#editBlock("TransformLayout", block, [block], [bufferIndex, side === "read" ? 0 : 1, indexMap], (tree, r) =>
      transformLayout(tree, r, bufferIndex, side, indexMap, opts.padValue),
    );
  }

  /** The variables of a block changed by a map; its loops become one for each new variable. */
  transformBlockLayout(block: BlockRef, indexMap: IndexMap): void {
    this.#guard("transformBlockLayout", block, () => {
      const { gv, tree, realize } = this.#block(block);
      const { func, from, to } = transformBlockLayout(tree, realize, indexMap);
      this.#commit("TransformBlockLayout", gv, [block], [indexMap], { func, places: [], rekeyed: new Map([[from, to]]) });
    });
  }

  // ---- annotations

  annotate(at: BlockRef | LoopRV, key: string, value: AttrValue): void {
    this.#annotate("Annotate", at, key, typeof value === "number" && Number.isInteger(value) ? makeIntImm(value) : value);
  }

  unannotate(at: BlockRef | LoopRV, key: string): void {
    this.#annotate("Unannotate", at, key, undefined);
  }

  #annotate(kind: string, at: BlockRef | LoopRV, key: string, value: AttrValue | undefined): void {
    this.#guard(kind === "Annotate" ? "annotate" : "unannotate", at, () => {
      const { gv, tree, stmt } = this.#site(at);
      const func = stmt.kind === "tir.For" ? annotateLoop(tree, stmt, key, value) : annotateBlock(tree, stmt, key, value);
      this.#commit(kind, gv, value === undefined ? [at] : [at, inputOf(value)], [key], { func, places: [] });
    });
  }

  // ---- machinery

  #guard<T>(primitive: string, _at: unknown, run: () => T): T {
    try {
      return run();
    } catch (e) {
      if (!(e instanceof PrimitiveRefused)) throw e;
      throw new ScheduleError(primitive, e.problem, this.#rendered(e.problem.at));
    }
  }

  #rendered(at: unknown): string | undefined {
    const render = this.#render;
    if (render === undefined) return undefined;
    const texts: string[] = [];
    for (const func of this.#module.functions.values()) if (isPrimFunc(func)) texts.push(render(func, at));
    return texts.join("\n\n");
  }

  #functionNamed(primitive: string, name: string): GlobalVar {
    const gv = findGlobalVar(this.#module, name);
    const func = gv && this.#module.functions.get(gv);
    if (gv === undefined || func === undefined || !isPrimFunc(func)) {
      throw new ScheduleError(primitive, { message: `the module has no PrimFunc \`${name}\`` }, undefined);
    }
    return gv;
  }

  #defaultFunction(): GlobalVar {
    if (this.#workingOn !== undefined) return this.#workingOn;
    const funcs = [...this.#module.functions].filter(([, f]) => isPrimFunc(f)).map(([gv]) => gv);
    const [only] = funcs;
    if (only !== undefined && funcs.length === 1) return only;
    return funcs.find((gv) => gv.name === "main") ?? refuse(`the module has ${funcs.length} PrimFuncs`, undefined, "Name the function, or call `workOn` first.");
  }

  #tree(gv: GlobalVar): FuncTree {
    const func = this.#module.functions.get(gv);
    if (func === undefined || !isPrimFunc(func)) return refuse(`\`${gv.name}\` is no longer a PrimFunc of the module`);
    const known = this.#trees.get(gv);
    if (known?.func === func) return known;
    rootRealize(func);
    const tree = new FuncTree(func);
    this.#trees.set(gv, tree);
    return tree;
  }

  #treeOf(rv: BlockRV | LoopRV): FuncTree {
    return rv.kind === "BlockRV" ? this.#block(rv).tree : this.#loop(rv).tree;
  }

  #block(ref: BlockRef): { readonly gv: GlobalVar; readonly tree: FuncTree; readonly realize: BlockRealize } {
    if (typeof ref === "string") {
      const gv = this.#defaultFunction();
      const tree = this.#tree(gv);
      const found = [...tree.blocks.values()].filter((r) => r.block.name === ref);
      const [realize] = found;
      if (realize === undefined || found.length > 1) return refuse(`there are ${found.length} blocks named \`${ref}\``);
      return { gv, tree, realize };
    }
    const place = this.#places.get(ref);
    if (place === undefined || !("block" in place)) return refuse("this block variable is not of this schedule");
    const tree = this.#tree(place.func);
    const realize = tree.blocks.get(place.block);
    return realize === undefined
      ? refuse("the block is no longer in the program", undefined, "It was inlined or replaced; get it anew.")
      : { gv: place.func, tree, realize };
  }

  #loop(rv: LoopRV): { readonly gv: GlobalVar; readonly tree: FuncTree; readonly loop: For } {
    const place = this.#places.get(rv);
    if (place === undefined || !("loop" in place)) return refuse("this loop variable is not of this schedule");
    const tree = this.#tree(place.func);
    const loop = tree.loops.get(place.loop);
    return loop === undefined
      ? refuse(`loop \`${place.loop.name}\` is no longer in the program`, undefined, "It was split, fused or left empty; get the loops anew.")
      : { gv: place.func, tree, loop };
  }

  #site(ref: BlockRef | LoopRV): { readonly gv: GlobalVar; readonly tree: FuncTree; readonly stmt: BlockRealize | For } {
    if (typeof ref !== "string" && ref.kind === "LoopRV") {
      const { gv, tree, loop } = this.#loop(ref);
      return { gv, tree, stmt: loop };
    }
    const { gv, tree, realize } = this.#block(ref);
    return { gv, tree, stmt: realize };
  }

  #factor(f: FactorRef, dtype: PrimExpr["dtype"]): PrimExpr | undefined {
    if (f === undefined) return undefined;
    if (typeof f === "number") return constant(f, dtype);
    if (f.kind === "ExprRV") return constant(this.#values.get(f) ?? refuse("a factor has no value here"), dtype);
    const n = asInt(f);
    return n === undefined ? f : constant(n, dtype);
  }

  #newBlock(place: Place): BlockRV {
    const rv: BlockRV = { kind: "BlockRV", id: this.#nextId++ };
    this.#places.set(rv, place);
    return rv;
  }

  #newLoop(place: Place): LoopRV {
    const rv: LoopRV = { kind: "LoopRV", id: this.#nextId++ };
    this.#places.set(rv, place);
    return rv;
  }

  #record(kind: string, inputs: readonly InstructionInput[], attrs: readonly AttrValue[], outputs: readonly RandomVariable[]): void {
    this.#instructions.push({ kind, inputs, attrs, outputs });
  }

  #commit(kind: string, gv: GlobalVar, inputs: readonly InstructionInput[], attrs: readonly AttrValue[], outcome: Outcome): readonly RandomVariable[] {
    this.#module = mapFunctions(this.#module, (f, g) => (g === gv ? outcome.func : f));
    if (outcome.rekeyed) this.#rekey(gv, outcome.rekeyed);
    const outputs = outcome.places.map((p) => ("block" in p ? this.#newBlock(p) : this.#newLoop(p)));
    this.#record(kind, inputs, attrs, outputs);
    return outputs;
  }

  #rekey(gv: GlobalVar, keys: ReadonlyMap<BlockKey, BlockKey>): void {
    for (const [rv, place] of this.#places) {
      const next = "block" in place && place.func === gv ? keys.get(place.block) : undefined;
      if (next !== undefined) this.#places.set(rv, { func: gv, block: next });
    }
  }

  #commitLoops(kind: string, gv: GlobalVar, inputs: readonly InstructionInput[], attrs: readonly AttrValue[], result: LoopResult): readonly LoopRV[] {
    const places = result.loops.map((loop) => ({ func: gv, loop }));
    return this.#commit(kind, gv, inputs, attrs, { func: result.func, places }).filter((rv): rv is LoopRV => rv.kind === "LoopRV");
  }

  #loops(
    kind: string,
    at: LoopRV | undefined,
    inputs: readonly InstructionInput[],
    attrs: readonly AttrValue[],
    run: (tree: FuncTree, loop: For) => LoopResult,
  ): readonly LoopRV[] {
    return this.#guard(methodName(kind), at, () => {
      if (at === undefined) return refuse("no loops were given");
      const { gv, tree, loop } = this.#loop(at);
      return this.#commitLoops(kind, gv, inputs, attrs, run(tree, loop));
    });
  }

  #edit(
    kind: string,
    at: LoopRV | undefined,
    inputs: readonly InstructionInput[],
    attrs: readonly AttrValue[],
    run: (tree: FuncTree, loop: For) => PrimFunc,
  ): void {
    this.#loops(kind, at, inputs, attrs, (tree, loop) => ({ func: run(tree, loop), loops: [] }));
  }

  #editBlock(
    kind: string,
    at: BlockRef,
    inputs: readonly InstructionInput[],
    attrs: readonly AttrValue[],
    run: (tree: FuncTree, realize: BlockRealize) => PrimFunc,
  ): void {
    this.#guard(methodName(kind), at, () => {
      const { gv, tree, realize } = this.#block(at);
      this.#commit(kind, gv, inputs, attrs, { func: run(tree, realize), places: [] });
    });
  }

  #block1(
    kind: string,
    at: BlockRef,
    inputs: readonly InstructionInput[],
    attrs: readonly AttrValue[],
    run: (tree: FuncTree, realize: BlockRealize) => BlockResult,
  ): BlockRV {
    return this.#guard(methodName(kind), at, () => {
      const { gv, tree, realize } = this.#block(at);
      const { func, block } = run(tree, realize);
      const [rv] = this.#commit(kind, gv, inputs, attrs, { func, places: [{ func: gv, block }] });
      if (rv?.kind !== "BlockRV") throw new Error("internal: no block was made");
      return rv;
    });
  }

  #blocks(kind: string, of: BlockRef | LoopRV, find: (tree: FuncTree, s: BlockRealize | For) => readonly BlockRealize[]): readonly BlockRV[] {
    return this.#guard(methodName(kind), of, () => {
      const { gv, tree, stmt } = this.#site(of);
      const rvs = find(tree, stmt).map((r) => this.#newBlock({ func: gv, block: blockKey(r.block) }));
      this.#record(kind, [of], [], rvs);
      return rvs;
    });
  }
}

function methodName(kind: string): string {
  return kind.charAt(0).toLowerCase() + kind.slice(1);
}

function inputOf(value: AttrValue): InstructionInput {
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
  return isNode(value) && (value.kind === "ir.IntImm" || value.kind === "ir.FloatImm") ? (value as PrimExpr) : String(value);
}

function one(loops: readonly LoopRV[]): LoopRV {
  const [only] = loops;
  if (only === undefined) throw new Error("internal: no loop was made");
  return only;
}

/** True for a tensor program. */
export function isPrimFunc(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc";
}

