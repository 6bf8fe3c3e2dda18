import type { Span } from "@verticil/ir-core";
import { opResult, type WasmType } from "../encoder/opcodes.ts";
import { foldOp } from "./fold.ts";
import { intervalOf, rangeOfLanes } from "./intervals.ts";
import {
  deeper,
  type Cell,
  type CellValue,
  type ConstValue,
  type CounterValue,
  type FrameValue,
  type InductionValue,
  type Interval,
  type ParamValue,
  type Region,
  type ResultValue,
  type StackValue,
  type Stmt,
  type Value,
} from "./value.ts";

/** Makes values and regions of one function; equal values are the same object. */
export class Graph {
  readonly root: Region;
  /** Every value in the order of making: operands come before what uses them. */
  readonly values: Value[] = [];
  readonly #known = new Map<string, Value>();
  readonly #ids = new Map<object, number>();
  /** Whether vectors of 128 bits may be used. */
  readonly simd: boolean;
  /** Whether a product may be added without rounding in between. */
  readonly relaxed: boolean;
  /** Set where relaxed SIMD could have been used but may not be. */
  canRelax = false;
  #region: Region;
  #span: Span | undefined;

  constructor(opts: { readonly simd: boolean; readonly relaxed: boolean }) {
    this.simd = opts.simd;
    this.relaxed = opts.relaxed;
    const root: { -readonly [K in keyof Region]: Region[K] } = {
      kind: "function",
      parent: undefined,
      depth: 0,
      guard: undefined as never,
      hasLoops: true,
      stmts: [],
    };
    root.guard = root;
    this.root = root;
    this.#region = root;
  }

  /** Where statements go now. */
  get region(): Region {
    return this.#region;
  }

  emit(stmt: Stmt): void {
    this.#region.stmts.push(this.#span === undefined ? stmt : { ...stmt, span: this.#span });
  }

  /** Calls `f`, whose statements come from `span`: where it is undefined, from where they came before. */
  comingFrom(span: Span | undefined, f: () => void): void {
    const before = this.#span;
    this.#span = span ?? before;
    f();
    this.#span = before;
  }

  /** A new region inside the current one. `certain`: it runs whenever its parent does. */
  makeRegion(kind: "loop" | "branch", opts: { readonly certain: boolean; readonly hasLoops?: boolean }): Region {
    const parent = this.#region;
    const region: { -readonly [K in keyof Region]: Region[K] } = {
      kind,
      parent,
      depth: parent.depth + 1,
      guard: parent.guard,
      hasLoops: opts.hasLoops ?? false,
      stmts: [],
    };
    if (!opts.certain) region.guard = region;
    return region;
  }

  /** Calls `f` with statements going to `region`. */
  inside<T>(region: Region, f: () => T): T {
    const before = this.#region;
    this.#region = region;
    try {
      return f();
    } finally {
      this.#region = before;
    }
  }

  i32(value: number): ConstValue {
    const wrapped = value | 0;
    return this.#constant("i32", wrapped, `${wrapped}`, { lo: wrapped, hi: wrapped });
  }

  i64(value: bigint): ConstValue {
    const wrapped = BigInt.asIntN(64, value);
    return this.#constant("i64", wrapped, `${wrapped}`);
  }

  f32(value: number): ConstValue {
    const rounded = Math.fround(value);
    return this.#constant("f32", rounded, Object.is(rounded, -0) ? "-0" : `${rounded}`);
  }

  f64(value: number): ConstValue {
    return this.#constant("f64", value, Object.is(value, -0) ? "-0" : `${value}`);
  }

  v128(bytes: Uint8Array): ConstValue {
    return this.#constant("v128", bytes, bytes.join(), rangeOfLanes(bytes));
  }

  #constant(type: WasmType, value: ConstValue["value"], key: string, range?: Interval): ConstValue {
    const made = this.#unique(`const ${type} ${key}`, (id): ConstValue => ({
      kind: "const", id, type, home: this.root, args: [], range, value,
    }));
    return made;
  }

  param(index: number, type: WasmType, range?: Interval): ParamValue {
    return this.#unique(`param ${index}`, (id): ParamValue => ({ kind: "param", id, type, home: this.root, args: [], range, index }));
  }

  frame(): FrameValue {
    return this.#unique("frame", (id): FrameValue => ({ kind: "frame", id, type: "i32", home: this.root, args: [], range: undefined }));
  }

  /** The iteration number of a loop; `extent` is the count of iterations if it is known. */
  counter(loop: Region, extent?: number): CounterValue {
    const range = { lo: 0, hi: extent === undefined ? 2 ** 31 - 1 : extent - 1 };
    return this.#unique(`counter ${this.#idOf(loop)}`, (id): CounterValue => ({
      kind: "counter", id, type: "i32", home: loop, args: [], range, loop,
    }));
  }

  induction(loop: Region, init: Value, step: number): InductionValue {
    return this.#unique(`induction ${this.#idOf(loop)} ${init.id} ${step}`, (id): InductionValue => ({
      kind: "induction", id, type: "i32", home: loop, args: [init], range: undefined, loop, step,
    }));
  }

  /** What `cell` holds; `epoch` changes whenever it is written. */
  cell(cell: Cell, epoch: object, home: Region): CellValue {
    return this.#unique(`cell ${this.#idOf(cell)} ${this.#idOf(epoch)}`, (id): CellValue => ({
      kind: "cell", id, type: cell.type, home, args: [], range: undefined, cell,
    }));
  }

  /** An instruction; folded where that is simple. `range` is what its result is known to lie in besides what its operands tell. */
  op(op: string, args: readonly Value[], lanes: readonly number[] = [], range?: Interval): Value {
    const folded = lanes.length === 0 ? foldOp(this, op, args) : undefined;
    if (folded !== undefined) return folded;
    // What may trap stays behind its condition.
    const guard = mayTrap(op, args) ? this.#region.guard : this.root;
    const key = `${op} ${lanes.join()} ${args.map((a) => a.id).join()} ${this.#idOf(guard)}`;
    const home = deeper(this.#homeOf(args), guard);
    return this.#unique(key, (id): Value => ({
      kind: "op", id, type: opResult(op), home, args, range: range ?? intervalOf(op, args), op, lanes,
    }));
  }

  /** A copy of a value in a local of its own: what a cell holds now, for use after the cell is written. */
  copy(value: Value): Value {
    return this.#unique(`copy ${value.id}`, (id): Value => ({
      kind: "op", id, type: value.type, home: value.home, args: [value], range: value.range, op: "copy", lanes: [],
    }));
  }

  /** `condition ? t : f`, both computed. */
  select(condition: Value, t: Value, f: Value): Value {
    if (condition.kind === "const") return condition.value === 0 ? f : t;
    if (t === f) return t;
    const args = [t, f, condition];
    const range =
      t.range !== undefined && f.range !== undefined
        ? { lo: Math.min(t.range.lo, f.range.lo), hi: Math.max(t.range.hi, f.range.hi) }
        : undefined;
    return this.#unique(`select ${args.map((a) => a.id).join()}`, (id): Value => ({
      kind: "op", id, type: t.type, home: this.#homeOf(args), args, range, op: "select", lanes: [],
    }));
  }

  /**
   * A read of memory, not moved out of a region that may not run, nor before `home`, where the memory was last written.
   * `epoch` stands for what the memory holds.
   */
  load(op: string, args: readonly Value[], offset: number, epoch: object, home: Region, lanes: readonly number[] = []): Value {
    const { guard } = this.#region;
    const key = `${op} ${lanes.join()} ${args.map((a) => a.id).join()} ${offset} ${this.#idOf(epoch)} ${this.#idOf(guard)}`;
    return this.#unique(key, (id): Value => ({
      kind: "load",
      id,
      type: opResult(op),
      home: deeper(deeper(this.#homeOf(args), home), guard),
      args,
      range: loadRange(op),
      op,
      offset,
      lanes,
    }));
  }

  /** The shadow stack's pointer as it is now. */
  stackPointer(): StackValue {
    const made: StackValue = { kind: "stack", id: this.values.length, type: "i32", home: this.#region, args: [], range: undefined };
    this.values.push(made);
    this.emit({ kind: "pin", value: made });
    return made;
  }

  result(type: WasmType): ResultValue {
    const made: ResultValue = { kind: "result", id: this.values.length, type, home: this.#region, args: [], range: undefined };
    this.values.push(made);
    return made;
  }

  #homeOf(args: readonly Value[]): Region {
    return args.reduce((home, a) => deeper(home, a.home), this.root);
  }

  #idOf(thing: object): number {
    const known = this.#ids.get(thing);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(thing, id);
    return id;
  }

  #unique<V extends Value>(key: string, make: (id: number) => V): V {
    const known = this.#known.get(key);
    // The key says the kind of the value, so what is found under it is a `V`.
    if (known !== undefined) return known as V;
    const made = make(this.values.length);
    this.#known.set(key, made);
    this.values.push(made);
    return made;
  }
}

function mayTrap(op: string, args: readonly Value[]): boolean {
  if (!/^i(32|64)\.(div|rem)_/.test(op)) return false;
  const divisor = args[1];
  return divisor?.kind !== "const" || Number(divisor.value) === 0 || Number(divisor.value) === -1;
}

function loadRange(op: string): Interval | undefined {
  if (op === "i32.load8_u") return { lo: 0, hi: 255 };
  if (op === "i32.load16_u") return { lo: 0, hi: 65535 };
  if (op === "i32.load8_s") return { lo: -128, hi: 127 };
  return op === "i32.load16_s" ? { lo: -32768, hi: 32767 } : undefined;
}
