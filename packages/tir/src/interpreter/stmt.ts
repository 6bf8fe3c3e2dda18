import { assertNever, at } from "@verticil/ir-core";
import { lanesOf, type DType } from "@verticil/runtime-ffi";
import type { Buffer, MatchBufferRegion } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { makeAttrStmt } from "../ir/make-stmt.ts";
import { substitute } from "../ir/substitute.ts";
import { isConstInt } from "../ir/ops.ts";
import type { AttrStmt, Block, BlockRealize, BufferStore, For, Stmt } from "../ir/stmt.ts";
import { allocationExtents } from "./allocation-extents.ts";
import { compactStrides, elementRun, storeFloat, storeRun } from "./access.ts";
import { compilePointer } from "./call.ts";
import { raise } from "./errors.ts";
import {
  compileBinding,
  compileExpr,
  compileLanes,
  compileNumber,
  compileTest,
  geometryOf,
  nothing,
} from "./expr.ts";
import { compareTest, constantCode, numberRun } from "./code.ts";
import { allocateMemory, scramble, strideBytes, tensorMemory, type Memory } from "./memory.ts";
import { compileThreads, isThreadScope, meetsThreads, type StmtParts } from "./threads.ts";
import { compileNest } from "./nest.ts";
import type { PointerCell } from "./cells.ts";
import type { Scope } from "./scope.ts";

type Run = () => void;

/** Compiles a statement to a closure. */
export function compileStmt(scope: Scope, s: Stmt): Run {
  switch (s.kind) {
    case "tir.LetStmt": {
      if (s.bind.dtype === "handle") {
        const value = compilePointer(scope, s.value);
        const cell = scope.bindPointer(s.bind);
        return inOrder([() => (cell.value = value()), attachImplicit(scope, s.bind), compileStmt(scope, s.body)]);
      }
      return inOrder([compileBinding(scope, s.bind, s.value), compileStmt(scope, s.body)]);
    }
    case "tir.AttrStmt":
      return compileAttr(scope, s);
    case "tir.AssertStmt": {
      const test = compileTest(scope, s.condition);
      const message = s.message.kind === "tir.StringImm" ? s.message.value : "";
      const check = (): void => {
        if (!test()) raise("assertion-failed", { message }, s.span);
      };
      return inOrder([check, compileStmt(scope, s.body)]);
    }
    case "tir.BufferStore":
      return compileStore(scope, s);
    case "tir.Allocate": {
      const allocate = compileAllocation(scope, s.bufferVar, s.dtype, s.extents);
      return inOrder([allocate, attachImplicit(scope, s.bufferVar), compileStmt(scope, s.body)]);
    }
    case "tir.AllocateConst": {
      const cell = scope.bindPointer(s.bufferVar);
      const pointer = tensorMemory(s.data);
      return inOrder([() => (cell.value = pointer), attachImplicit(scope, s.bufferVar), compileStmt(scope, s.body)]);
    }
    case "tir.DeclBuffer":
      return inOrder([compileAttach(scope, s.buffer), compileStmt(scope, s.body)]);
    case "tir.BufferRealize": {
      const body = compileStmt(scope, s.body);
      if (scope.isBound(s.buffer.data)) return body;
      return inOrder([compileAllocation(scope, s.buffer.data, s.buffer.dtype, s.buffer.shape), compileAttach(scope, s.buffer), compileStmt(scope, s.body)]);
    }
    case "tir.Prefetch":
      return nothing;
    case "tir.SeqStmt":
      return inOrder(s.seq.map((x) => compileStmt(scope, x)));
    case "tir.Evaluate": {
      if (s.value.dtype === "handle" && s.value.kind !== "tir.Call") return () => {};
      const runs = compileLanes(scope, s.value).map((c) => c.run);
      return inOrder(runs);
    }
    case "tir.IfThenElse": {
      const test = compileTest(scope, s.condition);
      const yes = compileStmt(scope, s.thenCase);
      const no = s.elseCase && compileStmt(scope, s.elseCase);
      if (no === undefined) {
        return () => {
          if (test()) yes();
        };
      }
      return () => (test() ? yes() : no());
    }
    case "tir.For":
      return compileFor(scope, s);
    case "tir.While": {
      const test = compileTest(scope, s.condition);
      const body = compileStmt(scope, s.body);
      return () => {
        while (test()) body();
      };
    }
    case "tir.Block":
      return compileBlock(scope, s);
    case "tir.BlockRealize":
      return compileRealize(scope, s);
    default:
      return assertNever(s);
  }
}

/** What thread groups are put together from. */
const parts: StmtParts = { stmt: compileStmt, attach: compileAttach, implicit: attachImplicit };

function inOrder(runs: readonly Run[]): Run {
  const some = runs.filter((r) => r !== nothing);
  const [a, b, c] = some;
  if (a === undefined) return nothing;
  if (b === undefined) return a;
  if (c === undefined) {
    return () => {
      a();
      b();
    };
  }
  if (some.length > 6) {
    return () => {
      for (const run of some) run();
    };
  }
  const rest = inOrder(some.slice(2));
  return () => {
    a();
    b();
    rest();
  };
}

function compileFor(scope: Scope, s: For): Run {
  if (s.forKind === "thread_binding" && s.threadBinding !== undefined && meetsThreads(s)) {
    const { var: v, threadTag } = s.threadBinding;
    if (threadTag.startsWith("threadIdx") && !scope.isBound(v)) {
      const thread: IterVar = { kind: "tir.IterVar", dom: undefined, var: v, iterType: "kThreadIndex", threadTag };
      const body = substitute(s.body, new Map([[s.loopVar, v]]));
      return compileAttr(scope, makeAttrStmt(thread, "thread_extent", s.extent, body, s.span));
    }
  }
  const nest = compileNest(scope, s, (x) => compileStmt(scope, x));
  return nest ?? compileLoop(scope, s.loopVar, s.min, s.extent, () => compileStmt(scope, s.body));
}

function compileLoop(scope: Scope, v: Var, min: PrimExpr, extent: PrimExpr, compileBody: () => Run): Run {
  const from = compileExpr(scope, min);
  const count = compileExpr(scope, extent);
  const first = numberRun(from, "A loop's first value", min.span);
  const times = numberRun(count, "An extent", extent.span);
  const cell = scope.bindIndex(v, from.lo, from.hi + Math.max(0, count.hi - 1));
  const body = compileBody();
  return () => {
    const start = first();
    const end = start + times();
    for (let i = start; i < end; i++) {
      cell.value = i;
      body();
    }
  };
}

// Threads run one after the other, up to where they meet if they meet at all.
function compileAttr(scope: Scope, s: AttrStmt): Run {
  if (isThreadScope(s) && !scope.isBound(s.node.var) && meetsThreads(s)) return compileThreads(scope, s, parts);
  if ((s.attrKey === "thread_extent" || s.attrKey === "virtual_thread") && s.node?.kind === "tir.IterVar") {
    const v = (s.node as IterVar).var;
    if (!scope.isBound(v)) {
      const zero: PrimExpr = { kind: "ir.IntImm", dtype: v.dtype, value: 0 };
      return compileLoop(scope, v, zero, s.value, () => compileStmt(scope, s.body));
    }
  }
  return compileStmt(scope, s.body);
}

function compileStore(scope: Scope, s: BufferStore): Run {
  const view = scope.view(s.buffer);
  const geometry = geometryOf(scope, s.buffer);
  const values = compileLanes(scope, s.value);
  const places = values.map((_, lane) =>
    elementRun(view, geometry, s.indices, lane, (i, l) => compileExpr(scope, i, l), s.span),
  );
  const [value, place] = [values[0], places[0]];
  if (values.length === 1 && value !== undefined && place !== undefined && s.predicate === undefined) {
    if (s.buffer.dtype === "float32" && !value.wide && scope.options.checkUninitialized !== true) {
      return storeFloat(view, place, value.run, s.span);
    }
    const store = storeRun(scope, view, place, s.span);
    const { run } = value;
    return () => store(run());
  }
  // All lanes are read before any is written: they may overlap.
  const predicate = s.predicate;
  const tests = values.map((_, lane) => predicate && compileTest(scope, predicate, lanesOf(predicate.dtype) === 1 ? 0 : lane));
  const stores = places.map((p) => storeRun(scope, view, p, s.span));
  return () => {
    const enabled = tests.map((t) => t === undefined || t());
    const computed = values.map((v, i) => (enabled[i] === true ? v.run() : 0));
    for (let i = 0; i < stores.length; i++) if (enabled[i] === true) at(stores, i)(at(computed, i));
  };
}

/** Memory of its own; kept from one execution to the next where the size stays the same, but not its contents. */
function compileAllocation(scope: Scope, v: Var, dtype: DType, extents: readonly PrimExpr[]): Run {
  const runs = extents.map((e) => compileNumber(scope, e, "An extent"));
  const cell = scope.bindPointer(v);
  const element = strideBytes(dtype) * lanesOf(dtype);
  const track = scope.options.checkUninitialized === true;
  let memory: Memory | undefined;
  return () => {
    let bytes = element;
    for (const run of runs) bytes *= Math.max(0, run());
    if (memory === undefined || memory.byteLength !== bytes) {
      memory = allocateMemory(bytes, track);
      cell.value = { memory, byteOffset: 0 };
    } else scramble(memory);
  };
}

/** Attaches the buffers over `v` that nothing declares. */
export function attachImplicit(scope: Scope, v: AnyVar): Run {
  return inOrder((scope.implicit.get(v) ?? []).map((b) => compileAttach(scope, b)));
}

/** Attaches a buffer to its pointer, at its offset, with its shape. */
export function compileAttach(scope: Scope, b: Buffer): Run {
  const view = scope.view(b);
  const pointer: PointerCell = scope.pointer(b.data, b.span);
  const geometry = geometryOf(scope, b);
  const size = strideBytes(b.dtype) * lanesOf(b.dtype);
  const offset = b.elemOffset === undefined || isConstInt(b.elemOffset, 0) ? undefined : compileNumber(scope, b.elemOffset, "An offset");
  const place = (): void => {
    const p = pointer.value ?? raise("undefined-variable", { name: b.data.name }, b.span);
    view.attach(offset === undefined ? p : { memory: p.memory, byteOffset: p.byteOffset + offset() * size });
  };
  if (geometry !== undefined) {
    view.shape = [...geometry.shape];
    view.strides = [...geometry.strides];
    return place;
  }
  const shape = b.shape.map((e) => compileNumber(scope, e, "A dimension"));
  const strides = b.strides.map((e) => compileNumber(scope, e, "A stride"));
  return () => {
    place();
    view.shape = shape.map((f) => f());
    view.strides = strides.length === 0 ? compactStrides(view.shape) : strides.map((f) => f());
  };
}

function compileRealize(scope: Scope, s: BlockRealize): Run {
  const { block } = s;
  const values = s.iterValues.map((e) => compileExpr(scope, e));
  const sets = block.iterVars.map((iv, i) => {
    const code = at(values, i);
    if (!code.wide && code.linear !== undefined) {
      scope.bindCode(iv.var, code);
      return nothing;
    }
    const cell = scope.bindIndex(iv.var, code.lo, code.hi);
    const run = numberRun(code, `A value for \`${iv.var.name}\``, iv.span ?? s.span);
    return () => {
      cell.value = run();
    };
  });
  const always = isConstInt(s.predicate, 1);
  const test = compileTest(scope, s.predicate);
  const body = compileBlock(scope, block);
  const run = inOrder([...sets, body]);
  if (always) return run;
  return () => {
    if (test()) run();
  };
}

function compileBlock(scope: Scope, s: Block): Run {
  const allocations = s.allocBuffers.map((b) => {
    const allocate = compileAllocation(scope, b.data, b.dtype, allocationExtents(b));
    return inOrder([allocate, compileAttach(scope, b), attachImplicit(scope, b.data)]);
  });
  const matches = s.matchBuffers.map((m) => compileMatch(scope, m));
  const init = s.init && compileInit(scope, s, s.init);
  return inOrder([...allocations, ...matches, ...(init ? [init] : []), compileStmt(scope, s.body)]);
}

/** The initial value is stored at the first iteration of the reduction. */
function compileInit(scope: Scope, s: Block, init: Stmt): Run {
  const body = compileStmt(scope, init);
  // The innermost variable decides most of the time: it comes first.
  const test = s.iterVars
    .filter((iv) => iv.iterType === "kCommReduce")
    .map((iv) => compareTest("tir.EQ", compileExpr(scope, iv.var), iv.dom ? compileExpr(scope, iv.dom.min) : constantCode(0)))
    .reduce((rest: (() => boolean) | undefined, first) => (rest === undefined ? first : () => first() && rest()), undefined);
  if (test === undefined) return body;
  return () => {
    if (test()) body();
  };
}

/** Lets a buffer look at a region of another; the variables in its strides and offset take their values from there. */
function compileMatch(scope: Scope, m: MatchBufferRegion): Run {
  const { buffer } = m;
  scope.matched.add(buffer);
  const source = scope.view(m.source.buffer);
  const sourceGeometry = geometryOf(scope, m.source.buffer);
  const mins = m.source.region.map((r) => r.min);
  const place = elementRun(source, sourceGeometry, mins, 0, (e, l) => compileExpr(scope, e, l), m.span);
  const extents = m.source.region.map((r) => compileNumber(scope, r.extent, "An extent"));
  const view = scope.view(buffer);
  const cell = scope.bindPointer(buffer.data);
  const dropped = m.source.region.length - buffer.shape.length;
  const bind = (e: PrimExpr | undefined): ((value: number) => void) => {
    if (e === undefined || (e.kind !== "tir.Var" && e.kind !== "tir.SizeVar") || scope.isBound(e)) return () => {};
    const target = scope.bindIndex(e, -(2 ** 31), 2 ** 31 - 1);
    return (value) => {
      target.value = value;
    };
  };
  const bindShape = buffer.shape.map(bind);
  const bindStrides = buffer.strides.map(bind);
  const bindOffset = bind(buffer.elemOffset);
  const size = strideBytes(buffer.dtype) * lanesOf(buffer.dtype);
  return () => {
    const from = source.pointer ?? raise("undefined-buffer", { name: m.source.buffer.name }, m.span);
    const offset = place();
    cell.value = { memory: from.memory, byteOffset: from.byteOffset };
    view.attach({ memory: from.memory, byteOffset: from.byteOffset + offset * size });
    view.shape = extents.slice(dropped).map((f) => f());
    view.strides = source.strides.slice(dropped);
    view.shape.forEach((d, i) => bindShape[i]?.(d));
    view.strides.forEach((d, i) => bindStrides[i]?.(d));
    bindOffset(offset);
  };
}
