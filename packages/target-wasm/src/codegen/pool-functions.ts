import { poolLayout } from "@verticil/runtime-ffi";
import { InstructionWriter } from "../encoder/instructions.ts";
import type { FuncBody, FuncSignature } from "../encoder/module-builder.ts";
import type { WasmType } from "../encoder/opcodes.ts";
import { argOffset, type ParallelBody } from "./parallel.ts";

/** The signature of the functions that run some iterations of a loop, from the first to the last but one. */
export const rangeSignature: FuncSignature = { params: ["i32", "i32"], results: [] };

/** A piece is what is left of a part, shifted right by this, and at least one iteration: the last ones to finish are short. */
const PIECE_SHIFT = 2;

/** Reads and writes of the words of a pool. */
class PoolWriter extends InstructionWriter {
  readonly #pool: number;

  constructor(pool: number) {
    super();
    this.#pool = pool;
  }

  /** Leaves a word that only the main thread writes, and not while others read it. */
  plain(word: number): void {
    this.i32Const(0);
    this.memory("i32.load", this.#pool + word);
  }

  /** Leaves a word that any thread may write. */
  atomic(word: number): void {
    this.i32Const(0);
    this.memory("i32.atomic.load", this.#pool + word);
  }

  /** Writes a word; `value` leaves it. */
  store(op: "i32.store" | "i32.atomic.store", word: number, value: () => void): void {
    this.i32Const(0);
    value();
    this.memory(op, this.#pool + word);
  }

  /** Adds to a word, and leaves what was there. */
  add(word: number, by: number): void {
    this.i32Const(0);
    this.i32Const(Math.abs(by));
    this.memory(by < 0 ? "i32.atomic.rmw.sub" : "i32.atomic.rmw.add", this.#pool + word);
  }

  /** Leaves the first iteration of the part of the loop that belongs to the thread of the number that `thread` leaves. */
  partOf(thread: () => void): void {
    this.plain(poolLayout.extent);
    this.op("i64.extend_i32_u");
    thread();
    this.op("i64.extend_i32_u");
    this.op("i64.mul");
    this.plain(poolLayout.threads);
    this.op("i64.extend_i32_u");
    this.op("i64.div_u");
    this.op("i32.wrap_i64");
  }

  /** Leaves what the address of a thread's next iteration is reckoned from; the local holds the thread's number. */
  nextBase(thread: number): void {
    this.localGet(thread);
    this.i32Const(poolLayout.nextStride);
    this.op("i32.mul");
  }

  /** Sleeps until `word` is no longer what the local holds. */
  wait(word: number, local: number): void {
    this.i32Const(0);
    this.localGet(local);
    this.i64Const(-1n);
    this.memory("memory.atomic.wait32", this.#pool + word);
    this.drop();
  }

  /** Wakes all that sleep for `word`. */
  notify(word: number): void {
    this.i32Const(0);
    this.i32Const(-1);
    this.memory("memory.atomic.notify", this.#pool + word);
    this.drop();
  }

  /** Counts a local down; leaves whether it was above 0. */
  countDown(local: number): void {
    this.localGet(local);
    this.localGet(local);
    this.i32Const(1);
    this.op("i32.sub");
    this.localSet(local);
    this.i32Const(0);
    this.op("i32.gt_s");
  }
}

/**
 * `fork(body, extent)`: opens a loop for all threads, works on it too, closes it, and waits for those that are at it. A
 * worker joins by counting itself in `running` before it looks at the gate, so that what it reads of the loop holds until
 * it has counted itself out; one that comes too late finds the gate closed, and nobody waits for one that has not come at
 * all. Where there is one thread it takes the whole loop. Pieces do not open loops of their own. `rangeType` is the type of
 * the bodies.
 */
export function forkFunction(pool: number, work: number, rangeType: number): FuncBody {
  const code = new PoolWriter(pool);
  const [body, extent, threads, left, spin, thread] = [0, 1, 2, 3, 4, 5];
  code.plain(poolLayout.threads);
  code.localTee(threads);
  code.i32Const(2);
  code.op("i32.lt_s");
  code.begin("if");
  code.i32Const(0);
  code.localGet(extent);
  code.localGet(body);
  code.callIndirect(rangeType);
  code.return();
  code.end();
  code.store("i32.store", poolLayout.body, () => code.localGet(body));
  code.store("i32.store", poolLayout.extent, () => code.localGet(extent));
  code.begin("loop");
  code.nextBase(thread);
  code.partOf(() => code.localGet(thread));
  code.memory("i32.store", pool + poolLayout.next);
  code.localGet(thread);
  code.i32Const(1);
  code.op("i32.add");
  code.localTee(thread);
  code.localGet(threads);
  code.op("i32.lt_u");
  code.brIf(0);
  code.end();
  code.store("i32.atomic.store", poolLayout.gate, () => code.i32Const(0));
  code.add(poolLayout.epoch, 1);
  code.drop();
  code.atomic(poolLayout.sleepers);
  code.begin("if");
  code.notify(poolLayout.epoch);
  code.end();
  code.i32Const(0);
  code.call(work);
  code.store("i32.atomic.store", poolLayout.gate, () => code.i32Const(poolLayout.closed));
  code.plain(poolLayout.spin);
  code.localSet(spin);
  code.begin("block");
  code.begin("loop");
  code.atomic(poolLayout.running);
  code.localTee(left);
  code.op("i32.eqz");
  code.brIf(1);
  code.countDown(spin);
  code.brIf(0);
  code.plain(poolLayout.mayWait);
  code.op("i32.eqz");
  code.brIf(0);
  code.store("i32.atomic.store", poolLayout.waiting, () => code.i32Const(1));
  code.wait(poolLayout.running, left);
  code.store("i32.atomic.store", poolLayout.waiting, () => code.i32Const(0));
  code.br(0);
  code.end();
  code.end();
  return { name: "__fork", signature: rangeSignature, locals: ["i32", "i32", "i32", "i32"], code: code.out };
}

/**
 * `work(thread)`: takes pieces of the open loop until there is none: first of the thread's own part, then of what is left
 * of the others'. A piece is a quarter of what is left of the part, so that there are few of them and the last ones are
 * single iterations. The parts of two loops of as many iterations are the same ones, so that what a thread reads is mostly
 * what it has written, and in its own cache. `rangeType` is the type of the bodies.
 */
export function workFunction(pool: number, rangeType: number): FuncBody {
  const code = new PoolWriter(pool);
  const [thread, left, limit, begin, end] = [0, 1, 2, 3, 4];
  code.plain(poolLayout.threads);
  code.localSet(left);
  code.begin("loop");
  code.partOf(() => {
    code.localGet(thread);
    code.i32Const(1);
    code.op("i32.add");
  });
  code.localSet(limit);
  code.begin("loop");
  code.nextBase(thread);
  code.memory("i32.atomic.load", pool + poolLayout.next);
  code.localTee(begin);
  code.localGet(limit);
  code.op("i32.lt_u");
  code.begin("if");
  code.localGet(begin);
  code.localGet(limit);
  code.localGet(begin);
  code.op("i32.sub");
  code.i32Const((1 << PIECE_SHIFT) - 1);
  code.op("i32.add");
  code.i32Const(PIECE_SHIFT);
  code.op("i32.shr_u");
  code.op("i32.add");
  code.localSet(end);
  code.nextBase(thread);
  code.localGet(begin);
  code.localGet(end);
  code.memory("i32.atomic.rmw.cmpxchg", pool + poolLayout.next);
  code.localGet(begin);
  code.op("i32.ne");
  code.brIf(1);
  code.localGet(begin);
  code.localGet(end);
  code.plain(poolLayout.body);
  code.callIndirect(rangeType);
  code.br(1);
  code.end();
  code.end();
  code.localGet(thread);
  code.i32Const(1);
  code.op("i32.add");
  code.localTee(thread);
  code.i32Const(0);
  code.localGet(thread);
  code.plain(poolLayout.threads);
  code.op("i32.lt_u");
  code.select("i32");
  code.localSet(thread);
  code.localGet(left);
  code.i32Const(1);
  code.op("i32.sub");
  code.localTee(left);
  code.brIf(0);
  code.end();
  return { name: "__work", signature: { params: ["i32"], results: [] }, locals: ["i32", "i32", "i32", "i32"], code: code.out };
}

/**
 * `worker(stack, thread)`: joins every loop that is opened until it is told to quit; `stack` is the end of its shadow stack,
 * `thread` its number.
 */
export function workerFunction(pool: number, work: number, stackPointer: number): FuncBody {
  const code = new PoolWriter(pool);
  const [stack, thread, seen, spin, epoch] = [0, 1, 2, 3, 4];
  code.localGet(stack);
  code.globalSet(stackPointer);
  code.begin("loop");
  code.atomic(poolLayout.epoch);
  code.localTee(epoch);
  code.localGet(seen);
  code.op("i32.eq");
  code.begin("if");
  code.countDown(spin);
  code.brIf(1);
  code.add(poolLayout.sleepers, 1);
  code.drop();
  code.wait(poolLayout.epoch, seen);
  code.add(poolLayout.sleepers, -1);
  code.drop();
  code.br(1);
  code.end();
  code.atomic(poolLayout.quit);
  code.begin("if");
  code.return();
  code.end();
  code.localGet(epoch);
  code.localSet(seen);
  code.plain(poolLayout.spin);
  code.localSet(spin);
  code.add(poolLayout.running, 1);
  code.drop();
  code.atomic(poolLayout.gate);
  code.op("i32.eqz");
  code.begin("if");
  code.localGet(thread);
  code.call(work);
  code.end();
  code.add(poolLayout.running, -1);
  code.i32Const(1);
  code.op("i32.eq");
  code.atomic(poolLayout.waiting);
  code.op("i32.and");
  code.begin("if");
  code.notify(poolLayout.running);
  code.end();
  code.br(0);
  code.end();
  return { name: "__worker", signature: { params: ["i32", "i32"], results: [] }, locals: ["i32", "i32", "i32"], code: code.out };
}

/** Runs a range of iterations of a loop, with the arguments that the pool holds. */
export function rangeFunction(pool: number, { callee, position }: ParallelBody, number: number): FuncBody {
  const code = new InstructionWriter();
  const [begin, end, first] = [0, 1, 2];
  const locals: WasmType[] = [];
  const localOf = callee.params.map((type, i) => {
    if (i === position) return begin;
    code.i32Const(0);
    code.memory(`${type}.load`, argOffset(pool, i));
    const local = first + locals.push(type) - 1;
    code.localSet(local);
    return local;
  });
  code.begin("loop");
  for (const local of localOf) code.localGet(local);
  code.call(callee.index);
  code.localGet(begin);
  code.i32Const(1);
  code.op("i32.add");
  code.localTee(begin);
  code.localGet(end);
  code.op("i32.lt_s");
  code.brIf(0);
  code.end();
  return { name: `__range_${number}`, signature: rangeSignature, locals, code: code.out };
}
