import { at, type AttrMap, type Pass } from "@verticil/ir-core";
import { lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, Call, CommReducer, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeBufferLoad, makeStringImm, makeVar } from "../ir/make-expr.ts";
import { makeAllocate, makeAttrStmt, makeBuffer, makeBufferStore, makeDeclBuffer, makeEvaluate, makeIfThenElse, makeLetStmt, makeSeq, scopeOf } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, eq, floorDiv, floorMod, intrin, isConstInt, lt, mul, select } from "../ir/ops.ts";
import type { Allocate, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { gpuLimits, type GpuLimits } from "./gpu-limits.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";
import { contextTarget, targetKind, targetOf } from "./target-attr.ts";

/**
 * Writes `tvm_thread_allreduce` out (upstream's `LowerThreadAllreduce`): by shuffles where the target has warps and the
 * reducing threads fill them, in two rounds for several warps, else by a tree in shared memory with barriers.
 * @throws TypeError if the reducing threads are not declared around the call, or have no constant extent.
 */
export function lowerThreadAllreduce(): Pass {
  return primFuncPass("LowerThreadAllreduce", (func, ctx) =>
    withBody(func, new Lowering(targetOf(func) ?? contextTarget(ctx)).stmt(func.body)),
  );
}

/** A `threadIdx` axis around the reduction. */
interface Thread {
  readonly v: Var;
  /** 0 for x, 1 for y, 2 for z. */
  readonly axis: number;
  readonly extent: number;
  readonly reduces: boolean;
}

/** A call of `tvm_thread_allreduce`, taken apart. */
interface Reduction {
  readonly combiner: CommReducer;
  readonly values: readonly PrimExpr[];
  readonly types: readonly DType[];
  readonly results: readonly Buffer[];
  readonly reduceIndex: PrimExpr;
  readonly reduceExtent: number;
  readonly groupIndex: PrimExpr;
  readonly groupExtent: number;
  /** The extent of the reducing axes that come before any other. */
  readonly contiguousExtent: number;
}

const ZERO = constant(0, "int32");

class Lowering implements ChildMapper {
  readonly #kind: string;
  readonly #limits: GpuLimits;
  readonly #analyzer = new Analyzer();
  readonly #threads: { readonly iv: IterVar; readonly extent: PrimExpr }[] = [];
  readonly #combiners: CommReducer[] = [];
  /** By pointer of a result: what a load of it becomes, and the buffer that takes its place. */
  readonly #loads = new Map<AnyVar, PrimExpr>();
  readonly #replaced = new Map<AnyVar, Buffer>();
  readonly #buffers = new Map<Buffer, Buffer>();

  readonly expr = (e: PrimExpr): PrimExpr => this.#expr(e);
  readonly stmt = (s: Stmt): Stmt => this.#stmt(s);

  constructor(target: AttrMap) {
    this.#kind = targetKind(target);
    this.#limits = gpuLimits(target);
  }

  #stmt(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.AttrStmt": {
        if (s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") {
          this.#threads.push({ iv: s.node as IterVar, extent: s.value });
          const mapped = mapStmtChildren(s, this);
          this.#threads.pop();
          return mapped;
        }
        if (s.attrKey === "reduce_scope" && s.node?.kind === "tir.CommReducer") {
          this.#combiners.push(s.node as CommReducer);
          const mapped = mapStmtChildren(s, this);
          this.#combiners.pop();
          return mapped;
        }
        return mapStmtChildren(s, this);
      }
      case "tir.Evaluate": {
        const mapped = mapStmtChildren(s, this);
        const call = mapped.kind === "tir.Evaluate" && mapped.value.kind === "tir.Call" ? mapped.value : undefined;
        return call?.op.kind === "ir.Op" && call.op.name === "tir.tvm_thread_allreduce" ? this.#lower(call) : mapped;
      }
      case "tir.Allocate":
        return this.#allocate(s);
      case "tir.DeclBuffer": {
        const mapped = mapStmtChildren(s, this);
        return mapped.kind === "tir.DeclBuffer" ? replaceBuffer(mapped, this.#buffer(mapped.buffer)) : mapped;
      }
      case "tir.BufferStore": {
        const mapped = mapStmtChildren(s, this);
        return mapped.kind === "tir.BufferStore" ? replaceBuffer(mapped, this.#buffer(mapped.buffer)) : mapped;
      }
      default:
        return mapStmtChildren(s, this);
    }
  }

  #expr(e: PrimExpr): PrimExpr {
    if (e.kind === "tir.BufferLoad") {
      const known = this.#loads.get(e.buffer.data);
      if (known !== undefined) return known;
      const mapped = mapExprChildren(e, this);
      return mapped.kind === "tir.BufferLoad" ? replaceBuffer(mapped, this.#buffer(mapped.buffer)) : mapped;
    }
    return mapExprChildren(e, this);
  }

  #buffer(b: Buffer): Buffer {
    const known = this.#buffers.get(b);
    if (known !== undefined) return known;
    const other = this.#replaced.get(b.data);
    if (other === undefined) return b;
    const moved = { ...b, data: other.data };
    this.#buffers.set(b, moved);
    return moved;
  }

  #allocate(s: Allocate): Stmt {
    const mapped = mapStmtChildren(s, this);
    const b = this.#replaced.get(s.bufferVar);
    if (b === undefined || mapped.kind !== "tir.Allocate") return mapped;
    // Every access must reach memory: other threads write there.
    const body = scopeOf(b) === "shared" ? makeAttrStmt(b.data, "volatile_scope", constant(1, "int32"), mapped.body) : mapped.body;
    return { ...mapped, bufferVar: b.data, dtype: b.dtype, extents: b.shape, condition: constant(1, "bool"), body };
  }

  #replace(r: Reduction, i: number, load: PrimExpr, b: Buffer): void {
    const result = at(r.results, i);
    this.#loads.set(result.data, load);
    this.#replaced.set(result.data, b);
    this.#buffers.set(result, b);
  }

  #lower(call: Call): Stmt {
    const r = this.#reduction(call);
    const fresh: Buffer[] = [];
    const seq: Stmt[] = [];
    if (this.#fitsWarps(r)) this.#byShuffles(r, seq, fresh);
    else if (r.reduceExtent === 1) return makeSeq(r.results.map((b, i) => makeBufferStore(b, at(r.values, i), [ZERO])));
    else this.#bySharedMemory(r, seq);
    return fresh.reduce<Stmt>((body, b) => makeAllocate(b.data, b.dtype, b.shape, makeDeclBuffer(b, body)), makeSeq(seq));
  }

  #reduction(call: Call): Reduction {
    const combiner = this.#combiners.at(-1);
    if (combiner === undefined) throw new TypeError("`tvm_thread_allreduce` stands outside of a `reduce_scope`.");
    const size = combiner.result.length;
    const condition = at(call.args, size + 1);
    const values = combiner.identityElement.map((identity, i) => {
      const value = at(call.args, 1 + i);
      return isConstInt(condition, 1) ? value : select(condition, value, identity);
    });
    const results = combiner.result.map((_, i) => {
      const arg = at(call.args, 2 + size + i);
      const load = arg.kind === "tir.Cast" ? arg.value : arg;
      if (load.kind !== "tir.BufferLoad") throw new TypeError("The results of `tvm_thread_allreduce` are elements of buffers.");
      return load.buffer;
    });
    const reducing = new Set(call.args.slice(2 + 2 * size));
    const threads = this.#threadsOf(reducing);
    const parts = { true: threads.filter((t) => t.reduces), false: threads.filter((t) => !t.reduces) };
    const [reduceIndex, reduceExtent] = flatten(parts.true);
    const [groupIndex, groupExtent] = flatten(parts.false);
    let contiguousExtent = 1;
    for (const t of threads) {
      if (!t.reduces) break;
      contiguousExtent *= t.extent;
    }
    const types = values.map((v) => v.dtype);
    return { combiner, values, types, results, reduceIndex, reduceExtent, groupIndex, groupExtent, contiguousExtent };
  }

  /** The thread axes of the workgroup that run more than once, x first. */
  #threadsOf(reducing: ReadonlySet<PrimExpr>): readonly Thread[] {
    const out: Thread[] = [];
    for (const { iv, extent } of this.#threads) {
      const axis = ["threadIdx.x", "threadIdx.y", "threadIdx.z"].indexOf(iv.threadTag);
      if (axis < 0) continue;
      const count = asInt(extent);
      if (count === undefined) throw new TypeError(`\`${iv.threadTag}\` has no constant extent, so it cannot reduce.`);
      if (count > 1) out.push({ v: iv.var, axis, extent: count, reduces: reducing.has(iv.var) });
    }
    return out.toSorted((a, b) => a.axis - b.axis);
  }

  #fitsWarps(r: Reduction): boolean {
    if (!["cuda", "rocm", "metal"].includes(this.#kind)) return false;
    const { warpSize, maxThreads } = this.#limits;
    const width = (t: DType): number => parseDType(scalarOf(t)).bits * lanesOf(t);
    if (this.#kind === "rocm" && r.types.some((t) => width(t) !== 32)) return false;
    const shuffles = (t: DType): boolean =>
      scalarOf(t) === "float16" ? lanesOf(t) <= 2 : lanesOf(t) === 1 && width(t) >= 32 && width(t) <= 64;
    if (!r.types.every(shuffles) || r.contiguousExtent !== r.reduceExtent) return false;
    if (this.#kind === "rocm") return r.reduceExtent === warpSize;
    if (r.reduceExtent === 1) return false;
    if (warpSize % r.reduceExtent === 0) return true;
    if (maxThreads !== -1 && maxThreads <= warpSize * warpSize && r.reduceExtent % warpSize === 0) return true;
    return r.groupExtent === 1 && r.reduceExtent <= warpSize;
  }

  #byShuffles(r: Reduction, seq: Stmt[], fresh: Buffer[]): void {
    const { warpSize } = this.#limits;
    if (r.reduceExtent <= warpSize) {
      const round = this.#shuffleRound(r, r.values, r.reduceExtent, undefined, seq);
      fresh.push(...round.helpers);
      const mask = round.helpers.at(-1);
      round.sums.forEach((b, i) => {
        const all = this.#shuffle("tvm_warp_shuffle", mask, makeBufferLoad(b, [ZERO]), mul(r.reduceExtent, r.groupIndex));
        seq.push(makeBufferStore(b, all, [ZERO]));
        this.#replace(r, i, makeBufferLoad(b, [ZERO]), b);
      });
      return;
    }
    const warps = r.reduceExtent / warpSize;
    const index = r.reduceIndex;
    const staging = r.results.map((b) => makeBuffer("red_buf_staging", [constant(warps * r.groupExtent, index.dtype)], b.dtype, { scope: "shared" }));
    fresh.push(...staging);
    const first = this.#shuffleRound(r, r.values, warpSize, undefined, seq);
    fresh.push(...first.helpers, ...first.sums);
    const write = first.sums.map((b, i) =>
      makeBufferStore(at(staging, i), makeBufferLoad(b, [ZERO]), [add(mul(r.groupIndex, warps), floorDiv(index, warpSize))]),
    );
    seq.push(makeIfThenElse(eq(floorMod(index, warpSize), 0), makeSeq(write)), barrier("shared"));
    const staged = staging.map((b) => makeBufferLoad(b, [add(mul(r.groupIndex, warps), index)]));
    const second = this.#shuffleRound(r, staged, warps, lt(index, warps), seq);
    fresh.push(...second.helpers, ...second.sums);
    const publish = second.sums.map((b, i) => {
      const shared = makeBuffer("red_result", [constant(r.groupExtent, index.dtype)], at(r.results, i).dtype, { scope: "shared" });
      this.#replace(r, i, makeBufferLoad(shared, [r.groupIndex]), shared);
      return makeBufferStore(shared, makeBufferLoad(b, [ZERO]), [r.groupIndex]);
    });
    seq.push(makeIfThenElse(eq(index, 0), makeSeq(publish)), barrier("shared"));
  }

  /** One reduction among `extent` threads of a warp; the sum is in the first of them. */
  #shuffleRound(
    r: Reduction,
    values: readonly PrimExpr[],
    extent: number,
    predicate: PrimExpr | undefined,
    seq: Stmt[],
  ): { readonly sums: readonly Buffer[]; readonly helpers: readonly Buffer[] } {
    const sums = r.types.map((t, i) => makeBuffer(`red_buf${i}`, [1], t, { scope: "local" }));
    const temporaries = r.types.map((t, i) => makeBuffer(`t${i}`, [1], t, { scope: "local" }));
    const loads = sums.map((b, i) => makeBufferStore(b, at(values, i), [ZERO]));
    if (predicate === undefined) seq.push(...loads);
    else seq.push(makeIfThenElse(predicate, makeSeq(loads)));
    const helpers = [...temporaries];
    let mask: Buffer | undefined;
    if (this.#kind !== "metal") {
      mask = makeBuffer("mask", [1], "uint32", { scope: "local" });
      seq.push(makeBufferStore(mask, intrin("tvm_warp_activemask", "uint32", []), [ZERO]));
      helpers.push(mask);
    }
    let start = 1;
    while (start * 2 < extent) start *= 2;
    for (let offset = start; offset >= 1; offset /= 2) {
      const mine = sums.map((b) => makeBufferLoad(b, [ZERO]));
      // The shuffle must not stand in a branch, so its value goes through a buffer.
      temporaries.forEach((t, i) => {
        seq.push(makeBufferStore(t, this.#shuffle("tvm_warp_shuffle_down", mask, at(mine, i), constant(offset, "int32")), [ZERO]));
      });
      const combined = combine(r.combiner, mine, temporaries.map((t) => makeBufferLoad(t, [ZERO])));
      const stores = makeSeq(sums.map((b, i) => makeBufferStore(b, at(combined, i), [ZERO])));
      // Threads beyond the extent hold nothing.
      seq.push(offset * 2 > extent ? makeIfThenElse(lt(add(r.reduceIndex, offset), extent), stores) : stores);
    }
    return { sums, helpers };
  }

  #shuffle(name: string, mask: Buffer | undefined, value: PrimExpr, lane: PrimExpr): PrimExpr {
    const width = constant(this.#limits.warpSize, "int32");
    // Only where the device masks lanes is the mask read.
    const active = mask !== undefined && mask.dtype === "uint32" && this.#kind !== "metal" ? makeBufferLoad(mask, [ZERO]) : ZERO;
    return intrin(name, value.dtype, [active, value, lane, width, width]);
  }

  #bySharedMemory(r: Reduction, seq: Stmt[]): void {
    const position = (index: PrimExpr): PrimExpr =>
      isConstInt(r.groupIndex, 0) ? index : this.#analyzer.simplify(add(mul(r.groupIndex, r.reduceExtent), index));
    const buffers = r.types.map((t, i) => makeBuffer(`red_buf${i}`, [constant(r.groupExtent * r.reduceExtent, r.groupIndex.dtype)], t, { scope: "shared" }));
    // The last iteration's results may still be read.
    seq.push(barrier("shared"));
    buffers.forEach((b, i) => seq.push(makeBufferStore(b, at(r.values, i), [position(r.reduceIndex)])));
    seq.push(barrier("shared"), this.#tree(r, buffers, position));
    buffers.forEach((b, i) => this.#replace(r, i, makeBufferLoad(b, [position(constant(0, r.reduceIndex.dtype))]), b));
  }

  #tree(r: Reduction, buffers: readonly Buffer[], position: (index: PrimExpr) => PrimExpr): Stmt {
    const { warpSize } = this.#limits;
    const mine = position(r.reduceIndex);
    const load = (offset: number): readonly PrimExpr[] =>
      combine(
        r.combiner,
        buffers.map((b) => makeBufferLoad(b, [mine])),
        buffers.map((b) => makeBufferLoad(b, [position(add(r.reduceIndex, offset))])),
      );
    const store = (values: readonly PrimExpr[]): Stmt => makeSeq(buffers.map((b, i) => makeBufferStore(b, at(values, i), [mine])));
    const step = (threads: number, offset: number): Stmt[] => [
      makeIfThenElse(lt(r.reduceIndex, threads), store(load(offset))),
      barrier("shared"),
    ];
    const seq: Stmt[] = [];
    let width = 1;
    while (width < r.reduceExtent) width *= 2;
    if (width > r.reduceExtent) {
      width /= 2;
      seq.push(...step(r.reduceExtent - width, width));
    }
    const aligned = r.groupExtent === 1 || r.contiguousExtent % warpSize === 0;
    while (width > 1 && (width > r.contiguousExtent || width > warpSize || !aligned)) {
      width /= 2;
      seq.push(...step(width, width));
    }
    if (width <= 1) return makeSeq(seq);
    const condition = lt(r.reduceIndex, width / 2);
    const inWarp: Stmt[] = [];
    while (width > 1) {
      width /= 2;
      // Threads run in step: all of them read before any of them writes.
      const loads = load(width);
      const vars = loads.map((e, i) => makeVar(`w_${width}_${i}`, e.dtype));
      const body = makeSeq([barrier("warp"), store(vars), barrier("warp")]);
      inWarp.push(vars.reduce<Stmt>((inner, v, i) => makeLetStmt(v, at(loads, i), inner), body));
    }
    seq.push(makeIfThenElse(condition, makeSeq(inWarp)), barrier("shared"));
    return makeSeq(seq);
  }
}

function replaceBuffer<T extends { readonly buffer: Buffer }>(node: T, buffer: Buffer): T {
  return node.buffer === buffer ? node : { ...node, buffer };
}

function barrier(scope: string): Stmt {
  return makeEvaluate(intrin("tvm_storage_sync", "int32", [makeStringImm(scope)]));
}

/** The combination of two tuples. */
function combine(r: CommReducer, a: readonly PrimExpr[], b: readonly PrimExpr[]): readonly PrimExpr[] {
  const values = new Map<AnyVar, PrimExpr>();
  r.lhs.forEach((v, i) => values.set(v, at(a, i)));
  r.rhs.forEach((v, i) => values.set(v, at(b, i)));
  return r.result.map((e) => substitute(e, values));
}

/** The threads as one index, the first axis fastest, and how many there are. */
function flatten(threads: readonly Thread[]): readonly [PrimExpr, number] {
  let index: PrimExpr | undefined;
  let total = 1;
  for (const t of threads) {
    index = index === undefined ? t.v : add(index, mul(t.v, total));
    total *= t.extent;
  }
  return [index ?? ZERO, total];
}
