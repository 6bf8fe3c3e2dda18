import type { Graph } from "./graph.ts";
import { repeat } from "./lanes.ts";
import type { Value } from "./value.ts";

/** Arithmetic on 32-bit lanes that reads the same for one scalar and for four lanes of a v128. */
export interface LaneOps {
  /** An integer instruction: `add`, `shr_u`, …; shift counts are i32. */
  readonly int: (name: string, a: Value, b: Value) => Value;
  /** A float instruction. */
  readonly float: (name: string, ...args: readonly Value[]) => Value;
  readonly and: (a: Value, b: Value) => Value;
  readonly or: (a: Value, b: Value) => Value;
  readonly constInt: (value: number) => Value;
  readonly constFloat: (value: number) => Value;
  /** `mask` comes from `int` or `float` comparisons. */
  readonly select: (mask: Value, t: Value, f: Value) => Value;
  readonly bits: (float: Value) => Value;
  readonly fromBits: (int: Value) => Value;
  /** By a constant count. */
  readonly shift: (name: "shl" | "shr_s" | "shr_u", a: Value, count: number) => Value;
}

export function scalarLaneOps(graph: Graph): LaneOps {
  return {
    int: (name, a, b) => graph.op(`i32.${name}`, [a, b]),
    float: (name, ...args) => graph.op(`f32.${name}`, args),
    and: (a, b) => graph.op("i32.and", [a, b]),
    or: (a, b) => graph.op("i32.or", [a, b]),
    constInt: (value) => graph.i32(value),
    constFloat: (value) => graph.f32(value),
    select: (mask, t, f) => graph.select(mask, t, f),
    bits: (float) => graph.op("i32.reinterpret_f32", [float]),
    fromBits: (int) => graph.op("f32.reinterpret_i32", [int]),
    shift: (name, a, count) => graph.op(`i32.${name}`, [a, graph.i32(count)]),
  };
}

export function vectorLaneOps(graph: Graph): LaneOps {
  return {
    int: (name, a, b) => graph.op(`i32x4.${name}`, [a, b]),
    float: (name, ...args) => graph.op(`f32x4.${name}`, args),
    and: (a, b) => graph.op("v128.and", [a, b]),
    or: (a, b) => graph.op("v128.or", [a, b]),
    constInt: (value) => graph.v128(repeat("i32x4", value)),
    constFloat: (value) => graph.v128(repeat("f32x4", value)),
    select: (mask, t, f) => graph.op("v128.bitselect", [t, f, mask]),
    bits: (float) => float,
    fromBits: (int) => int,
    shift: (name, a, count) => graph.op(`i32x4.${name}`, [a, graph.i32(count)]),
  };
}
