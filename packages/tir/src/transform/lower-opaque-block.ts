import { at, isNode, type AttrMap, type AttrValue, type Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeIterVar, makeRange, makeStringImm } from "../ir/make-expr.ts";
import { makeAllocate, makeAttrStmt, makeDeclBuffer, makeIfThenElse } from "../ir/make-stmt.ts";
import { mapBuffer, mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { asInt, cast, constant, isConstInt, toExpr } from "../ir/ops.ts";
import type { BlockRealize, For, Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";
import { storageAlignments, type StorageAlignment, type StorageAlignments } from "./storage-alignments.ts";

/**
 * Takes the blocks away (upstream's `LowerOpaqueBlock`): predicates become conditions, allocations `Allocate` and
 * `DeclBuffer`, thread loops `thread_extent` attributes, pragmas attributes; loops that run once disappear.
 */
export function lowerOpaqueBlock(): Pass {
  return bodyPass("LowerOpaqueBlock", lowerBlocks);
}

function lowerBlocks(body: Stmt): Stmt {
  const values = new Map<AnyVar, PrimExpr>();
  const buffers = new Map<Buffer, Buffer>();
  const aligned = storageAlignments(body);
  const mapper: ChildMapper & { buffer(b: Buffer): Buffer } = {
    expr: (e) => (e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? (values.get(e) ?? e) : mapExprChildren(e, mapper)),
    buffer(b) {
      let mapped = buffers.get(b);
      if (mapped === undefined) buffers.set(b, (mapped = mapBuffer(b, mapper.expr)));
      return mapped;
    },
    stmt(s) {
      if (s.kind === "tir.For") return lowerFor(s, mapper, values);
      if (s.kind === "tir.BlockRealize") return lowerRealize(s, mapper, buffers, aligned);
      return mapStmtChildren(s, mapper);
    },
  };
  return mapper.stmt(body);
}

function lowerFor(s: For, mapper: ChildMapper, values: Map<AnyVar, PrimExpr>): Stmt {
  const min = mapper.expr(s.min);
  const extent = mapper.expr(s.extent);
  const plain = Object.keys(s.annotations).length === 0;
  const tag = s.forKind === "thread_binding" ? s.threadBinding?.threadTag : undefined;
  if (isConstInt(extent, 1) && plain) {
    values.set(s.loopVar, cast(s.loopVar.dtype, min));
    if (tag === undefined) return mapper.stmt(s.body);
  }
  const body = mapper.stmt(s.body);
  if (tag !== undefined) {
    const thread = makeIterVar(makeRange(min, extent), s.loopVar, "kThreadIndex", tag);
    const key = /^vthread(\.[xyz])?$/.test(tag) ? "virtual_thread" : "thread_extent";
    return withPragmas(s.loopVar, s.annotations, makeAttrStmt(thread, key, extent, body, s.span));
  }
  const rest = withoutPragmas(s.annotations);
  const same = min === s.min && extent === s.extent && body === s.body && rest === s.annotations;
  return withPragmas(s.loopVar, s.annotations, same ? s : { ...s, min, extent, body, annotations: rest });
}

function lowerRealize(s: BlockRealize, mapper: ChildMapper, buffers: Map<Buffer, Buffer>, aligned: StorageAlignments): Stmt {
  const { block } = s;
  if (block.iterVars.length > 0) throw new TypeError("`LowerOpaqueBlock` takes blocks without iteration variables. Run `ConvertBlocksToOpaque` first.");
  for (const b of block.allocBuffers) buffers.set(b, mapBuffer(b, mapper.expr));
  let body = mapper.stmt(block.body);
  const predicate = mapper.expr(s.predicate);
  if (!isConstInt(predicate, 1)) body = makeIfThenElse(predicate, body, undefined, s.span);
  for (const b of [...block.allocBuffers].reverse()) body = allocate(buffers.get(b) ?? b, body, aligned.get(b.data));
  return withPragmas(constant(0, "int32"), block.annotations, body);
}

function allocate(b: Buffer, body: Stmt, alignment: StorageAlignment | undefined): Stmt {
  const [stride] = b.strides;
  const [extent] = b.shape;
  const extents =
    stride !== undefined && extent !== undefined
      ? b.strides.map((k, i) => (i === 0 ? extent : strideRatio(at(b.strides, i - 1), k)))
      : b.shape;
  const annotations: AttrMap = alignment === undefined ? {} : { buffer_dim_align: alignment };
  return makeAllocate(b.data, b.dtype, extents.length === 0 ? [constant(1, "int32")] : extents, makeDeclBuffer(b, body), { annotations });
}

function strideRatio(outer: PrimExpr, inner: PrimExpr): PrimExpr {
  const [a, b] = [asInt(outer), asInt(inner)];
  if (a === undefined || b === undefined || a % b !== 0) throw new TypeError("The strides of an allocated buffer do not divide each other.");
  return constant(a / b, outer.dtype);
}

function isPragma(key: string): boolean {
  return key.startsWith("pragma_");
}

function withoutPragmas(annotations: AttrMap): AttrMap {
  const keys = Object.keys(annotations);
  if (!keys.some(isPragma)) return annotations;
  return Object.fromEntries(keys.filter((k) => !isPragma(k)).map((k) => [k, annotations[k]]));
}

/** Pragmas around a statement, the first by name outermost. */
function withPragmas(node: PrimExpr, annotations: AttrMap, body: Stmt): Stmt {
  return Object.keys(annotations)
    .filter((key) => isPragma(key) && annotations[key] !== undefined)
    .toSorted()
    .reduceRight<Stmt>((inner, key) => makeAttrStmt(node, key, attrExpr(annotations[key] ?? 1), inner), body);
}

function attrExpr(value: AttrValue): PrimExpr {
  if (typeof value === "string") return makeStringImm(value);
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return toExpr(value);
  if (isNode(value)) return value as PrimExpr;
  return constant(1, "int32");
}
