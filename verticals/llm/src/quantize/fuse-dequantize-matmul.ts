import { definePass, type Pass } from "@verticil/ir-core";
import { BlockBuilder, isCallTo, opRegistryKey, rewriteModule, shapeOf, structInfoOf, type Call, type Expr, type RuleContext } from "@verticil/relax";

/**
 * Fuses the making of floats from quantized weights into the product that reads them:
 * `matmul(x, permute_dims(llm.dequantize(values, scales)))` becomes `llm.quantized_matmul(x, values, scales)`, so that
 * the floats never exist in memory. Other readers keep their own copy.
 */
export function fuseDequantizeMatmul(): Pass {
  return definePass("FuseDequantizeMatmul", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => fuse,
    ),
  );
}

function fuse(value: Expr, { bb, value: valueOf }: RuleContext): Expr | undefined {
  if (!isCallTo(value, "relax.matmul")) return undefined;
  const [x, weight] = value.args;
  const transposed = weight && callOf(weight, "relax.permute_dims", valueOf);
  const source = transposed?.args[0];
  const floats = transposed !== undefined && source !== undefined && swapsTwo(transposed) ? callOf(source, "llm.dequantize", valueOf) : undefined;
  const [values, scales] = floats?.args ?? [];
  if (x === undefined || floats === undefined || values === undefined || scales === undefined) return undefined;
  return bb.callOp("llm.quantized_matmul", [x, values, scales], { group: floats.attrs["group"] ?? 32 });
}

function callOf(e: Expr, name: string, valueOf: RuleContext["value"]): Call | undefined {
  const value = valueOf(e);
  return value !== undefined && isCallTo(value, name) ? value : undefined;
}

/** True for the transposition of a matrix. */
function swapsTwo(call: Call): boolean {
  const axes = call.attrs["axes"];
  const [data] = call.args;
  if (data === undefined || shapeOf(structInfoOf(data))?.length !== 2) return false;
  return axes === null || axes === undefined || (Array.isArray(axes) && Number(axes[0]) % 2 !== 0);
}
