import { at, type Pass } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { makeFor, makeIfThenElse, makeSeq } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, cast, constant, div, mul } from "../ir/ops.ts";
import type { Allocate, AttrStmt, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitExpr, visitStmt } from "../ir/visit.ts";
import { convertToSSA } from "./convert-ssa.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Makes loops of virtual threads, around the innermost statements that differ between them: copies of a statement without
 * loops, a loop around another. Memory that differs between them gets a part for each (upstream's `InjectVirtualThread`).
 * Expects flat buffers.
 * @throws TypeError if the number of virtual threads is not constant.
 */
export function injectVirtualThread(): Pass {
  return bodyPass("InjectVirtualThread", (body) => {
    const mapper: ChildMapper = {
      expr: (e) => e,
      stmt(s) {
        const mapped = mapStmtChildren(s, mapper);
        return mapped.kind === "tir.AttrStmt" && mapped.attrKey === "virtual_thread" && mapped.node?.kind === "tir.IterVar" ? inject(mapped, mapped.node as IterVar) : mapped;
      },
    };
    const injected = mapper.stmt(body);
    return injected === body ? body : convertToSSA(injected);
  });
}

function inject(s: AttrStmt, { var: v, threadTag }: IterVar): Stmt {
  const count = asInt(s.value);
  if (count === undefined) throw new TypeError(`The extent of the virtual thread \`${v.name}\` is not a constant.`);
  return new Injector(v, count, touchedBy(s.body, v), threadTag.startsWith("vthread")).stmt(s.body);
}

/** Copies are made up to this many threads. */
const MAX_COPIES = 16;

class Injector implements ChildMapper {
  readonly #v: Var;
  readonly #count: number;
  readonly #touched: ReadonlySet<AnyVar>;
  /** Statements that do not depend on the thread are done once. */
  readonly #shared: boolean;
  readonly #analyzer = new Analyzer();
  /** The extent that each thread has of an allocation. */
  readonly #parts = new Map<AnyVar, PrimExpr>();
  readonly #buffers = new Map<Buffer, Buffer>();
  /** What was visited since the last statement depends on the thread. */
  #depends = false;
  /** Inside of a loop over the threads already. */
  #inLoop = false;
  #hasLoops = false;

  constructor(v: Var, count: number, touched: ReadonlySet<AnyVar>, shared: boolean) {
    this.#v = v;
    this.#count = count;
    this.#touched = touched;
    this.#shared = shared;
    this.#analyzer.bind(v, makeRange(constant(0, v.dtype), constant(count, v.dtype)));
  }

  readonly expr = (e: PrimExpr): PrimExpr => {
    if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") {
      if (this.#touched.has(e)) this.#depends = true;
      return e;
    }
    if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && e.op.name === "tir.tvm_access_ptr") {
      const [type, pointer, offset, extent, flags] = e.args;
      const part = pointer?.kind === "tir.Var" ? this.#parts.get(pointer) : undefined;
      if (part !== undefined && type && pointer && offset && extent && flags) {
        this.#depends = true;
        return { ...e, args: [type, pointer, this.#shifted(this.expr(offset), div(part, lanesOf(type.dtype))), this.expr(extent), flags] };
      }
    }
    const mapped = mapExprChildren(e, this);
    return mapped.kind === "tir.BufferLoad" ? this.#access(mapped) : mapped;
  };

  /** A statement, in a loop over the threads if it depends on them. */
  readonly stmt = (s: Stmt): Stmt => {
    const mapped = this.#visit(s);
    if (!this.#depends || this.#inLoop) return mapped;
    return this.#loop(mapped, false);
  };

  #visit(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.BufferStore": {
        const mapped = mapStmtChildren(s, this);
        const out = mapped.kind === "tir.BufferStore" ? this.#access(mapped) : mapped;
        if (!this.#shared) this.#depends = true;
        return out;
      }
      case "tir.Evaluate": {
        const mapped = mapStmtChildren(s, this);
        if (!this.#shared) this.#depends = true;
        return mapped;
      }
      case "tir.For":
        return this.#headed(s, [s.min, s.extent], ([min, extent]) => {
          const body = this.stmt(s.body);
          this.#hasLoops = true;
          return min === s.min && extent === s.extent && body === s.body ? s : makeFor(s.loopVar, min ?? s.min, extent ?? s.extent, body, s);
        });
      case "tir.While":
        return this.#headed(s, [s.condition], ([condition]) => {
          const body = this.stmt(s.body);
          this.#hasLoops = true;
          return { ...s, condition: condition ?? s.condition, body };
        });
      case "tir.IfThenElse":
        return this.#headed(s, [s.condition], ([condition]) => {
          const [thenCase, elseCase] = this.#each([s.thenCase, ...(s.elseCase ? [s.elseCase] : [])]);
          return makeIfThenElse(condition ?? s.condition, thenCase ?? s.thenCase, elseCase, s.span);
        });
      case "tir.LetStmt":
        return this.#headed(s, [s.value], ([value]) => ({ ...s, value: value ?? s.value, body: this.stmt(s.body) }));
      case "tir.AssertStmt":
        return this.#headed(s, [s.condition], ([condition]) => ({ ...s, condition: condition ?? s.condition, body: this.stmt(s.body) }));
      case "tir.AttrStmt":
        return this.#headed(s, [s.value], ([value]) => ({ ...s, value: value ?? s.value, body: this.stmt(s.body) }));
      case "tir.Allocate":
        return this.#headed(s, [...s.extents, s.condition], () => this.#allocate(s));
      case "tir.SeqStmt":
        return makeSeq(this.#each(s.seq), s.span);
      case "tir.DeclBuffer": {
        const part = this.#parts.get(s.buffer.data);
        const buffer = part === undefined ? s.buffer : this.#larger(s.buffer);
        const body = this.stmt(s.body);
        return { ...s, buffer, body };
      }
      default:
        return mapStmtChildren(s, this);
    }
  }

  /** A statement whose first parts decide whether all of it is done by each thread for itself. */
  #headed(s: Stmt, parts: readonly PrimExpr[], rest: (mapped: readonly PrimExpr[]) => Stmt): Stmt {
    const mapped = parts.map(this.expr);
    if (this.#depends && !this.#inLoop) return this.#loop(s, true);
    this.#depends = false;
    return rest(mapped);
  }

  /** Statements beside each other; loops of one do not count for another. */
  #each(seq: readonly Stmt[]): readonly Stmt[] {
    let any = this.#hasLoops;
    const out = seq.map((x) => {
      this.#hasLoops = false;
      const mapped = this.stmt(x);
      any ||= this.#hasLoops;
      return mapped;
    });
    this.#hasLoops = any;
    return out;
  }

  #allocate(s: Allocate): Stmt {
    let { extents } = s;
    if (this.#touched.has(s.bufferVar) || !this.#shared) {
      if (extents.length !== 1) throw new TypeError("`InjectVirtualThread` takes flat memory. Run `FlattenBuffer` first.");
      this.#parts.set(s.bufferVar, at(extents, 0));
      extents = [mul(at(extents, 0), this.#count)];
    }
    const body = this.stmt(s.body);
    return extents === s.extents && body === s.body ? s : { ...s, extents, body };
  }

  #access<T extends { readonly buffer: Buffer; readonly indices: readonly PrimExpr[] }>(node: T): T {
    const pointer = node.buffer.data;
    if (this.#touched.has(pointer)) this.#depends = true;
    const part = this.#parts.get(pointer);
    if (part === undefined) return node;
    this.#depends = true;
    return { ...node, buffer: this.#larger(node.buffer), indices: [this.#shifted(at(node.indices, 0), part)] };
  }

  #larger(b: Buffer): Buffer {
    let made = this.#buffers.get(b);
    if (made === undefined) this.#buffers.set(b, (made = { ...b, shape: [mul(at(b.shape, 0), this.#count)] }));
    return made;
  }

  #shifted(index: PrimExpr, part: PrimExpr): PrimExpr {
    return this.#analyzer.simplify(add(index, cast(index.dtype, mul(this.#v, part))));
  }

  /** `before`: the statement has not been rewritten yet. */
  #loop(s: Stmt, before: boolean): Stmt {
    this.#depends = false;
    this.#inLoop = true;
    const body = before ? this.stmt(s) : s;
    this.#inLoop = false;
    this.#depends = false;
    const { dtype } = this.#v;
    if (!this.#hasLoops && this.#count < MAX_COPIES) {
      return makeSeq(Array.from({ length: this.#count }, (_, i) => substitute(body, new Map([[this.#v, constant(i, dtype)]]))));
    }
    const v = makeVar(`${this.#v.name}.s`, dtype);
    return makeFor(v, constant(0, dtype), constant(this.#count, dtype), substitute(body, new Map([[this.#v, v]])));
  }
}

/** The variables whose value, or memory whose contents, depend on a variable. */
function touchedBy(body: Stmt, v: AnyVar): ReadonlySet<AnyVar> {
  const readers = new Map<AnyVar, AnyVar[]>();
  const depends = (target: AnyVar, values: readonly PrimExpr[]): void => {
    for (const value of values) {
      visitExpr(value, (e) => {
        const source = e.kind === "tir.BufferLoad" ? e.buffer.data : e.kind === "tir.Var" || e.kind === "tir.SizeVar" ? e : undefined;
        if (source !== undefined && source !== target) readers.set(source, [...(readers.get(source) ?? []), target]);
      });
    }
  };
  visitStmt(body, {
    stmt(s) {
      if (s.kind === "tir.LetStmt") depends(s.bind, [s.value]);
      if (s.kind === "tir.BufferStore") depends(s.buffer.data, [s.value, ...s.indices]);
      if (s.kind === "tir.For") depends(s.loopVar, [s.min, s.extent]);
      if (s.kind === "tir.Allocate") depends(s.bufferVar, [...s.extents, s.condition]);
      if (s.kind === "tir.Evaluate") for (const p of writtenPointers(s.value)) depends(p, [s.value]);
    },
  });
  const touched = new Set<AnyVar>([v]);
  for (const x of touched) for (const r of readers.get(x) ?? []) touched.add(r);
  return touched;
}

/** Memory that a call is told to write. */
function writtenPointers(e: PrimExpr): readonly AnyVar[] {
  const out: AnyVar[] = [];
  visitExpr(e, (x) => {
    if (x.kind !== "tir.Call" || x.op.kind !== "ir.Op" || x.op.name !== "tir.tvm_access_ptr") return;
    const [, pointer, , , flags] = x.args;
    if (pointer?.kind === "tir.Var" && (Number(asInt(flags ?? x) ?? 3) & 2) !== 0) out.push(pointer);
  });
  return out;
}
