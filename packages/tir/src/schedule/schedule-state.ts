import { findGlobalVar, mapFunctions, type BaseFunc, type GlobalVar, type IRModule } from "@verticil/ir-core";
import { Analyzer } from "../arith/analyzer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { asInt, constant } from "../ir/ops.ts";
import type { BlockRealize, For, PrimFunc } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { rootRealize } from "./block-relations.ts";
import { FuncTree, type BlockKey } from "./func-tree.ts";
import type { Outcome } from "./outcome.ts";
import { isBlockRV, isExprRV, isLoopRV, type BlockRV, type ExprRV, type LoopRV, type RandomVariable } from "./random-variable.ts";
import { refuse } from "./schedule-error.ts";

/** What a random variable stands for: a block or loop of a function, or one of the two special compute locations. */
type Place =
  | { readonly func: GlobalVar; readonly block: BlockKey }
  | { readonly func: GlobalVar; readonly loop: For["loopVar"] }
  | { readonly location: "inline" | "root" };

/** A block where it is now. */
export interface BlockSite {
  readonly gv: GlobalVar;
  readonly tree: FuncTree;
  readonly realize: BlockRealize;
}

/** A loop where it is now. */
export interface LoopSite {
  readonly gv: GlobalVar;
  readonly tree: FuncTree;
  readonly loop: For;
}

/** True for a tensor program. */
export function isPrimFunc(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc";
}

/** The program that a schedule works on and what its random variables stand for. Everything in it is replaced, never changed. */
export class ScheduleState {
  #module: IRModule;
  #places = new Map<RandomVariable, Place>();
  #values = new Map<ExprRV, PrimExpr>();
  #trees = new Map<GlobalVar, FuncTree>();
  #nextId = 0;

  constructor(module: IRModule) {
    this.#module = module;
  }

  get module(): IRModule {
    return this.#module;
  }

  /** A state of its own in which the same random variables are good. */
  copy(): ScheduleState {
    const other = new ScheduleState(this.#module);
    other.#places = new Map(this.#places);
    other.#values = new Map(this.#values);
    other.#trees = new Map(this.#trees);
    other.#nextId = this.#nextId;
    return other;
  }

  /** The functions that are tensor programs, with their names. */
  primFuncs(): readonly (readonly [GlobalVar, PrimFunc])[] {
    return [...this.#module.functions].flatMap(([gv, f]) => (isPrimFunc(f) ? [[gv, f] as const] : []));
  }

  functionNamed(name: string): GlobalVar {
    const gv = findGlobalVar(this.#module, name);
    const func = gv && this.#module.functions.get(gv);
    if (gv === undefined || func === undefined || !isPrimFunc(func)) return refuse(`the module has no PrimFunc \`${name}\``);
    return gv;
  }

  tree(gv: GlobalVar): FuncTree {
    const func = this.#module.functions.get(gv);
    if (func === undefined || !isPrimFunc(func)) return refuse(`\`${gv.name}\` is no longer a PrimFunc of the module`);
    const known = this.#trees.get(gv);
    if (known?.func === func) return known;
    rootRealize(func);
    const tree = new FuncTree(func);
    this.#trees.set(gv, tree);
    return tree;
  }

  block(rv: BlockRV): BlockSite {
    const place = this.#places.get(rv);
    if (place === undefined || !("block" in place)) return refuse("this block variable is not of this schedule");
    const tree = this.tree(place.func);
    const realize = tree.blocks.get(place.block);
    return realize === undefined
      ? refuse("the block is no longer in the program", undefined, "It was inlined or replaced; get it anew.")
      : { gv: place.func, tree, realize };
  }

  loop(rv: LoopRV): LoopSite {
    const place = this.#places.get(rv);
    if (place === undefined || !("loop" in place)) return refuse("this loop variable stands for no loop of this schedule");
    const tree = this.tree(place.func);
    const loop = tree.loops.get(place.loop);
    return loop === undefined
      ? refuse(`loop \`${place.loop.name}\` is no longer in the program`, undefined, "It was split, fused or left empty; get the loops anew.")
      : { gv: place.func, tree, loop };
  }

  /** "inline" or "root" for a loop variable that was sampled as such a location. */
  locationOf(rv: LoopRV): "inline" | "root" | undefined {
    const place = this.#places.get(rv);
    return place !== undefined && "location" in place ? place.location : undefined;
  }

  site(rv: BlockRV | LoopRV): { readonly gv: GlobalVar; readonly tree: FuncTree; readonly stmt: BlockRealize | For } {
    if (isLoopRV(rv)) {
      const { gv, tree, loop } = this.loop(rv);
      return { gv, tree, stmt: loop };
    }
    const { gv, tree, realize } = this.block(rv);
    return { gv, tree, stmt: realize };
  }

  /** The value of an expression over sampled variables. */
  value(e: PrimExpr): PrimExpr {
    const n = asInt(e);
    if (n !== undefined) return e;
    const missing = undefinedVars(e).find((v) => isExprRV(v) && this.#forgotten.has(v));
    if (missing !== undefined) return refuse(`the random variable \`${missing.name}\` was removed`);
    const valued = substitute(e, (v) => (v.kind === "tir.Var" ? this.#values.get(v) : undefined));
    return new Analyzer().simplify(valued);
  }

  readonly #forgotten = new Set<ExprRV>();

  /** True if the random variable stands for something in this schedule. */
  knows(rv: RandomVariable): boolean {
    return isExprRV(rv) ? this.#values.has(rv) : this.#places.has(rv);
  }

  /** Forgets a random variable. */
  remove(rv: RandomVariable): void {
    if (isExprRV(rv)) {
      this.#values.delete(rv);
      this.#forgotten.add(rv);
    } else this.#places.delete(rv);
  }

  newBlock(func: GlobalVar, block: BlockKey): BlockRV {
    const rv: BlockRV = { kind: "BlockRV", id: this.#nextId++ };
    this.#places.set(rv, { func, block });
    return rv;
  }

  newLoop(func: GlobalVar, loop: For["loopVar"]): LoopRV {
    const rv: LoopRV = { kind: "LoopRV", id: this.#nextId++ };
    this.#places.set(rv, { func, loop });
    return rv;
  }

  newLocation(location: "inline" | "root"): LoopRV {
    const rv: LoopRV = { kind: "LoopRV", id: this.#nextId++ };
    this.#places.set(rv, { location });
    return rv;
  }

  newValue(value: number): ExprRV {
    const rv: ExprRV = { kind: "tir.Var", name: `v${this.#nextId++}`, dtype: "int32", typeAnnotation: undefined, span: undefined };
    this.#values.set(rv, constant(value, "int32"));
    return rv;
  }

  /** Takes a primitive's outcome over; nothing before this has changed the state. */
  commit(gv: GlobalVar, outcome: Outcome): void {
    this.#module = mapFunctions(this.#module, (f, g) => (g === gv ? outcome.func : f));
    if (outcome.rekeyed === undefined) return;
    for (const [rv, place] of this.#places) {
      const next = "block" in place && place.func === gv ? outcome.rekeyed.get(place.block) : undefined;
      if (next !== undefined) this.#places.set(rv, { func: gv, block: next });
    }
  }

  /** True if `rv` is a block of this state. */
  isBlock(rv: unknown): rv is BlockRV {
    return isBlockRV(rv) && this.#places.has(rv);
  }
}
