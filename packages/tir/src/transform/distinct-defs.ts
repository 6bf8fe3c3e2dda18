import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { mapBuffer, mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import type { Stmt } from "../ir/stmt.ts";

/**
 * A statement whose parts may stand in it several times, with new variables and buffers in all copies but the first: what
 * `renewDefs` does for one copy. For flat statements, without blocks.
 */
export function distinctDefs(s: Stmt): Stmt {
  return new Renamer().stmt(s);
}

class Renamer implements ChildMapper {
  readonly #bound = new Set<Var>();
  readonly #declared = new Set<Buffer>();
  /** What stands for variables in the copy that is being looked at. */
  readonly #names = new Map<AnyVar, Var>();
  readonly #buffers = new Map<Buffer, Buffer>();

  readonly expr = (e: PrimExpr): PrimExpr => (e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? (this.#names.get(e) ?? e) : mapExprChildren(e, this));

  readonly bind = (v: Var): Var => {
    if (!this.#bound.has(v)) {
      this.#bound.add(v);
      return v;
    }
    const fresh: Var = { ...v };
    this.#names.set(v, fresh);
    for (const b of this.#buffers.keys()) if (mentions(b, v)) this.#buffers.delete(b);
    return fresh;
  };

  readonly buffer = (b: Buffer): Buffer => {
    let mapped = this.#buffers.get(b);
    if (mapped === undefined) this.#buffers.set(b, (mapped = mapBuffer(b, this.expr)));
    return mapped;
  };

  readonly stmt = (s: Stmt): Stmt => {
    if (s.kind === "tir.DeclBuffer") {
      const mapped = mapBuffer(s.buffer, this.expr);
      this.#buffers.set(s.buffer, mapped === s.buffer && this.#declared.has(s.buffer) ? { ...mapped } : mapped);
      this.#declared.add(s.buffer);
    }
    return mapStmtChildren(s, this);
  };
}

function mentions(b: Buffer, v: Var): boolean {
  const uses = (e: PrimExpr): boolean => e.kind !== "ir.IntImm" && usesVar(e, v);
  return b.data === v || b.shape.some(uses) || b.strides.some(uses) || (b.elemOffset !== undefined && uses(b.elemOffset));
}
