import { dtypeBytes, isFloat, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import { tirTable, type Allocate, type Buffer, type BufferLoad, type BufferStore, type PrimExpr, type Var } from "@verticil/tir";
import { walk, type Node } from "@verticil/ir-core";
import { strideOf, type Elements } from "./access.ts";
import type { CellStorage, FuncContext } from "./context.ts";
import { extractLane, fromScalars, replaceLane, toScalars, wasmTypeOf, widthOf, type LaneWidth, type Typed } from "./lanes.ts";
import type { Graph } from "./graph.ts";
import { isUnrolled } from "./loops.ts";
import type { Cell, Value } from "./value.ts";

/** More elements than this stay in memory: no machine has the registers. */
const MAX_CELLS = 128;

/** Locals for an allocation, if every access has constant indices once loops are unrolled; else undefined. */
export function cellsFor(cx: FuncContext, stmt: Allocate): CellStorage | undefined {
  let count = parseDType(stmt.dtype).lanes;
  for (const e of stmt.extents) {
    if (e.kind !== "ir.IntImm") return undefined;
    count *= Number(e.value);
  }
  const use = usesOf(stmt);
  if (use === undefined || count <= 0) return undefined;
  const dtype = scalarOf(stmt.dtype);
  const perCell = cx.graph.simd && use.vectors ? lanesPerCell(dtype) : 1;
  const cellCount = Math.ceil(count / perCell);
  if (cellCount > MAX_CELLS) return undefined;
  const type = perCell === 1 ? wasmTypeOf(dtype) : "v128";
  const { region } = cx.graph;
  const cells = Array.from({ length: cellCount }, (_, i): Cell => ({ type, region, name: `${stmt.bufferVar.name}_${i}` }));
  return { kind: "cells", dtype, perCell, cells };
}

function lanesPerCell(dtype: DType): number {
  const { bits, code } = parseDType(dtype);
  if (bits === 64) return 2;
  return bits === 32 || (isFloat(dtype) && bits <= 16) || code === "bool" ? 4 : 1;
}

/** How the memory of an allocation is used; undefined if its address is taken, or an index varies. */
function usesOf(stmt: Allocate): { readonly vectors: boolean } | undefined {
  const fixed = new Set<Node>();
  const buffers = new Set<Buffer>();
  let ok = true;
  let vectors = parseDType(stmt.dtype).lanes > 1;
  const access = (node: BufferLoad | BufferStore): void => {
    if (node.buffer.data !== stmt.bufferVar) return;
    buffers.add(node.buffer);
    if (node.predicate !== undefined || scalarOf(node.buffer.dtype) !== scalarOf(stmt.dtype)) ok = false;
    if (node.buffer.elemOffset !== undefined && node.buffer.elemOffset.kind !== "ir.IntImm") ok = false;
    for (const index of node.indices) {
      if (!isFixed(index, fixed)) ok = false;
      if (parseDType(index.dtype).lanes > 1) vectors = true;
    }
  };
  walk(tirTable, stmt.body, (node) => {
    if (node.kind === "tir.Buffer") return "skip";
    if (isFor(node) && isUnrolled(node)) fixed.add(node.loopVar);
    if (isAccess(node)) access(node);
    if (node === stmt.bufferVar) ok = false;
    return undefined;
  });
  return ok && dtypeBytes(stmt.dtype) > 0 ? { vectors } : undefined;
}

function isFor(node: Node): node is Parameters<typeof isUnrolled>[0] {
  return node.kind === "tir.For";
}

function isAccess(node: Node): node is BufferLoad | BufferStore {
  return node.kind === "tir.BufferLoad" || node.kind === "tir.BufferStore";
}

function isFixed(e: PrimExpr, fixed: ReadonlySet<Node>): boolean {
  let ok = true;
  walk(tirTable, e, (node) => {
    if (node.kind === "tir.BufferLoad" || node.kind === "tir.Call") ok = false;
    if ((node.kind === "tir.Var" || node.kind === "tir.SizeVar") && !fixed.has(node)) ok = false;
  });
  return ok;
}

function readCell(cx: FuncContext, cell: Cell): Value {
  const epoch = cx.epochs.of(cell);
  return cx.graph.cell(cell, epoch.token, epoch.region);
}

function writeCell(cx: FuncContext, cell: Cell, value: Value): void {
  cx.graph.emit({ kind: "set-cell", cell, value });
  cx.epochs.written(cell);
}

function positions(storage: CellStorage, elements: Elements): readonly { readonly cell: Cell; readonly lane: number }[] {
  return elements.map((e) => {
    const cell = storage.cells[Math.floor(e.constant / storage.perCell)];
    if (e.terms.size > 0 || cell === undefined) throw new Error("internal: an index of a local buffer that is not constant or is outside");
    return { cell, lane: e.constant % storage.perCell };
  });
}

function cellWidth(storage: CellStorage): LaneWidth {
  return storage.perCell === 1 ? 0 : storage.perCell === 2 ? 64 : 32;
}

/** Whether `elements` are whole cells in order. */
function areWhole(storage: CellStorage, elements: Elements, width: LaneWidth): boolean {
  const first = elements[0]?.constant ?? 0;
  return width === cellWidth(storage) && width !== 0 && strideOf(elements) === 1 && first % storage.perCell === 0;
}

/** Reads elements of a buffer that lives in locals. */
export function loadCells(cx: FuncContext, storage: CellStorage, dtype: DType, elements: Elements): Typed {
  const at = positions(storage, elements);
  const width = widthOf(dtype, cx.graph.simd);
  if (areWhole(storage, elements, width)) {
    return { dtype, width, parts: at.filter((p) => p.lane === 0).map((p) => readCell(cx, p.cell)) };
  }
  const scalars = at.map((p) => {
    const value = readCell(cx, p.cell);
    return storage.perCell === 1 ? value : extractLane(cx.graph, storage.dtype, cellWidth(storage), value, p.lane);
  });
  return fromScalars(cx.graph, dtype, scalars, width);
}

/** Writes elements of a buffer that lives in locals. */
export function storeCells(cx: FuncContext, storage: CellStorage, elements: Elements, value: Typed): void {
  const at = positions(storage, elements);
  if (areWhole(storage, elements, value.width)) {
    const parts = taken(cx.graph, value.parts);
    for (const [i, p] of at.filter((q) => q.lane === 0).entries()) writeCell(cx, p.cell, parts[i] ?? readCell(cx, p.cell));
    return;
  }
  const scalars = taken(cx.graph, toScalars(cx.graph, value));
  for (const [i, p] of at.entries()) {
    const scalar = scalars[i];
    if (scalar === undefined) throw new Error("internal: fewer values than elements");
    const width = cellWidth(storage);
    const next = storage.perCell === 1 ? scalar : replaceLane(cx.graph, storage.dtype, width, readCell(cx, p.cell), p.lane, scalar);
    writeCell(cx, p.cell, next);
  }
}

/** Values that several writes in a row put down: all are computed before the first write. */
export function taken(graph: Graph, values: readonly Value[]): readonly Value[] {
  if (values.length < 2) return values;
  return values.map((v) => {
    if (v.kind !== "cell" && v.kind !== "op" && v.kind !== "load") return v;
    const held = v.kind === "cell" ? graph.copy(v) : v;
    graph.emit({ kind: "pin", value: held });
    return held;
  });
}

/** The cells behind a pointer variable, for those who need to know which are written. */
export function cellsOf(cx: FuncContext, v: Var): readonly Cell[] {
  const storage = cx.storage.get(v);
  return storage?.kind === "cells" ? storage.cells : [];
}
