import { definePass, structuralEqual, withAttrs, withFunctions, type AttrValue, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { Call, Var } from "../ir/expr.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { makeCall, makeVar } from "../ir/make-expr.ts";
import { makeBuffer, makeSeq, scopeOf } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { tirNodes } from "../ir/node-table.ts";
import { add, asInt, constant } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { replaceBuffers } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { fillConstantHoles } from "./constant-holes.ts";
import { workShares } from "./work-shares.ts";

/** Options of `mergeSimilarFunctions`. */
export interface MergeOptions {
  /** Functions that would take more numbers than this stay apart; 24 unless told. */
  readonly maxParams?: number;
  /** Functions that do at least this share of all work by themselves are busy; 0.005 unless told. */
  readonly busyShare?: number;
  /** The most of these numbers that an innermost loop of a busy function may use; 8 unless told. */
  readonly maxBusyDistances?: number;
}

/**
 * Makes one of the private flat functions that differ only in extents, strides and offsets: those numbers become
 * parameters, which each call passes. Fewer functions are sooner compiled, and an engine that compiles what runs often
 * better finds them sooner. A distance that is a number takes a pointer of its own in the inner loops, though: what is busy
 * stays as it is where that would be many. Functions that are called come first, so that callers which then call the same may
 * become one as well. The bounds of the new parameters, the last ones, are in the attribute `param_ranges`.
 */
export function mergeSimilarFunctions(opts: MergeOptions = {}): Pass {
  return definePass("MergeSimilarFunctions", (module) => {
    if ([...module.functions.values()].some((f) => f.kind !== "tir.PrimFunc")) return module;
    const heights = callHeights(module);
    const shares = workShares(module);
    const { maxParams = 24, busyShare = 0.005, maxBusyDistances = 8 } = opts;
    const isAllowed = ({ gv }: Candidate, { params, distances }: Numbers): boolean =>
      params.length <= maxParams && (distances <= maxBusyDistances || (shares.get(gv) ?? 0) < busyShare);
    const highest = Math.max(0, ...heights.values());
    let merged = module;
    for (let height = 0; height <= highest; height++) {
      merged = mergeAmong(merged, (gv) => heights.get(gv) === height, isAllowed);
    }
    return merged;
  });
}

/** Merges among the private functions that `isCandidate` picks; none of them calls another. */
function mergeAmong(module: IRModule, isCandidate: (gv: GlobalVar) => boolean, isAllowed: IsAllowed): IRModule {
  const merged = new Map<GlobalVar, Merged>();
  for (const similar of similarFunctions(module, isCandidate)) {
    const { group, numbers } = mergeable(similar, isAllowed);
    const made = mergeGroup(group, numbers);
    if (made === undefined) continue;
    for (const [i, { gv }] of group.entries()) merged.set(gv, { into: made.gv, func: made.func, numbers: made.numbers[i] ?? [] });
  }
  if (merged.size === 0) return module;
  const functions = new Map<GlobalVar, ReturnType<IRModule["functions"]["get"]> & object>();
  for (const [gv, func] of module.functions) {
    const own = merged.get(gv);
    if (own !== undefined) {
      if (own.into === gv) functions.set(gv, own.func);
    } else functions.set(gv, func.kind === "tir.PrimFunc" ? redirectCalls(func as PrimFunc, merged) : func);
  }
  return withFunctions(module, functions);
}

/** How many calls deep each function goes: 0 for one that calls none of the module. Infinite for recursion. */
function callHeights(module: IRModule): ReadonlyMap<GlobalVar, number> {
  const heights = new Map<GlobalVar, number>();
  const heightOf = (gv: GlobalVar): number => {
    const known = heights.get(gv);
    if (known !== undefined) return known;
    heights.set(gv, Infinity);
    const func = module.functions.get(gv);
    const callees = func?.kind === "tir.PrimFunc" ? calledBy(func as PrimFunc) : [];
    const height = callees.length === 0 ? 0 : 1 + Math.max(...callees.map(heightOf));
    heights.set(gv, height);
    return height;
  };
  for (const gv of module.functions.keys()) heightOf(gv);
  return new Map([...heights].filter(([, height]) => Number.isFinite(height)));
}

function calledBy(func: PrimFunc): readonly GlobalVar[] {
  const out = new Set<GlobalVar>();
  visitStmt(func.body, {
    expr: (e) => {
      if (e.kind === "tir.Call" && e.op.kind === "ir.GlobalVar") out.add(e.op);
      return undefined;
    },
  });
  return [...out];
}

interface Merged {
  readonly into: GlobalVar;
  readonly func: PrimFunc;
  /** What a call passes for the new parameters. */
  readonly numbers: readonly number[];
}

interface Hole {
  readonly value: number;
  readonly inIndex: boolean;
}

interface Candidate {
  readonly gv: GlobalVar;
  readonly func: PrimFunc;
  /** The function with every hole and every size of memory the same. */
  readonly skeleton: PrimFunc;
  readonly holes: readonly Hole[];
}

const structural = { dialects: [tirNodes] };

/** The groups of at least two private functions with the same skeleton, in the order of the module. */
function similarFunctions(module: IRModule, isCandidate: (gv: GlobalVar) => boolean): readonly (readonly Candidate[])[] {
  const groups = new Map<string, Candidate[][]>();
  for (const [gv, func] of module.functions) {
    if (!isCandidate(gv) || func.attrs["global_symbol"] !== undefined) continue;
    const candidate = candidateOf(gv, func as PrimFunc);
    // Tells most apart; comparing the others ends at the first difference, while a hash would visit all of each.
    const key = `${candidate.func.params.length} ${candidate.holes.length}`;
    const known = groups.get(key) ?? [];
    groups.set(key, known);
    const group = known.find(([first]) => first !== undefined && structuralEqual(first.skeleton, candidate.skeleton, structural));
    if (group === undefined) known.push([candidate]);
    else group.push(candidate);
  }
  return [...groups.values()].flat().filter((g) => g.length > 1);
}

function candidateOf(gv: GlobalVar, func: PrimFunc): Candidate {
  const holes: Hole[] = [];
  const body = fillConstantHoles(func.body, (e, _, inIndex) => {
    holes.push({ value: Number(e.value), inIndex });
    return constant(0, "int32");
  });
  const buffers = new Map<Buffer, Buffer>();
  const plain = (b: Buffer): Buffer => {
    if (scopeOf(b) === "local" || b.shape.length === 0) return b;
    const known = buffers.get(b) ?? makeBuffer(b.name, [1], b.dtype, { data: b.data, scope: scopeOf(b) });
    buffers.set(b, known);
    return known;
  };
  const bufferMap = new Map([...func.bufferMap].map(([p, b]) => [p, plain(b)]));
  visitStmt(body, { stmt: (s) => void (s.kind === "tir.DeclBuffer" && plain(s.buffer)) });
  const flat = [...buffers.keys()].every((b) => b.strides.length === 0 && b.elemOffset === undefined);
  if (!flat) return { gv, func, skeleton: func, holes: [] };
  const plainFunc = withRanges(withWorkspace(func, 0), rangesOf(func).map(() => [0, 0]));
  return { gv, func, skeleton: { ...plainFunc, bufferMap, body: replaceBuffers(body, buffers) }, holes };
}

/** An integer attribute, plain or as a node; 0 if there is none. */
function integerAttr(value: AttrValue | undefined): number {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  return typeof value === "object" && value !== null && "value" in value ? Number(value["value"]) : 0;
}

/** The function as one that needs at most `bytes` of scratch memory, if it needs any. */
function withWorkspace(func: PrimFunc, bytes: AttrValue): PrimFunc {
  return func.attrs["WorkspaceSize"] === undefined ? func : (withAttrs(func, { WorkspaceSize: bytes }) as PrimFunc);
}

type Range = readonly [lo: number, hi: number];

/** What the last parameters lie in, as the attribute `param_ranges` has it. */
function rangesOf(func: PrimFunc): readonly Range[] {
  const list = func.attrs["param_ranges"];
  return Array.isArray(list) ? list.map((r: AttrValue): Range => (Array.isArray(r) ? [Number(r[0]), Number(r[1])] : [-(2 ** 31), 2 ** 31 - 1])) : [];
}

function withRanges(func: PrimFunc, ranges: readonly Range[]): PrimFunc {
  return ranges.length === 0 ? func : (withAttrs(func, { param_ranges: ranges.map((r) => [...r]) }) as PrimFunc);
}

interface MergedGroup {
  readonly gv: GlobalVar;
  readonly func: PrimFunc;
  /** For each function of the group, what its calls pass. */
  readonly numbers: readonly (readonly number[])[];
}

/** Whether a function may become one that takes such numbers. */
type IsAllowed = (candidate: Candidate, numbers: Numbers) => boolean;

/** Those of a group of similar functions that may become one: all, or else without those that may not. */
function mergeable(group: readonly Candidate[], isAllowed: IsAllowed): { readonly group: readonly Candidate[]; readonly numbers: Numbers } {
  const numbers = numbersOf(group);
  const allowed = group.filter((c) => isAllowed(c, numbers));
  return allowed.length === group.length ? { group, numbers } : mergeable(allowed, isAllowed);
}

function mergeGroup(group: readonly Candidate[], { params, body }: Numbers): MergedGroup | undefined {
  const [first] = group;
  if (first === undefined || group.length < 2) return undefined;
  const [workspace] = group.map((c) => c.func.attrs["WorkspaceSize"]).toSorted((a, b) => integerAttr(b) - integerAttr(a));
  const merged: PrimFunc = { ...withWorkspace(first.func, workspace ?? 0), params: [...first.func.params, ...params.map((p) => p.v)], body: withLargestBuffers(body, group) };
  const given = rangesOf(first.func).map((_, i): Range => {
    const all = group.map((c) => rangesOf(c.func)[i] ?? [0, 0]);
    return [Math.min(...all.map(([lo]) => lo)), Math.max(...all.map(([, hi]) => hi))];
  });
  const ranges = [...given, ...params.map((p): Range => [Math.min(...p.values), Math.max(...p.values)])];
  return {
    gv: first.gv,
    func: withRanges(merged, ranges),
    numbers: group.map((_, i) => params.map((p) => p.values[i] ?? 0)),
  };
}

/** What functions that are alike differ in. */
interface Numbers {
  readonly params: readonly { readonly v: Var; readonly values: readonly number[] }[];
  /** The first function's body with the parameters in place. */
  readonly body: Stmt;
  /** How many of the parameters the innermost loop with most of them uses. */
  readonly distances: number;
}

/**
 * The parameters that fill the holes of some functions. Holes in indices that differ by the same constant in all functions
 * share one parameter, that of the least: so what lies side by side in memory keeps its constant distance, and addresses their
 * common base.
 */
function numbersOf(group: readonly Candidate[]): Numbers {
  const [first] = group;
  const holes = (first?.holes ?? []).map(({ inIndex }, at) => ({ values: group.map((c) => c.holes[at]?.value ?? 0), inIndex }));
  const shape = (values: readonly number[]): string => values.map((x) => x - (values[0] ?? 0)).join();
  const least = new Map<string, readonly number[]>();
  for (const { values, inIndex } of holes) {
    const [known = Infinity] = least.get(shape(values)) ?? [];
    if (inIndex && (values[0] ?? 0) < known) least.set(shape(values), values);
  }
  const params = new Map<string, { readonly v: Var; readonly values: readonly number[] }>();
  const fills = holes.map(({ values, inIndex }) => {
    const [value = 0] = values;
    if (values.every((x) => x === value)) return undefined;
    const base = (inIndex ? least.get(shape(values)) : undefined) ?? values;
    const param = params.get(base.join()) ?? { v: makeVar(`n${params.size}`, "int32"), values: base };
    params.set(base.join(), param);
    return add(param.v, constant(value - (base[0] ?? 0), "int32"));
  });
  const body = first === undefined ? makeSeq([]) : fillConstantHoles(first.func.body, (e, at) => fills[at] ?? e);
  const list = [...params.values()];
  return { params: list, body, distances: mostInLoop(body, new Set(list.map((p) => p.v))) };
}

/** The most of some variables that one innermost loop uses. */
function mostInLoop(body: Stmt, vars: ReadonlySet<Var>): number {
  let most = 0;
  visitStmt(body, {
    stmt: (s) => {
      if (s.kind !== "tir.For" || s.forKind === "unrolled" || s.forKind === "vectorized") return undefined;
      const inner = mostInLoop(s.body, vars);
      const own = hasLoop(s.body) ? 0 : undefinedVars(s.body).filter((v) => v.kind === "tir.Var" && vars.has(v)).length;
      most = Math.max(most, inner, own);
      return "skip";
    },
  });
  return most;
}

function hasLoop(body: Stmt): boolean {
  let found = false;
  visitStmt(body, { stmt: (s) => void (found ||= s.kind === "tir.For" && s.forKind !== "unrolled" && s.forKind !== "vectorized") });
  return found;
}

/** The flat views of memory as large as the largest in the group: a bound that holds for all of them. */
function withLargestBuffers(body: Stmt, group: readonly Candidate[]): Stmt {
  const sizes = group.map((c) => declared(c.func.body).map((b) => asInt(b.shape[0] ?? constant(1, "int32")) ?? 0));
  const buffers = new Map<Buffer, Buffer>();
  for (const [i, b] of declared(body).entries()) {
    const [shape] = b.shape;
    if (scopeOf(b) === "local" || shape === undefined || b.shape.length !== 1) continue;
    const largest = Math.max(...sizes.map((s) => s[i] ?? 0));
    if (largest !== asInt(shape)) buffers.set(b, makeBuffer(b.name, [constant(largest, shape.dtype)], b.dtype, { data: b.data, scope: scopeOf(b) }));
  }
  return replaceBuffers(body, buffers);
}

function declared(body: Stmt): readonly Buffer[] {
  const out: Buffer[] = [];
  visitStmt(body, { stmt: (s) => void (s.kind === "tir.DeclBuffer" && out.push(s.buffer)) });
  return out;
}

function redirectCalls(func: PrimFunc, merged: ReadonlyMap<GlobalVar, Merged>): PrimFunc {
  const mapper: ChildMapper = {
    expr(e) {
      const mapped = mapExprChildren(e, mapper);
      const own = mapped.kind === "tir.Call" && mapped.op.kind === "ir.GlobalVar" ? merged.get(mapped.op) : undefined;
      if (own === undefined || mapped.kind !== "tir.Call") return mapped;
      const call: Call = makeCall(mapped.dtype, own.into, [...mapped.args, ...own.numbers.map((n) => constant(n, "int32"))], mapped.span);
      return call;
    },
    stmt: (s) => mapStmtChildren(s, mapper),
  };
  const body = mapper.stmt(func.body);
  return body === func.body ? func : { ...func, body };
}
