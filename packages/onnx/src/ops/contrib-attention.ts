import { at } from "@verticil/ir-core";
import { makeShapeExpr, type Expr } from "@verticil/relax";
import { asInt, constant, isConstInt, type PrimExpr } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { byHead, heldTogether, joined, repeatedHeads, turn } from "./attention.ts";
import { countedFrom, sizeOperand } from "./positions.ts";
import { splitAt } from "./shape.ts";

// ONNX Runtime's attention operators. Hidden keys get `mask_filter_value` added, as its CPU kernels do, rather than being
// left out: a row in which every key is hidden has an answer.

/** Scores of queries and keys, `[batch, heads, length, size]` both. */
function scoresOf(ctx: NodeContext, query: Expr, key: Expr): Expr {
  const size = asInt(at(ctx.dims(query), 3)) ?? ctx.unsupported("the size of its heads is not known");
  const given = ctx.attrs.float("scale", 0);
  const scale = given === 0 ? 1 / Math.sqrt(size) : given;
  return ctx.emit("multiply", [ctx.emit("matmul", [query, ctx.transpose(key, [0, 1, 3, 2])]), ctx.scalar(scale, query)]);
}

/** `mask_filter_value` where a key may not be seen, else 0. */
function penalty(ctx: NodeContext, visible: Expr, scores: Expr, value = ctx.attrs.float("mask_filter_value", -10000)): Expr {
  return ctx.emit("where", [visible, ctx.scalar(0, scores), ctx.scalar(value, scores)]);
}

function plus(ctx: NodeContext, a: Expr, b: Expr): Expr {
  return ctx.emit("add", [a, b]);
}

/** Positions from 0 to `end` as a row. */
function row(ctx: NodeContext, end: PrimExpr): Expr {
  return ctx.emit("expand_dims", [countedFrom(ctx, constant(0, "int64"), end)], { axis: [0] });
}

/** True where a key at its position is not behind the query's, which counts from the end of the past. */
function causal(ctx: NodeContext, queries: PrimExpr, keys: PrimExpr): Expr {
  const past = ctx.emit("subtract", [sizeOperand(ctx, keys), sizeOperand(ctx, queries)]);
  const rows = ctx.emit("add", [ctx.emit("expand_dims", [countedFrom(ctx, constant(0, "int64"), queries)], { axis: [1] }), past]);
  return ctx.emit("less_equal", [row(ctx, keys), rows]);
}

/** Scores with the causal mask, where the node asks for it. */
function causally(ctx: NodeContext, scores: Expr): Expr {
  if (!ctx.attrs.flag("unidirectional")) return scores;
  const [, , queries, keys] = ctx.dims(scores);
  const visible = causal(ctx, queries ?? constant(1, "int64"), keys ?? constant(1, "int64"));
  return ctx.emit("where", [visible, scores, ctx.scalar(ctx.dtype(scores) === "float16" ? -65504 : -3.4028234663852886e38, scores)]);
}

/** Scores with a mask in one of the forms that ONNX Runtime takes: of keys, of positions, or as lengths. */
function withMask(ctx: NodeContext, scores: Expr, mask: Expr | undefined): Expr {
  if (mask === undefined) return scores;
  const [batch, , , keys] = ctx.dims(scores);
  if (keys === undefined || batch === undefined) throw new Error("internal: scores have four dimensions");
  switch (ctx.rank(mask)) {
    case 1: {
      const [count] = ctx.dims(mask);
      const positions = row(ctx, keys);
      const lengths = ctx.astype(mask, "int64");
      const parts = isConstInt(batch) && isConstInt(count ?? batch) && Number(asInt(count ?? batch)) === 2 * Number(asInt(batch)) ? splitAt(ctx, lengths, 0, [Number(asInt(batch)), Number(asInt(batch))]) : [lengths];
      const column = (x: Expr): Expr => ctx.emit("expand_dims", [x], { axis: [1] });
      const beforeEnd = ctx.emit("less", [positions, column(at(parts, 0))]);
      const [, start] = parts;
      const visible = start === undefined ? beforeEnd : ctx.emit("logical_and", [beforeEnd, ctx.emit("greater_equal", [positions, column(start)])]);
      return plus(ctx, scores, penalty(ctx, ctx.emit("expand_dims", [visible], { axis: [1, 2] }), scores));
    }
    case 2:
    case 3: {
      const visible = ctx.emit("greater", [mask, ctx.scalar(0, mask)]);
      return plus(ctx, scores, penalty(ctx, ctx.emit("expand_dims", [visible], { axis: ctx.rank(mask) === 2 ? [1, 2] : [1] }), scores));
    }
    default:
      return ctx.unsupported(`its mask has ${ctx.rank(mask)} dimensions`);
  }
}

function answered(ctx: NodeContext, scores: Expr, value: Expr): Expr {
  return heldTogether(ctx, ctx.emit("matmul", [ctx.emit("nn.softmax", [scores], { axis: -1 }), value]));
}

/** The inputs of attention with projections that come after those. */
interface Remembered {
  readonly mask: Expr | undefined;
  /** `[2, batch, heads, length, size]` */
  readonly past: Expr | undefined;
  /** Added to the scores. */
  readonly added: Expr | undefined;
}

/** Attention of queries, keys and values that lie side by side on the last axis, and its keys and values for the next run. */
export function selfAttention(ctx: NodeContext, projected: Expr, { mask, past, added }: Remembered): readonly (Expr | undefined)[] {
  const heads = ctx.attrs.int("num_heads") ?? ctx.unsupported("it has no num_heads");
  if (ctx.attrs.flag("do_rotary")) return ctx.unsupported("it turns positions itself (do_rotary)");
  if (ctx.attrs.flag("past_present_share_buffer")) return ctx.unsupported("its past and present share a buffer");
  const width = asInt(at(ctx.dims(projected), 2)) ?? ctx.unsupported("the width of its projections is not known");
  const sizes = ctx.attrs.ints("qkv_hidden_sizes") ?? [width / 3, width / 3, width / 3];
  const [query, newKey, newValue] = splitAt(ctx, projected, 2, sizes).map((p) => byHead(ctx, p, heads));
  if (query === undefined || newKey === undefined || newValue === undefined) return ctx.unsupported("its projections are not three");
  const half = (i: number): Expr | undefined => (past === undefined ? undefined : ctx.emit("take", [past, ctx.scalar(i, "int64")], { axis: 0 }));
  const [key, value] = [joined(ctx, half(0), newKey), joined(ctx, half(1), newValue)];
  const bare = scoresOf(ctx, query, key);
  const scores = causally(ctx, withMask(ctx, added === undefined ? bare : plus(ctx, bare, added), mask));
  const present = ctx.usesOutput(1) ? ctx.emit("stack", [ctx.tuple([key, value])], { axis: 0 }) : undefined;
  return [answered(ctx, scores, value), present];
}

/** Attention with the projections to queries, keys and values as part of it. */
const attention: Converter = (ctx) => {
  const bias = ctx.optional(2);
  const product = ctx.emit("matmul", [ctx.input(0), ctx.input(1)]);
  const projected = bias === undefined ? product : plus(ctx, product, bias);
  return selfAttention(ctx, projected, { mask: ctx.optional(3), past: ctx.optional(4), added: ctx.optional(5) });
};

interface Operands {
  readonly query: Expr;
  readonly key: Expr;
  readonly value: Expr;
}

/** Queries, keys and values by head, from the forms in which they may be packed. */
function unpacked(ctx: NodeContext, heads: number): Operands {
  const [q, k, v] = [ctx.input(0), ctx.optional(1), ctx.optional(2)];
  const bias = ctx.optional(3);
  const part = (x: Expr, i: number): Expr => ctx.transpose(ctx.emit("take", [x, ctx.scalar(i, "int64")], { axis: 3 }), [0, 2, 1, 3]);
  if (ctx.rank(q) === 5) return { query: part(q, 0), key: part(q, 1), value: part(q, 2) };
  const width = asInt(at(ctx.dims(q), 2)) ?? ctx.unsupported("the width of its queries is not known");
  const widths = [width, width, v === undefined || ctx.rank(v) !== 3 ? width : (asInt(at(ctx.dims(v), 2)) ?? width)];
  const biases = bias === undefined ? [] : splitAt(ctx, bias, 0, widths);
  const own = (x: Expr, i: number): Expr => {
    const b = biases[i];
    return byHead(ctx, b === undefined || ctx.rank(x) === 4 ? x : plus(ctx, x, b), heads);
  };
  const query = own(q, 0);
  if (k === undefined) return ctx.unsupported("it has no keys");
  if (ctx.rank(k) === 5) return { query, key: part(k, 0), value: part(k, 1) };
  return { query, key: own(k, 1), value: own(v ?? ctx.unsupported("it has no values"), 2) };
}

const multiHead: Converter = (ctx) => {
  const heads = ctx.attrs.int("num_heads") ?? ctx.unsupported("it has no num_heads");
  const { query, key: newKey, value: newValue } = unpacked(ctx, heads);
  const [key, value] = [joined(ctx, ctx.optional(6), newKey), joined(ctx, ctx.optional(7), newValue)];
  const bare = scoresOf(ctx, query, key);
  const added = ctx.optional(5);
  const scores = causally(ctx, withMask(ctx, added === undefined ? bare : plus(ctx, bare, added), ctx.optional(4)));
  return [answered(ctx, scores, value), key, value];
};

/**
 * Attention whose heads of queries share those of keys, over keys of the past: `seqlens_k` says for each row how many keys
 * there are, less one, and with that where its new ones begin.
 */
const groupQuery: Converter = (ctx) => {
  const heads = ctx.attrs.int("num_heads") ?? ctx.unsupported("it has no num_heads");
  const keyHeads = ctx.attrs.int("kv_num_heads") ?? ctx.unsupported("it has no kv_num_heads");
  if (ctx.attrs.flag("smooth_softmax") || ctx.optionalValue(11) !== undefined) return ctx.unsupported("its softmax has a sink");
  if (ctx.optionalValue(12) !== undefined || ctx.optionalValue(13) !== undefined) return ctx.unsupported("its past is quantized");
  const { query: plainQuery, key: plainKey, value } = groupOperands(ctx, heads, keyHeads);
  const length = at(ctx.dims(plainQuery), 2);
  const pasts = [ctx.optional(3), ctx.optional(4)];
  const pastLength = pasts[0] === undefined ? constant(0, "int64") : at(ctx.dims(pasts[0]), 2);
  const zero = ctx.scalar(0, "int64");
  const counts = ctx.emit("add", [ctx.astype(ctx.reshape(ctx.input(5), [at(ctx.dims(plainQuery), 0)]), "int64"), ctx.scalar(1, "int64")]);
  // A first prompt may be shorter than its row.
  const before = ctx.emit("maximum", [ctx.emit("subtract", [counts, sizeOperand(ctx, length)]), zero]);
  const [query, key] = [plainQuery, plainKey].map((x) => (ctx.attrs.flag("do_rotary") ? turned(ctx, x, before, length) : x));
  if (query === undefined || key === undefined) throw new Error("internal: queries and keys");
  const given = ctx.reshape(ctx.astype(ctx.input(6), "int64"), [1]);
  const [total = length] = ctx.openDims(ctx.emit("maximum", [given, sizeOperand(ctx, pastLength)]), 1);
  const present = [key, value].map((now, i) => placedAfter(ctx, pasts[i], now, before, total));
  const [allKeys, allValues] = present.map((x) => repeatedHeads(ctx, x, query));
  if (allKeys === undefined || allValues === undefined) throw new Error("internal: keys and values");
  const bare = capped(ctx, scoresOf(ctx, query, allKeys));
  const added = ctx.optional(10);
  const scores = added === undefined ? bare : plus(ctx, bare, added);
  const visible = windowed(ctx, before, length, total);
  const seen = ctx.emit("where", [visible, scores, ctx.scalar(ctx.dtype(scores) === "float16" ? -65504 : -3.4028234663852886e38, scores)]);
  return [answered(ctx, seen, allValues), ...present];
};

function groupOperands(ctx: NodeContext, heads: number, keyHeads: number): Operands {
  const [q, k, v] = [ctx.input(0), ctx.optional(1), ctx.optional(2)];
  if (k !== undefined && v !== undefined) return { query: byHead(ctx, q, heads), key: byHead(ctx, k, keyHeads), value: byHead(ctx, v, keyHeads) };
  const width = asInt(at(ctx.dims(q), 2)) ?? ctx.unsupported("the width of its input is not known");
  const size = width / (heads + 2 * keyHeads);
  const [query, key, value] = splitAt(ctx, q, 2, [heads * size, keyHeads * size, keyHeads * size]);
  if (query === undefined || key === undefined || value === undefined) throw new Error("internal: three parts");
  return { query: byHead(ctx, query, heads), key: byHead(ctx, key, keyHeads), value: byHead(ctx, value, keyHeads) };
}

function capped(ctx: NodeContext, scores: Expr): Expr {
  const cap = ctx.attrs.float("softcap", 0);
  if (cap === 0) return scores;
  return ctx.emit("multiply", [ctx.emit("tanh", [ctx.emit("divide", [scores, ctx.scalar(cap, scores)])]), ctx.scalar(cap, scores)]);
}

/** The position of each query in its row, `[batch, length]`. */
function queryPositions(ctx: NodeContext, before: Expr, length: PrimExpr): Expr {
  return ctx.emit("add", [ctx.emit("expand_dims", [before], { axis: [1] }), row(ctx, length)]);
}

/** The positions that the node names: of single words each its own, of several in a row only where the first row begins, as onnxruntime has it. */
function namedPositions(ctx: NodeContext, given: Expr, length: PrimExpr): Expr {
  const ids = ctx.astype(given, "int64");
  if (asInt(length) === 1) return ids;
  const first = ctx.reshape(ctx.emit("strided_slice", [ids, ctx.prims([0, 1]), ctx.prims([0, 0]), ctx.prims([1, 1])]), [1, 1]);
  const counted = ctx.emit("add", [first, row(ctx, length)]);
  return asInt(length) === undefined ? ctx.emit("where", [ctx.emit("equal", [sizeOperand(ctx, length), ctx.scalar(1, "int64")]), ids, counted]) : counted;
}

/** Turned by the angles of the positions. */
function turned(ctx: NodeContext, x: Expr, before: Expr, length: PrimExpr): Expr {
  const given = ctx.optional(9);
  const positions = given === undefined ? queryPositions(ctx, before, length) : namedPositions(ctx, given, length);
  const table = (i: number): Expr => ctx.emit("expand_dims", [ctx.emit("take", [ctx.input(i), positions], { axis: 0 })], { axis: [1] });
  return rotated(ctx, x, table(7), table(8), ctx.attrs.flag("rotary_interleaved"));
}

/** As many numbers of each head turned as the tables have angles for. */
function rotated(ctx: NodeContext, x: Expr, cos: Expr, sin: Expr, interleaved: boolean): Expr {
  const [size, half] = [asInt(at(ctx.dims(x), 3)), asInt(at(ctx.dims(cos), -1))];
  if (size === undefined || half === undefined) return ctx.unsupported("the size of its heads is not known");
  if (2 * half === size) return turn(ctx, x, cos, sin, half, interleaved);
  const [head = x, tail = x] = splitAt(ctx, x, 3, [2 * half, size - 2 * half]);
  return ctx.emit("concat", [ctx.tuple([turn(ctx, head, cos, sin, half, interleaved), tail])], { axis: 3 });
}

/** The past of each row up to where its new keys begin, then those: `[batch, heads, total, size]`. */
function placedAfter(ctx: NodeContext, past: Expr | undefined, now: Expr, before: Expr, total: PrimExpr): Expr {
  const [batch = total, heads = total, length = total, size = total] = ctx.dims(now);
  const pastLength = past === undefined ? constant(0, "int64") : at(ctx.dims(past), 2);
  const both = joined(ctx, past, now);
  const positions = row(ctx, total);
  const starts = ctx.emit("expand_dims", [before], { axis: [1] });
  const last = ctx.emit("subtract", [sizeOperand(ctx, length), ctx.scalar(1, "int64")]);
  const fresh = ctx.emit("add", [ctx.emit("minimum", [ctx.emit("subtract", [positions, starts]), last]), sizeOperand(ctx, pastLength)]);
  const index = ctx.emit("where", [ctx.emit("less", [positions, starts]), positions, fresh]);
  const everywhere = ctx.emit("broadcast_to", [ctx.emit("expand_dims", [index], { axis: [1, 3] }), makeShapeExpr([batch, heads, total, size])]);
  return ctx.emit("gather_elements", [both, everywhere], { axis: 2 });
}

/** True for keys that are there and not behind the query, `[batch, 1, length, total]`; with a window, not too far before it. */
function windowed(ctx: NodeContext, before: Expr, length: PrimExpr, total: PrimExpr): Expr {
  const queries = ctx.emit("expand_dims", [queryPositions(ctx, before, length)], { axis: [2] });
  const keys = ctx.emit("expand_dims", [row(ctx, total)], { axis: [0] });
  const isBefore = ctx.emit("less_equal", [keys, queries]);
  const window = ctx.attrs.int("local_window_size", -1);
  const near = window < 0 ? isBefore : ctx.emit("logical_and", [isBefore, ctx.emit("greater", [keys, ctx.emit("subtract", [queries, ctx.scalar(window, "int64")])])]);
  return ctx.emit("expand_dims", [near], { axis: [1] });
}

/** Rotary position embedding; `position_ids` are one a word, or where all rows begin. */
const rotary: Converter = (ctx) => {
  const input = ctx.input(0);
  const scale = ctx.attrs.float("scale", 1);
  if (scale !== 1) return ctx.unsupported("it scales its result");
  const half = asInt(at(ctx.dims(ctx.input(2)), 1)) ?? ctx.unsupported("the size of its tables is not known");
  const isByHead = ctx.rank(input) === 4;
  const width = asInt(at(ctx.dims(input), -1)) ?? ctx.unsupported("the width of its input is not known");
  const heads = ctx.attrs.int("num_heads", 0);
  const x = isByHead ? input : byHead(ctx, input, heads === 0 ? width / (2 * half) : heads);
  const length = at(ctx.dims(x), 2);
  const ids = ctx.astype(ctx.input(1), "int64");
  const positions = ctx.rank(ids) === 1 ? ctx.emit("add", [row(ctx, length), ctx.emit("expand_dims", [ids], { axis: [1] })]) : ids;
  const table = (i: number): Expr => ctx.emit("expand_dims", [ctx.emit("take", [ctx.input(i), positions], { axis: 0 })], { axis: [1] });
  const y = rotated(ctx, x, table(2), table(3), ctx.attrs.flag("interleaved"));
  return isByHead ? y : heldTogether(ctx, y);
};

/** Attention of ONNX Runtime's own domain. */
export const contribAttentionConverters: ConverterTable = {
  "com.microsoft:Attention": attention,
  "com.microsoft:MultiHeadAttention": multiHead,
  "com.microsoft:GroupQueryAttention": groupQuery,
  "com.microsoft:RotaryEmbedding": rotary,
};
