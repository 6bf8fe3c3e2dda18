import { configOption, definePass, type ConfigOption, type Pass } from "@verticil/ir-core";
import { winogradDataPack, winogradInverse, winogradProduct, winogradScheme, winogradTiles } from "@verticil/te";
import { BlockBuilder } from "../ir/block-builder.ts";
import { isCallTo } from "../ir/call-target.ts";
import { callTe } from "../ir/call-te.ts";
import type { Call, Constant, Expr } from "../ir/expr.ts";
import { makeConstant, staticShapeOf } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { intAttr, intsAttr, stringAttr } from "../op/attrs-of.ts";
import { of1, of2 } from "../op/legalize/rule-parts.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { winogradTileSize, type DenseConv } from "./winograd-cost.ts";
import { winogradWeight } from "./winograd-weight.ts";

/** In how many runs larger weights must win back what they take to load; 0 leaves all convolutions direct. */
export const winogradPaybackRuns: ConfigOption<{ readonly type: "int"; readonly min: 0; readonly doc: string }> = /* @__PURE__ */ configOption(
  "relax.WinogradConv2D.payback_runs",
  { type: "int", min: 0, doc: "in how many runs Winograd's larger weights must win back what they take to load; 0 for direct convolutions only" },
);

/**
 * Convolutions by Winograd's scheme where that is faster: `R.nn.conv2d` of a constant 3×3 weight, stride 1, becomes
 * three tensor programs, the transform of the data's tiles, the products with the weight, which is transformed here, and
 * the transform of the result, with which what is element-wise after the convolution can be fused. Other targets keep
 * theirs. Upstream has the parts in its topi, and chose them in Relay (`conv2d_winograd_without_weight_transform`).
 */
export function winogradConv2D(options: WinogradConv2DOptions = {}): Pass {
  return definePass("WinogradConv2D", (module, ctx) => {
    const runs = options.paybackRuns ?? ctx.config.get(winogradPaybackRuns) ?? 3;
    // What is faster was found out for the register tiles of a processor.
    if (runs === 0 || ctx.target.kind !== "wasm") return module;
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (func) => (func.attrs["Primitive"] !== undefined ? undefined : (value, { bb }) => (isCallTo(value, "relax.nn.conv2d") ? byWinograd(value, bb, runs) : undefined)),
    );
  });
}

/** Options of `winogradConv2D`. */
export interface WinogradConv2DOptions {
  /** See `winogradPaybackRuns`; the context's, or 3, unless told. */
  readonly paybackRuns?: number;
}

function byWinograd(call: Call, bb: BlockBuilder, runs: number): Expr | undefined {
  const found = denseConv(call);
  const m = found && winogradTileSize(found, runs);
  if (found === undefined || m === undefined) return undefined;
  const scheme = winogradScheme(m);
  const { padding, weight, input } = found;
  const tiles = winogradTiles(found.data, padding, scheme);
  const packed = bb.emit(callTe(bb, of1((x) => winogradDataPack(x, padding, tiles, scheme)), [input], { name: "winograd_data_pack" }), "data_pack");
  const kernel = makeConstant(winogradWeight(weight.data, scheme), weight.span);
  const product = bb.emit(callTe(bb, of2(winogradProduct), [packed, kernel], { name: "winograd_bgemm" }), "bgemm");
  return callTe(bb, of1((x) => winogradInverse(x, tiles, scheme)), [product], { name: "conv2d_winograd" });
}

/** What the scheme can compute, with channels that are whole vectors. */
function denseConv(call: Call): (DenseConv & { readonly input: Expr; readonly weight: Constant }) | undefined {
  const [input, weight] = call.args;
  if (input === undefined || weight?.kind !== "relax.Constant" || weight.data.dtype !== "float32") return undefined;
  const [n, h, w, c] = staticShapeOf(structInfoOf(input)) ?? [];
  const [kh, kw, , outChannels] = weight.data.shape;
  if (n === undefined || h === undefined || w === undefined || c === undefined || outChannels === undefined) return undefined;
  if (stringAttr(call, "data_layout") !== "NHWC" || stringAttr(call, "kernel_layout") !== "HWIO" || stringAttr(call, "out_layout") !== "NHWC") return undefined;
  const ones = [...intsAttr(call, "strides"), ...intsAttr(call, "dilation"), intAttr(call, "groups")];
  if (kh !== 3 || kw !== 3 || ones.some((v) => v !== 1) || c % 4 !== 0 || outChannels % 4 !== 0) return undefined;
  return { data: [n, h, w, c], outChannels, padding: intsAttr(call, "padding"), input, weight };
}
