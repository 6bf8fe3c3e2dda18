import { at } from "@verticil/ir-core";
import { makePrimValue, makeTensorStructInfo, type Expr } from "@verticil/relax";
import { add, asInt, constant, type PrimExpr } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { splitAt } from "./shape.ts";

/** `[batch, length, heads * size]` as `[batch, heads, length, size]`; what has four dimensions stays. */
export function byHead(ctx: NodeContext, x: Expr, heads: number): Expr {
  if (ctx.rank(x) === 4) return x;
  const [batch, length, width] = ctx.dims(x);
  const size = asInt(width ?? constant(0, "int64")) ?? ctx.unsupported("the width of its input is not known");
  if (batch === undefined || length === undefined) return ctx.unsupported("its input does not have three dimensions");
  return ctx.transpose(ctx.reshape(x, [batch, length, heads, size / heads]), [0, 2, 1, 3]);
}

/** `[batch, heads, length, size]` as `[batch, length, heads * size]`. */
export function heldTogether(ctx: NodeContext, x: Expr): Expr {
  const [batch, heads, length, size] = ctx.dims(x);
  const width = (asInt(heads ?? constant(0, "int64")) ?? 0) * (asInt(size ?? constant(0, "int64")) ?? 0);
  return ctx.reshape(ctx.transpose(x, [0, 2, 1, 3]), [batch ?? 1, length ?? 1, width]);
}

export function joined(ctx: NodeContext, past: Expr | undefined, now: Expr): Expr {
  return past === undefined ? now : ctx.emit("concat", [ctx.tuple([past, now])], { axis: 2 });
}

/** `start, start + 1, …` up to `end`, whose length is known to be `length`. */
function counting(ctx: NodeContext, start: PrimExpr, end: PrimExpr, length: PrimExpr): Expr {
  const range = ctx.emit("arange", [makePrimValue(start), makePrimValue(end), makePrimValue(1)], { dtype: "int64" });
  // Inference allows for an end before the start.
  return asInt(length) === undefined ? ctx.bb.matchCast(range, makeTensorStructInfo([length], "int64")) : range;
}

const ZERO: PrimExpr = constant(0, "int64");

/** True where a query may look: at keys up to its own position, those of the past included. */
function causalMask(ctx: NodeContext, queries: PrimExpr, keys: PrimExpr, past: PrimExpr): Expr {
  const rows = counting(ctx, past, add(past, queries), queries);
  const columns = counting(ctx, ZERO, keys, keys);
  return ctx.emit("less_equal", [ctx.emit("expand_dims", [columns], { axis: [0] }), ctx.emit("expand_dims", [rows], { axis: [1] })]);
}

/** Large enough to vanish in a softmax, finite so that a row in which nothing may be seen is no NaN. */
function lowest(dtype: string): number {
  return dtype === "float16" ? -65504 : -3e38;
}

/** Scores where nothing may be seen made low. */
function masked(ctx: NodeContext, scores: Expr, mask: Expr): Expr {
  return ctx.emit("where", [mask, scores, ctx.scalar(lowest(ctx.dtype(scores)), scores)]);
}

interface Heads {
  readonly query: Expr;
  readonly key: Expr;
  readonly value: Expr;
  readonly pastKey: Expr | undefined;
  readonly pastValue: Expr | undefined;
}

/** Keys and values repeated where several heads of queries share one of theirs. */
export function repeatedHeads(ctx: NodeContext, x: Expr, query: Expr): Expr {
  const [own, wanted] = [x, query].map((e) => asInt(at(ctx.dims(e), 1)));
  if (own === undefined || wanted === undefined) return ctx.unsupported("the number of heads is not known");
  return own === wanted ? x : ctx.emit("repeat", [x], { repeats: wanted / own, axis: 1 });
}

const attention: Converter = (ctx) => {
  const q = ctx.input(0);
  const queryHeads = ctx.attrs.int("q_num_heads", ctx.rank(q) === 4 ? 0 : 1);
  const keyHeads = ctx.attrs.int("kv_num_heads", queryHeads);
  const heads: Heads = {
    query: byHead(ctx, q, queryHeads),
    key: byHead(ctx, ctx.input(1), keyHeads),
    value: byHead(ctx, ctx.input(2), keyHeads),
    pastKey: ctx.optional(4),
    pastValue: ctx.optional(5),
  };
  const [key, value] = [joined(ctx, heads.pastKey, heads.key), joined(ctx, heads.pastValue, heads.value)];
  const size = asInt(at(ctx.dims(heads.query), 3)) ?? ctx.unsupported("the size of its heads is not known");
  const scale = ctx.attrs.float("scale", 1 / Math.sqrt(size));
  const scaled = ctx.emit("multiply", [heads.query, ctx.scalar(scale, heads.query)]);
  const keys = ctx.transpose(repeatedHeads(ctx, key, heads.query), [0, 1, 3, 2]);
  const raw = ctx.emit("matmul", [scaled, keys]);
  const past = heads.pastKey === undefined ? ZERO : at(ctx.dims(heads.pastKey), 2);
  const stages = probabilities(ctx, raw, { queries: at(ctx.dims(heads.query), 2), keys: at(ctx.dims(key), 2), past });
  const y = ctx.emit("matmul", [at(stages, -1), repeatedHeads(ctx, value, heads.query)]);
  const shown = stages[ctx.attrs.int("qk_matmul_output_mode", 0)];
  return [ctx.rank(q) === 4 ? y : heldTogether(ctx, y), key, value, shown];
};

interface Lengths {
  readonly queries: PrimExpr;
  readonly keys: PrimExpr;
  readonly past: PrimExpr;
}

/** The scores as they come, capped, with the mask, and as probabilities. */
function probabilities(ctx: NodeContext, raw: Expr, lengths: Lengths): readonly Expr[] {
  const mask = ctx.optional(3);
  const seen: Expr[] = [];
  if (mask !== undefined && ctx.dtype(mask) === "bool") seen.push(mask);
  if (ctx.attrs.flag("is_causal")) seen.push(causalMask(ctx, lengths.queries, lengths.keys, lengths.past));
  const cap = ctx.attrs.float("softcap", 0);
  // Before the mask: a cap would bring back what the mask took away.
  const capped =
    cap === 0 ? raw : ctx.emit("multiply", [ctx.emit("tanh", [ctx.emit("divide", [raw, ctx.scalar(cap, raw)])]), ctx.scalar(cap, raw)]);
  const biased = mask === undefined || ctx.dtype(mask) === "bool" ? capped : ctx.emit("add", [capped, mask]);
  const withMask = seen.reduce((x, m) => masked(ctx, x, m), biased);
  const soft = ctx.emit("nn.softmax", [withMask], { axis: -1 });
  // A query that sees nothing has the answer zero.
  const clean = seen.reduce((x, m) => ctx.emit("where", [m, x, ctx.scalar(0, x)]), soft);
  return [raw, capped, withMask, clean];
}

/** Rotary position embedding of the first `rotary_embedding_dim` numbers of each head. */
const rotary: Converter = (ctx) => {
  const input = ctx.input(0);
  const x = byHead(ctx, input, ctx.attrs.int("num_heads", 1));
  const size = asInt(at(ctx.dims(x), 3)) ?? ctx.unsupported("the size of its heads is not known");
  const given = ctx.attrs.int("rotary_embedding_dim", 0);
  const turned = given === 0 ? size : given;
  const [head, tail] = turned === size ? [x] : splitAt(ctx, x, 3, [turned, size - turned]);
  const positions = ctx.optional(3);
  const table = (i: number): Expr => {
    const rows = positions === undefined ? ctx.input(i) : ctx.emit("take", [ctx.input(i), positions], { axis: 0 });
    return ctx.emit("expand_dims", [rows], { axis: [1] });
  };
  const rotated = turn(ctx, head ?? x, table(1), table(2), turned / 2, ctx.attrs.flag("interleaved"));
  const whole = tail === undefined ? rotated : ctx.emit("concat", [ctx.tuple([rotated, tail])], { axis: 3 });
  return ctx.rank(input) === 4 ? whole : heldTogether(ctx, whole);
};

/** Turns pairs of numbers by their angles: neighbours if interleaved, else one of each half. */
export function turn(ctx: NodeContext, x: Expr, cos: Expr, sin: Expr, half: number, interleaved: boolean): Expr {
  const [batch, heads, length] = ctx.dims(x);
  const shape = [batch ?? 1, heads ?? 1, length ?? 1];
  const pairs = interleaved ? splitAt(ctx, ctx.reshape(x, [...shape, half, 2]), 4, [1, 1]).map((p) => ctx.reshape(p, [...shape, half])) : splitAt(ctx, x, 3, [half, half]);
  const [a, b] = [at(pairs, 0), at(pairs, 1)];
  const real = ctx.emit("subtract", [ctx.emit("multiply", [a, cos]), ctx.emit("multiply", [b, sin])]);
  const imaginary = ctx.emit("add", [ctx.emit("multiply", [a, sin]), ctx.emit("multiply", [b, cos])]);
  if (!interleaved) return ctx.emit("concat", [ctx.tuple([real, imaginary])], { axis: 3 });
  return ctx.reshape(ctx.emit("stack", [ctx.tuple([real, imaginary])], { axis: 4 }), [...shape, 2 * half]);
}

/** Attention and what belongs to it. */
export const attentionConverters: ConverterTable = {
  Attention: attention,
  RotaryEmbedding: rotary,
};
