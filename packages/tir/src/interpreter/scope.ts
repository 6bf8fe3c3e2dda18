import { lookupFunc, type BaseFunc, type GlobalVar, type IRModule, type Span } from "@verticil/ir-core";
import { lanesOf, parseDType, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, Call } from "../ir/expr.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { IndexCell, PointerCell, ScalarCell } from "./cells.ts";
import { indexCode, valueCode, type Code } from "./code.ts";
import { raise } from "./errors.ts";
import { wordsAt, type Pointer, type Words } from "./memory.ts";
import { integerRange, type Scalar } from "./scalar.ts";

/** A buffer at run time: its memory as words, its shape and strides in elements. */
export class View {
  readonly buffer: Buffer;
  words: Words;
  pointer: Pointer | undefined = undefined;
  shape: number[] = [];
  strides: number[] = [];

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    // Empty: an access before the buffer has memory is out of its bounds.
    this.words = wordsAt({ memory: { buffer: new ArrayBuffer(0), start: 0, byteLength: 0, written: undefined }, byteOffset: 0 }, buffer.dtype, buffer.name);
  }

  /** Lets the buffer look at the memory from `pointer` on. */
  attach(pointer: Pointer): void {
    if (this.pointer !== undefined && this.pointer.memory === pointer.memory && this.pointer.byteOffset === pointer.byteOffset) return;
    this.pointer = pointer;
    this.words = wordsAt(pointer, this.buffer.dtype, this.buffer.name);
  }
}

/** A function outside the program, for `call_extern` and `call_packed`. */
export type Extern = (...args: readonly (Scalar | Pointer | string)[]) => Scalar | undefined;

/** What a program is interpreted with. */
export interface InterpreterOptions {
  /** Where functions that are called by global variable are looked up. */
  readonly module?: IRModule | undefined;
  /** Functions for `call_extern` and `call_packed` by name. */
  readonly externs?: ReadonlyMap<string, Extern>;
  /** Report reads of allocated memory that was never written; costs time. */
  readonly checkUninitialized?: boolean;
  /** False runs every element by itself, the plainest way: what strips are checked against. */
  readonly strips?: boolean;
}

/** A value passed to a function of the module. */
export type Argument = Scalar | Pointer;

/** A function of the module, ready to be called. */
export type Callee = (args: readonly Argument[]) => Scalar | undefined;

/** The variables and buffers of one function while it is compiled: names resolve once, closures keep the cells. */
export class Scope {
  readonly options: InterpreterOptions;
  /** Compiles one lane of a call. */
  readonly call: (scope: Scope, e: Call, lane: number) => Code;
  readonly #compile: (func: PrimFunc) => Callee;
  readonly #vars = new Map<AnyVar, readonly Code[]>();
  readonly #pointers = new Map<AnyVar, PointerCell>();
  readonly #views = new Map<Buffer, View>();
  /** Buffers over a pointer that no statement declares, attached as soon as the pointer has a value. */
  readonly implicit: Map<AnyVar, Buffer[]> = new Map();
  /** Buffers that a block matches to a region: their strides are those of the source. */
  readonly matched: Set<Buffer> = new Set();

  constructor(options: InterpreterOptions, call: Scope["call"], compile: (func: PrimFunc) => Callee) {
    this.options = options;
    this.call = call;
    this.#compile = compile;
  }

  /** Declares an integer variable with values in `[lo, hi]`. */
  bindIndex(v: AnyVar, lo: number, hi: number): IndexCell {
    const cell = new IndexCell();
    this.#vars.set(v, [indexCode(cell, lo, hi)]);
    return cell;
  }

  /** Declares a variable that stands for a computation: its value needs no place of its own. */
  bindCode(v: AnyVar, code: Code): void {
    this.#vars.set(v, [code]);
  }

  /** Declares a variable of any type, one cell a lane. */
  bindScalars(v: AnyVar): readonly ScalarCell[] {
    const cells = Array.from({ length: lanesOf(v.dtype) }, () => new ScalarCell());
    this.#vars.set(
      v,
      cells.map((cell) => scalarCode(v.dtype, cell)),
    );
    return cells;
  }

  isBound(v: AnyVar): boolean {
    return this.#vars.has(v) || this.#pointers.has(v);
  }

  bindPointer(v: AnyVar): PointerCell {
    const cell = new PointerCell();
    this.#pointers.set(v, cell);
    return cell;
  }

  /** One lane of a variable. */
  variable(v: AnyVar, lane: number, span: Span | undefined): Code {
    const codes = this.#vars.get(v);
    return codes?.[codes.length === 1 ? 0 : lane] ?? raise("undefined-variable", { name: v.name }, span);
  }

  pointer(v: AnyVar, span: Span | undefined): PointerCell {
    return this.#pointers.get(v) ?? raise("undefined-variable", { name: v.name }, span);
  }

  view(b: Buffer): View {
    let view = this.#views.get(b);
    if (view === undefined) this.#views.set(b, (view = new View(b)));
    return view;
  }

  /** A function of the module, compiled at its first call. */
  callee(gv: GlobalVar, span: Span | undefined): Callee {
    const { module } = this.options;
    const found: BaseFunc | undefined = module?.functions.get(gv) ?? (module && lookupFunc(module, gv.name));
    if (found?.kind !== "tir.PrimFunc") return raise("cannot-interpret", { what: `A call of \`${gv.name}\`` }, span);
    const func = found as PrimFunc;
    let compiled: Callee | undefined;
    return (args) => (compiled ??= this.#compile(func))(args);
  }
}

function scalarCode(dtype: DType, cell: ScalarCell): Code {
  const { scalar, code, bits } = parseDType(dtype);
  if (code !== "int" && code !== "uint" && code !== "bool") return valueCode(() => cell.value as number);
  const [lo, hi] = integerRange(scalar);
  if (bits === 64) return { wide: true, run: () => cell.value, lo, hi };
  return valueCode(() => cell.value as number, lo, hi);
}
