import type { Buffer } from "../ir/buffer.ts";
import type { Var } from "../ir/expr.ts";
import type { Block, For, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr, type Visitor } from "../ir/visit.ts";
import { visitStmt } from "../ir/visit.ts";

/** A place in a function: a loop or a block; undefined is the function itself. */
export type AccessPlace = For | Block | undefined;

interface Scope {
  readonly place: AccessPlace;
  readonly parent: Scope | undefined;
  readonly depth: number;
}

/**
 * The innermost loop or block that holds every access to each buffer (upstream's `detect_buffer_access_lca`), in order
 * of first access. Accesses within a block whose iteration variables include a reduction are counted outside the
 * loops those variables are bound to, so that an accumulator lives across them. Parameters' buffers get undefined.
 */
export function detectBufferAccessLca(func: PrimFunc): ReadonlyMap<Buffer, AccessPlace> {
  const found = new Map<Buffer, Scope>();
  const root: Scope = { place: undefined, parent: undefined, depth: 0 };
  const byPointer = new Map<Var, Buffer>();
  const loopScopes = new Map<Var, Scope>();
  let scope = root;

  const access = (b: Buffer, at: Scope): void => {
    const known = found.get(b);
    found.set(b, known === undefined ? at : commonScope(known, at));
  };
  for (const b of func.bufferMap.values()) {
    byPointer.set(b.data, b);
    found.set(b, root);
  }

  const within = (place: For | Block, run: () => void): void => {
    const outer = scope;
    scope = { place, parent: outer, depth: outer.depth + 1 };
    run();
    scope = outer;
  };

  const visitor: Visitor = {
    expr(e) {
      if (e.kind === "tir.BufferLoad") access(e.buffer, scope);
      if (e.kind === "tir.Var") {
        const b = byPointer.get(e);
        if (b !== undefined) access(b, scope);
      }
      return undefined;
    },
    stmt(s: Stmt) {
      switch (s.kind) {
        case "tir.BufferStore":
          access(s.buffer, scope);
          return undefined;
        case "tir.For":
          visitExpr(s.min, visitor);
          visitExpr(s.extent, visitor);
          within(s, () => {
            loopScopes.set(s.loopVar, scope);
            visitStmt(s.body, visitor);
          });
          return "skip";
        case "tir.BlockRealize": {
          for (const v of [...s.iterValues, s.predicate]) visitExpr(v, visitor);
          const { block } = s;
          for (const b of block.allocBuffers) byPointer.set(b.data, b);
          const reductionScope = outermostReduction(s.iterValues, block, loopScopes);
          within(block, () => {
            for (const m of block.matchBuffers) {
              byPointer.set(m.buffer.data, m.buffer);
              access(m.source.buffer, scope);
            }
            if (block.init) visitStmt(block.init, visitor);
            visitStmt(block.body, visitor);
          });
          if (reductionScope) for (const w of block.writes) access(w.buffer, reductionScope);
          return "skip";
        }
        default:
          return undefined;
      }
    },
  };
  visitStmt(func.body, visitor);
  return new Map([...found].map(([b, s]) => [b, s.place]));
}

/** The scope just outside the outermost loop that a reduction variable of the block is bound to. */
function outermostReduction(
  values: readonly Parameters<typeof visitExpr>[0][],
  block: Block,
  loops: ReadonlyMap<Var, Scope>,
): Scope | undefined {
  let outermost: Scope | undefined;
  block.iterVars.forEach((iv, i) => {
    const value = values[i];
    if (iv.iterType !== "kCommReduce" || value === undefined) return;
    visitExpr(value, (e) => {
      const s = e.kind === "tir.Var" ? loops.get(e) : undefined;
      if (s !== undefined && (outermost === undefined || s.depth < outermost.depth)) outermost = s;
    });
  });
  return outermost?.parent;
}

function commonScope(a: Scope, b: Scope): Scope {
  let x: Scope = a;
  let y: Scope = b;
  while (x !== y) {
    if (x.depth >= y.depth && x.parent !== undefined) x = x.parent;
    else if (y.parent !== undefined) y = y.parent;
    else break;
  }
  return x;
}
