import type { Expr } from "@verticil/relax";
import type { NodeContext } from "../node-context.ts";

/** Values of 2, 4 or 8 bits in bytes, the lowest bits first, along a new last axis. */
export function unpackedBits(ctx: NodeContext, bytes: Expr, bits: number): Expr {
  if (bits === 8) return bytes;
  const wide = ctx.astype(bytes, "int32");
  const parts = Array.from({ length: 8 / bits }, (_, i) => {
    const moved = i === 0 ? wide : ctx.emit("right_shift", [wide, ctx.scalar(i * bits, "int32")]);
    return ctx.emit("bitwise_and", [moved, ctx.scalar(2 ** bits - 1, "int32")]);
  });
  return ctx.emit("stack", [ctx.tuple(parts)], { axis: -1 });
}
