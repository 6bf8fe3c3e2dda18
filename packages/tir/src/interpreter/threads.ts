import { at } from "@verticil/ir-core";
import { lanesOf } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, Call, CommReducer, IterVar, PrimExpr } from "../ir/expr.ts";
import { makeAllocate, makeDeclBuffer, makeIfThenElse, makeSeq } from "../ir/make-stmt.ts";
import { allOf, eq } from "../ir/ops.ts";
import type { Allocate, AttrStmt, BlockRealize, BufferStore, Stmt } from "../ir/stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { visitStmt } from "../ir/visit.ts";
import { elementRun, storeRun } from "./access.ts";
import { allocationExtents } from "./allocation-extents.ts";
import type { IndexCell } from "./cells.ts";
import { compilePointer } from "./call.ts";
import { raise } from "./errors.ts";
import { compileExpr, compileNumber, compileTest, geometryOf } from "./expr.ts";
import { allocateMemory, strideBytes, type Pointer } from "./memory.ts";
import type { Scalar } from "./scalar.ts";
import type { Scope } from "./scope.ts";

type Run = () => void;

/** How the statements inside of a thread are compiled. */
export interface StmtParts {
  readonly stmt: (scope: Scope, s: Stmt) => Run;
  /** Attaches a declared buffer to its pointer. */
  readonly attach: (scope: Scope, b: Buffer) => Run;
  /** Attaches the buffers over a pointer that nothing declares. */
  readonly implicit: (scope: Scope, v: AnyVar) => Run;
}

/** The declaration of a `threadIdx` variable. */
export function isThreadScope(s: AttrStmt): s is AttrStmt & { readonly node: IterVar } {
  return s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar" && (s.node as IterVar).threadTag.startsWith("threadIdx");
}

const MEETINGS: ReadonlySet<string> = new Set([
  "tir.tvm_storage_sync",
  "tir.tvm_thread_allreduce",
  "tir.tvm_warp_shuffle",
  "tir.tvm_warp_shuffle_up",
  "tir.tvm_warp_shuffle_down",
]);

/** True if threads wait for each other, or exchange values, somewhere in a statement. */
export function meetsThreads(s: Stmt): boolean {
  let found = false;
  visitStmt(s, {
    expr(e) {
      if (e.kind === "tir.Call" && e.op.kind === "ir.Op" && MEETINGS.has(e.op.name)) found = true;
      return found ? "skip" : undefined;
    },
    stmt: () => (found ? "skip" : undefined),
  });
  return found;
}

/**
 * A group of threads that meet: each piece of the program between two meetings is run for all of them, one after the
 * other. What a thread has of its own (its index, `let` values, local memory) is put in place before its turn. A branch
 * that threads take differently is run for those that take it.
 */
export function compileThreads(scope: Scope, s: AttrStmt, parts: StmtParts): Run {
  const axes = axesOf(s).map(({ iv, extent }) => {
    const count = compileNumber(scope, extent, "An extent");
    return { axis: "xyz".indexOf(iv.threadTag.at(-1) ?? "x"), iv, count, extent };
  });
  const cells = axes.map((a) => {
    const code = compileExpr(scope, a.extent);
    return scope.bindIndex(a.iv.var, 0, Math.max(0, code.hi - 1));
  });
  const order = axes.map((_, i) => i).toSorted((i, j) => at(axes, i).axis - at(axes, j).axis);
  const group = new Group(
    order.map((i) => at(cells, i)),
    order.map((i) => at(axes, i).iv.var),
  );
  const body = new Together(scope, group, parts).stmt(s.body);
  const counts = order.map((i) => at(axes, i).count);
  return () => {
    group.start(counts.map((f) => f()));
    body();
  };
}

function axesOf(s: AttrStmt): readonly { readonly iv: IterVar; readonly extent: PrimExpr }[] {
  const found = new Map<AnyVar, { readonly iv: IterVar; readonly extent: PrimExpr }>();
  visitStmt(s, {
    expr: () => "skip",
    stmt: (x) => {
      if (x.kind === "tir.AttrStmt" && isThreadScope(x) && !found.has(x.node.var)) found.set(x.node.var, { iv: x.node, extent: x.value });
    },
  });
  return [...found.values()];
}

/** What a block does at its place, in statements that have no variables of their own. */
function withoutBlock({ block, iterValues, predicate }: BlockRealize): Stmt {
  const values = new Map<AnyVar, PrimExpr>(block.iterVars.map((iv, i) => [iv.var, at(iterValues, i)]));
  const first = allOf(block.iterVars.filter((iv) => iv.iterType === "kCommReduce").map((iv) => eq(iv.var, iv.dom?.min ?? 0)));
  const steps = block.init === undefined ? block.body : makeSeq([makeIfThenElse(first, block.init), block.body]);
  const body = block.allocBuffers.reduceRight<Stmt>((inner, b) => makeAllocate(b.data, b.dtype, allocationExtents(b), makeDeclBuffer(b, inner)), steps);
  return makeIfThenElse(predicate, substitute(body, values), undefined, block.span);
}

class Group {
  readonly vars: readonly AnyVar[];
  readonly #cells: readonly IndexCell[];
  /** Puts what the thread has of its own in place; in the order of declaration. */
  readonly switches: ((thread: number) => void)[] = [];
  extents: readonly number[] = [];
  size = 0;
  /** The threads that run; all of them outside of divergent branches. */
  active: readonly number[] = [];

  constructor(cells: readonly IndexCell[], vars: readonly AnyVar[]) {
    this.#cells = cells;
    this.vars = vars;
  }

  start(extents: readonly number[]): void {
    this.extents = extents;
    this.size = extents.reduce((a, b) => a * b, 1);
    this.active = Array.from({ length: this.size }, (_, i) => i);
  }

  /** The index of a thread along an axis. */
  along(thread: number, axis: number): number {
    let rest = thread;
    for (let i = 0; i < axis; i++) rest = Math.floor(rest / at(this.extents, i));
    return rest % at(this.extents, axis);
  }

  /** Runs `f` as each active thread. */
  each(f: (thread: number) => void): void {
    for (const thread of this.active) {
      this.#cells.forEach((cell, axis) => {
        cell.value = this.along(thread, axis);
      });
      for (const put of this.switches) put(thread);
      f(thread);
    }
  }

  /** The one value of all active threads. @throws DiagnosticError if they differ. */
  common<T>(f: () => T, what: string, at2: Stmt): T | undefined {
    let first: { readonly value: T } | undefined;
    this.each(() => {
      const value = f();
      if (first !== undefined && first.value !== value) raise("divergent-barrier", { what }, at2.span);
      first = { value };
    });
    return first?.value;
  }
}

class Together {
  readonly #scope: Scope;
  readonly #group: Group;
  readonly #parts: StmtParts;
  #combiner: CommReducer | undefined;

  constructor(scope: Scope, group: Group, parts: StmtParts) {
    this.#scope = scope;
    this.#group = group;
    this.#parts = parts;
  }

  stmt(s: Stmt): Run {
    const group = this.#group;
    const scope = this.#scope;
    if (!meetsThreads(s)) {
      const run = this.#parts.stmt(scope, s);
      return () => group.each(run);
    }
    switch (s.kind) {
      case "tir.SeqStmt": {
        const runs = s.seq.map((x) => this.stmt(x));
        return () => {
          for (const run of runs) run();
        };
      }
      case "tir.AttrStmt":
        return this.#attr(s);
      case "tir.Allocate":
        return this.#allocate(s);
      case "tir.DeclBuffer":
        return this.#declare(s.buffer, s.body);
      case "tir.LetStmt":
        return this.#let(s.bind, s.value, s.body);
      case "tir.For": {
        const first = compileExpr(scope, s.min);
        const times = compileExpr(scope, s.extent);
        const from = compileNumber(scope, s.min, "A loop's first value");
        const count = compileNumber(scope, s.extent, "An extent");
        const cell = scope.bindIndex(s.loopVar, first.lo, first.hi + Math.max(0, times.hi - 1));
        const body = this.stmt(s.body);
        return () => {
          const start = group.common(from, "A meeting of threads in this loop", s) ?? 0;
          const end = start + (group.common(count, "A meeting of threads in this loop", s) ?? 0);
          for (let i = start; i < end; i++) {
            cell.value = i;
            body();
          }
        };
      }
      case "tir.While": {
        const test = compileTest(scope, s.condition);
        const body = this.stmt(s.body);
        return () => {
          while (group.common(test, "A meeting of threads in this loop", s) === true) body();
        };
      }
      case "tir.IfThenElse": {
        const test = compileTest(scope, s.condition);
        const yes = this.stmt(s.thenCase);
        const no = s.elseCase && this.stmt(s.elseCase);
        return () => this.#branch(test, yes, no);
      }
      case "tir.AssertStmt": {
        const check = this.#parts.stmt(scope, { ...s, body: { kind: "tir.Evaluate", value: { kind: "ir.IntImm", dtype: "int32", value: 0 } } });
        const body = this.stmt(s.body);
        return () => {
          group.each(check);
          body();
        };
      }
      case "tir.BlockRealize":
        return s.block.matchBuffers.length > 0 ? this.#refuse(s) : this.stmt(withoutBlock(s));
      case "tir.Evaluate":
        return s.value.kind === "tir.Call" ? this.#meet(s.value, s) : this.#refuse(s);
      case "tir.BufferStore":
        return this.#exchange(s);
      default:
        return this.#refuse(s);
    }
  }

  #refuse(s: Stmt): never {
    return raise("cannot-interpret", { what: `A meeting of threads in a \`${s.kind}\`` }, s.span);
  }

  #attr(s: AttrStmt): Run {
    if (s.attrKey === "reduce_scope" && s.node?.kind === "tir.CommReducer") {
      const outer = this.#combiner;
      this.#combiner = s.node as CommReducer;
      const run = this.stmt(s.body);
      this.#combiner = outer;
      return run;
    }
    if (s.attrKey === "thread_extent" && s.node?.kind === "tir.IterVar" && !this.#scope.isBound((s.node as IterVar).var)) {
      const count = compileNumber(this.#scope, s.value, "An extent");
      const cell = this.#scope.bindIndex((s.node as IterVar).var, 0, Math.max(0, compileExpr(this.#scope, s.value).hi - 1));
      const body = this.stmt(s.body);
      return () => {
        const n = count();
        for (let i = 0; i < n; i++) {
          cell.value = i;
          body();
        }
      };
    }
    return this.stmt(s.body);
  }

  /** Shared memory is one for all threads, any other each thread has for itself. */
  #allocate(s: Allocate): Run {
    const group = this.#group;
    const sizes = s.extents.map((e) => compileNumber(this.#scope, e, "An extent"));
    const cell = this.#scope.bindPointer(s.bufferVar);
    const attach = this.#parts.implicit(this.#scope, s.bufferVar);
    const track = this.#scope.options.checkUninitialized === true;
    const element = strideBytes(s.dtype) * lanesOf(s.dtype);
    const type = s.bufferVar.typeAnnotation;
    const shared = type?.kind === "ir.PointerType" && /^(shared|global)/.test(type.storageScope === "" ? "global" : type.storageScope);
    let own: readonly Pointer[] = [];
    const put = (thread: number): void => {
      cell.value = own[shared ? 0 : thread];
      attach();
    };
    const body = this.#within(put, s.body);
    return () => {
      const bytes = sizes.reduce((n, f) => n * Math.max(0, f()), element);
      own = Array.from({ length: shared ? 1 : group.size }, () => ({ memory: allocateMemory(bytes, track), byteOffset: 0 }));
      body();
    };
  }

  #declare(b: Buffer, inner: Stmt): Run {
    const attach = this.#parts.attach(this.#scope, b);
    return this.#within(attach, inner);
  }

  #let(bind: Extract<AnyVar, { kind: "tir.Var" }>, value: PrimExpr, inner: Stmt): Run {
    const group = this.#group;
    if (bind.dtype === "handle") {
      const pointer = compilePointer(this.#scope, value);
      const cell = this.#scope.bindPointer(bind);
      const attach = this.#parts.implicit(this.#scope, bind);
      return this.#within(() => {
        cell.value = pointer();
        attach();
      }, inner);
    }
    if (lanesOf(bind.dtype) !== 1) return raise("cannot-interpret", { what: `The vector \`${bind.name}\` across a meeting of threads` }, value.span);
    const { run } = compileExpr(this.#scope, value);
    const cell = at(this.#scope.bindScalars(bind), 0);
    let values: Scalar[] = [];
    const body = this.#within((thread) => {
      cell.value = values[thread] ?? 0;
    }, inner);
    return () => {
      // Computed once, before anything that others do to what it reads.
      const fresh: Scalar[] = [];
      group.each((thread) => {
        fresh[thread] = run();
      });
      values = fresh;
      body();
    };
  }

  /** Compiles a body in which each thread has something more of its own. */
  #within(put: (thread: number) => void, inner: Stmt): Run {
    const { switches } = this.#group;
    const body = this.stmt(inner);
    return () => {
      switches.push(put);
      body();
      switches.pop();
    };
  }

  #branch(test: () => boolean, yes: Run, no: Run | undefined): void {
    const group = this.#group;
    const before = group.active;
    const taken: number[] = [];
    const others: number[] = [];
    group.each((thread) => void (test() ? taken : others).push(thread));
    for (const [threads, run] of [[taken, yes], [others, no]] as const) {
      if (threads.length === 0 || run === undefined) continue;
      group.active = threads;
      run();
    }
    group.active = before;
  }

  #meet(call: Call, s: Stmt): Run {
    const name = call.op.kind === "ir.Op" ? call.op.name : "";
    if (name === "tir.tvm_thread_allreduce") return this.#allreduce(call, s);
    if (name !== "tir.tvm_storage_sync") return this.#refuse(s);
    const [where] = call.args;
    const warp = where?.kind === "tir.StringImm" && where.value === "warp";
    const group = this.#group;
    return () => {
      if (!warp && group.active.length < group.size) raise("divergent-barrier", { what: "A barrier" }, s.span);
    };
  }

  /** Each thread's values are combined with those of the threads that differ from it in the reduced axes only. */
  #allreduce(call: Call, s: Stmt): Run {
    const scope = this.#scope;
    const group = this.#group;
    const combiner = this.#combiner ?? raise("cannot-interpret", { what: "`tvm_thread_allreduce` outside of a `reduce_scope`" }, s.span);
    const size = combiner.result.length;
    const values = combiner.result.map((_, i) => compileExpr(scope, at(call.args, 1 + i)));
    const test = compileTest(scope, at(call.args, size + 1));
    const reduced = new Set(call.args.slice(2 + 2 * size));
    const kept = group.vars.map((v, axis) => ({ v, axis })).filter(({ v }) => !reduced.has(v));
    const lhs = combiner.lhs.map((v) => at(scope.bindScalars(v), 0));
    const rhs = combiner.rhs.map((v) => at(scope.bindScalars(v), 0));
    const results = combiner.result.map((e) => compileExpr(scope, e));
    const identities = combiner.identityElement.map((e) => compileExpr(scope, e));
    const stores = combiner.result.map((_, i) => {
      const arg = at(call.args, 2 + size + i);
      const load = arg.kind === "tir.Cast" ? arg.value : arg;
      if (load.kind !== "tir.BufferLoad") return this.#refuse(s);
      const view = scope.view(load.buffer);
      const place = elementRun(view, geometryOf(scope, load.buffer), load.indices, 0, (e, l) => compileExpr(scope, e, l), s.span);
      return storeRun(scope, view, place, s.span);
    });
    return () => {
      const sums = new Map<string, readonly Scalar[]>();
      const key = (thread: number): string => kept.map(({ axis }) => group.along(thread, axis)).join();
      group.each((thread) => {
        const mine = test() ? values.map((c) => c.run()) : identities.map((c) => c.run());
        const known = sums.get(key(thread));
        if (known !== undefined) {
          lhs.forEach((cell, i) => (cell.value = at(known, i)));
          rhs.forEach((cell, i) => (cell.value = at(mine, i)));
        }
        sums.set(key(thread), known === undefined ? mine : results.map((c) => c.run()));
      });
      group.each((thread) => {
        const sum = sums.get(key(thread));
        stores.forEach((store, i) => store(sum?.[i] ?? 0));
      });
    };
  }

  /** A store of what another thread of the warp has. */
  #exchange(s: BufferStore): Run {
    const call = s.value;
    if (call.kind !== "tir.Call" || call.op.kind !== "ir.Op" || !call.op.name.startsWith("tir.tvm_warp_shuffle") || s.predicate !== undefined) return this.#refuse(s);
    const scope = this.#scope;
    const group = this.#group;
    const { name } = call.op;
    const value = compileExpr(scope, at(call.args, 1));
    const offset = compileNumber(scope, at(call.args, 2), "A lane");
    const width = compileNumber(scope, at(call.args, 3), "A width");
    const warp = compileNumber(scope, at(call.args, 4), "A warp's size");
    const view = scope.view(s.buffer);
    const place = elementRun(view, geometryOf(scope, s.buffer), s.indices, 0, (e, l) => compileExpr(scope, e, l), s.span);
    const store = storeRun(scope, view, place, s.span);
    return () => {
      const offered = new Map<number, Scalar>();
      group.each((thread) => void offered.set(thread, value.run()));
      group.each((thread) => {
        const size = warp();
        const start = Math.floor(thread / size) * size;
        const lane = thread - start;
        const segment = Math.floor(lane / width()) * width();
        const by = offset();
        const from = name.endsWith("_down") ? lane + by : name.endsWith("_up") ? lane - by : segment + (((by % width()) + width()) % width());
        const valid = from >= segment && from < segment + width();
        // A lane outside of the segment, or one that does not run, leaves a thread its own value.
        store(offered.get(valid ? start + from : thread) ?? offered.get(thread) ?? 0);
      });
    };
  }
}
