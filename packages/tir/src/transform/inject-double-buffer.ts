import { at, type Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeAttrStmt, makeDeclBuffer, makeFor, makeIfThenElse, makeSeq } from "../ir/make-stmt.ts";
import { mapExprChildren, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, asInt, constant, div, floorMod, lt, mul, sub } from "../ir/ops.ts";
import type { Allocate, For, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { convertToSSA } from "./convert-ssa.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** How the loop is unrolled so that the halves of the buffer are constants. */
export interface DoubleBufferOptions {
  /** 0 leaves the loop; 1, or an even number, splits it by that and peels the tail (upstream's `split_loop`). */
  readonly splitLoop?: number;
}

/**
 * Gives a buffer under `double_buffer_scope` a second half, so that the next iteration's data is written while this
 * one's is read (upstream's `InjectDoubleBuffer`). Expects flat buffers.
 * @throws TypeError if the buffer is not flat or the scope is not inside a loop.
 */
export function injectDoubleBuffer(options: DoubleBufferOptions = {}): Pass {
  const splitLoop = options.splitLoop ?? 1;
  if (splitLoop !== 1 && splitLoop % 2 !== 0) throw new RangeError(`A loop is split by 1 or an even number, not ${splitLoop}.`);
  return bodyPass("InjectDoubleBuffer", (body) => new Injector(splitLoop).run(body));
}

interface Doubled {
  /** Elements from one half to the other. */
  stride: PrimExpr | undefined;
  loop: For | undefined;
  writeHalf: Var | undefined;
  readHalf: PrimExpr | undefined;
}

class Injector implements ChildMapper {
  readonly #splitLoop: number;
  readonly #doubled = new Map<AnyVar, Doubled>();
  readonly #loops: For[] = [];
  readonly #before = new Map<For, Stmt[]>();
  readonly #allocations = new Map<For, ((body: Stmt) => Stmt)[]>();
  readonly #buffers = new Map<Buffer, Buffer>();

  readonly expr = (e: PrimExpr): PrimExpr => this.#expr(e);
  readonly stmt = (s: Stmt): Stmt => this.#stmt(s);

  constructor(splitLoop: number) {
    this.#splitLoop = splitLoop;
  }

  run(body: Stmt): Stmt {
    const used = new Set<AnyVar>();
    visitStmt(body, {
      stmt: (s) => {
        if (s.kind === "tir.AttrStmt" && s.attrKey === "double_buffer_scope" && s.node?.kind === "tir.Var") {
          this.#doubled.set(s.node as Var, { stride: undefined, loop: undefined, writeHalf: undefined, readHalf: undefined });
        }
      },
      expr: (e) => void (e.kind === "tir.Var" && used.add(e)),
    });
    // What is reached through its pointer cannot be shifted.
    for (const v of used) this.#doubled.delete(v);
    return this.#doubled.size === 0 ? body : convertToSSA(this.#stmt(body));
  }

  #stmt(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.AttrStmt":
        return s.attrKey === "double_buffer_scope" ? this.#producer(s.node as Var, s.body) : mapStmtChildren(s, this);
      case "tir.Allocate":
        return this.#allocate(s);
      case "tir.For":
        return this.#for(s);
      case "tir.BufferStore": {
        const mapped = mapStmtChildren(s, this);
        const entry = this.#doubled.get(s.buffer.data);
        if (entry === undefined || mapped.kind !== "tir.BufferStore") return mapped;
        const { writeHalf, stride } = entry;
        if (writeHalf === undefined || stride === undefined) throw new TypeError(`\`${s.buffer.name}\` is written outside of its double buffer scope.`);
        return { ...mapped, buffer: this.#widened(s.buffer, stride), indices: [add(mul(writeHalf, stride), at(mapped.indices, 0))] };
      }
      default:
        return mapStmtChildren(s, this);
    }
  }

  #expr(e: PrimExpr): PrimExpr {
    const mapped = mapExprChildren(e, this);
    if (mapped.kind !== "tir.BufferLoad") return mapped;
    const entry = this.#doubled.get(mapped.buffer.data);
    if (entry === undefined) return mapped;
    const { readHalf, stride } = entry;
    if (readHalf === undefined || stride === undefined) throw new TypeError(`\`${mapped.buffer.name}\` is read before its double buffer scope.`);
    return { ...mapped, buffer: this.#widened(mapped.buffer, stride), indices: [add(mul(readHalf, stride), at(mapped.indices, 0))] };
  }

  #widened(b: Buffer, stride: PrimExpr): Buffer {
    let wide = this.#buffers.get(b);
    if (wide === undefined) {
      if (b.shape.length !== 1) throw new TypeError("`InjectDoubleBuffer` takes flat buffers. Run `FlattenBuffer` first.");
      this.#buffers.set(b, (wide = { ...b, shape: [add(at(b.shape, 0), stride)] }));
    }
    return wide;
  }

  #allocate(s: Allocate): Stmt {
    const entry = this.#doubled.get(s.bufferVar);
    if (entry === undefined) return mapStmtChildren(s, this);
    const [extent] = s.extents;
    if (s.extents.length !== 1 || extent === undefined) throw new TypeError("`InjectDoubleBuffer` takes flat buffers. Run `FlattenBuffer` first.");
    entry.stride = extent;
    let body = this.#stmt(s.body);
    const { loop } = entry;
    if (loop === undefined) return { ...s, body };
    const nest = this.#allocations.get(loop) ?? [];
    this.#allocations.set(loop, nest);
    nest.push((inner) => ({ ...s, extents: [mul(extent, constant(2, extent.dtype))], body: inner }));
    if (body.kind === "tir.DeclBuffer") {
      const wide = this.#widened(body.buffer, extent);
      nest.push((inner) => makeDeclBuffer(wide, inner));
      body = body.body;
    }
    return body;
  }

  #for(s: For): Stmt {
    this.#loops.push(s);
    let out = mapStmtChildren(s, this);
    this.#loops.pop();
    const before = this.#before.get(s);
    if (before !== undefined && out.kind === "tir.For") {
      out = makeSeq([...before, this.#splitLoop === 0 ? out : split(out, this.#splitLoop)]);
    }
    for (const wrap of (this.#allocations.get(s) ?? []).toReversed()) out = wrap(out);
    return out;
  }

  #producer(buffer: Var, scope: Stmt): Stmt {
    const loop = this.#loops.at(-1);
    if (loop === undefined) throw new TypeError(`The double buffer scope of \`${buffer.name}\` is not inside a loop.`);
    const entry = this.#doubled.get(buffer);
    if (entry === undefined) return this.#stmt(scope);
    const { loopVar } = loop;
    const next = add(loopVar, 1);
    const half = makeVar(`${loopVar.name}.db`, loopVar.dtype);
    entry.loop = loop;
    entry.writeHalf = half;
    entry.readHalf = floorMod(loopVar, 2);
    const body = this.#stmt(scope);
    const zero = constant(0, loopVar.dtype);
    const first = this.#before.get(loop) ?? [];
    this.#before.set(loop, first);
    first.push(substitute(body, new Map([[half, zero], [loopVar, zero]])));
    const later = substitute(body, new Map<AnyVar, PrimExpr>([[half, floorMod(next, 2)], [loopVar, next]]));
    return makeIfThenElse(lt(next, loop.extent), makeAttrStmt(buffer, "double_buffer_write", constant(1, "int32"), later));
  }
}

/** The loop but for its last iterations in steps of `factor`, then those. */
function split(loop: For, factor: number): Stmt {
  if (asInt(loop.min) !== 0) throw new TypeError("A double-buffered loop starts at 0.");
  const { loopVar } = loop;
  const by = constant(factor, loop.extent.dtype);
  const outerExtent = div(sub(loop.extent, 1), by);
  const outer = makeVar(`${loopVar.name}.outer`, loopVar.dtype);
  const steps = Array.from({ length: factor }, (_, i) => substitute(loop.body, new Map([[loopVar, add(mul(outer, by), i)]])));
  const tailBase = mul(outerExtent, by);
  const tail = stripWrites(loop.body);
  const rest = Array.from({ length: factor }, (_, i) => {
    const index = add(tailBase, i);
    return makeIfThenElse(lt(index, loop.extent), substitute(tail, new Map([[loopVar, index]])));
  });
  return makeSeq([makeFor(outer, loop.min, outerExtent, makeSeq(steps), { forKind: loop.forKind }), ...rest]);
}

function stripWrites(s: Stmt): Stmt {
  const mapper: ChildMapper = {
    expr: (e) => e,
    stmt: (x) => (x.kind === "tir.AttrStmt" && x.attrKey === "double_buffer_write" ? mapper.stmt(x.body) : mapStmtChildren(x, mapper)),
  };
  return mapper.stmt(s);
}
