import { at, Diagnostics, throwIfErrors, type Pass } from "@verticil/ir-core";
import { matchReducer, type MatchedReducer } from "../analysis/commutative-reducer.ts";
import { reductionParts } from "../analysis/reduction-parts.ts";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Range } from "../ir/expr.ts";
import { undefinedVars, usesVar } from "../ir/free-vars.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../ir/make-expr.ts";
import { makeAttrStmt, makeBlock, makeBlockRealize, makeBuffer, makeBufferRegion, makeBufferStore, makeEvaluate, makeFor, makeSeq, scopeOf } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { and, constant, eq, intrin, isConstInt } from "../ir/ops.ts";
import type { Block, BlockRealize, BufferStore, For, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { indexesWithReduction, isAffineBinding, onlySpatialAndReduction } from "../schedule/block-relations.ts";
import { transformDiagnostics } from "./diagnostics.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Turns a reduction whose loops are bound to the threads of a group into a reduction in each thread, one call of
 * `tvm_thread_allreduce`, and a write of the result (upstream's `LowerCrossThreadReduction`). A later block that writes
 * what such a reduction gave, outside of its threads, is done by the first of them.
 * @throws DiagnosticError if a reduction over threads has another form than the one that can be lowered.
 */
export function lowerCrossThreadReduction(): Pass {
  return bodyPass("LowerCrossThreadReduction", (body) => new Lowering().run(body));
}

interface ThreadRange {
  readonly tag: string;
  readonly range: Range;
}

/** A reduction that threads share. */
interface Reduction {
  readonly realize: BlockRealize;
  /** The loops that drive it, outermost first. */
  readonly loops: readonly For[];
  readonly matched: MatchedReducer;
  /** Where its results go: a buffer and the indices for each. */
  readonly updates: readonly BufferStore[];
}

class Lowering implements ChildMapper {
  readonly #diagnostics = new Diagnostics();
  readonly #report = this.#diagnostics.reporter("tir", transformDiagnostics);
  readonly #analyzer = new Analyzer();
  /** The loops of the present block, and all statements, outermost first. */
  #loops: For[] = [];
  readonly #statements: Stmt[] = [];
  readonly #blocks: Block[] = [];
  readonly #scratch = new Map<Block, Buffer[]>();
  readonly #replaced = new Map<For, Stmt>();
  /** The threads that a buffer was reduced over in this kernel. */
  readonly #reducedOver = new Map<Buffer, readonly ThreadRange[]>();

  readonly expr = (e: PrimExpr): PrimExpr => e;

  run(body: Stmt): Stmt {
    const out = this.stmt(body);
    throwIfErrors(this.#diagnostics);
    return out;
  }

  readonly stmt = (s: Stmt): Stmt => {
    this.#statements.push(s);
    const out = s.kind === "tir.For" ? this.#loop(s) : s.kind === "tir.Block" ? this.#block(s) : s.kind === "tir.BlockRealize" ? this.#realize(s) : mapStmtChildren(s, this);
    this.#statements.pop();
    return out;
  };

  #loop(s: For): Stmt {
    this.#loops.push(s);
    const mapped = mapStmtChildren(s, this);
    this.#loops.pop();
    const tags = this.#loops.map((l) => threadTag(l));
    const own = threadTag(s);
    const endsKernel = own.startsWith("blockIdx.") || (own.startsWith("threadIdx.") && !tags.some((t) => /^(block|thread)Idx\./.test(t)));
    if (endsKernel) this.#reducedOver.clear();
    return this.#replaced.get(s) ?? mapped;
  }

  #block(s: Block): Stmt {
    const outer = this.#loops;
    this.#loops = [];
    this.#blocks.push(s);
    const mapped = mapStmtChildren(s, this);
    this.#blocks.pop();
    this.#loops = outer;
    const scratch = this.#scratch.get(s);
    return scratch === undefined || mapped.kind !== "tir.Block" ? mapped : { ...mapped, allocBuffers: [...mapped.allocBuffers, ...scratch] };
  }

  #realize(s: BlockRealize): Stmt {
    const loops = this.#reductionLoops(s);
    if (loops.some((l) => l.forKind === "thread_binding")) {
      const reduction = this.#reduction(s, loops);
      const [first] = loops;
      if (reduction !== undefined && first !== undefined) this.#replaced.set(first, this.#lower(reduction));
      return s;
    }
    const free = this.#freeThreads(s);
    return free.length > 0 ? byFirstThread(s, free) : mapStmtChildren(s, this);
  }

  /** The loops that drive the reduction variables of a block; none if it is no reduction. */
  #reductionLoops(s: BlockRealize): readonly For[] {
    const scope = this.#blocks.at(-1);
    const { block } = s;
    if (scope === undefined || block.init === undefined || !onlySpatialAndReduction(block)) return [];
    const driven = new Set(s.iterValues.flatMap((e, i) => (block.iterVars[i]?.iterType === "kCommReduce" ? undefinedVars(e) : [])));
    const loops = this.#loops.filter((l) => driven.has(l.loopVar));
    if (!loops.some((l) => l.forKind === "thread_binding")) return [];
    const ranges = new Map<AnyVar, Range>(this.#loops.map((l) => [l.loopVar, makeRange(l.min, l.extent)]));
    if (!isAffineBinding(s, ranges, this.#analyzer) || !isOnlyWriter(scope, block) || indexesWithReduction(block)) return [];
    return loops;
  }

  /** The parts of a reduction over threads, or undefined after a report of what cannot be lowered. */
  #reduction(realize: BlockRealize, loops: readonly For[]): Reduction | undefined {
    const { block } = realize;
    const refuse = (why: string): undefined => void this.#report("cross-thread-reduction", { block: block.name, why }, realize.span ?? block.span);
    const above = this.#statements.slice(0, -1).toReversed().filter((x) => x.kind !== "tir.SeqStmt");
    const deepest = above.findIndex((x) => x.kind !== "tir.For" || !loops.includes(x));
    if ((deepest < 0 ? above.length : deepest) !== loops.length) return refuse("other statements stand between its reduction loops and it");
    const strange = loops.find((l) => l.forKind === "thread_binding" && !/^threadIdx\.[xyz]$/.test(threadTag(l)));
    if (strange !== undefined) return refuse(`its reduction loop \`${strange.loopVar.name}\` is bound to \`${threadTag(strange)}\`, not to the threads of a group`);
    const last = blocksUnder(at(loops, 0)).at(-1);
    if (last !== realize) return refuse("another block follows it under its first reduction loop");
    const parts = reductionPartsOf(block);
    if (typeof parts === "string") return refuse(`it ${parts}`);
    const matched = matchReducer(parts.identities, parts.updates);
    if (matched === undefined) return refuse("its combination is none of sums, products, minima, maxima, arg-minima and arg-maxima");
    const locals = parts.updates.filter((u) => scopeOf(u.buffer) === "local").length;
    if (locals !== 0 && locals !== parts.updates.length) return refuse("some of its results are local and some are not");
    return { realize, loops, matched, updates: parts.updates };
  }

  #lower(r: Reduction): Stmt {
    const { realize, loops, updates } = r;
    const bound = loops.filter((l) => l.forKind === "thread_binding");
    const scope = at(this.#blocks, -1);
    const buffers = updates.map((u) => u.buffer);
    const across = buffers.map((b) => scratchpad("cross_thread", b));
    const within = bound.length < loops.length || !isConstInt(realize.predicate, 1) ? buffers.map((b) => scratchpad("in_thread", b)) : undefined;
    const scratch = this.#scratch.get(scope) ?? [];
    this.#scratch.set(scope, [...scratch, ...across, ...(within ?? [])]);
    const parts = [...(within === undefined ? [] : [initialize(r, within)]), inThread(r, within), acrossThreads(r, within, across), writeBack(r, across)];
    const threads = bound.map((l): ThreadRange => ({ tag: threadTag(l), range: makeRange(l.min, l.extent) }));
    for (const b of buffers) this.#reducedOver.set(b, threads);
    return bound.reduceRight<Stmt>((body, l) => ({ ...l, body }), makeSeq(parts.filter((x) => x !== undefined)));
  }

  /** The threads that what a block reads was reduced over and that the block itself does not run in; none if it writes local memory. */
  #freeThreads(s: BlockRealize): readonly ThreadRange[] {
    if (this.#reducedOver.size === 0 || s.block.writes.some((w) => scopeOf(w.buffer) === "local")) return [];
    const out = new Map<string, ThreadRange>();
    for (const r of s.block.reads) for (const t of this.#reducedOver.get(r.buffer) ?? []) out.set(t.tag, t);
    for (const l of this.#loops) out.delete(threadTag(l));
    return [...out.values()];
  }
}

function threadTag(l: For): string {
  return l.threadBinding?.threadTag ?? "";
}

function reductionPartsOf(block: Block): ReturnType<typeof reductionParts> | string {
  class Bad extends Error {}
  try {
    return reductionParts(block, (why) => {
      throw new Bad(why);
    });
  } catch (error) {
    if (error instanceof Bad) return error.message;
    throw error;
  }
}

/** The blocks under a statement, without those inside of them. */
function blocksUnder(s: Stmt): readonly BlockRealize[] {
  const out: BlockRealize[] = [];
  visitStmt(s, {
    expr: () => "skip",
    stmt(x) {
      if (x.kind !== "tir.BlockRealize") return undefined;
      out.push(x);
      return "skip";
    },
  });
  return out;
}

function isOnlyWriter(scope: Block, block: Block): boolean {
  const written = blocksUnder(scope.body).flatMap((r) => r.block.writes.map((w) => w.buffer));
  return block.writes.every((w) => written.filter((b) => b === w.buffer).length === 1);
}

/** One element in each thread. */
function scratchpad(prefix: string, b: Buffer): Buffer {
  return makeBuffer(`${prefix}_${b.name}`, [1], b.dtype, { scope: "local", strides: [constant(1, "int32")] });
}

const FIRST = constant(0, "int32");

function elements(buffers: readonly Buffer[]): readonly BufferRegion[] {
  return buffers.map((b) => makeBufferRegion(b, [makeRange(FIRST, constant(1, "int32"))]));
}

function initialize({ realize, matched }: Reduction, within: readonly Buffer[]): Stmt {
  const stores = within.map((b, i) => makeBufferStore(b, at(matched.reducer.identityElement, i), [FIRST]));
  return makeBlockRealize([], constant(1, "bool"), makeBlock(`${realize.block.name}_in_thread_init`, [], [], elements(within), makeSeq(stores)));
}

/** What each thread reduces by itself, without the loops that are threads; undefined if nothing is left. */
function inThread({ realize, updates, loops }: Reduction, within: readonly Buffer[] | undefined): Stmt | undefined {
  const { block } = realize;
  const own =
    within === undefined
      ? undefined
      : { ...realize, block: { ...block, name: `${block.name}_in_thread`, writes: elements(within), init: undefined, body: storedIn(block.body, new Map(updates.map((u, i) => [u.buffer, at(within, i)]))) } };
  const strip = (s: Stmt): Stmt | undefined => {
    if (s === realize) return own;
    if (s.kind === "tir.SeqStmt") {
      const seq = s.seq.map(strip).filter((x) => x !== undefined);
      return seq.length === 0 ? undefined : makeSeq(seq);
    }
    if (s.kind !== "tir.For") return s;
    const body = strip(s.body);
    if (body === undefined) return undefined;
    return s.forKind === "thread_binding" && hasReduction(body) ? body : { ...s, body };
  };
  return strip(at(loops, 0));
}

function hasReduction(s: Stmt): boolean {
  return blocksUnder(s).some((r) => r.block.iterVars.some((iv) => iv.iterType === "kCommReduce"));
}

/** Accesses of some buffers as accesses of scratchpads. */
function storedIn(s: Stmt, scratch: ReadonlyMap<Buffer, Buffer>): Stmt {
  const mapper: ChildMapper = {
    expr(e) {
      const other = e.kind === "tir.BufferLoad" ? scratch.get(e.buffer) : undefined;
      return other === undefined ? mapExpr(e) : makeBufferLoad(other, [FIRST]);
    },
    stmt(x) {
      const other = x.kind === "tir.BufferStore" ? scratch.get(x.buffer) : undefined;
      return other !== undefined && x.kind === "tir.BufferStore" ? makeBufferStore(other, mapper.expr(x.value), [FIRST]) : mapStmtChildren(x, mapper);
    },
  };
  const mapExpr = (e: PrimExpr): PrimExpr => mapExprChildren(e, mapper);
  return mapper.stmt(s);
}

function acrossThreads({ realize, matched, loops }: Reduction, within: readonly Buffer[] | undefined, across: readonly Buffer[]): Stmt {
  const { block } = realize;
  const load = (b: Buffer): PrimExpr => makeBufferLoad(b, [FIRST]);
  const threads = loops.filter((l) => l.forKind === "thread_binding").map((l) => l.loopVar);
  const args = [constant(across.length, "uint32"), ...(within?.map(load) ?? matched.rhs), constant(1, "bool"), ...across.map(load), ...threads];
  const call = makeEvaluate(intrin("tvm_thread_allreduce", "handle", args));
  const nothing = intrin("reinterpret", "handle", [constant(0, "uint64")]);
  const body = makeAttrStmt(matched.reducer, "reduce_scope", nothing, call);
  const [iterVars, iterValues, reads] = within === undefined ? [block.iterVars, realize.iterValues, block.reads] : [[], [], elements(within)];
  return makeBlockRealize(iterValues, constant(1, "bool"), makeBlock(`${block.name}_cross_thread`, iterVars, reads, elements(across), body));
}

function writeBack({ realize, updates, loops }: Reduction, across: readonly Buffer[]): Stmt {
  const { block } = realize;
  const fresh = new Map<AnyVar, PrimExpr>();
  const kept = block.iterVars.flatMap((iv, i) => {
    if (iv.iterType === "kCommReduce") return [];
    const v = { ...iv.var };
    fresh.set(iv.var, v);
    return [{ iterVar: { ...iv, var: v }, value: at(realize.iterValues, i) }];
  });
  const stores = updates.map((u, i) => makeBufferStore(u.buffer, makeBufferLoad(at(across, i), [FIRST]), at(updates, 0).indices.map((e) => substitute(e, fresh))));
  const region = at(block.writes, 0).region.map((d) => substitute(d, fresh));
  const writes = updates.map((u) => makeBufferRegion(u.buffer, region));
  const driving = new Set<AnyVar>(loops.map((l) => l.loopVar));
  let predicate = conjuncts(realize.predicate).filter((c) => !usesVar(c, (v) => driving.has(v))).reduce<PrimExpr>(and, constant(1, "bool"));
  if (scopeOf(at(updates, 0).buffer) !== "local") {
    for (const l of loops) if (l.forKind === "thread_binding") predicate = and(predicate, eq(l.loopVar, constant(0, l.loopVar.dtype)));
  }
  const made = makeBlock(`${block.name}_write_back`, kept.map((k) => k.iterVar), elements(across), writes, makeSeq(stores));
  return makeBlockRealize(kept.map((k) => k.value), predicate, made);
}

function conjuncts(e: PrimExpr): readonly PrimExpr[] {
  if (e.kind === "tir.And") return [...conjuncts(e.a), ...conjuncts(e.b)];
  return isConstInt(e, 1) ? [] : [e];
}

/** The block under loops over threads that are free, done in the first of each. */
function byFirstThread(s: BlockRealize, threads: readonly ThreadRange[]): Stmt {
  const loops = threads.map((t) => ({ ...t, v: makeVar(`t${t.tag.slice(-1)}`, t.range.min.dtype) }));
  // The last thread is the innermost loop, and the first condition is that of the outermost.
  const predicate = loops.reduceRight<PrimExpr>((p, l) => and(eq(l.v, l.range.min), p), s.predicate);
  return loops.reduceRight<Stmt>((body, l) => {
    const threadBinding = makeIterVar(undefined, makeVar("", l.v.dtype), "kThreadIndex", l.tag);
    return makeFor(l.v, l.range.min, l.range.extent, body, { forKind: "thread_binding", threadBinding });
  }, { ...s, predicate });
}
