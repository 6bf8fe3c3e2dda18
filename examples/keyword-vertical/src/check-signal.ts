import { dimsOfRank, tensorArg, type Call } from "@verticil/relax";
import type { PrimExpr } from "@verticil/tir";

/**
 * The length of a call's first argument, which is a row of float32 samples; undefined if it is not known.
 * @throws RangeError if it is no row, TypeError if it is not float32.
 */
export function checkSignal(call: Call): PrimExpr | undefined {
  const { dtype } = tensorArg(call, 0);
  if (dtype !== undefined && dtype !== "float32") throw new TypeError(`A signal holds float32 samples, not ${dtype}.`);
  return dimsOfRank(call, 0, 1)?.[0];
}
