import type { Expr } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import type { Known } from "./known.ts";

/** What a name of the graph stands for while importing. */
export type Value =
  /** Computed at run time. */
  | { readonly kind: "tensor"; readonly expr: Expr }
  /** Stored in the file. */
  | { readonly kind: "constant"; readonly tensor: Tensor }
  /** Computed while importing. */
  | { readonly kind: "known"; readonly known: Known }
  /** A list of values; its length is always known. */
  | { readonly kind: "sequence"; readonly items: readonly Value[] }
  /** An optional that holds nothing; one that holds something is what it holds. */
  | { readonly kind: "nothing" }
  /** What a node would give that could not be read: the import goes on only to find what else is wrong. */
  | { readonly kind: "unknown" };

/** What a converter gives for an output: an expression stands for a tensor that is computed at run time. */
export type Output = Value | Expr | undefined;

/** The value of what a converter gave. */
export function toValue(output: Exclude<Output, undefined>): Value {
  switch (output.kind) {
    case "tensor":
    case "constant":
    case "known":
    case "sequence":
    case "nothing":
    case "unknown":
      return output;
    case "relax.Constant":
      return { kind: "constant", tensor: output.data };
    default:
      return { kind: "tensor", expr: output };
  }
}

export function constantValue(tensor: Tensor): Value {
  return { kind: "constant", tensor };
}

export function knownValue(known: Known): Value {
  return { kind: "known", known };
}
