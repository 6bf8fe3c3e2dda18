import type { GlobalVar } from "@verticil/ir-core";
import type { DType, ScalarDType } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr, Var } from "@verticil/tir";
import type { WasmType } from "../encoder/opcodes.ts";
import type { Epochs } from "./epochs.ts";
import type { Graph } from "./graph.ts";
import type { Typed } from "./lanes.ts";
import type { Linear } from "./linear.ts";
import type { Cell, Value } from "./value.ts";

/** Memory behind a pointer. Two storages with one `token` may overlap. */
export interface MemoryStorage {
  readonly kind: "memory";
  readonly base: Value;
  readonly token: object;
}

/** Elements in locals of the function. `perCell` elements share a v128; 1 for scalars. */
export interface CellStorage {
  readonly kind: "cells";
  readonly dtype: ScalarDType;
  readonly perCell: number;
  readonly cells: readonly Cell[];
}

export type Storage = MemoryStorage | CellStorage;

/** What a variable stands for. */
export interface Binding {
  readonly typed: () => Typed;
  /** The value of an integer as a sum, modulo 2^32. */
  readonly linear: Linear | undefined;
}

/** A function that can be called. */
export interface Callee {
  readonly index: number;
  readonly params: readonly WasmType[];
  readonly result: DType | undefined;
}

/** What generated code checks at run time. */
export interface CheckOptions {
  /** `assert` statements trap when they fail. */
  readonly assertions: boolean;
  /** Every access of a buffer of known size traps when it is outside. For debugging: slow. */
  readonly bounds: boolean;
}

/** Everything the parts of the code generator share while they work on one function. */
export interface FuncContext {
  readonly graph: Graph;
  readonly checks: CheckOptions;
  readonly env: Map<AnyVar, Binding>;
  readonly storage: Map<Var, Storage>;
  readonly epochs: Epochs;
  /** The code of an expression. */
  readonly expr: (e: PrimExpr) => Typed;
  readonly calleeOf: (gv: GlobalVar) => Callee;
  /** An imported function (`env.<name>`). */
  readonly extern: (name: string, params: readonly WasmType[], result: DType | undefined) => Callee;
  /** Bytes in the function's frame; gives their offset. */
  readonly reserve: (bytes: number) => number;
}
