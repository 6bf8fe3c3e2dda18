import { makePointerType, makePrimType, type Pass } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { accessDType } from "../ir/make-expr.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { reinterpret, storageUInt } from "./dtype-conversion.ts";
import { primFuncPass } from "./prim-func-pass.ts";

/** Keeps bfloat16 in memory as uint16 (upstream's `BF16StorageLegalize`); expects arithmetic to be done in another type. */
export function bf16StorageLegalize(): Pass {
  return primFuncPass("BF16StorageLegalize", (func) => new Legalizer((t) => t === "bfloat16").run(func));
}

/** Keeps the 8-bit floats in memory as uint8 (upstream's `FP8StorageLegalize`); expects arithmetic to be done in another type. */
export function fp8StorageLegalize(): Pass {
  return primFuncPass("FP8StorageLegalize", (func) => new Legalizer((t) => t.startsWith("float8")).run(func));
}

class Legalizer implements ChildMapper {
  readonly #matches: (scalar: string) => boolean;
  readonly #vars = new Map<AnyVar, Var>();
  readonly #buffers = new Map<Buffer, Buffer>();

  readonly expr = (e: PrimExpr): PrimExpr => this.#expr(e);
  readonly stmt = (s: Stmt): Stmt => this.#stmt(s);
  readonly buffer = (b: Buffer): Buffer => this.#buffer(b);
  /** A pointer to elements of the type becomes one to integers. */
  readonly bind = (v: Var): Var => {
    const known = this.#vars.get(v);
    if (known !== undefined) return known;
    const type = v.typeAnnotation;
    if (type?.kind !== "ir.PointerType" || type.elementType.kind !== "ir.PrimType" || !this.#match(type.elementType.dtype)) return v;
    const other: Var = { ...v, typeAnnotation: makePointerType(makePrimType(storageUInt(type.elementType.dtype)), type.storageScope) };
    this.#vars.set(v, other);
    return other;
  };

  constructor(matches: (scalar: string) => boolean) {
    this.#matches = matches;
  }

  run(func: PrimFunc): PrimFunc {
    const params = mapItems(func.params, this.bind);
    const buffers = [...func.bufferMap].map(([v, b]): readonly [Var, Buffer] => [this.bind(v), this.#buffer(b)]);
    const changed = buffers.some(([v, b]) => func.bufferMap.get(v) !== b);
    const body = this.#stmt(func.body);
    if (params === func.params && !changed && body === func.body) return func;
    return { ...func, params, bufferMap: changed ? new Map(buffers) : func.bufferMap, body };
  }

  #match(dtype: DType): boolean {
    return this.#matches(scalarOf(dtype));
  }

  #buffer(b: Buffer): Buffer {
    let mapped = this.#buffers.get(b);
    if (mapped === undefined) {
      const data = this.bind(b.data);
      const dtype = this.#match(b.dtype) ? storageUInt(b.dtype) : b.dtype;
      this.#buffers.set(b, (mapped = data === b.data && dtype === b.dtype ? b : { ...b, data, dtype }));
    }
    return mapped;
  }

  #expr(e: PrimExpr): PrimExpr {
    if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") return this.#vars.get(e) ?? e;
    if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.reinterpret") {
      const [arg] = e.args;
      const value = arg && this.#expr(arg);
      if (value === undefined || value.dtype === e.dtype) return value ?? e;
      const dtype = this.#match(e.dtype) ? storageUInt(e.dtype) : e.dtype;
      return value === arg && dtype === e.dtype ? e : reinterpret(dtype, value);
    }
    const mapped = mapExprChildren(e, this);
    if (mapped.kind !== "tir.BufferLoad") return mapped;
    return { ...mapped, dtype: accessDType(mapped.buffer, mapped.indices) };
  }

  #stmt(s: Stmt): Stmt {
    const mapped = mapStmtChildren(s, this);
    if (mapped.kind === "tir.Allocate" && this.#match(mapped.dtype)) return { ...mapped, dtype: storageUInt(mapped.dtype) };
    if (mapped.kind !== "tir.BufferStore" || !this.#match(mapped.value.dtype)) return mapped;
    const { value } = mapped;
    const inner = value.kind === "tir.Call" && value.op.kind === "ir.Op" && value.op.name === "tir.reinterpret" ? value.args[0] : undefined;
    const dtype = withLanes(storageUInt(withLanes(value.dtype, 1)), lanesOf(value.dtype));
    return { ...mapped, value: reinterpret(dtype, inner ?? value) };
  }
}
