import type { Buffer } from "../ir/buffer.ts";
import type { Var } from "../ir/expr.ts";
import { mapSubStmts } from "../ir/map-children.ts";
import { makeEvaluate, makeSeq } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";
import type { Block, BlockRealize, For, PrimFunc, Stmt } from "../ir/stmt.ts";

/**
 * What a block is recognised by in every version of the program: its first iteration variable, which belongs to it
 * alone, or, for a block without any, its name.
 */
export type BlockKey = Var | string;

/** The key of a block; see `BlockKey`. */
export function blockKey(block: Block): BlockKey {
  return block.iterVars[0]?.var ?? block.name;
}

/** One version of a function with its loops and blocks indexed and a parent for each statement. Never changes. */
export class FuncTree {
  readonly func: PrimFunc;
  /** By loop variable. */
  readonly loops: ReadonlyMap<Var, For>;
  readonly blocks: ReadonlyMap<BlockKey, BlockRealize>;
  readonly #parents: ReadonlyMap<Stmt, Stmt>;

  constructor(func: PrimFunc) {
    const loops = new Map<Var, For>();
    const blocks = new Map<BlockKey, BlockRealize>();
    const parents = new Map<Stmt, Stmt>();
    const visit = (s: Stmt, parent: Stmt | undefined): void => {
      if (parent) parents.set(s, parent);
      if (s.kind === "tir.For") loops.set(s.loopVar, s);
      if (s.kind === "tir.BlockRealize") {
        const key = blockKey(s.block);
        if (!blocks.has(key)) blocks.set(key, s);
      }
      for (const child of stmtChildren(s)) visit(child, s);
    };
    visit(func.body, undefined);
    this.func = func;
    this.loops = loops;
    this.blocks = blocks;
    this.#parents = parents;
  }

  parent(s: Stmt): Stmt | undefined {
    return this.#parents.get(s);
  }

  /** The statements around `s`, nearest first. */
  ancestors(s: Stmt): readonly Stmt[] {
    const out: Stmt[] = [];
    for (let p = this.parent(s); p !== undefined; p = this.parent(p)) out.push(p);
    return out;
  }

  /** The block around `s`, with where it is realized; undefined for the root block. */
  scopeOf(s: Stmt): BlockRealize | undefined {
    const start = s.kind === "tir.Block" ? this.parent(s) : s;
    return start && this.ancestors(start).find((p): p is BlockRealize => p.kind === "tir.BlockRealize");
  }

  /** The loops around a block within its scope, outermost first. */
  loopsOf(s: BlockRealize | For): readonly For[] {
    const out: For[] = [];
    for (let p = this.parent(s); p !== undefined && p.kind !== "tir.Block"; p = this.parent(p)) {
      if (p.kind === "tir.For") out.unshift(p);
    }
    return out;
  }

  /** True if `inner` is inside `outer` or is `outer`. */
  contains(outer: Stmt, inner: Stmt): boolean {
    return outer === inner || this.ancestors(inner).includes(outer);
  }
}

/** The direct sub-statements in order. */
export function stmtChildren(s: Stmt): readonly Stmt[] {
  switch (s.kind) {
    case "tir.SeqStmt":
      return s.seq;
    case "tir.IfThenElse":
      return s.elseCase ? [s.thenCase, s.elseCase] : [s.thenCase];
    case "tir.BlockRealize":
      return [s.block];
    case "tir.Block":
      return s.init ? [s.init, s.body] : [s.body];
    case "tir.BufferStore":
    case "tir.Evaluate":
    case "tir.Prefetch":
      return [];
    default:
      return [s.body];
  }
}

/** The blocks inside a statement that are in no other block of it, in order; a block stands for what is in it. */
export function childBlocks(s: Stmt): readonly BlockRealize[] {
  const out: BlockRealize[] = [];
  const visit = (x: Stmt): void => {
    if (x.kind === "tir.BlockRealize") out.push(x);
    else for (const c of stmtChildren(x)) visit(c);
  };
  if (s.kind === "tir.BlockRealize") visit(s.block.body);
  else for (const c of stmtChildren(s)) visit(c);
  return out;
}

/** What stands for a statement: another, or nothing. */
export type Replacements = ReadonlyMap<Stmt, Stmt | undefined>;

/**
 * The function with statements replaced; `undefined` removes one, and with it the loops and branches that held nothing
 * else. Replacements are not searched in turn.
 */
export function replaceStmts(func: PrimFunc, replacements: Replacements): PrimFunc {
  const body = replaceIn(func.body, replacements);
  return body === func.body ? func : { ...func, body: body ?? emptyStmt() };
}

/** As `replaceStmts`, for a statement; undefined if nothing is left of it. */
export function replaceIn(root: Stmt, replacements: Replacements): Stmt | undefined {
  const visit = (s: Stmt): Stmt | undefined => {
    if (replacements.has(s)) return replacements.get(s);
    if (s.kind === "tir.SeqStmt") {
      const seq = s.seq.map(visit);
      if (seq.every((x, i) => x === s.seq[i])) return s;
      const rest = seq.filter((x) => x !== undefined);
      return rest.length === 0 ? undefined : makeSeq(rest, s.span);
    }
    let emptied = false;
    const mapped = mapSubStmts(s, (x) => {
      const y = visit(x);
      if (y !== undefined) return y;
      emptied = true;
      return emptyStmt();
    });
    return emptied && mapped.kind !== "tir.Block" && mapped.kind !== "tir.BlockRealize" ? undefined : mapped;
  };
  return visit(root);
}

/** A statement that does nothing. */
export function emptyStmt(): Stmt {
  return makeEvaluate(constant(0, "int32"));
}

/** The block with buffers added to those it allocates. */
export function withAllocated(block: Block, added: readonly Buffer[], removed: readonly Buffer[] = []): Block {
  return { ...block, allocBuffers: [...block.allocBuffers.filter((b) => !removed.includes(b)), ...added] };
}
