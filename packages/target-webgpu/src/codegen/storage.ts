import type { WgslScalar } from "./wgsl-type.ts";

/** A buffer of the device, bound to the kernel. */
export interface BoundStorage {
  readonly kind: "bound";
  readonly name: string;
  /** What the array holds: values as they are, vectors of four, or words that several short values share. */
  readonly form: "scalars" | "vectors" | "words";
  /** What an element of the array is made of. */
  readonly element: WgslScalar;
  /** Bits of a value in a shared word. */
  readonly bits: number;
  /** Words that several threads may change at once. */
  readonly atomic: boolean;
}

/** Elements in variables of the function, `lanes` to each. */
export interface CellStorage {
  readonly kind: "cells";
  readonly lanes: number;
  readonly cells: readonly string[];
}

/** An array of the function, of the workgroup, or of constants. */
export interface ArrayStorage {
  readonly kind: "array";
  readonly name: string;
  readonly element: WgslScalar;
}

/** Where the elements behind a pointer are. */
export type Storage = BoundStorage | CellStorage | ArrayStorage;
