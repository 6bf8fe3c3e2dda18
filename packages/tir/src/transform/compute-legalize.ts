import { at, makePointerType, makePrimType, type Pass } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, CommReducer, PrimExpr, Var } from "../ir/expr.ts";
import { makeBinary, makeCast } from "../ir/make-expr.ts";
import { mapExprChildren, mapItems, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { asInt, cast, constant } from "../ir/ops.ts";
import type { Allocate, AttrStmt, BufferStore, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { convertFloatBits } from "./dtype-conversion.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** Computes bfloat16 in float32 (upstream's `BF16ComputeLegalize`): memory keeps its type, except what is allocated inside. */
export function bf16ComputeLegalize(): Pass {
  return bodyPass("BF16ComputeLegalize", (body) => new Legalizer((t) => t === "bfloat16", "float32").run(body));
}

/** Computes the 8-bit floats in float16, or the type that is given (upstream's `FP8ComputeLegalize`). */
export function fp8ComputeLegalize(promoteDType: DType = "float16"): Pass {
  return bodyPass("FP8ComputeLegalize", (body) => new Legalizer((t) => t.startsWith("float8"), promoteDType).run(body));
}

class Legalizer implements ChildMapper {
  readonly #matches: (scalar: string) => boolean;
  readonly #promoted: DType;
  readonly #vars = new Map<AnyVar, Var>();
  readonly #buffers = new Map<Buffer, Buffer>();

  readonly expr = (e: PrimExpr): PrimExpr => this.#expr(e);
  readonly stmt = (s: Stmt): Stmt => this.#stmt(s);

  constructor(matches: (scalar: string) => boolean, promoted: DType) {
    this.#matches = matches;
    this.#promoted = promoted;
  }

  run(body: Stmt): Stmt {
    this.#plan(body);
    return this.#stmt(body);
  }

  #match(dtype: DType): boolean {
    return this.#matches(scalarOf(dtype));
  }

  #wide(dtype: DType): DType {
    return withLanes(this.#promoted, lanesOf(dtype));
  }

  /** Allocations of constant size hold the wide type, unless their pointer is used otherwise. */
  #plan(body: Stmt): void {
    const opaque = new Set<AnyVar>();
    const buffers = new Set<Buffer>();
    visitStmt(body, {
      expr: (e) => void (e.kind === "tir.Var" && e.dtype === "handle" && opaque.add(e)),
      buffer: (b) => void buffers.add(b),
      stmt: (s) => {
        if (s.kind !== "tir.Allocate" || !this.#match(s.dtype) || s.extents.some((e) => asInt(e) === undefined)) return;
        const type = s.bufferVar.typeAnnotation;
        const scope = type?.kind === "ir.PointerType" ? type.storageScope : "global";
        this.#vars.set(s.bufferVar, { ...s.bufferVar, typeAnnotation: makePointerType(makePrimType(this.#wide(s.dtype)), scope) });
      },
    });
    for (const v of opaque) this.#vars.delete(v);
    for (const b of buffers) {
      const data = this.#vars.get(b.data);
      if (data !== undefined) this.#buffers.set(b, { ...b, data, dtype: this.#wide(b.dtype) });
    }
  }

  #promote(e: PrimExpr): PrimExpr {
    if (!this.#match(e.dtype)) return e;
    const wide = this.#wide(e.dtype);
    return e.kind === "tir.Cast" && e.value.dtype === wide ? e.value : convertFloatBits(e, wide);
  }

  #expr(e: PrimExpr): PrimExpr {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#vars.get(e) ?? e;
      case "ir.FloatImm":
        return this.#match(e.dtype) ? constant(e.value, this.#promoted) : e;
      case "tir.Cast": {
        const value = this.#promote(this.#expr(e.value));
        const dtype = this.#match(e.dtype) ? this.#wide(e.dtype) : e.dtype;
        return value === e.value && dtype === e.dtype ? e : cast(dtype, value);
      }
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.Div":
      case "tir.Min":
      case "tir.Max":
      case "tir.LT":
      case "tir.LE":
      case "tir.GT":
      case "tir.GE":
      case "tir.EQ":
      case "tir.NE": {
        const a = this.#promote(this.#expr(e.a));
        const b = this.#promote(this.#expr(e.b));
        return a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span);
      }
      case "tir.BufferLoad": {
        const mapped = mapExprChildren(e, this);
        const buffer = this.#buffers.get(e.buffer);
        return buffer === undefined || mapped.kind !== "tir.BufferLoad" ? mapped : { ...mapped, buffer, dtype: this.#wide(mapped.dtype) };
      }
      case "tir.Let": {
        const value = this.#promote(this.#expr(e.value));
        if (value.dtype === e.bind.dtype) return mapExprChildren(e, this);
        const bind: Var = { ...e.bind, dtype: value.dtype, typeAnnotation: undefined };
        this.#vars.set(e.bind, bind);
        const body = this.#expr(e.body);
        return { ...e, bind, value, body, dtype: body.dtype };
      }
      case "tir.Call": {
        if (e.op.kind === "ir.Op" && e.op.name === "tir.reinterpret") return mapExprChildren(e, this);
        const args = mapItems(e.args, (a) => this.#promote(this.#expr(a)));
        const dtype = this.#match(e.dtype) ? this.#wide(e.dtype) : e.dtype;
        return args === e.args && dtype === e.dtype ? e : { ...e, dtype, args };
      }
      default:
        return mapExprChildren(e, { expr: (x) => this.#promote(this.#expr(x)) });
    }
  }

  #stmt(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.BufferStore":
        return this.#store(s);
      case "tir.LetStmt": {
        const value = this.#promote(this.#expr(s.value));
        if (value.dtype === s.bind.dtype) return mapStmtChildren(s, this);
        const bind: Var = { ...s.bind, dtype: value.dtype, typeAnnotation: undefined };
        this.#vars.set(s.bind, bind);
        return { ...s, bind, value, body: this.#stmt(s.body) };
      }
      case "tir.Allocate":
        return this.#allocate(s);
      case "tir.DeclBuffer": {
        const mapped = mapStmtChildren(s, this);
        const buffer = this.#buffers.get(s.buffer);
        return buffer === undefined || mapped.kind !== "tir.DeclBuffer" ? mapped : { ...mapped, buffer };
      }
      case "tir.AttrStmt":
        return s.node?.kind === "tir.CommReducer" ? this.#reducer(s, s.node as CommReducer) : mapStmtChildren(s, this);
      default:
        return mapStmtChildren(s, this);
    }
  }

  #allocate(s: Allocate): Stmt {
    const mapped = mapStmtChildren(s, this);
    const v = this.#vars.get(s.bufferVar);
    return v === undefined || mapped.kind !== "tir.Allocate" ? mapped : { ...mapped, bufferVar: v, dtype: this.#wide(s.dtype) };
  }

  #store(s: BufferStore): Stmt {
    const value = this.#expr(s.value);
    const indices = mapItems(s.indices, this.expr);
    const buffer = this.#buffers.get(s.buffer) ?? s.buffer;
    if (value === s.value && indices === s.indices && buffer === s.buffer) return s;
    const dtype = withLanes(scalarOf(buffer.dtype), lanesOf(value.dtype));
    const narrowed = this.#match(dtype) && value.dtype === this.#wide(dtype) ? convertFloatBits(value, dtype) : value;
    return { ...s, buffer, indices, value: narrowed.dtype === dtype ? narrowed : makeCast(dtype, narrowed) };
  }

  #reducer(s: AttrStmt, r: CommReducer): Stmt {
    const identityElement = mapItems(r.identityElement, this.expr);
    const widen = (v: Var, i: number): Var => {
      const { dtype } = at(identityElement, i);
      if (v.dtype === dtype) return v;
      const wide: Var = { ...v, dtype, typeAnnotation: undefined };
      this.#vars.set(v, wide);
      return wide;
    };
    const lhs = r.lhs.map(widen);
    const rhs = r.rhs.map(widen);
    const node: CommReducer = { ...r, lhs, rhs, result: mapItems(r.result, this.expr), identityElement };
    return { ...s, node, value: this.#expr(s.value), body: this.#stmt(s.body) };
  }
}
