import { definePass, type AttrMap, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import type { Bindings, Matches } from "../dpl/match-expr.ts";
import { extractMatchedExpr } from "../dpl/match-expr.ts";
import type { DFPattern } from "../dpl/pattern.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyVar, Call, Expr, Function } from "../ir/expr.ts";
import { isRelaxFunction, mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { groupName, partitionBlocks, type BlockPartition } from "./block-partition.ts";
import { offloadComposite } from "./composite.ts";

/** What a match is judged by (upstream's `PatternCheckContext`). */
export interface PatternCheckContext {
  readonly matchedExpr: Call;
  /** What the pattern's `annotationPatterns` stand for, by name. */
  readonly annotatedExpr: ReadonlyMap<string, Expr>;
  /** The bindings that the match takes in. */
  readonly matchedBindings: ReadonlyMap<AnyVar, Expr>;
  /** Who uses a variable of the block, in order. */
  readonly varUsages: ReadonlyMap<AnyVar, readonly AnyVar[]>;
  readonly valueToBoundVar: ReadonlyMap<Expr, AnyVar>;
}

/** A pattern whose matches become functions (upstream's `FusionPattern`). */
export interface FusionPattern {
  /** `BACKEND.NAME`; the function's `Composite`. */
  readonly name: string;
  readonly pattern: DFPattern;
  /** Parts of the pattern by name, for `check` and `attrsGetter`. */
  readonly annotationPatterns?: Readonly<Record<string, DFPattern>>;
  /** Says whether a match is taken; every one is unless told. */
  readonly check?: (ctx: PatternCheckContext) => boolean;
  /** Further attributes of the function. */
  readonly attrsGetter?: (annotated: ReadonlyMap<string, Expr>) => AttrMap;
}

/** Options of `fuseOpsByPattern`. */
export interface FuseOpsByPatternOptions {
  /** Constants move into the functions (the default); else they become parameters. */
  readonly bindConstants?: boolean;
  /** Wraps each function in one marked `Codegen`, for `RunCodegen`. */
  readonly annotateCodegen?: boolean;
  /** The functions to look at; all unless told. */
  readonly entryFunctions?: readonly string[];
}

/**
 * Upstream's `FuseOpsByPattern`: what a pattern matches in a dataflow block becomes a private function marked `Primitive`
 * and `Composite`. Patterns are tried in order, each on what those before have left. A match that would make two
 * functions wait for each other is left alone.
 * @throws RangeError for an entry function that is not there, or with `annotateCodegen` for a name without a backend.
 */
export function fuseOpsByPattern(patterns: readonly FusionPattern[], opts: FuseOpsByPatternOptions = {}): Pass {
  return definePass("FuseOpsByPattern", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    const entries = opts.entryFunctions ?? [];
    for (const name of entries) if (![...module.functions].some(([gv, f]) => gv.name === name && isRelaxFunction(f))) throw new RangeError(`There is no graph function \`${name}\`.`);
    const isEntry = (func: Function, gv: GlobalVar): boolean => (entries.length === 0 || entries.includes(gv.name)) && ["Primitive", "Composite", "Codegen"].every((a) => func.attrs[a] === undefined);
    let current: IRModule = module;
    for (const pattern of patterns) {
      const bb = new BlockBuilder({ ops, module: current });
      let changed = false;
      const next = mapRelaxFunctions(current, (func, gv) => {
        if (!isEntry(func, gv)) return func;
        const fused = partitionBlocks(func, bb, (p) => matchBlock(p, pattern), { nameOf: groupName, liftConstants: opts.bindConstants === false });
        changed ||= fused !== func;
        return fused;
      });
      if (!changed) continue;
      for (const [gv, func] of next.functions) bb.updateFunc(gv, func);
      current = bb.finalize();
    }
    return opts.annotateCodegen === true ? offloadComposite(current, ops) : current;
  });
}

function matchBlock(partition: BlockPartition, pattern: FusionPattern): void {
  const known = new Map<AnyVar, Expr>();
  const boundTo = new Map<Expr, AnyVar>();
  for (const b of partition.block.bindings) {
    if (b.kind === "relax.VarBinding") {
      known.set(b.var, b.value);
      boundTo.set(b.value, b.var);
    }
    if (b.kind === "relax.VarBinding" && b.value.kind === "relax.Call") tryMatch(partition, pattern, b.var, b.value, known, boundTo);
  }
}

function tryMatch(partition: BlockPartition, pattern: FusionPattern, v: AnyVar, call: Call, known: Bindings, boundTo: ReadonlyMap<Expr, AnyVar>): void {
  const matches = extractMatchedExpr(pattern.pattern, call, known);
  if (matches === undefined) return;
  const inner = matchedBindings(matches, boundTo);
  inner.set(v, call);
  const annotated = new Map(Object.entries(pattern.annotationPatterns ?? {}).flatMap(([name, p]) => {
    const e = matches.get(p);
    return e === undefined ? [] : [[name, e] as const];
  }));
  const ctx: PatternCheckContext = { matchedExpr: call, annotatedExpr: annotated, matchedBindings: inner, varUsages: partition.users, valueToBoundVar: boundTo };
  if (pattern.check?.(ctx) === false) return;
  const members = new Set(inner.keys());
  for (const m of members) {
    // What is in a group already comes along only with all of it.
    const before = partition.group(m);
    if (before !== undefined && before.members.size > 1 && ![...before.members].every((x) => members.has(x))) return;
  }
  if (partition.wouldCycle(members)) return;
  partition.assign(members, { Composite: pattern.name, ...pattern.attrsGetter?.(annotated), Primitive: 1 });
}

/** The bindings of calls and of fields that the pattern names; what wildcards stand for stays outside. */
function matchedBindings(matches: Matches, boundTo: ReadonlyMap<Expr, AnyVar>): Map<AnyVar, Expr> {
  const out = new Map<AnyVar, Expr>();
  for (const [p, e] of matches) {
    const v = p.kind === "dpl.Call" || p.kind === "dpl.TupleGetItem" ? boundTo.get(e) : undefined;
    if (v !== undefined) out.set(v, e);
  }
  return out;
}

