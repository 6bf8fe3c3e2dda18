import type { AnyVar, Buffer, PrimExpr, Stmt, Var } from "@verticil/tir";
import { asInt, visitStmt } from "@verticil/tir";
import { lanesOf } from "@verticil/runtime-ffi";

/** One place where a kernel reads or writes memory. */
export interface Access {
  readonly buffer: Buffer;
  readonly index: PrimExpr;
  readonly store: boolean;
  /** Elements at once. */
  readonly lanes: number;
}

/** The accesses of a piece of code, by the pointer they go through, in order of appearance. */
export function accessesOf(body: Stmt): ReadonlyMap<AnyVar, readonly Access[]> {
  const out = new Map<AnyVar, Access[]>();
  const add = (buffer: Buffer, indices: readonly PrimExpr[], store: boolean): void => {
    const [index] = indices;
    if (index === undefined) return;
    const list = out.get(buffer.data) ?? [];
    out.set(buffer.data, list);
    list.push({ buffer, index, store, lanes: lanesOf(index.dtype) });
  };
  visitStmt(body, {
    expr: (e) => void (e.kind === "tir.BufferLoad" && add(e.buffer, e.indices, false)),
    stmt: (s) => void (s.kind === "tir.BufferStore" && add(s.buffer, s.indices, true)),
  });
  return out;
}

/** The pointers that a piece of code allocates memory for. */
export function allocatedIn(body: Stmt): ReadonlySet<Var> {
  const out = new Set<Var>();
  visitStmt(body, {
    expr: () => "skip",
    stmt: (s) => void ((s.kind === "tir.Allocate" || s.kind === "tir.AllocateConst") && out.add(s.bufferVar)),
  });
  return out;
}

/** The first element of an access to neighbours, or the only one; undefined where the elements are spread. */
export function baseOf(index: PrimExpr): PrimExpr | undefined {
  if (lanesOf(index.dtype) === 1) return index;
  return index.kind === "tir.Ramp" && asInt(index.stride) === 1 ? index.base : undefined;
}

/** The most lanes that every access to a local array keeps to, at places known now; undefined where a place varies. */
export function cellLanes(accesses: readonly Access[]): number | undefined {
  let lanes = 1;
  for (const a of accesses) {
    const base = baseOf(a.index);
    if (base === undefined || asInt(base) === undefined) return undefined;
    lanes = Math.max(lanes, a.lanes);
  }
  const aligned = accesses.every((a) => a.lanes === 1 || (a.lanes === lanes && (asInt(baseOf(a.index) ?? a.index) ?? 1) % lanes === 0));
  return aligned && lanes <= 4 ? lanes : undefined;
}
