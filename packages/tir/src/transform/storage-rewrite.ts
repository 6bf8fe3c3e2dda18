import type { Pass } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { makeAllocate, makeDeclBuffer } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, constant, eq, floorDiv, floorMod, max, mul } from "../ir/ops.ts";
import type { Allocate, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { primFuncPass, withBody } from "./prim-func-pass.ts";
import { rewritePointerTypes } from "./pointer-value-type-rewrite.ts";
import { elementBits, planStorage, type StoragePlan, type StorageSlot } from "./storage-plan.ts";
import { contextTarget, targetKind, targetOf } from "./target-attr.ts";

/** What of memory is left to another pass. */
export interface StorageRewriteOptions {
  /** Shared memory is merged later, by `MergeSharedMemoryAllocations` (upstream's `tir.merge_static_smem`): nothing is shared here. */
  readonly mergeStatic?: boolean;
}

/**
 * Lets allocations that are not alive at the same time share memory, and puts them at the beginning of the program, of the
 * kernel or of the parallel loop they belong to (upstream's `StorageRewrite`). Allocations that are read and written as
 * vectors of one length only become arrays of vectors. Expects flat buffers.
 */
export function storageRewrite(options: StorageRewriteOptions = {}): Pass {
  return primFuncPass("StorageRewrite", (func, ctx) => {
    const kind = targetKind(targetOf(func) ?? contextTarget(ctx));
    // WGSL and SPIR-V give memory one type.
    const plan = planStorage(func.body, { reuse: options.mergeStatic !== true, sameType: kind === "webgpu" || kind === "vulkan" });
    const body = new Rewriter(func.body, plan).run(func.body);
    return rewritePointerTypes(withBody(func, body), { params: false, bufferMap: false, constants: false, scalarReads: false });
  });
}

class Rewriter implements ChildMapper {
  readonly #plan: StoragePlan;
  readonly #analyzer = new Analyzer();
  readonly #accessed = new Set<Buffer>();
  readonly #buffers = new Map<Buffer, Buffer>();
  /** Buffers that are declared where their memory is allocated. */
  readonly #declared = new Set<Buffer>();
  readonly #nests = new Map<Stmt | undefined, ((body: Stmt) => Stmt)[]>();

  constructor(body: Stmt, plan: StoragePlan) {
    this.#plan = plan;
    visitStmt(body, {
      expr: (e) => void (e.kind === "tir.BufferLoad" && this.#accessed.add(e.buffer)),
      stmt: (s) => void (s.kind === "tir.BufferStore" && this.#accessed.add(s.buffer)),
    });
    for (const slot of plan.slots) {
      const nests = this.#nests.get(slot.attach) ?? [];
      nests.push(this.#nest(slot));
      this.#nests.set(slot.attach, nests);
    }
  }

  run(body: Stmt): Stmt {
    return this.#attach(undefined, this.stmt(body));
  }

  readonly expr = (e: PrimExpr): PrimExpr => {
    if (e.kind === "tir.Var") {
      const first = this.#plan.slotOf.get(e)?.allocations[0];
      return first?.bufferVar ?? e;
    }
    const mapped = mapExprChildren(e, this);
    if (mapped.kind !== "tir.BufferLoad") return mapped;
    const buffer = this.#moved(mapped.buffer);
    return buffer === mapped.buffer ? mapped : { ...mapped, buffer };
  };

  readonly stmt = (s: Stmt): Stmt => {
    switch (s.kind) {
      case "tir.Allocate":
        // Its memory is allocated where its slot is; one that nothing touches goes.
        return this.stmt(s.body);
      case "tir.DeclBuffer": {
        if (this.#declared.has(s.buffer) || !this.#accessed.has(s.buffer)) return this.stmt(s.body);
        const body = this.stmt(s.body);
        const buffer = this.#moved(s.buffer);
        return body === s.body && buffer === s.buffer ? s : { ...s, buffer, body };
      }
      case "tir.BufferStore": {
        const mapped = mapStmtChildren(s, this);
        if (mapped.kind !== "tir.BufferStore") return mapped;
        const buffer = this.#moved(mapped.buffer);
        return buffer === mapped.buffer ? mapped : { ...mapped, buffer };
      }
      case "tir.AttrStmt":
      case "tir.For": {
        const mapped = mapStmtChildren(s, this);
        return this.#nests.has(s) && "body" in mapped ? ({ ...mapped, body: this.#attach(s, mapped.body) } as Stmt) : mapped;
      }
      default:
        return mapStmtChildren(s, this);
    }
  };

  #attach(scope: Stmt | undefined, body: Stmt): Stmt {
    return (this.#nests.get(scope) ?? []).reduceRight((inner, nest) => nest(inner), body);
  }

  #moved(b: Buffer): Buffer {
    const known = this.#buffers.get(b);
    if (known !== undefined) return known;
    const data = this.#plan.slotOf.get(b.data)?.allocations[0]?.bufferVar ?? b.data;
    const moved = data === b.data ? b : { ...b, data, name: data.name };
    this.#buffers.set(b, moved);
    return moved;
  }

  /** The allocation of a slot around a body. */
  #nest({ allocations }: StorageSlot): (body: Stmt) => Stmt {
    const [first, ...others] = allocations;
    if (first === undefined) return (body) => body;
    const dtype = allocations.reduce((widest, s) => (lanesOf(s.dtype) > lanesOf(widest) ? s.dtype : widest), first.dtype);
    const same = (s: Allocate): boolean => s.dtype === first.dtype && s.extents.length === first.extents.length && s.extents.every((e, i) => exprDeepEqual(e, first.extents[i] ?? e));
    if (others.every(same)) {
      const declared = first.body.kind === "tir.DeclBuffer" ? first.body.buffer : undefined;
      if (declared !== undefined) this.#declared.add(declared);
      const { condition, annotations, span } = first;
      return (body) => makeAllocate(first.bufferVar, dtype, first.extents, declared === undefined ? body : makeDeclBuffer(this.#moved(declared), body), { condition, annotations, span });
    }
    const bits = allocations.map((s) => s.extents.reduce<PrimExpr>((n, e) => mul(n, e), constant(1, s.extents[0]?.dtype ?? "int32"))).map((n, i) => mul(wide(n), elementBits(allocations[i]?.dtype ?? dtype)));
    const size = bits.reduce((a, b) => max(a, b));
    const unit = elementBits(dtype);
    const whole = this.#analyzer.canProve(eq(floorMod(size, unit), 0));
    const count = whole ? floorDiv(size, unit) : add(floorDiv(size, unit), 1);
    const extent = this.#analyzer.simplify(count);
    return (body) => makeAllocate(first.bufferVar, dtype, [extent], body, { span: first.span });
  }
}

/** A count of elements whose bits fit in its type. */
function wide(e: PrimExpr): PrimExpr {
  return e.kind === "ir.IntImm" && Number(e.value) > (2 ** 31 - 1) / 1024 ? constant(e.value, "int64") : e;
}
