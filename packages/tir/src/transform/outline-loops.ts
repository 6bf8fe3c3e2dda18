import { definePass, makeGlobalVar, withAttrs, withFunctions, type AttrValue, type BaseFunc, type GlobalVar, type Pass } from "@verticil/ir-core";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { makeCall, makeVar } from "../ir/make-expr.ts";
import { makeDeclBuffer, makeEvaluate, makePrimFunc } from "../ir/make-stmt.ts";
import { asInt } from "../ir/ops.ts";
import type { For, PrimFunc, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { visitStmt } from "../ir/visit.ts";
import { settleParallelLoops, type ParallelOptions } from "./settle-parallel-loops.ts";

/** Options of `outlineLoops`. */
export interface OutlineOptions extends ParallelOptions {
  /** Loops of fewer iterations stay; 4 unless told. */
  readonly minExtent?: number;
  /** Loops whose body's loops take fewer iterations altogether stay; 64 unless told. */
  readonly minBody?: number;
}

/**
 * Makes a function of the body of each outermost serial loop that has loops inside. An engine that compiles a function
 * better when it has run for a while uses the better code from the next call on: with one call for each iteration that
 * is soon, with one call for the whole loop it would be too late. Parallel loops that are worth it become parallel loops
 * of such calls, which code generators give to other threads; the others become serial (`settleParallelLoops`). Private
 * functions without calls only; they are flat.
 */
export function outlineLoops(opts: OutlineOptions = {}): Pass {
  const { minExtent = 4, minBody = 64 } = opts;
  return definePass("OutlineLoops", (module) => {
    const names = new Set([...module.functions.keys()].map((gv) => gv.name));
    const functions = new Map<GlobalVar, BaseFunc>();
    let changed = false;
    for (const [gv, func] of module.functions) {
      if (func.kind !== "tir.PrimFunc" || func.attrs["global_symbol"] !== undefined) {
        functions.set(gv, func);
        continue;
      }
      const outliner = new Outliner(gv, func as PrimFunc, names, minExtent, minBody);
      const before = (func as PrimFunc).body;
      const body = outliner.stmt(settleParallelLoops(before, opts));
      for (const [name, made] of outliner.made) functions.set(name, made);
      functions.set(gv, body === before ? func : ({ ...func, body } as PrimFunc));
      changed ||= body !== before;
    }
    return changed ? withFunctions(module, functions) : module;
  });
}

type Range = readonly [lo: number, hi: number];

class Outliner {
  readonly made = new Map<GlobalVar, PrimFunc>();
  readonly #gv: GlobalVar;
  readonly #names: Set<string>;
  readonly #minExtent: number;
  readonly #minBody: number;
  readonly #ranges = new Map<AnyVar, Range>();

  constructor(gv: GlobalVar, func: PrimFunc, names: Set<string>, minExtent: number, minBody: number) {
    this.#gv = gv;
    this.#names = names;
    this.#minExtent = minExtent;
    this.#minBody = minBody;
    const list = func.attrs["param_ranges"];
    if (!Array.isArray(list)) return;
    list.forEach((range: AttrValue, i) => {
      const v = func.params[func.params.length - list.length + i];
      if (v !== undefined && Array.isArray(range)) this.#ranges.set(v, [Number(range[0]), Number(range[1])]);
    });
  }

  stmt(s: Stmt): Stmt {
    switch (s.kind) {
      case "tir.SeqStmt":
      case "tir.LetStmt":
      case "tir.DeclBuffer":
      case "tir.AttrStmt":
        return mapStmtChildren(s, { expr: (e) => e, stmt: (x) => this.stmt(x) });
      case "tir.For":
        if (s.forKind === "parallel" || this.#isLong(s)) return this.#outline(s);
        return hasParallel(s.body) ? { ...s, body: this.stmt(s.body) } : s;
      default:
        return s;
    }
  }

  #isLong(loop: For): boolean {
    if (loop.forKind !== "serial" || asInt(loop.min) === undefined || hasParallel(loop.body)) return false;
    return (this.#leastExtent(loop) ?? 0) >= this.#minExtent && this.#iterations(loop.body) >= this.#minBody;
  }

  #leastExtent(loop: For): number | undefined {
    return asInt(loop.extent) ?? this.#rangeOf(loop.extent)?.[0];
  }

  /** How often the innermost loops of a statement run at least; 0 without loops. */
  #iterations(body: Stmt): number {
    let most = 0;
    visitStmt(body, {
      stmt: (s) => {
        if (s.kind !== "tir.For" || s.forKind !== "serial") return undefined;
        most = Math.max(most, (this.#leastExtent(s) ?? 1) * Math.max(1, this.#iterations(s.body)));
        return "skip";
      },
    });
    return most;
  }

  #rangeOf(e: PrimExpr): Range | undefined {
    return e.kind === "tir.Var" ? this.#ranges.get(e) : undefined;
  }

  #outline(loop: For): Stmt {
    const free = undefinedVars(loop.body);
    if (free.some((v) => v.kind !== "tir.Var")) return loop;
    const last = (asInt(loop.extent) ?? this.#rangeOf(loop.extent)?.[1] ?? 2 ** 31) - 1;
    const low = asInt(loop.min) ?? 0;
    const pointers = free.filter((v): v is Var => v.dtype === "handle");
    const numbers = free.filter((v): v is Var => v.kind === "tir.Var" && v.dtype !== "handle" && v !== loop.loopVar);
    const args = [...pointers, ...numbers, loop.loopVar];
    const fresh = new Map<AnyVar, Var>(args.map((v) => [v, makeVar(v.name, v.dtype)]));
    const body = withDeclarations(substitute(loop.body, fresh), new Set(fresh.values()));
    const ranges = [...numbers.map((v) => this.#ranges.get(v) ?? [-(2 ** 31), 2 ** 31 - 1]), [low, low + last]];
    const made = makePrimFunc(args.map((v) => fresh.get(v) ?? v), body, { attrs: { "tir.is_scheduled": true, "tir.noalias": true } });
    const gv = makeGlobalVar(this.#name());
    this.made.set(gv, withAttrs(made, { param_ranges: ranges.map((r) => [...r]) }) as PrimFunc);
    return { ...loop, body: makeEvaluate(makeCall("void", gv, args)) };
  }

  #name(): string {
    for (let i = 0; ; i++) {
      const name = i === 0 ? `${this.#gv.name}_loop` : `${this.#gv.name}_loop_${i}`;
      if (this.#names.has(name)) continue;
      this.#names.add(name);
      return name;
    }
  }
}

function hasParallel(body: Stmt): boolean {
  let found = false;
  visitStmt(body, { stmt: (s) => void (found ||= s.kind === "tir.For" && s.forKind === "parallel") });
  return found;
}

/** The body with the views of memory declared that are declared outside of it. */
function withDeclarations(body: Stmt, pointers: ReadonlySet<AnyVar>): Stmt {
  const views = new Set<Buffer>();
  visitStmt(body, { buffer: (b) => void (pointers.has(b.data) && views.add(b)) });
  visitStmt(body, { stmt: (s) => void (s.kind === "tir.DeclBuffer" && views.delete(s.buffer)) });
  return [...views].reduceRight((s, b) => makeDeclBuffer(b, s), body);
}
