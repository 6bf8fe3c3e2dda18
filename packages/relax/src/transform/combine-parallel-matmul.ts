import type { Pass } from "@verticil/ir-core";
import { definePass } from "@verticil/ir-core";
import { Analyzer, asInt } from "@verticil/tir";
import { forEachUse, isVar } from "../analysis/variables.ts";
import { isCall, wildcard, type DFPattern } from "../dpl/pattern.ts";
import { patternContext, type PatternContext } from "../dpl/pattern-context.ts";
import { rewriteBindings } from "../dpl/pattern-matching-rewriter.ts";
import type { GraphRewriter, RewriteContext } from "../dpl/rewrite-spec.ts";
import type { Bindings } from "../dpl/match-expr.ts";
import { isCallTo, opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Call, Expr, Function } from "../ir/expr.ts";
import { makeTuple, makeTupleGetItem, shapeOf } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { mapSequences } from "../ir/map-sequences.ts";

/** Says whether products may be joined: of `input` with `rhs`, each plus its `bias` if there are biases. */
export type CombineCheck = (input: AnyVar, rhs: readonly AnyVar[], bias: readonly AnyVar[], bindings: Bindings) => boolean;

const activations = ["relax.nn.relu", "relax.nn.gelu", "relax.nn.gelu_tanh", "relax.nn.silu"];

/** Products that share their left operand, and what follows all of them. */
interface Branches {
  readonly count: number;
  readonly biased: boolean;
  readonly activation: string | undefined;
}

/**
 * Upstream's `CombineParallelMatmul`: products of one tensor with several become one product with all of them, of which each
 * takes its part. Biases and activations come along where all branches have them. At most one width may be symbolic; its
 * part comes last. `check` may refuse.
 */
export function combineParallelMatmul(check: CombineCheck = () => true): Pass {
  return definePass("CombineParallelMatmul", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    return mapRelaxFunctions(module, (func) => {
      let current = func;
      for (const branches of branchesOf(func)) {
        const made = patternsFor(branches);
        current = rewriteBindings(made.context, rewriterFor(made, branches, check), current, { ops });
      }
      return current;
    });
  });
}

/** What there is to join, most branches first; each sort once. */
function branchesOf(func: Function): readonly Branches[] {
  const found = new Map<string, Branches>();
  mapSequences(func, (seq) => {
    for (const block of seq.blocks) {
      const values = new Map<AnyVar, Expr>(block.bindings.map((b) => [b.var, b.value]));
      const users = new Map<AnyVar, Call[]>();
      for (const { value } of block.bindings) forEachUse(value, (v) => users.set(v, [...(users.get(v) ?? []), ...(value.kind === "relax.Call" ? [value] : [])]));
      const byInput = new Map<AnyVar, AnyVar[]>();
      for (const [v, value] of values) {
        const lhs = isCallTo(value, "relax.matmul") ? value.args[0] : undefined;
        if (lhs !== undefined && isVar(lhs)) byInput.set(lhs, [...(byInput.get(lhs) ?? []), v]);
      }
      for (const products of byInput.values()) {
        if (products.length < 2) continue;
        for (const b of sortsOf(products, values, users)) found.set(`${b.count} ${b.biased} ${b.activation}`, b);
      }
    }
    return seq;
  });
  return [...found.values()].sort((a, b) => b.count - a.count);
}

/** The fused sort if all branches are of it, else the plain one. */
function sortsOf(products: readonly AnyVar[], values: ReadonlyMap<AnyVar, Expr>, users: ReadonlyMap<AnyVar, readonly Call[]>): readonly Branches[] {
  const boundTo = new Map<Expr, AnyVar>([...values].map(([v, e]) => [e, v]));
  const follow = (v: AnyVar | undefined, ok: (op: string) => boolean): Call | undefined => users.get(v ?? products[0] ?? ({} as AnyVar))?.find((c) => ok(opNameOf(c) ?? ""));
  const sums = products.map((p) => follow(p, (op) => op === "relax.add"));
  const rankOf = (sum: Call | undefined, p: AnyVar | undefined): number | undefined => {
    const bias = sum?.args.find((a) => a !== p);
    const info = bias === undefined ? undefined : structInfoOf(bias);
    return info?.kind === "relax.TensorStructInfo" ? info.ndim : undefined;
  };
  const ranks = sums.map((s, i) => rankOf(s, products[i]));
  const biased = ranks.every((r) => r !== undefined && r === ranks[0]);
  const ends = products.map((p, i) => {
    const sum = sums[i];
    return biased && sum !== undefined ? boundTo.get(sum) : p;
  });
  const acts = ends.map((v) => (v === undefined ? undefined : opNameOf(follow(v, (op) => activations.includes(op)) ?? makeTuple([]))));
  const activation = acts.every((a) => a !== undefined && a === acts[0]) ? acts[0] : undefined;
  return [{ count: products.length, biased, activation }];
}

interface Patterns {
  readonly context: PatternContext;
  readonly input: DFPattern;
  readonly rhs: readonly DFPattern[];
  readonly bias: readonly DFPattern[];
  readonly matmul: readonly DFPattern[];
  /** What is replaced. */
  readonly out: readonly DFPattern[];
}

function patternsFor({ count, biased, activation }: Branches): Patterns {
  const input = wildcard();
  const rhs = Array.from({ length: count }, () => wildcard());
  const matmul = rhs.map((w) => isCall("relax.matmul", [input, w]));
  const bias = biased ? rhs.map(() => wildcard()) : [];
  const sums = biased ? matmul.map((m, i) => isCall("relax.add", [m, bias[i] ?? wildcard()])) : matmul;
  const out = activation === undefined ? sums : sums.map((s) => isCall(activation, [s]));
  return { context: patternContext(out), input, rhs, bias, matmul, out };
}

interface Part {
  readonly rhs: AnyVar;
  readonly bias: AnyVar | undefined;
  readonly width: number | undefined;
  readonly out: AnyVar;
}

function rewriterFor(p: Patterns, branches: Branches, check: CombineCheck): GraphRewriter {
  return (matches, bindings, ctx) => {
    const out = new Map<AnyVar, Expr>();
    const input = matches.get(p.input);
    const byRank = new Map<number, Part[]>();
    p.rhs.forEach((pattern, i) => {
      const [rhs, end, matmul] = [matches.get(pattern), matches.get(p.out[i] ?? pattern), matches.get(p.matmul[i] ?? pattern)];
      const shape = shapeOf(rhs?.structInfo);
      if (rhs === undefined || end === undefined || matmul === undefined || shape === undefined || shape.length < 2) return;
      const last = shape[shape.length - 1];
      const part: Part = { rhs, bias: matches.get(p.bias[i] ?? pattern) === rhs ? undefined : matches.get(p.bias[i] ?? pattern), width: last === undefined ? undefined : asInt(last), out: end };
      byRank.set(shape.length, [...(byRank.get(shape.length) ?? []), part]);
    });
    if (input === undefined) return out;
    for (const [rank, all] of byRank) {
      const parts = [...all.filter((x) => x.width !== undefined), ...all.filter((x) => x.width === undefined).slice(0, 1)];
      if (parts.length < 2 || !sameStacks(parts, rank)) continue;
      const biases = parts.flatMap((x) => x.bias ?? []);
      if (!check(input, parts.map((x) => x.rhs), biases, bindings)) continue;
      const dtype = matches.get(p.matmul[0] ?? p.input)?.structInfo;
      const whole = combined(input, parts, biases, rank, dtype?.kind === "relax.TensorStructInfo" ? dtype.dtype : undefined, branches.activation, ctx);
      parts.forEach((x, i) => out.set(x.out, makeTupleGetItem(whole, i)));
    }
    return out;
  };
}

function combined(input: AnyVar, parts: readonly Part[], biases: readonly AnyVar[], rank: number, outDType: string | undefined, activation: string | undefined, ctx: RewriteContext): Call {
  let value: Expr = ctx.call("relax.matmul", [input, ctx.call("relax.concat", [makeTuple(parts.map((x) => x.rhs))], { axis: rank - 1 })], outDType === undefined ? {} : { out_dtype: outDType });
  if (biases.length > 0) {
    const info = biases[0]?.structInfo;
    const biasRank = info?.kind === "relax.TensorStructInfo" ? info.ndim : 1;
    value = ctx.call("relax.add", [value, ctx.call("relax.concat", [makeTuple(biases)], { axis: biasRank - 1 })]);
  }
  if (activation !== undefined) value = ctx.call(activation, [value]);
  let end = 0;
  const sections = parts.slice(0, -1).map((x) => (end += x.width ?? 0));
  const info = input.structInfo;
  const inputRank = info?.kind === "relax.TensorStructInfo" ? info.ndim : rank;
  return ctx.call("relax.split", [value], { indices_or_sections: sections, axis: Math.max(inputRank, rank) - 1 });
}

/** True if the stacks that the right operands are in provably agree. */
function sameStacks(parts: readonly Part[], rank: number): boolean {
  const analyzer = new Analyzer();
  const [first, ...others] = parts.map((x) => shapeOf(x.rhs.structInfo) ?? []);
  return others.every((s) => s.slice(0, rank - 2).every((d, i) => analyzer.canProveEqual(d, first?.[i] ?? d)));
}
