import { at, definePass, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import { isCallTo } from "../ir/call-target.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { makeCall, staticShapeOf } from "../ir/make.ts";
import { rewriteModule, type RuleContext } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { intAttr, intsAttr, optIntsAttr, stringAttr } from "../op/attrs-of.ts";

/** Images of more channels than this, three colours, are transposed in vectors, which the copy with the border would not be. */
const mostChannels = 3;

/**
 * Makes `R.nn.conv2d` read an image before its transposes where these cancel out, or where it is of few channels and gets a
 * border anyway: the copy that has the border brings it into the wanted order too. The result's layout stays. The
 * transposes are left to `DeadCodeElimination`. Ours, not upstream's.
 */
export function foldTransposeIntoConv2D(): Pass {
  return definePass("FoldTransposeIntoConv2D", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, ruleCtx) => (isCallTo(value, "relax.nn.conv2d") ? readSource(value, ruleCtx) : undefined),
    ),
  );
}

function readSource(call: Call, ctx: RuleContext): Expr | undefined {
  const [image, ...rest] = call.args;
  const layout = stringAttr(call, "data_layout");
  const origin = image && beforeTransposes(image, ctx);
  if (image === undefined || origin === undefined || origin.source === image || origin.axes.length !== layout.length) return undefined;
  const letters = [...layout];
  origin.axes.forEach((axis, i) => (letters[axis] = at([...layout], i)));
  const given = letters.join("");
  if (given !== layout && !isBorderedImage(call, image, layout)) return undefined;
  return makeCall(call.op, [origin.source, ...rest], { attrs: { ...call.attrs, data_layout: given }, sinfoArgs: call.sinfoArgs, span: call.span });
}

/** What an operand is a permutation of: its axis `i` is axis `axes[i]` of `source`. */
function beforeTransposes(image: Expr, ctx: RuleContext): { readonly source: Expr; readonly axes: readonly number[] } {
  const bound = ctx.value(image);
  const own = bound !== undefined && isCallTo(bound, "relax.permute_dims") ? optIntsAttr(bound, "axes") : undefined;
  const operand = bound?.kind === "relax.Call" ? bound.args[0] : undefined;
  if (own === undefined || operand === undefined) return { source: image, axes: identity(image) };
  const { source, axes } = beforeTransposes(operand, ctx);
  return axes.length === own.length ? { source, axes: own.map((a) => at(axes, a < 0 ? a + own.length : a)) } : { source: image, axes: identity(image) };
}

function identity(e: Expr): readonly number[] {
  const info = structInfoOf(e);
  return info?.kind === "relax.TensorStructInfo" && info.ndim > 0 ? Array.from({ length: info.ndim }, (_, i) => i) : [];
}

/** True if few channels are read, and zeros around them. */
function isBorderedImage(call: Call, image: Expr, layout: string): boolean {
  const channels = staticShapeOf(structInfoOf(image))?.[layout.indexOf("C")];
  return channels !== undefined && channels <= mostChannels && intAttr(call, "groups") === 1 && intsAttr(call, "padding").some((p) => p > 0);
}
