import type { Pass } from "@verticil/ir-core";
import { makeSeq } from "../ir/make-stmt.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { add, asInt, constant } from "../ir/ops.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { renewDefs } from "../ir/substitute.ts";
import { substituteAndFold } from "./fold.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** What is unrolled beyond the loops marked for it. */
export interface UnrollOptions {
  /** Serial loops are unrolled while the product of the extents stays within this; 0 unrolls none. */
  readonly autoMaxStep?: number;
  /** Loops that run at most this often are unrolled even if nested ones are not; 0 unrolls none. */
  readonly autoMaxExtent?: number;
  /** How deep loops may be nested to be unrolled without being marked. */
  readonly autoMaxDepth?: number;
}

/**
 * Expands loops marked `unrolled` with a constant extent, and those that the options or a
 * `pragma_auto_unroll_max_step` ask for (upstream's `UnrollLoop`). A loop of an unknown extent becomes a serial one.
 */
export function unrollLoop(options: UnrollOptions = {}): Pass {
  return bodyPass("UnrollLoop", (body) => new Unroller(options).visit(body, options.autoMaxStep ?? 0).stmt);
}

interface Unrolled {
  readonly stmt: Stmt;
  /** Statements executed in a row. */
  readonly steps: number;
  /** Loops left inside, along the deepest path. */
  readonly serial: number;
  readonly depth: number;
}

class Unroller {
  readonly #maxDepth: number;
  readonly #maxExtent: number;

  constructor(options: UnrollOptions) {
    this.#maxDepth = options.autoMaxDepth ?? 8;
    this.#maxExtent = options.autoMaxExtent ?? 0;
  }

  visit(s: Stmt, maxStep: number): Unrolled {
    if (s.kind === "tir.AttrStmt" && s.attrKey === "pragma_auto_unroll_max_step") {
      return this.visit(s.body, asInt(s.value) ?? maxStep);
    }
    if (s.kind === "tir.AttrStmt" && s.attrKey === "pragma_unroll_explicit") return this.visit(s.body, maxStep);
    let steps = s.kind === "tir.BufferStore" || s.kind === "tir.Evaluate" ? 1 : 0;
    let serial = 0;
    let depth = 0;
    const stmt = mapStmtChildren(s, {
      expr: (e) => e,
      stmt: (child) => {
        const inner = this.visit(child, maxStep);
        steps += inner.steps;
        serial = Math.max(serial, inner.serial);
        depth = Math.max(depth, inner.depth);
        return inner.stmt;
      },
    });
    if (stmt.kind !== "tir.For") return { stmt, steps, serial, depth };
    return this.#loop(stmt, maxStep, { stmt, steps, serial, depth });
  }

  #loop(loop: For, maxStep: number, inner: Unrolled): Unrolled {
    const extent = asInt(loop.extent);
    const marked = loop.forKind === "unrolled";
    const auto =
      loop.forKind === "serial" &&
      extent !== undefined &&
      inner.serial === 0 &&
      inner.depth < this.#maxDepth &&
      (extent * inner.steps <= maxStep || extent <= this.#maxExtent);
    if (extent === undefined || !(marked || auto)) {
      const stmt: For = marked ? { ...loop, forKind: "serial" } : loop;
      return { stmt, steps: inner.steps * (extent ?? 1), serial: inner.serial + 1, depth: inner.depth };
    }
    const copies = Array.from({ length: extent }, (_, i) => {
      const body = substituteAndFold(loop.body, new Map([[loop.loopVar, add(loop.min, constant(i, loop.loopVar.dtype))]]));
      return i === 0 ? body : renewDefs(body);
    });
    const stmt = copies.length === 0 ? { ...loop, forKind: "serial" as const } : makeSeq(copies);
    return { stmt, steps: inner.steps * extent, serial: inner.serial, depth: inner.depth + 1 };
  }
}
