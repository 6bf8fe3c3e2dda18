import { lanesOf, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { constant, isConstInt } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";

/** Where a pointer is declared. */
export type PointerOrigin = "param" | "bufferMap" | "allocate" | "constant" | "let";

/** How memory is declared, and how it is read and written. */
export interface PointerInfo {
  readonly pointer: Var;
  /** Undefined while a pointer without a type has not been used. */
  element: DType | undefined;
  /** The last dimension; zero if nothing is known. */
  readonly extent: PrimExpr;
  readonly origin: PointerOrigin;
  /** The types that are accessed at once. */
  readonly accessed: Set<DType>;
  /** The types that are read one at a time, and the number of elements between the places they are read from; 0 for one place. */
  readonly scalarTypes: Set<DType>;
  readonly scalarSteps: Set<number>;
}

/** The accesses of each pointer of a function; `scalarReads` counts single elements apart, as parts of a vector. */
export function vectorAccesses(func: PrimFunc, scalarReads: boolean): ReadonlyMap<AnyVar, PointerInfo> {
  const analyzer = new Analyzer();
  const infos = new Map<AnyVar, PointerInfo>();
  const declare = (pointer: Var, dtype: DType | undefined, extent: PrimExpr, origin: PointerOrigin): void => {
    const element = dtype !== undefined && scalarOf(dtype) === "bool" ? withLanes("int8", lanesOf(dtype)) : dtype;
    if (!infos.has(pointer)) infos.set(pointer, { pointer, element, extent, origin, accessed: new Set(), scalarTypes: new Set(), scalarSteps: new Set() });
  };
  const zero = constant(0, "int32");
  for (const b of func.bufferMap.values()) declare(b.data, b.dtype, b.shape.at(-1) ?? zero, "bufferMap");
  for (const v of func.params) if (!func.bufferMap.has(v) && pointee(v) !== undefined) declare(v, pointee(v), zero, "param");
  const access = (valueType: DType, pointer: AnyVar, indices: readonly PrimExpr[], isLoad: boolean): void => {
    const info = infos.get(pointer);
    if (info === undefined) return;
    const value = scalarOf(valueType) === "bool" ? withLanes("int8", lanesOf(valueType)) : valueType;
    info.element ??= scalarOf(value);
    const last = indices.at(-1);
    const indexLanes = last === undefined ? 1 : lanesOf(last.dtype);
    if (indexLanes * lanesOf(info.element) !== lanesOf(value)) info.element = scalarOf(info.element);
    let lanes = lanesOf(info.element);
    if (last?.kind === "tir.Ramp" && isConstInt(last.stride, 1) && divides(analyzer, last.base, last.lanes)) lanes = last.lanes;
    if (scalarReads && isLoad && last !== undefined && lanesOf(last.dtype) === 1) {
      info.scalarTypes.add(scalarOf(value));
      info.scalarSteps.add(Number(analyzer.modularSet(last).coeff));
      return;
    }
    info.accessed.add(withLanes(scalarOf(value), lanes));
  };
  visitStmt(func.body, {
    expr(e) {
      if (e.kind === "tir.BufferLoad") access(e.dtype, e.buffer.data, e.indices, true);
      if (e.kind === "tir.Let" && e.bind.dtype === "handle") declare(e.bind, pointee(e.bind), zero, "let");
      if (e.kind !== "tir.Call" || e.op.kind !== "ir.Op") return;
      const [type, pointer, offset] = e.args;
      if (e.op.name === "tir.tvm_access_ptr" && type !== undefined && pointer?.kind === "tir.Var" && offset !== undefined) access(type.dtype, pointer, [offset], false);
      if (e.op.name === "tir.address_of" && type?.kind === "tir.BufferLoad") access(type.dtype, type.buffer.data, type.indices, false);
    },
    stmt(s) {
      if (s.kind === "tir.BufferStore") access(s.value.dtype, s.buffer.data, s.indices, false);
      if (s.kind === "tir.Allocate") declare(s.bufferVar, s.dtype, s.extents.at(-1) ?? zero, "allocate");
      if (s.kind === "tir.AllocateConst") declare(s.bufferVar, s.dtype, s.extents.at(-1) ?? zero, "constant");
      if (s.kind === "tir.LetStmt" && s.bind.dtype === "handle") declare(s.bind, pointee(s.bind), zero, "let");
    },
  });
  return infos;
}

/** The type that memory should have: vectors, if all accesses are vectors of one length that divides its size. */
export function preferredType({ element, extent, accessed, scalarTypes, scalarSteps }: PointerInfo, analyzer: Analyzer): DType | undefined {
  if (element === undefined) return undefined;
  const bases = new Set([...accessed, ...scalarTypes].map(scalarOf));
  const [base] = bases;
  if (base === undefined || bases.size !== 1) return element;
  const [only] = accessed;
  if (lanesOf(element) !== 1 || accessed.size !== 1 || only === undefined) return withLanes(base, lanesOf(element));
  const lanes = lanesOf(only);
  if ([...scalarSteps].some((step) => step % lanes !== 0)) return element;
  return withLanes(base, divides(analyzer, extent, lanes) ? lanes : 1);
}

function divides(analyzer: Analyzer, e: PrimExpr, n: number): boolean {
  const { coeff, base } = analyzer.modularSet(e);
  return Number(coeff) % n === 0 && Number(base) % n === 0;
}

function pointee(v: Var): DType | undefined {
  const type = v.typeAnnotation;
  return type?.kind === "ir.PointerType" && type.elementType.kind === "ir.PrimType" ? type.elementType.dtype : undefined;
}
