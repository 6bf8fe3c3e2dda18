import type { Expr } from "@verticil/relax";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";

const fastGelu: Converter = (ctx) => {
  const bias = ctx.optional(1);
  const x = ctx.input(0);
  return ctx.emit("nn.gelu_tanh", [bias === undefined ? x : ctx.emit("add", [x, bias])]);
};

const gelu: Converter = (ctx) => ctx.emit("nn.gelu", [ctx.input(0)]);
const biasGelu: Converter = (ctx) => ctx.emit("nn.gelu", [ctx.emit("add", [ctx.input(0), ctx.input(1)])]);

function normalizedLast(ctx: NodeContext, x: Expr, gamma: Expr, beta: Expr | undefined): Expr {
  const zero = beta ?? ctx.emit("zeros_like", [gamma]);
  return ctx.emit("nn.layer_norm", [x, gamma, zero], { axes: [-1], epsilon: ctx.attrs.float("epsilon", 1e-12) });
}

/** Outputs 1 and 2 are the mean and the inverse deviation, which inference has no use for. */
const skipLayerNorm: Converter = (ctx) => {
  const sum = ctx.emit("add", [ctx.input(0), ctx.input(1)]);
  const bias = ctx.optional(4);
  const skipped = bias === undefined ? sum : ctx.emit("add", [sum, bias]);
  return [normalizedLast(ctx, skipped, ctx.input(2), ctx.optional(3)), undefined, undefined, skipped];
};

const skipRmsNorm: Converter = (ctx) => {
  const sum = ctx.emit("add", [ctx.input(0), ctx.input(1)]);
  const bias = ctx.optional(3);
  const skipped = bias === undefined ? sum : ctx.emit("add", [sum, bias]);
  const y = ctx.emit("nn.rms_norm", [skipped, ctx.input(2)], { axes: [-1], epsilon: ctx.attrs.float("epsilon", 1e-5) });
  return [y, undefined, undefined, skipped];
};

const embedLayerNorm: Converter = (ctx) => {
  const words = ctx.emit("take", [ctx.input(2), ctx.input(0)], { axis: 0 });
  const positions = ctx.optional(8);
  const table = ctx.input(3);
  const placed = positions === undefined ? ctx.unsupported("it has no position_ids") : ctx.emit("take", [table, positions], { axis: 0 });
  const segments = ctx.optional(1);
  const segmentTable = ctx.optional(4);
  const sum = ctx.emit("add", [words, placed]);
  const embedded = segments === undefined || segmentTable === undefined ? sum : ctx.emit("add", [sum, ctx.emit("take", [segmentTable, segments], { axis: 0 })]);
  return [normalizedLast(ctx, embedded, ctx.input(5), ctx.input(6)), undefined, embedded];
};

/** Operators of ONNX Runtime's own domain. */
export const contribConverters: ConverterTable = {
  "com.microsoft:FastGelu": fastGelu,
  "com.microsoft:Gelu": gelu,
  "com.microsoft:BiasGelu": biasGelu,
  "com.microsoft:SkipLayerNormalization": skipLayerNorm,
  "com.microsoft:SkipSimplifiedLayerNormalization": skipRmsNorm,
  "com.microsoft:EmbedLayerNormalization": embedLayerNorm,
};
