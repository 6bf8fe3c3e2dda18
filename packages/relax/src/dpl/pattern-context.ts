import type { DFPattern } from "./pattern.ts";

/** Where one pattern's value is used by another's. */
export interface PatternEdge {
  readonly producer: DFPattern;
  readonly consumer: DFPattern;
  /** Nobody else uses the value. */
  readonly only: boolean;
  /** As which of the consumer's variables, counted as they are written; undefined: any. */
  readonly index: number | undefined;
}

/** A chain of patterns, each used by the next (upstream's `PatternSeq`). */
export interface PatternSeq {
  readonly kind: "dpl.Seq";
  readonly patterns: readonly DFPattern[];
  readonly edges: readonly PatternEdge[];
}

/** A condition over what several patterns stand for. */
export interface SameShape {
  readonly kind: "dpl.SameShape";
  readonly args: readonly DFPattern[];
}

/** A graph of patterns to be found in a dataflow block (upstream's `PatternContext`). */
export interface PatternContext {
  /** In the order in which they are looked for. */
  readonly patterns: readonly DFPattern[];
  readonly edges: readonly PatternEdge[];
  readonly constraints: readonly SameShape[];
}

function asSeq(p: DFPattern | PatternSeq): PatternSeq {
  return p.kind === "dpl.Seq" ? p : { kind: "dpl.Seq", patterns: [p], edges: [] };
}

function join(left: DFPattern | PatternSeq, right: DFPattern | PatternSeq, only: boolean, index: number | undefined): PatternSeq {
  const [a, b] = [asSeq(left), asSeq(right)];
  const producer = a.patterns[a.patterns.length - 1];
  const consumer = b.patterns[0];
  const edge = producer === undefined || consumer === undefined ? [] : [{ producer, consumer, only, index }];
  return { kind: "dpl.Seq", patterns: [...a.patterns, ...b.patterns], edges: [...a.edges, ...edge, ...b.edges] };
}

/** The last value of `producer` is used by the first of `consumer`, as variable number `index` if that is given (upstream's `a ^ b`). */
export function usedBy(producer: DFPattern | PatternSeq, consumer: DFPattern | PatternSeq, index?: number): PatternSeq {
  return join(producer, consumer, false, index);
}

/** Like `usedBy`, and nobody else uses it (upstream's `a >> b`). */
export function onlyUsedBy(producer: DFPattern | PatternSeq, consumer: DFPattern | PatternSeq, index?: number): PatternSeq {
  return join(producer, consumer, true, index);
}

/** One value is used by each of several (upstream's `fork_to`). */
export function forkTo(producer: DFPattern, ...consumers: readonly (DFPattern | PatternSeq)[]): readonly PatternSeq[] {
  return consumers.map((c) => usedBy(producer, c));
}

/** The patterns stand for values of one shape (upstream's `same_shape_as`). */
export function sameShape(...args: readonly DFPattern[]): SameShape {
  return { kind: "dpl.SameShape", args };
}

/**
 * Puts chains together to a graph. The arguments of patterns over calls of operators are nodes of it as well. `base` is a
 * graph that this one adds to (upstream's `incremental`).
 */
export function patternContext(
  chains: readonly (DFPattern | PatternSeq)[],
  opts: { readonly constraints?: readonly SameShape[]; readonly base?: PatternContext } = {},
): PatternContext {
  const patterns = new Set<DFPattern>(opts.base?.patterns);
  const edges: PatternEdge[] = [...(opts.base?.edges ?? [])];
  const add = (p: DFPattern): void => {
    if (patterns.has(p)) return;
    if (p.kind === "dpl.Call" && !isDestinationPassing(p)) {
      p.args.forEach((arg, index) => {
        if (!standsForValue(arg)) return;
        add(arg);
        edges.push({ producer: arg, consumer: p, only: false, index });
      });
    }
    patterns.add(p);
  };
  for (const seq of chains.map(asSeq)) {
    seq.patterns.forEach(add);
    edges.push(...seq.edges);
  }
  return { patterns: [...patterns], edges, constraints: [...(opts.base?.constraints ?? []), ...(opts.constraints ?? [])] };
}

/** A copy whose patterns are others (upstream's `dup`): it may match other values than the first. */
export function duplicate(seq: PatternSeq): PatternSeq {
  const copies = new Map<DFPattern, DFPattern>();
  const copy = (p: DFPattern): DFPattern => {
    const known = copies.get(p);
    if (known !== undefined) return known;
    const made = copyPattern(p, copy);
    copies.set(p, made);
    return made;
  };
  return {
    kind: "dpl.Seq",
    patterns: seq.patterns.map(copy),
    edges: seq.edges.map((e) => ({ ...e, producer: copy(e.producer), consumer: copy(e.consumer) })),
  };
}

function copyPattern(p: DFPattern, copy: (p: DFPattern) => DFPattern): DFPattern {
  switch (p.kind) {
    case "dpl.Call":
      return { ...p, op: copy(p.op), args: p.args.map(copy) };
    case "dpl.Function":
      return { ...p, params: p.params.map(copy), body: copy(p.body) };
    case "dpl.Tuple":
      return { ...p, fields: p.fields.map(copy) };
    case "dpl.TupleGetItem":
      return { ...p, tuple: copy(p.tuple) };
    case "dpl.And":
    case "dpl.Or":
      return { ...p, left: copy(p.left), right: copy(p.right) };
    case "dpl.Not":
      return { ...p, reject: copy(p.reject) };
    case "dpl.DataType":
    case "dpl.Shape":
    case "dpl.Attr":
    case "dpl.StructInfo":
      return { ...p, pattern: copy(p.pattern) };
    default:
      return { ...p };
  }
}

/** What these calls take is a tuple, which is no node of the graph. */
function isDestinationPassing(p: DFPattern): boolean {
  if (p.kind !== "dpl.Call" || p.op.kind !== "dpl.Expr") return false;
  const { expr } = p.op;
  return expr.kind === "ir.Op" && (expr.name === "relax.call_tir" || expr.name === "relax.call_dps_packed");
}

/** True for patterns over what a variable may hold. */
function standsForValue(p: DFPattern): boolean {
  return !["dpl.Tuple", "dpl.PrimArr", "dpl.Expr", "dpl.GlobalVar", "dpl.ExternFunc", "dpl.Constant"].includes(p.kind);
}
