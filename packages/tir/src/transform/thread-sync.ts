import { Diagnostics, throwIfErrors, type Pass } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, Call, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeStringImm } from "../ir/make-expr.ts";
import { makeEvaluate, makeSeq } from "../ir/make-stmt.ts";
import { mapStmtChildren } from "../ir/map-children.ts";
import { intrin } from "../ir/ops.ts";
import type { For, Stmt } from "../ir/stmt.ts";
import { forEachExprChild } from "../ir/visit.ts";
import { transformDiagnostics } from "./diagnostics.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Puts barriers between accesses of different threads to memory of a scope, `shared` or another: before a read of what
 * others may have written, and before a write of what they may still read, around the loop included (upstream's
 * `ThreadSync`). Accesses of one place that depends on the innermost thread do not meet.
 * @throws DiagnosticError if a barrier would have to stand under a condition.
 */
export function threadSync(storageScope: string): Pass {
  return bodyPass("ThreadSync", (body) => {
    const barriers = new Planner(storageScope).plan(body);
    return barriers.size === 0 ? body : insert(body, barriers, storageScope);
  });
}

interface Access {
  readonly type: "read" | "write" | "sync";
  readonly buffer: AnyVar | undefined;
  /** One index a dimension; undefined for one that is not a single place. */
  readonly touched: readonly (PrimExpr | undefined)[];
  readonly threads: readonly IterVar[];
  /** A write to the half of a double buffer that nobody reads in this iteration. */
  readonly doubleBuffered: boolean;
}

interface Entry {
  readonly stmt: Stmt;
  readonly access: readonly Access[];
}

class Planner {
  readonly #scope: string;
  readonly #barriers = new Set<Stmt>();
  readonly #threads: IterVar[] = [];
  readonly #diagnostics = new Diagnostics();
  #entries: Entry[] = [];
  #inKernel = false;
  #conditions = 0;
  #dynamic: AnyVar | undefined;

  constructor(scope: string) {
    this.#scope = scope;
  }

  plan(body: Stmt): ReadonlySet<Stmt> {
    this.#visit(body);
    throwIfErrors(this.#diagnostics);
    return this.#barriers;
  }

  /** The entries of what `f` visits. */
  #scoped(f: () => void): Entry[] {
    const outer = this.#entries;
    this.#entries = [];
    f();
    const inner = this.#entries;
    this.#entries = outer;
    return inner;
  }

  #visit(s: Stmt): void {
    switch (s.kind) {
      case "tir.BufferStore": {
        const access = [...this.#ofBuffer("write", s.buffer, s.indices), ...[s.value, ...s.indices].flatMap((e) => this.#ofExpr(e))];
        this.#entries.push({ stmt: s, access });
        return;
      }
      case "tir.Evaluate": {
        const access = this.#ofExpr(s.value);
        if (access.length > 0) this.#entries.push({ stmt: s, access });
        return;
      }
      case "tir.LetStmt":
        this.#entries.push({ stmt: s, access: this.#ofExpr(s.value) });
        return this.#visit(s.body);
      case "tir.AttrStmt":
        if (s.attrKey === "double_buffer_write") {
          const written = this.#summarize(this.#scoped(() => this.#visit(s.body)), undefined);
          const access = written.map((a) => (a.type === "write" && a.buffer === s.node ? { ...a, doubleBuffered: true } : a));
          if (access.length > 0) this.#entries.push({ stmt: s, access });
          return;
        }
        if (s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar") return this.#thread(s.node as IterVar, s.body);
        if (s.attrKey === "hand_threaded") return;
        return this.#visit(s.body);
      case "tir.For": {
        const access = this.#summarize(this.#scoped(() => this.#visit(s.body)), s);
        if (access.length > 0) this.#entries.push({ stmt: s, access: access.map((a) => relaxed(a, s.loopVar)) });
        return;
      }
      case "tir.IfThenElse": {
        const invariant = isInvariant(s.condition);
        if (!invariant) this.#conditions++;
        const { elseCase } = s;
        const access = [
          ...this.#ofExpr(s.condition),
          ...this.#summarize(this.#scoped(() => this.#visit(s.thenCase)), undefined),
          ...(elseCase ? this.#summarize(this.#scoped(() => this.#visit(elseCase)), undefined) : []),
        ];
        this.#entries.push({ stmt: s, access });
        if (!invariant) this.#conditions--;
        return;
      }
      case "tir.While": {
        const invariant = isInvariant(s.condition);
        if (!invariant) this.#conditions++;
        this.#entries.push({ stmt: s, access: [...this.#ofExpr(s.condition), ...this.#summarize(this.#scoped(() => this.#visit(s.body)), undefined)] });
        if (!invariant) this.#conditions--;
        return;
      }
      default:
        mapStmtChildren(s, {
          expr: (e) => e,
          stmt: (x) => {
            this.#visit(x);
            return x;
          },
        });
    }
  }

  #thread(iv: IterVar, body: Stmt): void {
    this.#threads.push(iv);
    if (this.#inKernel) this.#visit(body);
    else {
      this.#inKernel = true;
      this.#summarize(this.#scoped(() => this.#visit(body)), undefined);
      this.#inKernel = false;
    }
    this.#threads.pop();
  }

  #ofBuffer(type: "read" | "write", b: Buffer, indices: readonly PrimExpr[]): Access[] {
    const touched = indices.map((e) => (lanesOf(e.dtype) === 1 ? e : undefined));
    return this.#ofPointer(type, b.data, touched);
  }

  #ofPointer(type: "read" | "write", pointer: AnyVar, touched: Access["touched"]): Access[] {
    const annotation = pointer.kind === "tir.Var" ? pointer.typeAnnotation : undefined;
    const scope = annotation?.kind === "ir.PointerType" && annotation.storageScope !== "" ? annotation.storageScope : "global";
    if (!this.#inKernel || scope !== this.#scope) return [];
    // Dynamic shared memory is one piece, whatever the names in it.
    const buffer = scope === "shared.dyn" ? (this.#dynamic ??= pointer) : pointer;
    return [{ type, buffer, touched, threads: [...this.#threads], doubleBuffered: false }];
  }

  #ofExpr(e: PrimExpr): Access[] {
    const out: Access[] = [];
    if (e.kind === "tir.BufferLoad") out.push(...this.#ofBuffer("read", e.buffer, e.indices));
    if (e.kind === "tir.Call" && e.op.kind === "ir.Op") {
      if (e.op.name === "tir.tvm_access_ptr") out.push(...this.#ofAccessPointer(e));
      if (e.op.name === "tir.tvm_storage_sync" && !(e.args[0]?.kind === "tir.StringImm" && e.args[0].value === "warp")) {
        out.push({ type: "sync", buffer: undefined, touched: [], threads: [...this.#threads], doubleBuffered: false });
      }
      if (e.op.name === "tir.address_of" && e.args[0]?.kind === "tir.BufferLoad") {
        return e.args[0].indices.flatMap((x) => this.#ofExpr(x));
      }
    }
    forEachExprChild(e, (c) => void out.push(...this.#ofExpr(c)));
    return out;
  }

  #ofAccessPointer(e: Call): Access[] {
    const [, pointer, , , flags] = e.args;
    const mask = flags?.kind === "ir.IntImm" ? Number(flags.value) : 3;
    if (pointer?.kind !== "tir.Var") return [];
    return [...(mask & 1 ? this.#ofPointer("read", pointer, [undefined]) : []), ...(mask & 2 ? this.#ofPointer("write", pointer, [undefined]) : [])];
  }

  #mark(s: Stmt): void {
    if (this.#conditions > 0) this.#diagnostics.reporter("tir", transformDiagnostics)("barrier-in-condition", { scope: this.#scope }, s.span);
    this.#barriers.add(s);
  }

  /** Plans barriers in a sequence; gives what can still meet accesses before or after it. */
  #summarize(seq: readonly Entry[], loop: For | undefined): Access[] {
    let reads: Access[] = [];
    let writes: Access[] = [];
    const clear = (): void => {
      reads = [];
      writes = [];
    };
    const meets = (access: readonly Access[], carried: boolean): boolean => {
      for (const a of access) {
        if (a.type === "sync") clear();
        else if ((a.type === "read" ? writes : reads).some((x) => conflict(x, a, carried))) return true;
      }
      return false;
    };
    for (const { stmt, access } of seq) {
      let before = this.#barriers.has(stmt);
      if (before) clear();
      if (meets(access, false)) before = true;
      if (before) clear();
      for (const a of access) {
        if (a.type === "sync") clear();
        else (a.type === "read" ? reads : writes).push(a);
      }
      if (before) this.#mark(stmt);
    }
    if (loop !== undefined) {
      // Once more around: the next iteration's accesses meet this one's.
      for (const { stmt, access } of seq) {
        if (this.#barriers.has(stmt) || (reads.length === 0 && writes.length === 0)) break;
        if (!meets(access, true)) continue;
        this.#mark(stmt);
        break;
      }
    }
    return this.#exposed(seq, loop !== undefined);
  }

  /** What comes before the first barrier, and after the last. */
  #exposed(seq: readonly Entry[], isLoop: boolean): Access[] {
    const head: Access[] = [];
    let tail: Access[] = [];
    let barriers = 0;
    const barrier = (): void => {
      if (barriers++ !== 0) tail = [];
      else head.push({ type: "sync", buffer: undefined, touched: [], threads: [...this.#threads], doubleBuffered: false });
    };
    for (const { stmt, access } of seq) {
      if (this.#barriers.has(stmt)) barrier();
      for (const a of access) {
        if (a.type === "sync") barrier();
        else (barriers !== 0 ? tail : head).push(a);
      }
    }
    const all = [...head, ...tail];
    return isLoop ? all.map((a) => (a.doubleBuffered ? { ...a, doubleBuffered: false } : a)) : all;
  }
}

function isInvariant(condition: PrimExpr): boolean {
  return condition.kind === "tir.Call" && condition.op.kind === "ir.Op" && condition.op.name === "tir.tvm_thread_invariant";
}

/** An access while a loop runs: an index that the loop changes is no single place any more. */
function relaxed(a: Access, loopVar: Var): Access {
  if (a.type === "sync" || !a.touched.some((e) => e !== undefined && usesVar(e, loopVar))) return a;
  return { ...a, touched: a.touched.map((e) => (e !== undefined && usesVar(e, loopVar) ? undefined : e)) };
}

function conflict(before: Access, now: Access, carried: boolean): boolean {
  if (before.buffer !== now.buffer) return false;
  const inner = now.threads.at(-1)?.var;
  let apart = true;
  for (const [i, x] of before.touched.entries()) {
    const y = now.touched[i];
    const same = x !== undefined && y !== undefined && exprDeepEqual(x, y);
    const ownPlace = inner === undefined || (x !== undefined && y !== undefined && usesVar(x, inner) && usesVar(y, inner));
    apart = same && ownPlace;
    if (!apart) break;
  }
  // A place of the thread's own.
  if (apart) return false;
  return !(before.doubleBuffered && now.type === "read" && !carried);
}

function insert(body: Stmt, barriers: ReadonlySet<Stmt>, scope: string): Stmt {
  const visit = (s: Stmt): Stmt => {
    const mapped = mapStmtChildren(s, { expr: (e) => e, stmt: visit });
    if (!barriers.has(s)) return mapped;
    return makeSeq([makeEvaluate(intrin("tvm_storage_sync", "int32", [makeStringImm(scope)])), mapped]);
  };
  return visit(body);
}
