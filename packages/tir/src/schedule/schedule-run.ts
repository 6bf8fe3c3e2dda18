import { isNode, type Node, type AttrMap, type AttrValue, type GlobalVar, type IRModule } from "@verticil/ir-core";
import type { PrimExpr } from "../ir/expr.ts";
import { constant } from "../ir/ops.ts";
import type { BlockRealize, For, TensorIntrin } from "../ir/stmt.ts";
import { isPrimExpr } from "../script/result-dtype.ts";
import { blockKey, type FuncTree } from "./func-tree.ts";
import type { Decision } from "./instruction.ts";
import { kindNamed } from "./instruction-kinds.ts";
import { packArgs, type InstructionArgs } from "./instruction-args.ts";
import type { Outcome } from "./outcome.ts";
import type { AnnotationValue } from "./primitive/annotate.ts";
import { computeLocations, type ComputeLocation } from "./primitive/compute-location.ts";
import { RandomEngine } from "./random-engine.ts";
import type { BlockRV, ExprRV, LoopRV, RandomVariable } from "./random-variable.ts";
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
export interface Made {
  readonly blocks: readonly BlockRV[];
  readonly loops: readonly LoopRV[];
}

/**
 * What the methods of a schedule share: the state, the trace, where randomness stands, and the frame that each primitive
 * runs in, which turns refusals into errors with the program and records what applied.
 */
export class ScheduleRun {
  state: ScheduleState;
  trace: Trace = new Trace();
  workingOn: GlobalVar | undefined;
  random: RandomEngine;
  readonly options: ScheduleOptions;

  constructor(module: IRModule, options: ScheduleOptions) {
    this.state = new ScheduleState(module);
    this.options = options;
    this.random = this.guard("seed", () => new RandomEngine(options.seed ?? 1));
    const funcs = this.state.primFuncs();
    const [only] = funcs;
    const entry = funcs.find(([, f]) => f.attrs["tir.is_entry_func"] === true) ?? funcs.find(([gv]) => gv.name === "main");
    this.workingOn = only !== undefined && funcs.length === 1 ? only[0] : entry?.[0];
  }

  /** Takes over where another one is, with random choices of its own. */
  become(other: ScheduleRun): void {
    this.state = other.state.copy();
    this.trace = other.trace;
    this.workingOn = other.workingOn;
    this.random = new RandomEngine(other.random.fork());
  }

  /** The block named `name`. */
  getBlock(name: string, funcName?: string): BlockRV {
    return this.guard("get_block", () => {
      const gv = funcName === undefined ? this.requireFunction() : this.state.functionNamed(funcName);
      const tree = this.state.tree(gv);
      const found = [...tree.blocks].filter(([, r]) => r.block.name === name);
      const [first] = found;
      if (first === undefined || found.length > 1) {
        const names = [...tree.blocks.values()].map((r) => `\`${r.block.name}\``).join(", ");
        return refuse(`there are ${found.length} blocks named \`${name}\` in \`${gv.name}\`, which has ${names}`, found.map(([, r]) => r.block));
      }
      const rv = this.state.newBlock(gv, first[0]);
      this.record("GetBlock", { name, func_name: gv.name }, [rv]);
      return rv;
    });
  }

  /** Runs a primitive; a refusal becomes an error that shows the program. `on` is what it was called on. */
  guard<T>(primitive: string, run: () => T, on: readonly (BlockRV | LoopRV | undefined)[] = []): T {
    try {
      return run();
    } catch (e) {
      if (!(e instanceof PrimitiveRefused)) throw e;
      const funcs = this.state.primFuncs().map(([, f]) => f);
      throw new ScheduleError(primitive, e.problem, funcs, this.options.errorRenderLevel ?? "detail", on.flatMap((rv) => this.nodesOf(rv)));
    }
  }

  /** The loop or block of a random variable, if it is still there. */
  nodesOf(rv: BlockRV | LoopRV | undefined): readonly Node[] {
    if (rv === undefined) return [];
    try {
      const { stmt } = this.state.site(rv);
      return [stmt.kind === "tir.For" ? stmt : stmt.block];
    } catch (e) {
      if (e instanceof PrimitiveRefused) return [];
      throw e;
    }
  }

  /** The function to look blocks up in. */
  requireFunction(): GlobalVar {
    return this.workingOn ?? refuse("it is not known which function to work on", undefined, "Name the function, or call `workOn` first.");
  }

  /** A block by name or random variable. */
  blockRV(ref: BlockRef): BlockRV {
    return typeof ref === "string" ? this.getBlock(ref) : ref;
  }

  /** A block or loop by name or random variable. */
  siteRV(ref: BlockRef | LoopRV): BlockRV | LoopRV {
    return typeof ref === "string" ? this.getBlock(ref) : ref;
  }

  /** The value of a factor, undefined if left open. */
  factor(f: FactorRef): PrimExpr | undefined {
    if (f === undefined) return undefined;
    return typeof f === "number" ? constant(f, "int32") : this.state.value(f);
  }

  /** The value of an annotation, sampled numbers put in. */
  annotation(value: AnnotationValue): AttrValue {
    if (isNode(value) && isPrimExpr(value)) {
      // Plain numbers stand for int32, as the script reader has it.
      const e = this.state.value(value);
      return e.kind === "ir.IntImm" && e.dtype === "int32" ? Number(e.value) : e;
    }
    if (Array.isArray(value)) return value.map((x: AnnotationValue) => this.annotation(x));
    if (typeof value !== "object" || value === null || isNode(value)) return value as AttrValue;
    return Object.fromEntries(Object.entries(value as AttrMap).map(([k, v]) => [k, this.annotation(v as AnnotationValue)]));
  }

  /** The place decided for a block, or the nearest one further in; one drawn where nothing was decided. */
  computeLocation(tree: FuncTree, realize: BlockRealize, decision: number | undefined): ComputeLocation | undefined {
    if (decision === undefined) {
      const places = [...computeLocations(tree, realize)];
      return places[this.random.int(0, places.length)];
    }
    const [place] = computeLocations(tree, realize, decision);
    const fits = place !== undefined && (decision >= 0 || place.index === decision);
    return fits ? place : { index: -1, loop: undefined };
  }

  /** Random variables of factors that were drawn. */
  sampled(kind: string, args: InstructionArgs, tile: readonly number[]): readonly ExprRV[] {
    const rvs = tile.map((t) => this.state.newValue(t));
    this.record(kind, args, rvs, tile);
    return rvs;
  }

  /** Adds an instruction to the trace. */
  record(kind: string, args: InstructionArgs, outputs: readonly RandomVariable[], decision?: Decision): void {
    const spec = kindNamed(kind);
    if (spec === undefined) throw new Error(`internal: no instruction kind ${kind}`);
    this.trace = this.trace.append({ kind, ...packArgs(spec, args), outputs }, decision);
  }

  /** Takes what a primitive made over, and records it. */
  commit(kind: string, args: InstructionArgs, gv: GlobalVar, outcome: Outcome): Made {
    this.state.commit(gv, outcome);
    const blocks = (outcome.blocks ?? []).map((b) => this.state.newBlock(gv, b));
    const loops = (outcome.loops ?? []).map((l) => this.state.newLoop(gv, l));
    const outputs = kindNamed(kind)?.outputs === "none" ? [] : blocks.length > 0 ? blocks : loops;
    this.record(kind, args, outputs);
    return { blocks, loops };
  }

  /** A primitive on a loop. */
  onLoop(kind: string, args: InstructionArgs, at: LoopRV | undefined, run: (tree: FuncTree, loop: For) => Outcome): Made {
    return this.guard(kindNamed(kind)?.method ?? kind, () => {
      if (at === undefined) return refuse("no loops were given");
      const { gv, tree, loop } = this.state.loop(at);
      return this.commit(kind, args, gv, run(tree, loop));
    }, [at]);
  }

  /** A primitive on a block that finds its arguments on the way. */
  onBlockWith(kind: string, ref: BlockRef, run: (site: BlockSite) => readonly [InstructionArgs, Outcome]): Made {
    const block = this.blockRV(ref);
    return this.guard(kindNamed(kind)?.method ?? kind, () => {
      const site = this.state.block(block);
      const [args, outcome] = run(site);
      return this.commit(kind, { block, ...args }, site.gv, outcome);
    }, [block]);
  }

  /** A primitive on a block. */
  onBlock(kind: string, ref: BlockRef, args: InstructionArgs, run: (site: BlockSite) => Outcome): Made {
    return this.onBlockWith(kind, ref, (site) => [args, run(site)]);
  }

  /** A primitive on a block that gives another. */
  oneBlock(kind: string, ref: BlockRef, run: (site: BlockSite) => readonly [InstructionArgs, Outcome]): BlockRV {
    return one(this.onBlockWith(kind, ref, run).blocks);
  }

  /** A primitive on a block or loop. */
  onSite(kind: string, at: BlockRef | LoopRV, args: InstructionArgs, run: (tree: FuncTree, stmt: BlockRealize | For) => Outcome): void {
    const rv = this.siteRV(at);
    this.guard(kindNamed(kind)?.method ?? kind, () => {
      const { gv, tree, stmt } = this.state.site(rv);
      this.commit(kind, { block_or_loop: rv, ...args }, gv, run(tree, stmt));
    }, [rv]);
  }

  /** A primitive that moves a block under a loop, or where a sampled location says. */
  move(
    kind: string,
    ref: BlockRef,
    loop: LoopRV,
    opts: MoveOptions,
    move: (tree: FuncTree, realize: BlockRealize, loop: For, opts: Required<MoveOptions>) => Outcome,
    inline: (tree: FuncTree, realize: BlockRealize) => Outcome,
  ): void {
    const { preserveUnitLoops = false, index = -1 } = opts;
    this.onBlock(kind, ref, { loop, preserve_unit_loops: preserveUnitLoops, index }, ({ tree, realize }) => {
      const location = this.state.locationOf(loop);
      if (location === "root") return { func: tree.func };
      if (location === "inline") return inline(tree, realize);
      return move(tree, realize, this.state.loop(loop).loop, { preserveUnitLoops, index });
    });
  }

  /** A getter of blocks. */
  blocks(kind: string, args: InstructionArgs, of: BlockRV | LoopRV, find: (tree: FuncTree, s: BlockRealize | For) => readonly BlockRealize[]): readonly BlockRV[] {
    return this.guard(kindNamed(kind)?.method ?? kind, () => {
      const { gv, tree, stmt } = this.state.site(of);
      const rvs = find(tree, stmt).map((r) => this.state.newBlock(gv, blockKey(r.block)));
      this.record(kind, args, rvs);
      return rvs;
    }, [of]);
  }
}

/** The first of what a primitive made. */
export function one<T>(list: readonly T[]): T {
  const [only] = list;
  if (only === undefined) throw new Error("internal: a primitive made no result");
  return only;
}
