import { at } from "@verticil/ir-core";
import { constant, exprDeepEqual, isConstInt, mapExprChildren, type AnyVar, type Block, type BlockRealize, type Buffer, type For, type PrimExpr, type PrimFunc, type Stmt } from "@verticil/tir";

/** What a part of a tensor program was found to be (upstream's `MatchResult`). */
export interface TirPatternMatch {
  readonly pattern: PrimFunc;
  /** What the pattern's parameters that are no buffers stand for, in order. */
  readonly symbolValues: readonly PrimExpr[];
  /** What the pattern's buffers stand for, in the order of its parameters. */
  readonly matchedBuffers: readonly Buffer[];
}

/**
 * Holds a nest of loops around one block against a pattern: a program of one such nest under its root. Loops, iteration
 * variables and accesses must agree; factors and addends may change places. Parameters of the pattern that are no buffers
 * stand for any constant, and may be missing: `alpha * x` is found in `x` with 1, and `x + beta` with 0. Gives undefined if
 * the nest is something else.
 * @throws TypeError for a pattern that is not one nest under a root block.
 */
export function matchTirPattern(pattern: PrimFunc, nest: Stmt): TirPatternMatch | undefined {
  const body = pattern.body.kind === "tir.BlockRealize" ? pattern.body.block.body : undefined;
  if (body?.kind !== "tir.For") throw new TypeError("A pattern is one nest of loops in a root block.");
  const symbols = pattern.params.filter((p) => !pattern.bufferMap.has(p));
  const matcher = new Matcher(new Set(symbols));
  if (nest.kind !== "tir.For" || !matcher.loops(body, nest)) return undefined;
  const symbolValues = symbols.map((s) => matcher.symbolValue(s));
  const matchedBuffers = pattern.params.flatMap((p) => {
    const buffer = pattern.bufferMap.get(p);
    return buffer === undefined ? [] : [matcher.bufferOf(buffer)];
  });
  if (symbolValues.includes(undefined) || matchedBuffers.includes(undefined)) return undefined;
  return { pattern, symbolValues: symbolValues.filter((v) => v !== undefined), matchedBuffers: matchedBuffers.filter((b) => b !== undefined) };
}

/** Walks a pattern and a program side by side. What was assumed on a way that leads nowhere is taken back. */
class Matcher {
  readonly #symbols: ReadonlySet<AnyVar>;
  #vars = new Map<AnyVar, PrimExpr>();
  #buffers = new Map<Buffer, Buffer>();

  constructor(symbols: ReadonlySet<AnyVar>) {
    this.#symbols = symbols;
  }

  symbolValue(v: AnyVar): PrimExpr | undefined {
    return this.#vars.get(v);
  }

  bufferOf(b: Buffer): Buffer | undefined {
    return this.#buffers.get(b);
  }

  loops(pattern: For, loop: For): boolean {
    const plain = [pattern, loop].every((l) => l.forKind === "serial" && l.threadBinding === undefined && Object.keys(l.annotations).length === 0 && isConstInt(l.min, 0));
    if (!plain || !this.#expr(pattern.extent, loop.extent)) return false;
    this.#vars.set(pattern.loopVar, loop.loopVar);
    const [p, b] = [pattern.body, loop.body];
    if (p.kind === "tir.For" && b.kind === "tir.For") return this.loops(p, b);
    return p.kind === "tir.BlockRealize" && b.kind === "tir.BlockRealize" && this.#realize(p, b);
  }

  #realize(p: BlockRealize, b: BlockRealize): boolean {
    const always = [p, b].every((r) => isConstInt(r.predicate, 1));
    return always && this.#exprs(p.iterValues, b.iterValues) && this.#block(p.block, b.block);
  }

  #block(p: Block, b: Block): boolean {
    if ([p, b].some((x) => x.allocBuffers.length + x.matchBuffers.length > 0) || p.iterVars.length !== b.iterVars.length) return false;
    const iters = p.iterVars.every((iv, i) => {
      const other = at(b.iterVars, i);
      this.#vars.set(iv.var, other.var);
      return iv.iterType === other.iterType && iv.dom !== undefined && other.dom !== undefined && this.#exprs([iv.dom.min, iv.dom.extent], [other.dom.min, other.dom.extent]);
    });
    const inits = p.init === undefined ? b.init === undefined : b.init !== undefined && this.#store(p.init, b.init);
    return iters && inits && this.#store(p.body, b.body);
  }

  #store(p: Stmt, b: Stmt): boolean {
    if (p.kind !== "tir.BufferStore" || b.kind !== "tir.BufferStore") return false;
    return this.#access(p, b) && this.#expr(p.value, b.value);
  }

  #access(p: { readonly buffer: Buffer; readonly indices: readonly PrimExpr[]; readonly predicate: PrimExpr | undefined }, b: typeof p): boolean {
    return p.predicate === undefined && b.predicate === undefined && this.#buffer(p.buffer, b.buffer) && this.#exprs(p.indices, b.indices);
  }

  #buffer(p: Buffer, b: Buffer): boolean {
    const known = this.#buffers.get(p);
    if (known !== undefined) return known === b;
    if (p.dtype !== b.dtype || !this.#exprs(p.shape, b.shape) || p.strides.length + b.strides.length > 0) return false;
    this.#buffers.set(p, b);
    return true;
  }

  #exprs(ps: readonly PrimExpr[], es: readonly PrimExpr[]): boolean {
    return ps.length === es.length && ps.every((p, i) => this.#expr(p, at(es, i)));
  }

  #expr(p: PrimExpr, e: PrimExpr): boolean {
    if (p.kind === "tir.Var" || p.kind === "tir.SizeVar") return this.#var(p, e);
    if (p.kind === "tir.Mul" || p.kind === "tir.Add") {
      const neutral = p.kind === "tir.Mul" ? 1 : 0;
      const sides = [
        [p.a, p.b],
        [p.b, p.a],
      ] as const;
      for (const [x, y] of sides) if (this.#attempt(() => e.kind === p.kind && this.#expr(x, e.a) && this.#expr(y, e.b))) return true;
      return sides.some(([x, y]) => this.#isSymbol(x) && this.#attempt(() => this.#expr(y, e) && this.#var(x, constant(neutral, x.dtype))));
    }
    if (p.kind !== e.kind || p.dtype !== e.dtype) return false;
    if (p.kind === "tir.BufferLoad" && e.kind === "tir.BufferLoad") return this.#access(p, e);
    if (p.kind === "tir.Call" && e.kind === "tir.Call" && p.op.name !== e.op.name) return false;
    const [ps, es] = [childrenOf(p), childrenOf(e)];
    return ps.length === 0 ? exprDeepEqual(p, e) : this.#exprs(ps, es);
  }

  #isSymbol(e: PrimExpr): e is AnyVar {
    return (e.kind === "tir.Var" || e.kind === "tir.SizeVar") && this.#symbols.has(e);
  }

  /** A symbol stands for a constant or a size; any other variable for what it was bound to, or for one that is met the first time. */
  #var(p: AnyVar, e: PrimExpr): boolean {
    const known = this.#vars.get(p);
    if (known !== undefined) return exprDeepEqual(known, e);
    const isVar = e.kind === "tir.Var" || e.kind === "tir.SizeVar";
    if (p.dtype !== e.dtype || !(isVar || (this.#symbols.has(p) && (e.kind === "ir.IntImm" || e.kind === "ir.FloatImm")))) return false;
    this.#vars.set(p, e);
    return true;
  }

  #attempt(match: () => boolean): boolean {
    const [vars, buffers] = [new Map(this.#vars), new Map(this.#buffers)];
    if (match()) return true;
    this.#vars = vars;
    this.#buffers = buffers;
    return false;
  }
}

function childrenOf(e: PrimExpr): readonly PrimExpr[] {
  const children: PrimExpr[] = [];
  mapExprChildren(e, {
    expr: (c) => {
      children.push(c);
      return c;
    },
  });
  return children;
}
