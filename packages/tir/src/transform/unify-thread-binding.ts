import type { Pass } from "@verticil/ir-core";
import { Analyzer } from "../arith/analyzer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeIterVar, makeVar } from "../ir/make-expr.ts";
import { makeFor } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { cast, constant } from "../ir/ops.ts";
import type { AttrStmt, For, Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Declares each thread axis of a kernel once, around all of it, and gives its loops one variable (upstream's
 * `UnifyThreadBinding`). A kernel begins at the outermost thread axis.
 * @throws TypeError if loops that are bound to one axis differ in extent.
 */
export function unifyThreadBinding(): Pass {
  return bodyPass("UnifyThreadBinding", (body) => new Unifier().stmt(body));
}

interface Thread {
  readonly v: Var;
  readonly tag: string;
  readonly min: PrimExpr;
  readonly extent: PrimExpr;
}

class Unifier implements ChildMapper {
  readonly #analyzer = new Analyzer();
  readonly #values = new Map<AnyVar, PrimExpr>();
  /** The threads of the present kernel, in order of appearance. */
  #threads: Thread[] = [];
  #depth = 0;

  readonly expr = (e: PrimExpr): PrimExpr =>
    e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? (this.#values.get(e) ?? e) : mapExprChildren(e, this);

  readonly stmt = (s: Stmt): Stmt => {
    if (s.kind === "tir.AttrStmt" && (s.attrKey === "thread_extent" || s.attrKey === "virtual_thread") && s.node?.kind === "tir.IterVar") {
      const iv = s.node as IterVar;
      return this.#unify(s, iv.var, iv.threadTag, constant(0, s.value.dtype), this.expr(s.value));
    }
    if (s.kind === "tir.For" && s.forKind === "thread_binding" && s.threadBinding !== undefined) {
      const inner = this.#unify(s, s.loopVar, s.threadBinding.threadTag, this.expr(s.min), this.expr(s.extent));
      return annotated(s, inner);
    }
    return mapStmtChildren(s, this);
  };

  #unify(s: AttrStmt | For, old: Var, tag: string, min: PrimExpr, extent: PrimExpr): Stmt {
    const depth = this.#depth;
    const opensKernel = depth === 0;
    if (opensKernel) this.#threads = [];
    if (tag.startsWith("blockIdx.") || opensKernel) this.#depth++;
    this.#values.set(old, cast(old.dtype, this.#thread(tag, min, extent).v));
    const body = this.stmt(s.body);
    this.#depth = depth;
    return opensKernel ? this.#launch(body) : body;
  }

  #thread(tag: string, min: PrimExpr, extent: PrimExpr): Thread {
    const known = this.#threads.find((t) => t.tag === tag);
    if (known === undefined) {
      const thread = { v: makeVar(tag, extent.dtype), tag, min, extent };
      this.#threads.push(thread);
      return thread;
    }
    const same = (a: PrimExpr, b: PrimExpr): boolean => this.#analyzer.canProveEqual(cast(b.dtype, a), b);
    if (!same(min, known.min) || !same(extent, known.extent)) throw new TypeError(`The loops that are bound to \`${tag}\` have different extents.`);
    return known;
  }

  #launch(body: Stmt): Stmt {
    const threads = this.#threads;
    this.#threads = [];
    return threads.reduceRight<Stmt>((inner, t) => {
      const threadBinding = makeIterVar(undefined, makeVar("", t.v.dtype), "kThreadIndex", t.tag);
      return makeFor(t.v, t.min, t.extent, inner, { forKind: "thread_binding", threadBinding });
    }, body);
  }
}

/** The annotations of a loop that is gone: on the loop that took its place, or on one that runs once. */
function annotated(loop: For, inner: Stmt): Stmt {
  if (Object.keys(loop.annotations).length === 0) return inner;
  if (inner.kind === "tir.For") return { ...inner, annotations: loop.annotations };
  const { dtype } = loop.loopVar;
  return makeFor(makeVar("var", dtype), constant(0, dtype), constant(1, dtype), inner, { annotations: loop.annotations });
}
