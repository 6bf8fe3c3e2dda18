import { at } from "@verticil/ir-core";
import { dtypeBytes, lanesOf, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { AnyVar } from "../ir/expr.ts";
import { asInt } from "../ir/ops.ts";
import type { Allocate, AttrStmt, For, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { canRunInPlace } from "./in-place.ts";
import { linearAccesses, type LinearEntry } from "./linear-accesses.ts";

/** How allocations may share memory. */
export interface StoragePlanOptions {
  /** Off: each allocation keeps memory of its own. */
  readonly reuse: boolean;
  /** Only allocations of one type share. */
  readonly sameType: boolean;
}

/** Memory that several allocations use one after the other. */
export interface StorageSlot {
  readonly scope: string;
  /** The kernel, virtual thread or parallel loop it belongs to; undefined for the whole program. */
  readonly attach: AttrStmt | For | undefined;
  readonly elementType: DType;
  /** 0 if it is not constant. */
  bits: number;
  readonly allocations: Allocate[];
}

/** Which slot each allocation uses, and the slots in the order of their first use. */
export interface StoragePlan {
  readonly slots: readonly StorageSlot[];
  readonly slotOf: ReadonlyMap<AnyVar, StorageSlot>;
}

/** A free slot may be larger or smaller than what is wanted by this factor. */
const MATCH_RANGE = 16;

/** Assigns memory to the allocations of a flat program by when each is first and last touched. */
export function planStorage(body: Stmt, options: StoragePlanOptions): StoragePlan {
  const allocations = new Map<AnyVar, Allocate>();
  visitStmt(body, {
    expr: () => "skip",
    stmt: (s) => void (s.kind === "tir.Allocate" && allocations.set(s.bufferVar, s)),
  });
  return new Planner(allocations, options).plan(linearAccesses(body, (v) => allocations.has(v)));
}

/** The storage scope of a pointer; `global` where it says none. */
export function pointerScope(v: AnyVar): string {
  const type = v.kind === "tir.Var" ? v.typeAnnotation : undefined;
  return type?.kind === "ir.PointerType" && type.storageScope !== "" ? type.storageScope : "global";
}

/** The bits of an element. */
export function elementBits(dtype: DType): number {
  return dtypeBytes(scalarOf(dtype)) * lanesOf(dtype) * 8;
}

/** The bits of an allocation; 0 if its size is not constant. */
function constantBits(s: Allocate): number {
  return s.extents.reduce((n, e) => n * (asInt(e) ?? 0), elementBits(s.dtype));
}

/** Memory that becomes registers, which nobody shares. */
function isPrivate(scope: string, dtype: DType, bits: number): boolean {
  if (scope.includes(".") && !/^(wmma|m16n8k8)/.test(scope)) return false;
  return !(scope === "global" || scope === "shared") || dtype === "handle" || (bits > 0 && bits <= 32);
}

class Planner {
  readonly #allocations: ReadonlyMap<AnyVar, Allocate>;
  readonly #options: StoragePlanOptions;
  readonly #slots: StorageSlot[] = [];
  readonly #slotOf = new Map<AnyVar, StorageSlot>();
  /** Free slots of constant size, the smallest first, and the others in the order they became free. */
  #free: StorageSlot[] = [];
  #freeSymbolic: StorageSlot[] = [];
  #attach: AttrStmt | For | undefined;

  constructor(allocations: ReadonlyMap<AnyVar, Allocate>, options: StoragePlanOptions) {
    this.#allocations = allocations;
    this.#options = options;
  }

  plan(seq: readonly LinearEntry[]): StoragePlan {
    const { born, dying } = lifetimes(seq);
    const inPlace = new Set<AnyVar>();
    for (const entry of seq) {
      const last = dying.get(entry.stmt) ?? [];
      if (entry.offset >= 0) {
        const first = born.get(entry.stmt) ?? [];
        for (const v of first) {
          const s = this.#allocations.get(v);
          if (s === undefined) continue;
          const slot = (first.length <= 2 ? this.#inPlaceOf(entry.stmt, s, last, inPlace) : undefined) ?? this.#find(s);
          slot.allocations.push(s);
          this.#slotOf.set(v, slot);
        }
      }
      this.#crossScope(entry.stmt);
      if (entry.offset <= 0) for (const v of last) if (!inPlace.has(v)) this.#release(v);
    }
    return { slots: this.#slots, slotOf: this.#slotOf };
  }

  /** The slot of something that is read for the last time where `s` is written, element by element. */
  #inPlaceOf(stmt: Stmt, s: Allocate, last: readonly AnyVar[], inPlace: Set<AnyVar>): StorageSlot | undefined {
    for (const source of last) {
      const slot = inPlace.has(source) ? undefined : this.#slotOf.get(source);
      if (slot === undefined || slot.scope !== pointerScope(s.bufferVar) || slot.attach !== this.#attach) continue;
      if (slot.elementType !== scalarOf(s.dtype) || slot.bits !== constantBits(s) || !canRunInPlace(stmt, s.bufferVar, source)) continue;
      inPlace.add(source);
      return slot;
    }
    return undefined;
  }

  #find(s: Allocate): StorageSlot {
    const scope = pointerScope(s.bufferVar);
    const bits = constantBits(s);
    const fresh = (): StorageSlot => {
      const slot = { scope, attach: this.#attach, elementType: scalarOf(s.dtype), bits, allocations: [] };
      this.#slots.push(slot);
      return slot;
    };
    if (!this.#options.reuse || isPrivate(scope, s.dtype, bits) || s.extents.length !== 1) return fresh();
    const fits = (x: StorageSlot): boolean => x.attach === this.#attach && x.scope === scope && !(this.#options.sameType && x.elementType !== s.dtype);
    const sameElement = (x: StorageSlot): boolean => fits(x) && x.elementType === scalarOf(s.dtype);
    if (bits === 0) {
      const found = this.#freeSymbolic.find(sameElement);
      this.#freeSymbolic = this.#freeSymbolic.filter((x) => x !== found);
      return found ?? fresh();
    }
    const larger = this.#free.find((x) => x.bits >= bits && x.bits <= bits * MATCH_RANGE && fits(x));
    const found = larger ?? this.#free.findLast((x) => x.bits < bits && x.bits >= Math.floor(bits / MATCH_RANGE) && sameElement(x));
    if (found === undefined) return fresh();
    this.#free = this.#free.filter((x) => x !== found);
    found.bits = Math.max(found.bits, bits);
    return found;
  }

  #release(v: AnyVar): void {
    const slot = this.#slotOf.get(v);
    if (slot === undefined || isPrivate(slot.scope, at(slot.allocations, 0).dtype, slot.bits)) return;
    if (slot.bits === 0) {
      this.#freeSymbolic.push(slot);
      return;
    }
    const place = this.#free.findIndex((x) => x.bits > slot.bits);
    this.#free.splice(place < 0 ? this.#free.length : place, 0, slot);
  }

  /** Enters a kernel or a parallel loop, or leaves it with the memory that belongs to it. */
  #crossScope(s: Stmt): void {
    const opens = (s.kind === "tir.AttrStmt" && s.attrKey !== "extern_scope") || (s.kind === "tir.For" && s.forKind === "parallel");
    if (!opens || (this.#attach !== undefined && this.#attach !== s)) return;
    if (this.#attach === undefined) {
      this.#attach = s;
      return;
    }
    this.#free = this.#free.filter((x) => x.attach !== s);
    this.#freeSymbolic = this.#freeSymbolic.filter((x) => x.attach !== s);
    this.#attach = undefined;
  }
}

interface Lifetimes {
  readonly born: ReadonlyMap<Stmt, readonly AnyVar[]>;
  readonly dying: ReadonlyMap<Stmt, readonly AnyVar[]>;
}

/** Where each variable is first and last touched, at the ends of the scopes that hold all of its touches. */
function lifetimes(seq: readonly LinearEntry[]): Lifetimes {
  const born = new Map<Stmt, AnyVar[]>();
  const dying = new Map<Stmt, AnyVar[]>();
  const note = (map: Map<Stmt, AnyVar[]>, seen: Set<AnyVar>, entry: LinearEntry): void => {
    for (const v of entry.touched) {
      if (seen.has(v)) continue;
      seen.add(v);
      map.set(entry.stmt, [...(map.get(entry.stmt) ?? []), v]);
    }
  };
  const last = new Set<AnyVar>();
  for (const entry of seq.toReversed()) note(dying, last, entry);
  const first = new Set<AnyVar>();
  seq.forEach((entry, i) => {
    if (entry.offset >= 0) note(born, first, at(seq, i + entry.offset));
  });
  return { born, dying };
}
