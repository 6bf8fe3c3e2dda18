import type { Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeSeq, scopeOf } from "../ir/make-stmt.ts";
import { mapSubStmts } from "../ir/map-children.ts";
import { add, asInt, constant } from "../ir/ops.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { visitExpr } from "../ir/visit.ts";
import { copiesWith } from "./copies-with.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** What is unrolled beyond the loops marked for it. */
export interface UnrollOptions {
  /** Serial loops are unrolled while the product of the extents stays within this; 0 unrolls none. */
  readonly autoMaxStep?: number;
  /** Loops that run at most this often are unrolled even if nested ones are not; 0 unrolls none. */
  readonly autoMaxExtent?: number;
  /** How deep loops may be nested to be unrolled without being marked. */
  readonly autoMaxDepth?: number;
  /** Without, loops to unroll are marked `unrolled` instead of expanded. */
  readonly explicit?: boolean;
  /** Loops whose variable picks an element of `local` memory are unrolled whatever their size, so that it fits registers. */
  readonly localAccess?: boolean;
}

/**
 * Expands loops marked `unrolled` with a constant extent, and those that the options or a
 * `pragma_auto_unroll_max_step` ask for (upstream's `UnrollLoop`). A loop of an unknown extent becomes a serial one.
 */
export function unrollLoop(options: UnrollOptions = {}): Pass {
  return bodyPass("UnrollLoop", (body) => new Unroller(options).visit(body, { maxStep: options.autoMaxStep ?? 0, explicit: options.explicit ?? true }).stmt);
}

interface Unrolled {
  readonly stmt: Stmt;
  /** Statements executed in a row. */
  readonly steps: number;
  /** Loops left inside, along the deepest path. */
  readonly serial: number;
  readonly depth: number;
}

/** What pragmas change on the way in. */
interface Setting {
  readonly maxStep: number;
  readonly explicit: boolean;
}

function oneStep(stmt: Stmt): Unrolled {
  return { stmt, steps: 1, serial: 0, depth: 0 };
}

class Unroller {
  readonly #maxDepth: number;
  readonly #maxExtent: number;

  readonly #localAccess: boolean;
  readonly #localVars = new Set<AnyVar>();

  constructor(options: UnrollOptions) {
    this.#localAccess = options.localAccess ?? false;
    this.#maxDepth = options.autoMaxDepth ?? 8;
    this.#maxExtent = options.autoMaxExtent ?? 0;
  }

  visit(s: Stmt, setting: Setting): Unrolled {
    if (s.kind === "tir.AttrStmt" && s.attrKey === "pragma_auto_unroll_max_step") {
      return this.visit(s.body, { ...setting, maxStep: asInt(s.value) ?? setting.maxStep });
    }
    if (s.kind === "tir.AttrStmt" && s.attrKey === "pragma_unroll_explicit") {
      return this.visit(s.body, { ...setting, explicit: asInt(s.value) !== 0 });
    }
    if (this.#localAccess) this.#markLocal(s);
    if (s.kind === "tir.BufferStore") return oneStep(s);
    let steps = s.kind === "tir.Evaluate" ? 1 : 0;
    let serial = 0;
    let depth = 0;
    const stmt = mapSubStmts(s, (child) => {
      const inner = this.visit(child, setting);
      steps += inner.steps;
      serial = Math.max(serial, inner.serial);
      depth = Math.max(depth, inner.depth);
      return inner.stmt;
    });
    if (stmt.kind !== "tir.For") return { stmt, steps, serial, depth };
    return this.#loop(stmt, setting, { stmt, steps, serial, depth });
  }

  /** Notes the variables that index `local` memory in this statement itself. */
  #markLocal(s: Stmt): void {
    const mark = (b: Buffer, indices: readonly PrimExpr[]): void => {
      if (scopeOf(b) !== "local" && scopeOf(b) !== "warp") return;
      for (const index of indices) visitExpr(index, (e) => void (e.kind === "tir.Var" && this.#localVars.add(e)));
    };
    if (s.kind !== "tir.BufferStore" && s.kind !== "tir.Evaluate" && s.kind !== "tir.LetStmt" && s.kind !== "tir.IfThenElse") return;
    if (s.kind === "tir.BufferStore") mark(s.buffer, s.indices);
    const value = s.kind === "tir.IfThenElse" ? s.condition : s.value;
    visitExpr(value, (e) => void (e.kind === "tir.BufferLoad" && mark(e.buffer, e.indices)));
  }

  #loop(loop: For, { maxStep, explicit }: Setting, inner: Unrolled): Unrolled {
    const extent = asInt(loop.extent);
    const marked = loop.forKind === "unrolled";
    const auto =
      loop.forKind === "serial" &&
      extent !== undefined &&
      inner.serial === 0 &&
      inner.depth < this.#maxDepth &&
      (extent * inner.steps <= maxStep || extent <= this.#maxExtent);
    const local = extent !== undefined && extent > 0 && this.#localVars.has(loop.loopVar);
    const always = this.#maxExtent === 1 && extent !== undefined && extent <= 1;
    if (extent !== undefined && (marked || auto || local) && !explicit && !always) {
      return { stmt: { ...loop, forKind: "unrolled" }, steps: inner.steps * extent, serial: inner.serial, depth: inner.depth + 1 };
    }
    if (extent === undefined || !(marked || auto || local || always)) {
      const stmt: For = marked ? { ...loop, forKind: "serial" } : loop;
      return { stmt, steps: inner.steps * (extent ?? 1), serial: inner.serial + 1, depth: inner.depth };
    }
    const values = Array.from({ length: extent }, (_, i) => add(loop.min, constant(i, loop.loopVar.dtype)));
    const stmt = makeSeq(copiesWith(loop.body, loop.loopVar, values));
    return { stmt, steps: inner.steps * extent, serial: inner.serial, depth: inner.depth + 1 };
  }
}
