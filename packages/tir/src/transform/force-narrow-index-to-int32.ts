import { Diagnostics, throwIfErrors, type Pass } from "@verticil/ir-core";
import { lanesOf, scalarOf, withLanes } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeCast, makeLet } from "../ir/make-expr.ts";
import { mapBuffer, mapExprChildren, mapItems, mapIterVar, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, cast, constant, ifThenElse, matchTypes, sub } from "../ir/ops.ts";
import { makeBinary } from "../ir/make-expr.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { transformDiagnostics } from "./diagnostics.ts";
import { primFuncPass } from "./prim-func-pass.ts";

/**
 * Computes every index in 32 bits, proof or none (upstream's `ForceNarrowIndexToInt32`): loop and block variables,
 * shapes, strides and scalar parameters.
 * @throws DiagnosticError if a buffer holds int64 elements, or a constant does not fit.
 */
export function forceNarrowIndexToInt32(): Pass {
  return primFuncPass("ForceNarrowIndexToInt32", narrow);
}

function narrow(func: PrimFunc): PrimFunc {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", transformDiagnostics);
  const check = (b: Buffer): void => {
    if (scalarOf(b.dtype) === "int64") report("wide-buffer", { buffer: b.name, dtype: b.dtype }, b.span);
  };
  for (const b of func.bufferMap.values()) check(b);
  visitStmt(func.body, {
    stmt: (s) => {
      if (s.kind === "tir.Block") s.allocBuffers.forEach(check);
    },
  });
  throwIfErrors(diagnostics);
  const narrower = new Narrower();
  const params = mapItems(func.params, (v) => narrower.param(v));
  const bufferMap = new Map([...func.bufferMap].map(([v, b]) => [v, narrower.buffer(b)]));
  const body = narrower.stmt(func.body);
  const result = { ...func, params, bufferMap, body };
  for (const value of narrower.tooWide) report("index-too-wide", { value: String(value) });
  throwIfErrors(diagnostics);
  return result;
}

class Narrower implements ChildMapper {
  readonly tooWide: (number | bigint)[] = [];
  readonly #vars = new Map<AnyVar, AnyVar>();
  readonly #buffers = new Map<Buffer, Buffer>();

  readonly expr = (e: PrimExpr): PrimExpr => this.#expr(e);
  readonly stmt = (s: Stmt): Stmt => this.#stmt(s);
  readonly bind = (v: Var): Var => {
    const mapped = this.#var(v);
    return mapped.kind === "tir.Var" ? mapped : v;
  };
  readonly buffer = (b: Buffer): Buffer => {
    let mapped = this.#buffers.get(b);
    if (mapped === undefined) this.#buffers.set(b, (mapped = mapBuffer(b, this.expr)));
    return mapped;
  };

  param(v: Var): Var {
    return this.bind(v);
  }

  #var(v: AnyVar): AnyVar {
    if (v.dtype !== "int64") return v;
    let mapped = this.#vars.get(v);
    if (mapped === undefined) {
      const plain = { ...v, dtype: "int32" as const, typeAnnotation: undefined };
      this.#vars.set(v, (mapped = plain));
    }
    return mapped;
  }

  #expr(e: PrimExpr): PrimExpr {
    switch (e.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#var(e);
      case "ir.IntImm":
        return this.#constant(e);
      case "tir.Add":
      case "tir.Sub":
      case "tir.Mul":
      case "tir.Div":
      case "tir.Mod":
      case "tir.FloorDiv":
      case "tir.FloorMod":
      case "tir.Min":
      case "tir.Max":
      case "tir.EQ":
      case "tir.NE":
      case "tir.LT":
      case "tir.LE":
      case "tir.GT":
      case "tir.GE": {
        const [a, b] = matchTypes(this.#expr(e.a), this.#expr(e.b));
        return a === e.a && b === e.b ? e : makeBinary(e.kind, a, b, e.span);
      }
      case "tir.Cast": {
        const value = this.#expr(e.value);
        const dtype = scalarOf(e.dtype) === "int64" ? withLanes("int32", lanesOf(e.dtype)) : e.dtype;
        return value === e.value && dtype === e.dtype ? e : value.dtype === dtype ? value : makeCast(dtype, value, e.span);
      }
      case "tir.Let": {
        const value = this.#expr(e.value);
        return value === e.value ? mapExprChildren(e, this) : makeLet(this.bind(e.bind), value, this.#expr(e.body), e.span);
      }
      case "tir.Call": {
        const mapped = mapExprChildren(e, this);
        const [c, t, f] = mapped.kind === "tir.Call" ? mapped.args : [];
        if (mapped === e || mapped.kind !== "tir.Call" || e.op.kind !== "ir.Op") return mapped;
        if (e.op.name === "tir.if_then_else" && c && t && f) return ifThenElse(c, t, f);
        if (e.op.name === "tir.clz" && c && e.args[0]?.dtype === "int64" && c.dtype === "int32") {
          // Leading zeros of the wider value.
          return add(sub(mapped, 32), 64);
        }
        return scalarOf(e.dtype) === "int64" && c !== undefined && scalarOf(c.dtype) === "int32" ? { ...mapped, dtype: withLanes("int32", lanesOf(e.dtype)) } : mapped;
      }
      default:
        return mapExprChildren(e, this);
    }
  }

  #constant(e: Extract<PrimExpr, { kind: "ir.IntImm" }>): PrimExpr {
    if (e.dtype !== "int64") return e;
    if (e.value > 2 ** 31 - 1) {
      this.tooWide.push(e.value);
      return e;
    }
    return constant(e.value, "int32");
  }

  #stmt(s: Stmt): Stmt {
    if (s.kind === "tir.BufferStore") {
      const mapped = mapStmtChildren(s, this);
      if (mapped.kind !== "tir.BufferStore" || lanesOf(mapped.value.dtype) !== 1 || mapped.value.dtype === mapped.buffer.dtype) return mapped;
      return { ...mapped, value: cast(mapped.buffer.dtype, mapped.value) };
    }
    if (s.kind === "tir.AttrStmt" && s.node?.kind === "tir.IterVar") {
      const node = mapIterVar(s.node as IterVar, this);
      return { ...s, node, value: cast(node.var.dtype, this.#expr(s.value)), body: this.#stmt(s.body) };
    }
    return mapStmtChildren(s, this);
  }
}
