import { lanesOf } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import { once, type KernelContext } from "./kernel-context.ts";
import { wgslTypeOf } from "./wgsl-type.ts";

/** The components of a vector by name. */
export const components: readonly string[] = ["x", "y", "z", "w"];

/** A call of a helper function, which is declared with the kernel. */
export function helper(cx: KernelContext, name: string, args: readonly string[]): string {
  cx.helpers.add(name);
  return `${name}(${args.join(", ")})`;
}

/** A scalar function of vectors, lane by lane. */
export function laneByLane(cx: KernelContext, e: PrimExpr, args: readonly string[], apply: (scalars: readonly string[]) => string): string {
  const lanes = lanesOf(e.dtype);
  if (lanes === 1) return apply(args);
  const held = args.map((a) => once(cx, "lanes", a));
  const parts = components.slice(0, lanes).map((c) => apply(held.map((h) => `${h}.${c}`)));
  return `${wgslTypeOf(e.dtype) ?? ""}(${parts.join(", ")})`;
}
