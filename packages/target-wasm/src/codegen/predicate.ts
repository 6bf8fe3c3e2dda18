import { withLanes } from "@verticil/runtime-ffi";
import type { BufferLoad, BufferStore, PrimExpr } from "@verticil/tir";
import { branchTyped, mergeEpochs } from "./branches.ts";
import type { FuncContext } from "./context.ts";
import { fromScalars, scalarTyped, toScalars, wasmTypeOf, widthOf, type Typed } from "./lanes.ts";
import { lanesOfLoad, storeLane } from "./memory.ts";
import type { Value } from "./value.ts";

function zero(cx: FuncContext, dtype: Typed["dtype"]): Value {
  const type = wasmTypeOf(dtype);
  if (type === "i64") return cx.graph.i64(0n);
  return type === "f32" ? cx.graph.f32(0) : type === "f64" ? cx.graph.f64(0) : cx.graph.i32(0);
}

/** A load of the lanes whose predicate holds; the others are zero. */
export function predicatedLoad(cx: FuncContext, e: BufferLoad, predicate: PrimExpr): Typed {
  const scalar = withLanes(e.dtype, 1);
  const lanes = lanesOfLoad(cx, e.buffer, e.indices);
  const conditions = toScalars(cx.graph, cx.expr(predicate));
  const scalars = lanes.map((read, i) => {
    const condition = conditions[i];
    if (condition === undefined) return read();
    const chosen = branchTyped(cx, condition, () => scalarTyped(scalar, read()), () => scalarTyped(scalar, zero(cx, scalar)));
    return chosen.parts[0] ?? read();
  });
  return fromScalars(cx.graph, e.dtype, scalars, widthOf(e.dtype, cx.graph.simd));
}

/** A store of the lanes whose predicate holds. */
export function predicatedStore(cx: FuncContext, stmt: BufferStore, predicate: PrimExpr): void {
  const values = toScalars(cx.graph, cx.expr(stmt.value));
  for (const v of values) if (v.kind === "op" || v.kind === "load") cx.graph.emit({ kind: "pin", value: v });
  const conditions = toScalars(cx.graph, cx.expr(predicate));
  for (const [i, value] of values.entries()) {
    const condition = conditions[i];
    if (condition === undefined) continue;
    const before = cx.epochs.save();
    const thenRegion = cx.graph.makeRegion("branch", { certain: false });
    cx.graph.inside(thenRegion, () => storeLane(cx, stmt.buffer, stmt.indices, i, value));
    const after = cx.epochs.save();
    cx.epochs.restore(before);
    mergeEpochs(cx, before, after);
    cx.graph.emit({ kind: "if", condition, thenRegion, elseRegion: undefined });
  }
}
