import { at, makePointerType, makePrimType, type Pass } from "@verticil/ir-core";
import { lanesOf, type DType } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer } from "../ir/buffer.ts";
import { makeBufferLoad, makeRamp, makeShuffle } from "../ir/make-expr.ts";
import type { AnyVar, Call, PrimExpr, Var } from "../ir/expr.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { constant, div, intrin, isConstInt, mul } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { primFuncPass } from "./prim-func-pass.ts";
import { pointerScope } from "./storage-plan.ts";
import { preferredType, vectorAccesses, type PointerOrigin } from "./vector-accesses.ts";

/**
 * Gives memory that is accessed as vectors of one length the type of those vectors: parameters, buffers and allocations
 * become arrays of vectors, and a single element is read as a lane of its vector (upstream's `PointerValueTypeRewrite`).
 */
export function pointerValueTypeRewrite(): Pass {
  return primFuncPass("PointerValueTypeRewrite", (func) => rewritePointerTypes(func));
}

/** What `rewritePointerTypes` may change; everything unless told. */
export interface PointerTypeOptions {
  readonly params?: boolean;
  readonly bufferMap?: boolean;
  readonly constants?: boolean;
  /** Single elements may be read from vectors. */
  readonly scalarReads?: boolean;
}

/** What a pointer becomes. */
interface Rewritten {
  readonly pointer: Var;
  readonly element: DType;
  /** Old elements in a new one. */
  readonly factor: number;
}

/** The function with memory of vectors. */
export function rewritePointerTypes(func: PrimFunc, options: PointerTypeOptions = {}): PrimFunc {
  const analyzer = new Analyzer();
  const allowed: Readonly<Record<PointerOrigin, boolean>> = {
    // As upstream has it: the flag for parameters is that of the buffers over them, and the other way round.
    bufferMap: options.params !== false,
    param: options.bufferMap !== false,
    allocate: true,
    constant: options.constants !== false,
    let: true,
  };
  const pointers = new Map<AnyVar, Rewritten>();
  for (const info of vectorAccesses(func, options.scalarReads !== false).values()) {
    const element = preferredType(info, analyzer);
    if (element === undefined || info.element === undefined || element === info.element || !allowed[info.origin]) continue;
    const factor = lanesOf(element) / lanesOf(info.element);
    const pointer = { ...info.pointer, typeAnnotation: makePointerType(makePrimType(element), pointerScope(info.pointer)) };
    pointers.set(info.pointer, { pointer, element, factor });
  }
  if (pointers.size === 0) return func;
  const rewriter = new Rewriter(pointers, analyzer);
  return {
    ...func,
    params: func.params.map((v) => pointers.get(v)?.pointer ?? v),
    bufferMap: new Map([...func.bufferMap].map(([v, b]) => [v, rewriter.buffer(b)])),
    body: rewriter.stmt(func.body),
  };
}

class Rewriter implements ChildMapper {
  readonly #pointers: ReadonlyMap<AnyVar, Rewritten>;
  readonly #analyzer: Analyzer;
  readonly #buffers = new Map<Buffer, Buffer>();

  constructor(pointers: ReadonlyMap<AnyVar, Rewritten>, analyzer: Analyzer) {
    this.#pointers = pointers;
    this.#analyzer = analyzer;
  }

  readonly bind = (v: Var): Var => this.#pointers.get(v)?.pointer ?? v;

  readonly expr = (e: PrimExpr): PrimExpr => {
    if (e.kind === "tir.Var") return this.bind(e);
    if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.tvm_access_ptr") return this.#accessPointer(e);
    if (e.kind !== "tir.BufferLoad") return mapExprChildren(e, this);
    const info = this.#pointers.get(e.buffer.data);
    if (info === undefined) return mapExprChildren(e, this);
    const indices = e.indices.map(this.expr);
    const predicate = e.predicate && this.expr(e.predicate);
    const { index, lane } = this.#index(at(indices, -1), info);
    const load = makeBufferLoad(this.buffer(e.buffer), [...indices.slice(0, -1), index], predicate, e.span);
    return lane === undefined ? load : makeShuffle([load], [constant(lane, "int32")]);
  };

  readonly stmt = (s: Stmt): Stmt => {
    switch (s.kind) {
      case "tir.BufferStore": {
        const info = this.#pointers.get(s.buffer.data);
        const mapped = mapStmtChildren(s, this);
        if (info === undefined || mapped.kind !== "tir.BufferStore") return mapped;
        const { index } = this.#index(at(mapped.indices, -1), info);
        return { ...mapped, buffer: this.buffer(s.buffer), indices: [...mapped.indices.slice(0, -1), index] };
      }
      case "tir.Allocate":
      case "tir.AllocateConst": {
        const info = this.#pointers.get(s.bufferVar);
        const mapped = mapStmtChildren(s, this);
        if (info === undefined || (mapped.kind !== "tir.Allocate" && mapped.kind !== "tir.AllocateConst")) return mapped;
        const extents = [...mapped.extents.slice(0, -1), this.#shorter(at(mapped.extents, -1), info)];
        return { ...mapped, dtype: info.element, extents };
      }
      case "tir.DeclBuffer": {
        const mapped = mapStmtChildren(s, this);
        const buffer = this.buffer(s.buffer);
        return mapped.kind === "tir.DeclBuffer" && buffer !== mapped.buffer ? { ...mapped, buffer } : mapped;
      }
      default:
        return mapStmtChildren(s, this);
    }
  };

  buffer(b: Buffer): Buffer {
    const info = this.#pointers.get(b.data);
    if (info === undefined) return b;
    const known = this.#buffers.get(b);
    if (known !== undefined) return known;
    const shape = [...b.shape.slice(0, -1), this.#shorter(at(b.shape, -1), info)];
    const made = { ...b, data: info.pointer, dtype: info.element, shape };
    this.#buffers.set(b, made);
    return made;
  }

  #shorter(extent: PrimExpr, { factor }: Rewritten): PrimExpr {
    return div(extent, constant(factor, extent.dtype));
  }

  /** The index of the vector that holds an element, and which lane it is; several vectors for a longer access. */
  #index(e: PrimExpr, { factor }: Rewritten): { readonly index: PrimExpr; readonly lane?: number } {
    if (e.kind === "tir.Ramp" && isConstInt(e.stride, 1)) {
      const first = div(e.base, constant(e.lanes, e.base.dtype));
      const count = e.lanes / factor;
      return { index: count === 1 ? first : makeRamp(mul(first, count), e.stride, count, e.span) };
    }
    if (lanesOf(e.dtype) !== 1 || factor <= 1) return { index: e };
    const lane = Number(this.#analyzer.modularSet(e).base) % factor;
    return { index: div(e, constant(factor, e.dtype)), lane: (lane + factor) % factor };
  }

  #accessPointer(e: Call): PrimExpr {
    const [, pointer, offset, extent, flags] = e.args;
    const info = pointer?.kind === "tir.Var" ? this.#pointers.get(pointer) : undefined;
    if (info === undefined || !offset || !extent || !flags) return mapExprChildren(e, this);
    const shorter = (x: PrimExpr): PrimExpr => this.#shorter(this.expr(x), info);
    return { ...e, dtype: info.element, args: [intrin("type_annotation", info.element, []), info.pointer, shorter(offset), shorter(extent), this.expr(flags)] };
  }
}
