import { at, makePointerType, makePrimType, type Pass } from "@verticil/ir-core";
import { dtypeBytes, lanesOf, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, Call, PrimExpr, Var } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeAllocate } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, floorDiv, floorMod, max, mul, sub } from "../ir/ops.ts";
import type { Allocate, Stmt } from "../ir/stmt.ts";
import { linearAccesses, type LinearEntry } from "./linear-accesses.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** What is merged beyond dynamic shared memory. */
export interface MergeSharedMemoryOptions {
  /** Static shared memory, too (upstream's `tir.merge_static_smem`). */
  readonly mergeStatic?: boolean;
}

/**
 * One allocation for all shared memory of a kernel, in which buffers that are not alive at the same time share space
 * (upstream's `MergeSharedMemoryAllocations`). Expects flat buffers.
 */
export function mergeSharedMemoryAllocations(options: MergeSharedMemoryOptions = {}): Pass {
  return bodyPass("MergeSharedMemoryAllocations", (body) => {
    const dynamic = merge(body, "shared.dyn", "buf_dyn_shmem");
    return options.mergeStatic === true ? merge(dynamic, "shared", "buf_shmem") : dynamic;
  });
}

/** Space that allocations share, one layer of them at a time. */
interface Slot {
  bits: number;
  layers: Var[][];
}

function merge(body: Stmt, scope: string, name: string): Stmt {
  const allocations = new Map<AnyVar, Allocate>();
  const collect: ChildMapper = {
    expr: (e) => e,
    stmt: (s) => {
      if (s.kind === "tir.Allocate" && scopeOfVar(s.bufferVar) === scope) allocations.set(s.bufferVar, s);
      return mapStmtChildren(s, collect);
    },
  };
  collect.stmt(body);
  if (allocations.size <= 1) return body;
  const slots = new Planner(allocations).plan(linearAccesses(body, (v) => allocations.has(v)));
  return new Merger(scope, name, allocations, slots).stmt(body);
}

function scopeOfVar(v: AnyVar): string {
  const type = v.kind === "tir.Var" ? v.typeAnnotation : undefined;
  return type?.kind === "ir.PointerType" ? type.storageScope : "";
}

function bitsOf(s: Allocate): number {
  const count = s.extents.reduce((n, e) => n * (asInt(e) ?? 0), 1);
  return count * bytesOf(s.dtype) * 8;
}

function bytesOf(dtype: DType): number {
  return dtypeBytes(scalarOf(dtype)) * lanesOf(dtype);
}

/** A free slot may be larger than what is wanted by this factor. */
const MATCH_RANGE = 16;

/** Decides which allocations share a slot, from when each is first and last touched. */
class Planner {
  readonly #allocations: ReadonlyMap<AnyVar, Allocate>;
  readonly #slotOf = new Map<AnyVar, Slot>();
  /** Free slots of constant size, the smallest first; those of equal size in the order that they became free. */
  #free: Slot[] = [];
  readonly #freeSymbolic: Slot[] = [];
  /** Slots of a word or less, which are not shared. */
  readonly #small: Slot[] = [];

  constructor(allocations: ReadonlyMap<AnyVar, Allocate>) {
    this.#allocations = allocations;
  }

  /** The slots in the order of their place in memory. */
  plan(seq: readonly LinearEntry[]): readonly Slot[] {
    const { first, last } = lifetimes(seq);
    seq.forEach((entry) => {
      const born = first.get(entry.stmt) ?? [];
      const dying = last.get(entry.stmt) ?? [];
      const isLeaf = (v: AnyVar): boolean => entry.offset === 0 && born.includes(v);
      if (entry.offset <= 0) for (const v of dying) if (!isLeaf(v)) this.#release(v);
      if (entry.offset >= 0) for (const v of born) this.#slotOf.set(v, this.#find(v));
      if (entry.offset <= 0) for (const v of dying) if (isLeaf(v)) this.#release(v);

    });
    return [...this.#free, ...this.#freeSymbolic, ...this.#small];
  }

  #find(v: AnyVar): Slot {
    const s = this.#allocations.get(v);
    if (s === undefined) throw new Error("internal: a shared buffer without allocation");
    const bits = bitsOf(s);
    const fresh = (): Slot => ({ bits, layers: [[s.bufferVar]] });
    if (bits > 0 && bits <= 32) {
      const slot = fresh();
      this.#small.push(slot);
      return slot;
    }
    if (bits === 0) return this.#freeSymbolic.shift() ?? fresh();
    const larger = this.#free.findIndex((x) => x.bits >= bits && x.bits <= bits * MATCH_RANGE);
    if (larger >= 0) {
      const [slot] = this.#free.splice(larger, 1);
      if (slot === undefined) return fresh();
      slot.layers.push([s.bufferVar]);
      return slot;
    }
    return this.#joinSmaller(s.bufferVar, bits) ?? fresh();
  }

  /** Smaller free slots side by side, from the largest down until they are enough. */
  #joinSmaller(v: Var, bits: number): Slot | undefined {
    const joined: Slot[] = [];
    let total = 0;
    for (const slot of this.#free.filter((x) => x.bits < bits).reverse()) {
      joined.push(slot);
      total += slot.bits;
      if (total >= bits) break;
    }
    if (joined.length === 0) return undefined;
    this.#free = this.#free.filter((x) => !joined.includes(x));
    const layers: Var[][] = [];
    for (const slot of joined) slot.layers.forEach((layer, i) => (layers[i] ??= []).push(...layer));
    layers.push([v]);
    return { bits: Math.max(bits, total), layers };
  }

  #release(v: AnyVar): void {
    const slot = this.#slotOf.get(v);
    if (slot === undefined || (slot.bits > 0 && slot.bits <= 32)) return;
    if (slot.bits === 0) {
      this.#freeSymbolic.push(slot);
      return;
    }
    const place = this.#free.findIndex((x) => x.bits > slot.bits);
    this.#free.splice(place < 0 ? this.#free.length : place, 0, slot);
  }
}

/** Where each variable is first and last touched, at the ends of the scopes that hold all of its touches. */
function lifetimes(seq: readonly LinearEntry[]): {
  readonly first: ReadonlyMap<Stmt, readonly AnyVar[]>;
  readonly last: ReadonlyMap<Stmt, readonly AnyVar[]>;
} {
  const first = new Map<Stmt, AnyVar[]>();
  const last = new Map<Stmt, AnyVar[]>();
  const note = (map: Map<Stmt, AnyVar[]>, s: Stmt, v: AnyVar): void => {
    const list = map.get(s);
    if (list === undefined) map.set(s, [v]);
    else list.push(v);
  };
  let seen = new Set<AnyVar>();
  for (const entry of seq.toReversed()) {
    for (const v of entry.touched) {
      if (seen.has(v)) continue;
      seen.add(v);
      note(last, entry.stmt, v);
    }
  }
  seen = new Set();
  seq.forEach((entry, i) => {
    if (entry.offset < 0) return;
    for (const v of at(seq, i + entry.offset).touched) {
      if (seen.has(v)) continue;
      seen.add(v);
      note(first, at(seq, i + entry.offset).stmt, v);
    }
  });
  return { first, last };
}

class Merger implements ChildMapper {
  readonly #scope: string;
  readonly #allocations: ReadonlyMap<AnyVar, Allocate>;
  readonly #slots: readonly Slot[];
  readonly #merged: Var;
  readonly #offsets = new Map<AnyVar, PrimExpr>();
  readonly #buffers = new Map<Buffer, Buffer>();
  #done = false;

  constructor(scope: string, name: string, allocations: ReadonlyMap<AnyVar, Allocate>, slots: readonly Slot[]) {
    this.#scope = scope;
    this.#allocations = allocations;
    this.#slots = slots;
    this.#merged = makeVar(name, "handle", makePointerType(makePrimType("uint8"), scope));
  }

  readonly stmt = (s: Stmt): Stmt => {
    switch (s.kind) {
      case "tir.AttrStmt": {
        if (s.attrKey !== "thread_extent" || this.#done) return mapStmtChildren(s, this);
        const size = this.#layOut();
        this.#done = true;
        return { ...s, body: makeAllocate(this.#merged, "uint8", [size], this.stmt(s.body)) };
      }
      case "tir.Allocate":
        return scopeOfVar(s.bufferVar) === this.#scope ? this.stmt(s.body) : mapStmtChildren(s, this);
      case "tir.DeclBuffer": {
        const body = this.stmt(s.body);
        const buffer = this.#moved(s.buffer);
        return buffer === s.buffer && body === s.body ? s : { ...s, buffer, body };
      }
      case "tir.BufferStore": {
        const mapped = mapStmtChildren(s, this);
        return mapped.kind === "tir.BufferStore" ? this.#access(mapped) : mapped;
      }
      default:
        return mapStmtChildren(s, this);
    }
  };

  readonly expr = (e: PrimExpr): PrimExpr => {
    const mapped = mapExprChildren(e, this);
    if (mapped.kind === "tir.BufferLoad") return this.#access(mapped);
    if (mapped.kind !== "tir.Call" || mapped.op.kind !== "ir.Op") return mapped;
    if (mapped.op.name === "tir.ptx_cp_async") return this.#asyncCopy(mapped);
    if (mapped.op.name !== "tir.tvm_access_ptr") return mapped;
    const [type, pointer, offset, extent, flags] = mapped.args;
    if (!type || pointer?.kind !== "tir.Var" || !offset || !extent || !flags || scopeOfVar(pointer) !== this.#scope) return mapped;
    return { ...mapped, args: [type, this.#merged, add(this.#elements(pointer, type.dtype), offset), extent, flags] };
  };

  /** The destination is a place in bytes. */
  #asyncCopy(e: Call): PrimExpr {
    const [pointer, offset, ...rest] = e.args;
    if (pointer?.kind !== "tir.Var" || offset === undefined || scopeOfVar(pointer) !== this.#scope) return e;
    return { ...e, args: [this.#merged, mul(add(this.#elements(pointer, e.dtype), offset), bytesOf(e.dtype)), ...rest] };
  }

  #access<T extends { readonly buffer: Buffer; readonly indices: readonly PrimExpr[] }>(node: T): T {
    if (scopeOfVar(node.buffer.data) !== this.#scope) return node;
    const buffer = this.#moved(node.buffer);
    return { ...node, buffer, indices: [add(at(node.indices, 0), this.#elements(node.buffer.data, node.buffer.dtype))] };
  }

  #moved(b: Buffer): Buffer {
    if (scopeOfVar(b.data) !== this.#scope) return b;
    if (b.shape.length !== 1) throw new TypeError("`MergeSharedMemoryAllocations` takes flat buffers. Run `FlattenBuffer` first.");
    let moved = this.#buffers.get(b);
    if (moved === undefined) this.#buffers.set(b, (moved = { ...b, data: this.#merged }));
    return moved;
  }

  #elements(v: AnyVar, dtype: DType): PrimExpr {
    const bytes = this.#offsets.get(v);
    if (bytes === undefined) throw new Error("internal: a shared buffer without a place");
    return floorDiv(bytes, constant(bytesOf(dtype), bytes.dtype));
  }

  /** Gives each allocation its place; the size of all of them in bytes. */
  #layOut(): PrimExpr {
    const align: number[] = [];
    for (const slot of this.#slots) {
      slot.layers.forEach((layer, i) => {
        for (const v of layer) align[i] = Math.max(align[i] ?? 0, dtypeBytes(scalarOf(this.#allocations.get(v)?.dtype ?? "uint8")));
      });
    }
    let size: PrimExpr = constant(0, "int32");
    for (const slot of this.#slots) {
      let longest: PrimExpr = constant(0, "int32");
      slot.layers.forEach((layer, i) => {
        let inner: PrimExpr = constant(0, "int32");
        for (const v of layer) {
          const s = this.#allocations.get(v);
          if (s === undefined) continue;
          this.#offsets.set(v, add(size, inner));
          inner = add(inner, mul(at(s.extents, 0), bytesOf(s.dtype)));
          const unit = at(align, i);
          inner = add(inner, floorMod(sub(unit, floorMod(inner, unit)), unit));
        }
        longest = max(longest, inner);
      });
      size = add(size, longest);
    }
    return size;
  }
}
