import type { Node } from "@verticil/ir-core";
import { scalarOf } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { isBinary } from "../ir/make-expr.ts";
import { scopeOf } from "../ir/make-stmt.ts";
import { cast, isConstInt, sub } from "../ir/ops.ts";
import type { Block, BlockRealize, Stmt } from "../ir/stmt.ts";
import { refuse } from "./schedule-error.ts";

/** How a block computes what an intrinsic's description does. */
export interface PatternMatch {
  /** The program's buffer for each of the description's. */
  readonly buffers: ReadonlyMap<Buffer, Buffer>;
  /** Where the described part of each of the program's buffers starts. */
  readonly bases: ReadonlyMap<Buffer, readonly PrimExpr[]>;
}

/** Compares a block with a description, up to variables, buffers, where in the buffers the parts start, and leading dimensions. Refuses where they differ. */
export function matchDescription(realize: BlockRealize, description: Stmt): PatternMatch {
  const matcher = new Matcher(realize.block);
  matcher.stmt(realize, description);
  return { buffers: matcher.buffers, bases: matcher.bases };
}

/** A category of types: integers of any width are alike, as are floats. */
function codeOf(e: PrimExpr): string {
  return scalarOf(e.dtype).replace(/[0-9].*$/, "");
}

class Matcher {
  readonly buffers = new Map<Buffer, Buffer>();
  readonly bases = new Map<Buffer, readonly PrimExpr[]>();
  readonly #vars = new Map<AnyVar, AnyVar>();
  readonly #analyzer = new Analyzer();
  readonly #own = new Analyzer();
  readonly #at: Block;
  #outermost = true;

  constructor(at: Block) {
    this.#at = at;
  }

  #differ(what: string, at?: Node): never {
    return refuse(`block \`${this.#at.name}\` does not compute what the tensor intrinsic describes: ${what}`, at ?? this.#at, "The loops, blocks and expressions must be those of the description.");
  }

  #define(a: AnyVar, b: AnyVar): boolean {
    if (a === b) return true;
    const known = this.#vars.get(a);
    if (known !== undefined) return known === b;
    this.#vars.set(a, b);
    this.#analyzer.bind(a, cast(a.dtype, b));
    return true;
  }

  stmt(a: Stmt, b: Stmt): void {
    switch (a.kind) {
      case "tir.For":
        if (b.kind !== "tir.For") return this.#differ("a loop is not there", a);
        if (!this.#define(a.loopVar, b.loopVar)) return this.#differ("loop variables differ", a);
        if (!this.expr(a.min, b.min) || !this.expr(a.extent, b.extent)) return this.#differ("the bounds of loops differ", a);
        if (a.forKind !== b.forKind) return this.#differ(`a loop is ${a.forKind}, not ${b.forKind}`, a);
        if (Object.keys(a.annotations).length !== Object.keys(b.annotations).length) return this.#differ("annotations of loops differ", a);
        return this.stmt(a.body, b.body);
      case "tir.SeqStmt":
        if (b.kind !== "tir.SeqStmt" || a.seq.length !== b.seq.length) return this.#differ("the number of statements differs", a);
        a.seq.forEach((s, i) => this.stmt(s, b.seq[i] ?? s));
        return;
      case "tir.BufferStore":
        if (b.kind !== "tir.BufferStore") return this.#differ("a store is not there", a);
        if (!this.#access(a, b)) return this.#differ("a store goes elsewhere", a);
        if (!this.expr(a.value, b.value)) return this.#differ("stored values differ", a);
        return;
      case "tir.BlockRealize":
        if (b.kind !== "tir.BlockRealize") return this.#differ("a block is not there", a);
        if (!this.#outermost) {
          const same = a.iterValues.length === b.iterValues.length && a.iterValues.every((v, i) => this.expr(v, b.iterValues[i] ?? v));
          if (!same) return this.#differ("bindings differ", a.block);
        }
        if (!this.expr(a.predicate, b.predicate)) return this.#differ("predicates differ", a.block);
        return this.#block(a.block, b.block);
      default:
        return this.#differ(`\`${a.kind}\` is not supported in a description`, a);
    }
  }

  #block(a: Block, b: Block): void {
    for (const iv of a.iterVars) if (iv.dom !== undefined) this.#own.bind(iv.var, iv.dom);
    if (!this.#outermost) {
      const same =
        a.iterVars.length === b.iterVars.length &&
        a.iterVars.every((iv, i) => {
          const other = b.iterVars[i];
          return other !== undefined && iv.iterType === other.iterType && this.#define(iv.var, other.var);
        });
      if (!same) return this.#differ("block variables differ", a);
      if (a.allocBuffers.length !== b.allocBuffers.length || !a.allocBuffers.every((x, i) => this.#buffer(x, b.allocBuffers[i]))) {
        return this.#differ("allocated buffers differ", a);
      }
    }
    const regions = (x: readonly BufferRegion[], y: readonly BufferRegion[]): boolean =>
      x.length === y.length && x.every((r, i) => this.#region(r, y[i]));
    if (!regions(a.writes, b.writes)) return this.#differ("written regions differ", a);
    if (!regions(a.reads, b.reads)) return this.#differ("read regions differ", a);
    this.#outermost = false;
    this.stmt(a.body, b.body);
  }

  #buffer(a: Buffer, b: Buffer | undefined): boolean {
    if (b === undefined) return false;
    const known = this.buffers.get(b);
    if (known !== undefined) return known === a;
    const same = this.#define(a.data, b.data) && a.dtype === b.dtype && scopeOf(a) === scopeOf(b);
    if (same) this.buffers.set(b, a);
    return same;
  }

  #region(a: BufferRegion, b: BufferRegion | undefined): boolean {
    if (b === undefined || !this.#buffer(a.buffer, b.buffer)) return false;
    const lead = a.region.length - b.region.length;
    if (lead < 0 || a.region.slice(0, lead).some((r) => !isConstInt(r.extent, 1))) return false;
    const extentsAgree = b.region.every((r, i) => {
      const own = a.region[i + lead];
      return own !== undefined && this.#equal(own.extent, r.extent);
    });
    if (!extentsAgree) return false;
    const base = this.bases.get(a.buffer);
    if (base === undefined) {
      if (!this.#outermost) return false;
      this.bases.set(a.buffer, a.region.map((r) => r.min));
      return true;
    }
    return a.region.every((r, i) => {
      const from = base[i];
      if (from === undefined) return false;
      if (i < lead) return this.#own.canProveEqual(from, r.min);
      const other = b.region[i - lead];
      return other !== undefined && this.#equal(this.#own.simplify(sub(r.min, from)), other.min);
    });
  }

  #access(a: { readonly buffer: Buffer; readonly indices: readonly PrimExpr[] }, b: { readonly buffer: Buffer; readonly indices: readonly PrimExpr[] }): boolean {
    if (!this.#buffer(a.buffer, b.buffer)) return false;
    const lead = a.indices.length - b.indices.length;
    if (lead < 0) return false;
    const base = this.bases.get(a.buffer);
    return b.indices.every((index, i) => {
      const own = a.indices[i + lead];
      if (own === undefined) return false;
      const from = base?.[i + lead];
      return this.#equal(from === undefined ? own : sub(own, from), index);
    });
  }

  /** Equality of indices, in whatever integer types. */
  #equal(a: PrimExpr, b: PrimExpr): boolean {
    return this.#analyzer.canProveEqual(a, cast(a.dtype, b));
  }

  expr(a: PrimExpr, b: PrimExpr): boolean {
    if (a === b) return true;
    if (a.kind !== b.kind || codeOf(a) !== codeOf(b)) return false;
    if (isBinary(a)) return isBinary(b) && this.expr(a.a, b.a) && this.expr(a.b, b.b);
    switch (a.kind) {
      case "tir.Var":
      case "tir.SizeVar":
        return this.#vars.get(a) === b;
      case "ir.IntImm":
        return b.kind === "ir.IntImm" && Number(a.value) === Number(b.value);
      case "ir.FloatImm":
        return b.kind === "ir.FloatImm" && a.value === b.value;
      case "tir.Cast":
        return b.kind === "tir.Cast" && this.expr(a.value, b.value);
      case "tir.BufferLoad":
        return b.kind === "tir.BufferLoad" && this.#access(a, b);
      case "tir.Select":
        return b.kind === "tir.Select" && this.expr(a.condition, b.condition) && this.expr(a.trueValue, b.trueValue) && this.expr(a.falseValue, b.falseValue);
      case "tir.Call": {
        if (b.kind !== "tir.Call" || a.args.length !== b.args.length) return false;
        const sameOp = a.op === b.op || (a.op.kind === "ir.Op" && b.op.kind === "ir.Op" && a.op.name === b.op.name);
        return sameOp && a.args.every((x, i) => this.expr(x, b.args[i] ?? x));
      }
      default:
        return false;
    }
  }
}
