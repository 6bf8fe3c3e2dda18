import type { ScalarDType } from "@verticil/runtime-ffi";

/** A dimension of an argument: a size, or the name of a symbolic one. One name in one method is one size. */
export type SpecDim = number | string;

/** What an argument of a method is. */
export type ArgSpec =
  | { readonly kind: "tensor"; readonly shape: readonly SpecDim[]; readonly dtype: ScalarDType }
  | { readonly kind: "shape"; readonly dims: readonly SpecDim[] }
  | { readonly kind: "object" }
  | { readonly kind: "int" }
  | { readonly kind: "tuple"; readonly elements: readonly ArgSpec[] };

/** How a function takes what its module holds: one by one, all in one tuple, or not at all. */
export type PassingMode = "plain" | "packed" | "none";

/** A method to export: its arguments in order, by name. */
export interface MethodSpec {
  readonly args: Readonly<Record<string, ArgSpec>>;
  /** How the function takes the module's parameters: after its own arguments, all in one tuple, or not at all; `plain` unless told. */
  readonly paramMode?: PassingMode;
  /** How the function takes the module's effects, before its parameters; `plain` unless told. Taken ones are given back. */
  readonly effectMode?: PassingMode;
}

/** The methods to export, by name. */
export type ModuleSpec = Readonly<Record<string, MethodSpec>>;

/** What arguments of exported methods may be (upstream's `nn.spec`). */
export const spec: {
  /** A tensor whose dimensions are sizes or names: `spec.tensor([1, "n"], "int32")`. */
  readonly tensor: (shape: readonly SpecDim[], dtype?: ScalarDType) => ArgSpec;
  /** A shape that the caller passes, which gives its names values. */
  readonly shape: (dims: readonly SpecDim[]) => ArgSpec;
  /** An object of the runtime that is handed through, such as a cache. */
  readonly object: () => ArgSpec;
  /** An integer: the caller passes it as a shape of one dimension, the method gets a shape whose only dimension it is. */
  readonly int: () => ArgSpec;
  /** Several values that the caller passes as one; the method gets a list. */
  readonly tuple: (elements: readonly ArgSpec[]) => ArgSpec;
} = {
  tensor: (shape, dtype = "float32") => ({ kind: "tensor", shape, dtype }),
  shape: (dims) => ({ kind: "shape", dims }),
  object: () => ({ kind: "object" }),
  int: () => ({ kind: "int" }),
  tuple: (elements) => ({ kind: "tuple", elements }),
};
