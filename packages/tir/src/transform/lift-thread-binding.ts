import { at, type AttrMap, type Pass } from "@verticil/ir-core";
import type { AnyVar, Var } from "../ir/expr.ts";
import { makeIterVar, makeVar } from "../ir/make-expr.ts";
import { makeFor } from "../ir/make-stmt.ts";
import { mapStmtChildren, mapExprChildren, type ChildMapper } from "../ir/map-children.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Moves the loops of each thread axis of a kernel to the innermost loop that holds them all, as one loop (upstream's
 * `LiftThreadBinding`).
 */
export function liftThreadBinding(): Pass {
  return bodyPass("LiftThreadBinding", (body) => new Lifter().stmt(body));
}

/** The loops of one thread axis. */
interface Axis {
  readonly tag: string;
  readonly loop: For;
  readonly v: Var;
  readonly annotations: AttrMap;
  /** The loops around all of them, outermost first; the last one is where the axis goes. */
  readonly path: readonly For[];
}

class Lifter implements ChildMapper {
  readonly #values = new Map<AnyVar, Var>();
  readonly #places = new Map<For, readonly Axis[]>();

  readonly expr: ChildMapper["expr"] = (e) => (e.kind === "tir.Var" ? (this.#values.get(e) ?? e) : mapExprChildren(e, this));

  readonly stmt = (s: Stmt): Stmt => {
    if (s.kind !== "tir.For") return mapStmtChildren(s, this);
    const isRoot = s.forKind === "thread_binding" && this.#places.size === 0;
    if (isRoot) this.#plan(s);
    const axes = this.#places.get(s) ?? [];
    const mapped = mapStmtChildren(s, this);
    if (mapped.kind !== "tir.For") return mapped;
    const body = axes.reduce<Stmt>((inner, a) => {
      const threadBinding = makeIterVar(undefined, makeVar(a.tag, a.v.dtype), "kThreadIndex", a.tag);
      return makeFor(a.v, a.loop.min, a.loop.extent, inner, { forKind: "thread_binding", threadBinding, annotations: a.annotations });
    }, mapped.body);
    if (isRoot) {
      this.#places.clear();
      this.#values.clear();
    }
    if (s.forKind === "thread_binding") return body;
    return body === mapped.body ? mapped : { ...mapped, body };
  };

  #plan(root: For): void {
    const axes = new Map<string, Axis>();
    const stack: For[] = [];
    const visit = (s: Stmt): void => {
      visitStmt(s, {
        expr: () => "skip",
        stmt: (x) => {
          if (x.kind !== "tir.For") return undefined;
          stack.push(x);
          visit(x.body);
          if (x.forKind === "thread_binding" && x.threadBinding !== undefined) this.#note(axes, x, x.threadBinding.threadTag, stack);
          stack.pop();
          return "skip";
        },
      });
    };
    visit(root);
    // Longer names first: `threadIdx` goes inside of `blockIdx`.
    for (const axis of [...axes.values()].toSorted((a, b) => b.tag.length - a.tag.length)) {
      const place = at(axis.path, -1);
      this.#places.set(place, [...(this.#places.get(place) ?? []), axis]);
    }
  }

  #note(axes: Map<string, Axis>, loop: For, tag: string, stack: readonly For[]): void {
    const known = axes.get(tag);
    if (known === undefined) {
      const v: Var = { ...loop.loopVar, name: tag };
      axes.set(tag, { tag, loop, v, annotations: loop.annotations, path: [...stack] });
      this.#values.set(loop.loopVar, v);
      return;
    }
    this.#values.set(loop.loopVar, known.v);
    const shared = known.path.findIndex((x, i) => x !== stack[i]);
    axes.set(tag, { ...known, annotations: { ...known.annotations, ...loop.annotations }, path: shared < 0 ? known.path : known.path.slice(0, shared) });
  }
}
