import { at, isNode, type AttrMap, type AttrValue, type Pass } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeIterVar, makeStringImm } from "../ir/make-expr.ts";
import { makeAllocate, makeAttrStmt, makeDeclBuffer, makeIfThenElse } from "../ir/make-stmt.ts";
import { mapBuffer, mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, cast, constant, isConstInt, mul, toExpr } from "../ir/ops.ts";
import type { Block, BlockRealize, For, Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";

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
  const mapper: ChildMapper & { buffer(b: Buffer): Buffer } = {
    expr: (e) => (e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? (values.get(e) ?? e) : mapExprChildren(e, mapper)),
    buffer(b) {
      let mapped = buffers.get(b);
      if (mapped === undefined) buffers.set(b, (mapped = mapBuffer(b, mapper.expr)));
      return mapped;
    },
    stmt(s) {
      if (s.kind === "tir.For") return lowerFor(s, mapper, values);
      if (s.kind === "tir.BlockRealize") return lowerRealize(s, mapper, buffers);
      return mapStmtChildren(s, mapper);
    },
  };
  return mapper.stmt(body);
}

function lowerFor(s: For, mapper: ChildMapper, values: Map<AnyVar, PrimExpr>): Stmt {
  const min = mapper.expr(s.min);
  const extent = mapper.expr(s.extent);
  const plain = Object.keys(s.annotations).length === 0;
  if (isConstInt(extent, 1) && plain && s.forKind !== "thread_binding") {
    values.set(s.loopVar, min);
    return mapper.stmt(s.body);
  }
  if (s.forKind === "thread_binding" && s.threadBinding !== undefined) {
    const threadVar = s.threadBinding.var;
    // The loop variable stands for the thread's, in the loop's type.
    values.set(s.loopVar, add(min, cast(s.loopVar.dtype, threadVar)));
    const thread = makeIterVar(undefined, threadVar, "kThreadIndex", s.threadBinding.threadTag);
    return withPragmas(s.annotations, makeAttrStmt(thread, "thread_extent", extent, mapper.stmt(s.body), s.span));
  }
  const body = mapper.stmt(s.body);
  const rest = withoutPragmas(s.annotations);
  const same = min === s.min && extent === s.extent && body === s.body && rest === s.annotations;
  return withPragmas(s.annotations, same ? s : { ...s, min, extent, body, annotations: rest });
}

function lowerRealize(s: BlockRealize, mapper: ChildMapper, buffers: Map<Buffer, Buffer>): Stmt {
  const { block } = s;
  if (block.iterVars.length > 0) throw new TypeError("`LowerOpaqueBlock` takes blocks without iteration variables. Run `ConvertBlocksToOpaque` first.");
  for (const b of block.allocBuffers) {
    const aligned = alignStrides(mapBuffer(b, mapper.expr), block);
    buffers.set(b, aligned);
  }
  let body = mapper.stmt(block.body);
  for (const b of [...block.allocBuffers].reverse()) body = allocate(buffers.get(b) ?? b, body);
  body = withPragmas(block.annotations, body);
  const predicate = mapper.expr(s.predicate);
  return isConstInt(predicate, 1) ? body : makeIfThenElse(predicate, body, undefined, s.span);
}

function allocate(b: Buffer, body: Stmt): Stmt {
  const [stride] = b.strides;
  const [extent] = b.shape;
  const extents =
    stride !== undefined && extent !== undefined
      ? b.strides.map((k, i) => (i === 0 ? extent : strideRatio(at(b.strides, i - 1), k)))
      : b.shape;
  return makeAllocate(b.data, b.dtype, extents.length === 0 ? [constant(1, "int32")] : extents, makeDeclBuffer(b, body));
}

function strideRatio(outer: PrimExpr, inner: PrimExpr): PrimExpr {
  const [a, b] = [asInt(outer), asInt(inner)];
  if (a === undefined || b === undefined || a % b !== 0) throw new TypeError("The strides of an allocated buffer do not divide each other.");
  return constant(a / b, outer.dtype);
}

/** `buffer_dim_align`: (buffer, axis, factor, offset) asks for `stride[axis] = factor * k + offset`. */
function alignStrides(b: Buffer, block: Block): Buffer {
  const wanted = block.annotations["buffer_dim_align"];
  if (!Array.isArray(wanted) || lanesOf(b.dtype) !== 1) return b;
  const rules = new Map<number, readonly [number, number]>();
  for (const entry of wanted as readonly AttrValue[]) {
    if (!Array.isArray(entry)) continue;
    const [index, axis, factor, offset] = entry.map(attrInt);
    const written = index === undefined ? undefined : block.writes[index]?.buffer;
    if (written === undefined || written.data !== b.data || axis === undefined || factor === undefined) continue;
    rules.set(axis, [factor, offset ?? 0]);
  }
  if (rules.size === 0) return b;
  const strides = new Array<PrimExpr>(b.shape.length);
  let stride: PrimExpr = constant(1, b.shape[0]?.dtype ?? "int32");
  for (let i = b.shape.length - 1; i >= 0; i--) {
    const rule = rules.get(i);
    const known = asInt(stride);
    if (rule !== undefined && known !== undefined) {
      const [factor, offset] = rule;
      stride = add(stride, (((factor + offset - (known % factor)) % factor) + factor) % factor);
    }
    strides[i] = stride;
    stride = mul(stride, at(b.shape, i));
  }
  return { ...b, strides };
}

function attrInt(value: AttrValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  return isNode(value) && value.kind === "ir.IntImm" && "value" in value ? Number(value.value) : undefined;
}

function isPragma(key: string): boolean {
  return key.startsWith("pragma_");
}

function withoutPragmas(annotations: AttrMap): AttrMap {
  const keys = Object.keys(annotations);
  if (!keys.some(isPragma)) return annotations;
  return Object.fromEntries(keys.filter((k) => !isPragma(k)).map((k) => [k, annotations[k]]));
}

function withPragmas(annotations: AttrMap, body: Stmt): Stmt {
  let out = body;
  for (const [key, value] of Object.entries(annotations)) {
    if (!isPragma(key) || value === undefined) continue;
    out = makeAttrStmt(constant(0, "int32"), key, attrExpr(value), out);
  }
  return out;
}

function attrExpr(value: AttrValue): PrimExpr {
  if (typeof value === "string") return makeStringImm(value);
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return toExpr(value);
  if (isNode(value)) return value as PrimExpr;
  return constant(1, "int32");
}
