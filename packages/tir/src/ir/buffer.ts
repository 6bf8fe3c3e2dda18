import type { Node } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import type { PrimExpr, Range, Var } from "./expr.ts";

/**
 * A view of memory with a shape. Equal by identity within a program; where it is declared it binds `data` and the
 * variables of its shape. `strides` is empty for a compact row-major buffer; `elemOffset` is in elements.
 */
export interface Buffer extends Node {
  readonly kind: "tir.Buffer";
  readonly data: Var;
  readonly dtype: DType;
  readonly shape: readonly PrimExpr[];
  readonly strides: readonly PrimExpr[];
  readonly axisSeparators: readonly PrimExpr[];
  /** Undefined stands for 0. */
  readonly elemOffset: PrimExpr | undefined;
  readonly name: string;
  /** Bytes; 64 unless told. */
  readonly dataAlignment: number;
  readonly offsetFactor: number;
  readonly bufferType: "default" | "auto_broadcast";
}

/** A part of a buffer, one range a dimension. */
export interface BufferRegion extends Node {
  readonly kind: "tir.BufferRegion";
  readonly buffer: Buffer;
  readonly region: readonly Range[];
}

/** A buffer declared as a view of a region of another one, inside a block. */
export interface MatchBufferRegion extends Node {
  readonly kind: "tir.MatchBufferRegion";
  readonly buffer: Buffer;
  readonly source: BufferRegion;
}
