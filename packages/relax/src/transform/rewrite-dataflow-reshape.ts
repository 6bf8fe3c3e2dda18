import { definePass, type Pass } from "@verticil/ir-core";
import { elementCount, getElement, tensorFrom, zeros } from "@verticil/runtime-ffi";
import { interpretPrimFunc, type PrimFunc } from "@verticil/tir";
import { keepsOrder } from "../analysis/keeps-order.ts";
import { movingBlock } from "../analysis/tir-op-pattern.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, opNameOf } from "../ir/call-target.ts";
import { makeShapeExpr, shapeOf, staticShapeOf } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/**
 * Upstream's `RewriteDataflowReshape`: a `call_tir` that only gives its input another shape becomes `R.reshape`, which
 * takes no time and no memory at run time.
 */
export function rewriteDataflowReshape(): Pass {
  return definePass("RewriteDataflowReshape", (module, ctx) => {
    const known = new Map<PrimFunc, boolean>();
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      (func) =>
        func.attrs["Primitive"] !== undefined
          ? undefined
          : (value, { bb, binding }) => {
              const parts = opNameOf(value) === "relax.call_tir" ? callTirParts(value) : undefined;
              const [input] = parts?.args.fields ?? [];
              const shape = shapeOf(parts?.call.structInfo);
              const callee = parts === undefined ? undefined : bb.getFunc(parts.callee);
              if (parts?.args.fields.length !== 1 || input === undefined || shape === undefined || callee?.kind !== "tir.PrimFunc") return undefined;
              if (binding?.kind !== "relax.DataflowVar" || input.kind === "relax.Constant") return undefined;
              const program = callee as PrimFunc;
              const from = staticShapeOf(structInfoOf(input));
              const to = staticShapeOf(parts.call.structInfo);
              if (from === undefined || to === undefined) return undefined;
              const reshapes = known.get(program) ?? isReshape(program, from, to);
              known.set(program, reshapes);
              return reshapes ? bb.callOp("relax.reshape", [input, makeShapeExpr(shape)]) : undefined;
            },
    );
  });
}

/** The most elements for which it is worth finding out. */
const MAX_ELEMENTS = 1 << 21;

/**
 * True if the program moves element `i` of its input to element `i` of its output, for all `i`. What the analyzer leaves
 * open is found out by running it on `0, 1, 2, …`, which is a proof for static shapes.
 */
function isReshape(func: PrimFunc, from: readonly number[], to: readonly number[]): boolean {
  const block = movingBlock(func);
  const count = elementCount(from);
  if (block === undefined || count !== elementCount(to)) return false;
  const answer = keepsOrder(block);
  if (answer !== "unknown" || count > MAX_ELEMENTS) return answer === "kept";
  const [inBuffer, outBuffer] = [...func.bufferMap.values()];
  if (inBuffer === undefined || outBuffer === undefined || inBuffer.dtype !== outBuffer.dtype) return false;
  // Any type with enough distinct values will do: the program only moves.
  if (inBuffer.dtype !== "float32" && inBuffer.dtype !== "int32" && inBuffer.dtype !== "int64") return false;
  const input = tensorFrom(Array.from({ length: count }, (_, i) => i), from, inBuffer.dtype);
  const output = zeros(inBuffer.dtype, to);
  interpretPrimFunc(func, [input, output]);
  for (let i = 0; i < count; i++) if (Number(getElement(output, i)) !== i) return false;
  return true;
}
