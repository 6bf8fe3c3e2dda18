import type { AttrMap, BaseFunc, GlobalVar } from "@verticil/ir-core";
import { makeOp } from "@verticil/ir-core";
import type { AnyVar, Binding, Call, Expr } from "../ir/expr.ts";
import { makeCall, makeTuple, makeTupleGetItem } from "../ir/make.ts";
import { completeAttrs, type OpRegistry } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { matchBindings, type GraphMatch } from "./match-dfb.ts";
import { extractMatchedExpr, unwrapBindings, type Bindings, type Matches } from "./match-expr.ts";
import type { DFPattern } from "./pattern.ts";
import type { PatternContext } from "./pattern-context.ts";
import { isVar } from "../analysis/variables.ts";
import { forEachUse } from "../analysis/variables.ts";

/** What replacements are made with. */
export interface RewriteContext {
  readonly ops: OpRegistry;
  /** A call of an operator with its attributes completed, not bound and not normalized: what it stands in is. */
  call(name: string, args: readonly Expr[], attrs?: AttrMap, sinfoArgs?: readonly StructInfo[]): Call;
}

/** A context over a registry. @throws RangeError (from `call`) for an unknown operator or attribute. */
export function rewriteContext(ops: OpRegistry): RewriteContext {
  return {
    ops,
    call(name, args, attrs = {}, sinfoArgs = []) {
      const def = ops.get(name);
      if (def === undefined) throw new RangeError(`The operator \`${name}\` is not registered.`);
      return makeCall(makeOp(name), args, { attrs: completeAttrs(def, attrs), sinfoArgs });
    },
  };
}

/** Sees an expression that matches and what the parts of the pattern stand for; gives its replacement, or undefined to leave it. */
export type MatchRewriter = (expr: Expr, matches: Matches, ctx: RewriteContext) => Expr | undefined;

/** Sees the variables that a graph of patterns stands for, and what variables are bound to; gives new values of variables. */
export type GraphRewriter = (matches: GraphMatch, bindings: Bindings, ctx: RewriteContext) => ReadonlyMap<AnyVar, Expr>;

/** New values of variables, and functions that they call. */
export interface RewriteSpec {
  readonly values: ReadonlyMap<AnyVar, Expr>;
  readonly functions: ReadonlyMap<GlobalVar, BaseFunc>;
}

/** Finds what to replace among bindings without control flow or effects. */
export type BindingsRule = (bindings: readonly Binding[], ctx: RewriteContext) => RewriteSpec;

const nothing: RewriteSpec = { values: new Map(), functions: new Map() };

/** The rule that replaces each value that one pattern matches. `outer`: patterns that match whatever this one does. */
export function exprRule(pattern: DFPattern, rewriter: MatchRewriter, functions: ReadonlyMap<GlobalVar, BaseFunc>, outer: readonly DFPattern[]): BindingsRule {
  return (bindings, ctx) => {
    const values = new Map<AnyVar, Expr>();
    const known = new Map<AnyVar, Expr>();
    for (const { var: v, value } of bindings) {
      const next = rewriteExpr(pattern, rewriter, outer, value, known, ctx);
      if (next === undefined) known.set(v, value);
      else values.set(v, next);
    }
    return values.size === 0 ? nothing : { values, functions };
  };
}

function rewriteExpr(pattern: DFPattern, rewriter: MatchRewriter, outer: readonly DFPattern[], expr: Expr, known: Bindings, ctx: RewriteContext): Expr | undefined {
  const matches = extractMatchedExpr(pattern, expr, known);
  if (matches === undefined) return undefined;
  const all = new Map(matches);
  for (const p of outer) all.set(p, unwrapBindings(expr, known));
  const next = rewriter(expr, all, ctx);
  return next === expr ? undefined : next;
}

/** The rule that tries another where the first has replaced nothing. */
export function unionRule(first: BindingsRule, second: BindingsRule): BindingsRule {
  return (bindings, ctx) => {
    const a = first(bindings, ctx);
    if (a.values.size === 0) return second(bindings, ctx);
    const rest = bindings.filter((b) => !a.values.has(b.var));
    const b = rest.length === 0 ? nothing : second(rest, ctx);
    return { values: new Map([...a.values, ...b.values]), functions: new Map([...a.functions, ...b.functions]) };
  };
}

/** The rule that replaces the variables of a graph of patterns, as often as it is found. */
export function graphRule(pattern: PatternContext, rewriter: GraphRewriter): BindingsRule {
  return (bindings, ctx) => {
    const values = new Map<AnyVar, Expr>();
    let rest = bindings;
    for (;;) {
      const matches = matchBindings(pattern, rest);
      if (matches === undefined) break;
      const found = rewriter(matches, new Map(rest.map((b) => [b.var, b.value])), ctx);
      if (found.size === 0) break;
      for (const [v, e] of found) values.set(v, e);
      rest = rest.filter((b) => !found.has(b.var));
    }
    return values.size === 0 ? nothing : { values, functions: new Map() };
  };
}

interface TupleCandidate {
  readonly var: AnyVar;
  readonly value: Expr;
  /** By position in the tuple. */
  readonly matches: readonly (Matches | undefined)[];
  readonly users: Set<AnyVar>;
  used: boolean;
}

/**
 * The rule for a tuple that is nowhere written out: values of one block that match the fields of a tuple pattern, with
 * the same expressions where they share patterns, are replaced together.
 * @throws RangeError for more than three fields: every choice of values is tried.
 */
export function tupleRule(fields: readonly DFPattern[], rewriter: MatchRewriter, functions: ReadonlyMap<GlobalVar, BaseFunc>, outer: readonly DFPattern[]): BindingsRule {
  if (fields.length > 3) throw new RangeError(`A pattern of a tuple that is not written out has at most 3 fields, not ${fields.length}.`);
  return (bindings, ctx) => {
    const values = new Map<AnyVar, Expr>();
    const known = new Map<AnyVar, Expr>();
    const seen: TupleCandidate[] = [];
    const byVar = new Map<AnyVar, TupleCandidate>();
    for (const b of bindings) {
      const candidate: TupleCandidate = { var: b.var, value: b.value, matches: fields.map((p) => extractMatchedExpr(p, b.value, known)), users: new Set(), used: false };
      seen.push(candidate);
      byVar.set(b.var, candidate);
      const found = chooseTuple(seen, fields.length, (chosen) => rewriteTuple(chosen, rewriter, outer, ctx));
      if (found === undefined) known.set(b.var, b.value);
      else {
        for (const { candidate: c, value } of found) {
          values.set(c.var, value);
          known.delete(c.var);
          c.used = true;
        }
      }
      forEachUse(b.value, (v) => byVar.get(v)?.users.add(b.var));
    }
    return values.size === 0 ? nothing : { values, functions };
  };
}

interface Replacement {
  readonly candidate: TupleCandidate;
  readonly value: Expr;
}

/** Tries the choices that hold the latest candidate, later ones first. */
function chooseTuple(seen: readonly TupleCandidate[], size: number, attempt: (chosen: readonly TupleCandidate[]) => readonly Replacement[] | undefined): readonly Replacement[] | undefined {
  const latest = seen[seen.length - 1];
  if (latest === undefined) return undefined;
  const choose = (fixed: number, position: number, chosen: readonly (TupleCandidate | undefined)[]): readonly Replacement[] | undefined => {
    if (position < 0) return attempt(chosen.filter((c) => c !== undefined));
    const options = position === fixed ? [latest] : seen.slice(0, -1).reverse();
    for (const c of options) {
      if (c.used || c.matches[position] === undefined || chosen.includes(c)) continue;
      const found = choose(fixed, position - 1, chosen.map((x, i) => (i === position ? c : x)));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (let fixed = size - 1; fixed >= 0; fixed--) {
    const found = choose(fixed, size - 1, new Array<undefined>(size).fill(undefined));
    if (found !== undefined) return found;
  }
  return undefined;
}

function rewriteTuple(chosen: readonly TupleCandidate[], rewriter: MatchRewriter, outer: readonly DFPattern[], ctx: RewriteContext): readonly Replacement[] | undefined {
  const merged = new Map<DFPattern, Expr>();
  for (const [i, c] of chosen.entries()) {
    for (const [p, e] of c.matches[i] ?? []) {
      const before = merged.get(p);
      if (before !== undefined && before !== e) return undefined;
      merged.set(p, e);
    }
  }
  // A value that is used already, other than inside the match, would have to be there before the others are.
  const inside = new Set<AnyVar>([...merged.values()].filter(isVar));
  if (chosen.some((c) => [...c.users].some((u) => !inside.has(u)))) return undefined;
  const tuple = makeTuple(chosen.map((c) => c.value));
  for (const p of outer) merged.set(p, tuple);
  const next = rewriter(tuple, merged, ctx);
  if (next === undefined || next === tuple) return undefined;
  if (next.kind === "relax.Tuple" && next.fields.length !== chosen.length) throw new RangeError(`A tuple of ${chosen.length} values was expected, not of ${next.fields.length}.`);
  return chosen.map((candidate, i) => ({ candidate, value: next.kind === "relax.Tuple" ? (next.fields[i] ?? next) : makeTupleGetItem(next, i) }));
}
