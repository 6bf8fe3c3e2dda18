import type { Span } from "@verticil/ir-core";
import type { WasmType } from "../encoder/opcodes.ts";

// A function between TensorIR and WebAssembly: a tree of regions with statements in order, over a graph of values.
// Values are made once for equal operands (see `Graph`), float between the statements, and get their place (which
// region, a local or inline) only when all their uses are known (see `place.ts`).

/** A place that code can be in: the function's body, a loop's body, or one side of a branch. */
export interface Region {
  readonly kind: "function" | "loop" | "branch";
  readonly parent: Region | undefined;
  readonly depth: number;
  /** The innermost region around (itself included) that may not run even though its parent does. */
  readonly guard: Region;
  /** For a loop: whether it has loops inside. What is used between those is not worth a register throughout. */
  readonly hasLoops: boolean;
  readonly stmts: Stmt[];
}

/** A mutable local of the function: an element, or a v128 of elements, of a buffer in `local` scope. */
export interface Cell {
  readonly type: WasmType;
  readonly region: Region;
  readonly name: string;
}

/** What an integer value, or each 32-bit lane of a vector, is known to lie in, both ends included. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

interface ValueBase {
  readonly id: number;
  readonly type: WasmType;
  /** The innermost region that the value depends on: it may be computed there or further in. */
  readonly home: Region;
  readonly args: readonly Value[];
  readonly range: Interval | undefined;
}

/** A constant; 16 bytes for a vector. */
export interface ConstValue extends ValueBase {
  readonly kind: "const";
  readonly value: number | bigint | Uint8Array;
}

export interface ParamValue extends ValueBase {
  readonly kind: "param";
  readonly index: number;
}

/** The number of finished iterations of a loop, an i32. */
export interface CounterValue extends ValueBase {
  readonly kind: "counter";
  readonly loop: Region;
}

/** Starts as `args[0]` and grows by `step` with each iteration of the loop, an i32. */
export interface InductionValue extends ValueBase {
  readonly kind: "induction";
  readonly loop: Region;
  readonly step: number;
}

/** What a cell holds at this point. */
export interface CellValue extends ValueBase {
  readonly kind: "cell";
  readonly cell: Cell;
}

/** An instruction on its operands. `lanes` are its lane immediates. */
export interface OpValue extends ValueBase {
  readonly kind: "op";
  readonly op: string;
  readonly lanes: readonly number[];
}

/** A read of memory at `args[0] + offset`. */
export interface LoadValue extends ValueBase {
  readonly kind: "load";
  readonly op: string;
  readonly offset: number;
  readonly lanes: readonly number[];
}

/** The result of a `call` statement. */
export interface ResultValue extends ValueBase {
  readonly kind: "result";
}

/** The address of the function's frame on the shadow stack. */
export interface FrameValue extends ValueBase {
  readonly kind: "frame";
}

/** The shadow stack's pointer, read when the value was made. */
export interface StackValue extends ValueBase {
  readonly kind: "stack";
}

export type Value =
  | StackValue
  | ConstValue
  | ParamValue
  | CounterValue
  | InductionValue
  | CellValue
  | OpValue
  | LoadValue
  | ResultValue
  | FrameValue;

/** A write of memory at `addr + offset`. */
export interface StoreStmt {
  readonly kind: "store";
  readonly op: string;
  readonly addr: Value;
  readonly offset: number;
  readonly value: Value;
  readonly lane: number | undefined;
}

export interface SetCellStmt {
  readonly kind: "set-cell";
  readonly cell: Cell;
  readonly value: Value;
}

/** Runs `body` `extent` times; at least once, whoever makes it has seen to that. */
export interface LoopStmt {
  readonly kind: "loop";
  readonly body: Region;
  readonly extent: Value;
}

export interface WhileStmt {
  readonly kind: "while";
  readonly body: Region;
  readonly condition: Value;
}

export interface IfStmt {
  readonly kind: "if";
  readonly condition: Value;
  readonly thenRegion: Region;
  readonly elseRegion: Region | undefined;
}

export interface CallStmt {
  readonly kind: "call";
  /** The index of the function in the module. */
  readonly func: number;
  readonly args: readonly Value[];
  readonly result: ResultValue | undefined;
  /** False where the function gives a value nobody takes. */
  readonly drop: boolean;
}

/** Computes a value here and no later: memory changes after it. */
export interface PinStmt {
  readonly kind: "pin";
  readonly value: Value;
}

/** Traps unless `condition` holds. */
export interface CheckStmt {
  readonly kind: "check";
  readonly condition: Value;
}

export interface ReturnStmt {
  readonly kind: "return";
  readonly value: Value | undefined;
}

/** Moves the shadow stack's pointer to `value`. */
export interface SetStackStmt {
  readonly kind: "set-stack";
  readonly value: Value;
}

export type Stmt = (
  | StoreStmt
  | SetCellStmt
  | LoopStmt
  | WhileStmt
  | IfStmt
  | CallStmt
  | PinStmt
  | CheckStmt
  | ReturnStmt
  | SetStackStmt
) & {
  /** The place in the program that it comes from, where a source map is made. */
  readonly span?: Span | undefined;
};

/** The deeper of two regions, one of which is inside the other. */
export function deeper(a: Region, b: Region): Region {
  return a.depth >= b.depth ? a : b;
}

/** The innermost region around both. */
export function commonRegion(a: Region, b: Region): Region {
  let x = a;
  let y = b;
  while (x !== y) {
    const up = x.depth >= y.depth ? x : y;
    if (up.parent === undefined) throw new Error("internal: regions of two functions");
    if (up === x) x = up.parent;
    else y = up.parent;
  }
  return x;
}

