import type { Type } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import {
  assignDoc,
  attrDoc,
  boolDoc,
  callDoc,
  idDoc,
  indexDoc,
  intDoc,
  listDoc,
  sliceDoc,
  strDoc,
  tupleDoc,
  type ExprDoc,
  type PrintFrame,
  type Printer,
  type SliceDoc,
} from "@verticil/tvmscript";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, BufferLoad, PrimExpr } from "../ir/expr.ts";
import { scopeOf } from "../ir/make-stmt.ts";
import { add, asInt, isConstInt, laneCount } from "../ir/ops.ts";
import { visitExpr } from "../ir/visit.ts";
import { lowestFrame } from "./print-frame.ts";

/**
 * Which variables come into being with a buffer: none, its data pointer, or all that are not defined yet.
 * Upstream's `BufferVarDefinition`.
 */
export type Defines = "none" | "data" | "all";

/** `T.int32()`, `T.handle("float32", "global")`: a new variable. */
export function varCreation(v: AnyVar, p: Printer): ExprDoc {
  const keywords: readonly (readonly [string, ExprDoc])[] = v.kind === "tir.SizeVar" ? [["is_size_var", boolDoc(true)]] : [];
  const type = v.typeAnnotation;
  if (type?.kind === "ir.PointerType") return p.call("tir", "handle", pointerArgs(type, p), keywords);
  return p.call("tir", v.dtype, [], keywords);
}

/** The arguments of `T.handle` for a pointer type. */
export function pointerArgs(type: Type & { readonly kind: "ir.PointerType" }, p: Printer): ExprDoc[] {
  const element = type.elementType.kind === "ir.PrimType" ? strDoc(type.elementType.dtype) : p.expr(type.elementType);
  return [element, strDoc(type.storageScope)];
}

/** Defines a variable in a frame; one that is defined keeps its document. */
export function defineVar(v: AnyVar, frame: PrintFrame, p: Printer): ExprDoc {
  return p.lookup(v) ?? p.define(v, v.name === "" ? "v" : v.name, frame);
}

export function defineBuffer(buffer: Buffer, frame: PrintFrame, p: Printer): ExprDoc {
  return p.define(buffer, buffer.name === "" ? "buffer" : buffer.name, frame);
}

/** A variable; one that nothing defines is declared where all of its uses see it. */
export function printVar(v: AnyVar, p: Printer): ExprDoc {
  const known = p.lookup(v);
  if (known !== undefined) return known;
  const frame = lowestFrame(v, p);
  const lhs = defineVar(v, frame, p);
  frame.stmts.push(assignDoc(lhs, varCreation(v, p)));
  return lhs;
}

/** A buffer; one that nothing defines is declared where all of its uses see it. */
export function printBuffer(buffer: Buffer, p: Printer): ExprDoc {
  const known = p.lookup(buffer);
  if (known !== undefined) return known;
  const frame = lowestFrame(buffer, p);
  const lhs = defineBuffer(buffer, frame, p);
  const rhs = bufferDecl(buffer, "Buffer", [], frame, p, "data");
  frame.stmts.push(assignDoc(lhs, rhs));
  return lhs;
}

/** True if the reader makes this very pointer for a buffer that is written without one. */
export function hasNaturalData(buffer: Buffer): boolean {
  const type = buffer.data.typeAnnotation;
  return type?.kind === "ir.PointerType" && type.elementType.kind === "ir.PrimType" && type.elementType.dtype === buffer.dtype;
}

/** The type that the reader gives an element offset that is written without one. */
export function offsetDType(shape: readonly PrimExpr[]): DType {
  return shape[0]?.dtype ?? "int32";
}

interface BufferParts {
  readonly shape: ExprDoc;
  readonly dtype: ExprDoc | undefined;
  readonly keywords: readonly (readonly [string, ExprDoc])[];
}

function useCounts(buffer: Buffer): ReadonlyMap<AnyVar, number> {
  const counts = new Map<AnyVar, number>();
  const countVar = (x: PrimExpr): void => {
    if (x.kind === "tir.Var" || x.kind === "tir.SizeVar") counts.set(x, (counts.get(x) ?? 0) + 1);
  };
  const count = (e: PrimExpr): void => {
    if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") countVar(e);
    else if (e.kind !== "ir.IntImm") visitExpr(e, countVar);
  };
  for (const e of [buffer.data, ...buffer.shape, ...buffer.strides]) count(e);
  if (buffer.elemOffset !== undefined) count(buffer.elemOffset);
  return counts;
}

function bufferParts(buffer: Buffer, frame: PrintFrame, p: Printer, defines: Defines): BufferParts {
  let counts: ReadonlyMap<AnyVar, number> | undefined;
  const self = (): ExprDoc => p.lookup(buffer) ?? idDoc(buffer.name);
  const newVars: ExprDoc[] = [];
  const creations: ExprDoc[] = [];
  const isNew = (e: PrimExpr): e is AnyVar => (e.kind === "tir.Var" || e.kind === "tir.SizeVar") && !p.isDefined(e);
  const defineApart = (v: AnyVar): void => {
    newVars.push(defineVar(v, frame, p));
    creations.push(varCreation(v, p));
  };
  const canInline = (v: AnyVar): boolean => v.kind === "tir.Var" && (counts ??= useCounts(buffer)).get(v) === 1;
  const keywords: (readonly [string, ExprDoc])[] = [];

  const shape = tupleDoc(
    buffer.shape.map((e) => {
      if (isNew(e)) defineApart(e);
      return p.expr(e);
    }),
  );
  const dtype = buffer.dtype === p.config.bufferDtype ? undefined : strDoc(buffer.dtype);
  let inlineData = false;
  if (isNew(buffer.data)) {
    inlineData = defines !== "none" && canInline(buffer.data) && hasNaturalData(buffer);
    if (inlineData) p.defineAs(buffer.data, () => attrDoc(self(), "data"), frame);
    else defineApart(buffer.data);
  }
  if (!inlineData) keywords.push(["data", p.expr(buffer.data)]);
  if (buffer.strides.length > 0) {
    const strides = buffer.strides.map((e, i) => {
      if (!isNew(e)) return p.expr(e);
      if (!canInline(e) || e.dtype !== "int32") {
        defineApart(e);
        return p.expr(e);
      }
      p.defineAs(e, () => indexDoc(attrDoc(self(), "strides"), [intDoc(i)]), frame);
      return strDoc(e.name);
    });
    keywords.push(["strides", tupleDoc(strides)]);
  }
  const offset = elemOffset(buffer, p, isNew, canInline, defineApart, frame, self);
  if (offset.doc !== undefined) keywords.push(["elem_offset", offset.doc]);
  if (scopeOf(buffer) !== "global") keywords.push(["scope", strDoc(scopeOf(buffer))]);
  if (buffer.dataAlignment !== 64) keywords.push(["align", intDoc(buffer.dataAlignment)]);
  if (offset.needsFactor || buffer.offsetFactor !== 1) keywords.push(["offset_factor", intDoc(buffer.offsetFactor)]);
  if (buffer.bufferType !== "default") keywords.push(["buffer_type", strDoc("auto")]);
  if (buffer.axisSeparators.length > 0) keywords.push(["axis_separators", listDoc(p.exprs(buffer.axisSeparators))]);

  const [onlyVar] = newVars;
  const [onlyCreation] = creations;
  if (newVars.length === 1 && onlyVar !== undefined) frame.stmts.push(assignDoc(onlyVar, onlyCreation));
  else if (newVars.length > 1) frame.stmts.push(assignDoc(tupleDoc(newVars), tupleDoc(creations)));
  return { shape, dtype, keywords };
}

function elemOffset(
  buffer: Buffer,
  p: Printer,
  isNew: (e: PrimExpr) => e is AnyVar,
  canInline: (v: AnyVar) => boolean,
  defineApart: (v: AnyVar) => void,
  frame: PrintFrame,
  self: () => ExprDoc,
): { readonly doc: ExprDoc | undefined; readonly needsFactor: boolean } {
  const e = buffer.elemOffset;
  // A factor without an offset would ask the reader for a variable.
  if (e === undefined) return { doc: buffer.offsetFactor === 1 ? undefined : intDoc(0), needsFactor: false };
  if (e.kind === "ir.IntImm" && e.value === 0) return { doc: p.call("tir", e.dtype, [intDoc(0)]), needsFactor: false };
  if (isNew(e)) {
    if (canInline(e) && e.dtype === offsetDType(buffer.shape)) {
      p.defineAs(e, () => attrDoc(self(), "elem_offset"), frame);
      return { doc: undefined, needsFactor: true };
    }
    defineApart(e);
  }
  return { doc: p.expr(e), needsFactor: false };
}

/** `T.method(args, shape, dtype, …)`: a declaration of `buffer`. */
export function bufferDecl(
  buffer: Buffer,
  method: string,
  args: readonly ExprDoc[],
  frame: PrintFrame,
  p: Printer,
  defines: Defines,
): ExprDoc {
  const { shape, dtype, keywords } = bufferParts(buffer, frame, p, defines);
  return p.call("tir", method, dtype === undefined ? [...args, shape] : [...args, shape, dtype], keywords);
}

/** `T.Buffer(shape, dtype)`: the annotation of a parameter. */
export function bufferAnnotation(buffer: Buffer, frame: PrintFrame, p: Printer): ExprDoc {
  const { shape } = bufferParts(buffer, frame, p, "data");
  return p.call("tir", "Buffer", [shape, strDoc(buffer.dtype)]);
}

/** Indices of an access; a ramp with a constant stride is written as a slice. */
export function bufferIndices(indices: readonly PrimExpr[], p: Printer): (ExprDoc | SliceDoc)[] {
  return indices.map((e) => {
    if (e.kind !== "tir.Ramp" || e.lanes === 1) return p.expr(e);
    const stride = asInt(e.stride);
    if (stride === undefined || stride < 1 || e.base.dtype !== e.stride.dtype) return p.expr(e);
    const stop = add(e.base, laneCount(e.lanes * stride, e.stride.dtype));
    return sliceDoc(p.expr(e.base), p.expr(stop), stride === 1 ? undefined : p.expr(e.stride));
  });
}

/** `A[0:4, i]`. */
export function printRegion(region: BufferRegion, p: Printer): ExprDoc {
  const buffer = printBuffer(region.buffer, p);
  const indices = region.region.map((r) => {
    const min = p.expr(r.min);
    return isConstInt(r.extent, 1) ? min : sliceDoc(min, p.expr(endOf(r.min, r.extent)));
  });
  return indexDoc(buffer, indices);
}

/** `min + extent`, folded; as it stands where the types do not fit. */
export function endOf(min: PrimExpr, extent: PrimExpr): PrimExpr {
  if (isConstInt(min, 0)) return extent;
  try {
    return add(min, extent);
  } catch {
    return extent;
  }
}

export function printLoad(load: BufferLoad, p: Printer): ExprDoc {
  const buffer = printBuffer(load.buffer, p);
  if (load.predicate === undefined) return indexDoc(buffer, bufferIndices(load.indices, p));
  return callDoc(attrDoc(buffer, "vload"), [listDoc(p.exprs(load.indices))], [["predicate", p.expr(load.predicate)]]);
}
