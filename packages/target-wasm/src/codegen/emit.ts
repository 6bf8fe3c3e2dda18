import { InstructionWriter } from "../encoder/instructions.ts";
import { opcode, type WasmType } from "../encoder/opcodes.ts";
import type { Graph } from "./graph.ts";
import { i32Of } from "./fold.ts";
import { placeValues, type Placement } from "./place.ts";
import type { Cell, InductionValue, LoadValue, OpValue, Region, Stmt, Value } from "./value.ts";

/** What a function needs from its module and signature. */
export interface EmitOptions {
  readonly params: readonly WasmType[];
  /** Bytes of the function's frame on the shadow stack; 0 for none. */
  readonly frameBytes: number;
  /** The global that holds the shadow stack's pointer. */
  readonly stackPointer: number;
}

/** A finished body. */
export interface EmittedBody {
  readonly code: InstructionWriter;
  readonly locals: readonly WasmType[];
}

/** Code of a region that is being written, and the locals that end with it. */
interface OpenRegion {
  readonly code: InstructionWriter;
  /** Locals that were given out here or further in, and are free again when the region ends. */
  readonly owned: number[];
  /** Locals that ended with regions inside, to be given out again. */
  readonly free: number[];
}

/** Writes a function's graph as instructions. */
export function emitFunction(graph: Graph, opts: EmitOptions): EmittedBody {
  return new Emitter(graph, opts).run();
}

class Emitter {
  readonly #graph: Graph;
  readonly #opts: EmitOptions;
  readonly #placement: Placement;
  readonly #open = new Map<Region, OpenRegion>();
  readonly #locals: WasmType[] = [];
  readonly #localOf = new Map<Value | Cell, number>();
  readonly #inductionsOf = new Map<Region, InductionValue[]>();
  readonly #counterOf = new Map<Region, number>();

  constructor(graph: Graph, opts: EmitOptions) {
    this.#graph = graph;
    this.#opts = opts;
    this.#placement = placeValues(graph);
  }

  run(): EmittedBody {
    const { frameBytes, stackPointer } = this.#opts;
    const { root } = this.#graph;
    const opened = this.#openRegion(root);
    const { code } = opened;
    if (frameBytes > 0) {
      const frame = this.#frameLocal();
      code.globalGet(stackPointer);
      code.i32Const(frameBytes);
      code.op("i32.sub");
      code.localTee(frame);
      code.globalSet(stackPointer);
    }
    this.#stmts(root);
    this.#leaveFrame(code);
    return { code, locals: this.#locals };
  }

  #leaveFrame(code: InstructionWriter): void {
    if (this.#opts.frameBytes === 0) return;
    code.localGet(this.#frameLocal());
    code.i32Const(this.#opts.frameBytes);
    code.op("i32.add");
    code.globalSet(this.#opts.stackPointer);
  }

  #frameLocal(): number {
    const frame = this.#graph.frame();
    return this.#localOf.get(frame) ?? this.#newLocal(frame, "i32", this.#graph.root);
  }

  // Regions and locals.

  #openRegion(region: Region): OpenRegion {
    const opened: OpenRegion = { code: new InstructionWriter(), owned: [], free: [] };
    this.#open.set(region, opened);
    return opened;
  }

  /**
   * Ends regions that are open at the same place and gives their locals back. Not before all code that is to run ahead
   * of them is written: that code must not get locals which they overwrite.
   */
  #closeRegions(regions: readonly Region[]): void {
    for (const region of regions) {
      const opened = this.#opened(region);
      this.#open.delete(region);
      if (region.parent !== undefined) this.#opened(region.parent).free.push(...opened.owned, ...opened.free);
    }
  }

  #opened(region: Region): OpenRegion {
    const opened = this.#open.get(region);
    if (opened === undefined) throw new Error("internal: code for a region that is not open");
    return opened;
  }

  /**
   * A local that is the value's until `region` ends. Locals of regions that ended before, in `region` or around it, are
   * used again: whatever runs between now and the end of `region` does not touch them.
   */
  #newLocal(owner: Value | Cell | undefined, type: WasmType, region: Region): number {
    let index: number | undefined;
    for (let r: Region | undefined = region; r !== undefined && index === undefined; r = r.parent) {
      const { free } = this.#opened(r);
      const found = free.findIndex((i) => this.#locals[i - this.#opts.params.length] === type);
      if (found >= 0) [index] = free.splice(found, 1);
    }
    index ??= this.#opts.params.length + this.#locals.push(type) - 1;
    this.#opened(region).owned.push(index);
    if (owner !== undefined) this.#localOf.set(owner, index);
    return index;
  }

  #cellLocal(cell: Cell): number {
    return this.#localOf.get(cell) ?? this.#newLocal(cell, cell.type, cell.region);
  }

  // Values.

  /** Leaves `value` on the stack of the code of `region`. */
  #value(value: Value, region: Region): void {
    const { code } = this.#opened(region);
    switch (value.kind) {
      case "param":
        code.localGet(value.index);
        return;
      case "frame":
        code.localGet(this.#frameLocal());
        return;
      case "cell":
        code.localGet(this.#cellLocal(value.cell));
        return;
      case "counter":
        code.localGet(this.#counterLocal(value.loop));
        return;
      case "induction":
        code.localGet(this.#inductionLocal(value));
        return;
      case "result":
        code.localGet(this.#localOf.get(value) ?? this.#newLocal(value, value.type, value.home));
        return;
      case "stack":
      case "const":
      case "op":
      case "load":
        this.#computed(value, region);
    }
  }

  #computed(value: Value, region: Region): void {
    if (!this.#placement.isLocal(value)) {
      this.#compute(value, region);
      return;
    }
    const { code } = this.#opened(region);
    const known = this.#localOf.get(value);
    if (known !== undefined) {
      code.localGet(known);
      return;
    }
    const place = this.#placement.regionOf(value);
    this.#compute(value, place);
    const index = this.#newLocal(value, value.type, place);
    if (place === region) code.localTee(index);
    else {
      this.#opened(place).code.localSet(index);
      code.localGet(index);
    }
  }

  #compute(value: Value, region: Region): void {
    switch (value.kind) {
      case "const":
        this.#constant(value.type, value.value, this.#opened(region).code);
        return;
      case "stack":
        this.#opened(region).code.globalGet(this.#opts.stackPointer);
        return;
      case "op":
        this.#instruction(value, region);
        return;
      case "load":
        this.#load(value, region);
        return;
      default:
        throw new Error(`internal: a ${value.kind} is not computed`);
    }
  }

  #constant(type: WasmType, value: number | bigint | Uint8Array, code: InstructionWriter): void {
    if (typeof value === "bigint") code.i64Const(value);
    else if (typeof value !== "number") code.v128Const(value);
    else if (type === "i32") code.i32Const(value);
    else if (type === "f32") code.f32Const(value);
    else code.f64Const(value);
  }

  #instruction(value: OpValue, region: Region): void {
    for (const a of value.args) this.#value(a, region);
    const { code } = this.#opened(region);
    if (value.op === "copy") return;
    if (value.op === "select") code.select(value.type);
    else if (value.lanes.length > 0) code.lanes(value.op, value.lanes);
    else code.op(value.op);
  }

  #load(value: LoadValue, region: Region): void {
    for (const a of value.args) this.#value(a, region);
    this.#opened(region).code.memory(value.op, value.offset, value.lanes[0]);
  }

  // Statements.

  #stmts(region: Region): void {
    for (const stmt of region.stmts) this.#stmt(stmt, region);
  }

  #stmt(stmt: Stmt, region: Region): void {
    const { code } = this.#opened(region);
    if (stmt.span !== undefined) code.out.mark(stmt.span);
    switch (stmt.kind) {
      case "store":
        this.#value(stmt.addr, region);
        this.#value(stmt.value, region);
        code.memory(stmt.op, stmt.offset, opcode(stmt.op).immediate === "memory-lane" ? (stmt.lane ?? 0) : undefined);
        return;
      case "set-cell":
        this.#value(stmt.value, region);
        code.localSet(this.#cellLocal(stmt.cell));
        return;
      case "loop":
        this.#loop(stmt, region);
        return;
      case "while":
        this.#while(stmt.body, stmt.condition, region);
        return;
      case "if":
        this.#if(stmt.condition, [stmt.thenRegion, stmt.elseRegion], region);
        return;
      case "call": {
        for (const a of stmt.args) this.#value(a, region);
        code.call(stmt.func);
        if (stmt.result !== undefined) {
          code.localSet(this.#localOf.get(stmt.result) ?? this.#newLocal(stmt.result, stmt.result.type, region));
        } else if (stmt.drop) code.drop();
        return;
      }
      case "pin":
        if (!this.#placement.isUsed(stmt.value) || this.#localOf.has(stmt.value)) return;
        this.#value(stmt.value, region);
        code.drop();
        return;
      case "check":
        this.#value(stmt.condition, region);
        code.op("i32.eqz");
        code.begin("if");
        code.unreachable();
        code.end();
        return;
      case "return":
        if (stmt.value !== undefined) this.#value(stmt.value, region);
        this.#leaveFrame(code);
        code.return();
        return;
      case "set-stack":
        this.#value(stmt.value, region);
        code.globalSet(this.#opts.stackPointer);
    }
  }

  #if(condition: Value, regions: readonly [Region, Region | undefined], region: Region): void {
    this.#value(condition, region);
    const [thenRegion, elseRegion] = regions;
    const sides = elseRegion === undefined || elseRegion.stmts.length === 0 ? [thenRegion] : [thenRegion, elseRegion];
    for (const side of sides) {
      this.#openRegion(side);
      this.#stmts(side);
    }
    const { code } = this.#opened(region);
    code.begin("if");
    for (const [i, side] of sides.entries()) {
      if (i === 1) code.else();
      code.out.append(this.#opened(side).code.out);
    }
    code.end();
    this.#closeRegions(sides);
  }

  #while(body: Region, condition: Value, region: Region): void {
    const { code: inner } = this.#openRegion(body);
    inner.begin("block");
    inner.begin("loop");
    this.#value(condition, body);
    inner.op("i32.eqz");
    inner.brIf(1);
    this.#stmts(body);
    inner.br(0);
    inner.end();
    inner.end();
    this.#opened(region).code.out.append(inner.out);
    this.#closeRegions([body]);
  }

  #counterLocal(loop: Region): number {
    const known = this.#counterOf.get(loop);
    if (known !== undefined) return known;
    const index = this.#newLocal(undefined, "i32", this.#parentOf(loop));
    this.#counterOf.set(loop, index);
    return index;
  }

  #inductionLocal(value: InductionValue): number {
    const known = this.#localOf.get(value);
    if (known !== undefined) return known;
    const parent = this.#parentOf(value.loop);
    const [init] = value.args;
    if (init === undefined) throw new Error("internal: an induction without start");
    this.#value(init, parent);
    const index = this.#newLocal(value, "i32", parent);
    this.#opened(parent).code.localSet(index);
    const list = this.#inductionsOf.get(value.loop) ?? [];
    list.push(value);
    this.#inductionsOf.set(value.loop, list);
    return index;
  }

  #parentOf(loop: Region): Region {
    if (loop.parent === undefined) throw new Error("internal: a loop outside the function");
    return loop.parent;
  }

  /** `do { body; pointers grow } while (pointer != end)`, or with the counter where the body uses it. */
  #loop({ body, extent, span }: Extract<Stmt, { readonly kind: "loop" }>, region: Region): void {
    const { code: inner } = this.#openRegion(body);
    this.#stmts(body);
    const inductions = this.#inductionsOf.get(body) ?? [];
    const driver = this.#counterOf.has(body) ? undefined : inductions[0];
    const { code } = this.#opened(region);
    const writeLimit = this.#limit(driver, extent, region);
    const driving = driver === undefined ? this.#counterLocal(body) : this.#inductionLocal(driver);
    if (driver === undefined) {
      code.i32Const(0);
      code.localSet(driving);
    }
    code.begin("loop");
    code.out.append(inner.out);
    if (span !== undefined) code.out.mark(span);
    for (const v of inductions) {
      if (v === driver) continue;
      increment(code, this.#inductionLocal(v), v.step);
      code.localSet(this.#inductionLocal(v));
    }
    increment(code, driving, driver?.step ?? 1);
    code.localTee(driving);
    writeLimit();
    code.op("i32.ne");
    code.brIf(0);
    code.end();
    this.#closeRegions([body]);
  }

  /** Computes in front of a loop what its driver is compared with; gives a function that writes it. */
  #limit(driver: InductionValue | undefined, extent: Value, region: Region): () => void {
    const { code } = this.#opened(region);
    const count = i32Of(extent);
    if (driver === undefined && count !== undefined) return () => code.i32Const(count);
    if (driver !== undefined) code.localGet(this.#inductionLocal(driver));
    if (count === undefined) this.#value(extent, region);
    else code.i32Const(count);
    if (driver !== undefined) {
      code.i32Const(driver.step);
      code.op("i32.mul");
      code.op("i32.add");
    }
    const local = this.#newLocal(undefined, "i32", region);
    code.localSet(local);
    return () => code.localGet(local);
  }
}

function increment(code: InstructionWriter, local: number, step: number): void {
  code.localGet(local);
  code.i32Const(step);
  code.op("i32.add");
}
