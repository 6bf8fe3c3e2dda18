import { makeGlobalVar, makeIRModule, makeIntImm, makeFloatImm, makeOp, makePointerType, makePrimType, type IRModule } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import fc from "fast-check";
import type { Buffer } from "../../ir/buffer.ts";
import type { BinaryKind, PrimExpr, Var } from "../../ir/expr.ts";
import {
  makeBinary,
  makeBroadcast,
  makeBufferLoad,
  makeCall,
  makeCast,
  makeIterVar,
  makeLet,
  makeNot,
  makeRamp,
  makeRange,
  makeSelect,
  makeStringImm,
  makeVar,
} from "../../ir/make-expr.ts";
import {
  makeAllocate,
  makeAssertStmt,
  makeAttrStmt,
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeBufferRegion,
  makeBufferStore,
  makeDeclBuffer,
  makeEvaluate,
  makeFor,
  makeIfThenElse,
  makeLetStmt,
  makePrimFunc,
  makeSeq,
  makeWhile,
} from "../../ir/make-stmt.ts";
import { needsRoot } from "../root-block.ts";
import type { ForKind, Stmt } from "../../ir/stmt.ts";

/** What is in scope: variables of one type each, and buffers of float32 with one dimension. */
interface Scope {
  readonly ints: readonly Var[];
  readonly buffers: readonly Buffer[];
  readonly inBlock: boolean;
}

type Make<T> = (scope: Scope) => T;

const INT: DType = "int32";

function pick<T>(list: readonly T[], index: number, otherwise: T): T {
  return list.length === 0 ? otherwise : (list[index % list.length] ?? otherwise);
}

const { int, bool, float } = fc.letrec<{ int: Make<PrimExpr>; bool: Make<PrimExpr>; float: Make<PrimExpr> }>((tie) => {
  const sized = { maxDepth: 3, depthSize: "small" } as const;
  const intLeaf = fc.oneof(
    fc.integer({ min: -3, max: 9 }).map((n): Make<PrimExpr> => () => makeIntImm(n, INT)),
    fc.nat(9).map((i): Make<PrimExpr> => (s) => pick<PrimExpr>(s.ints, i, makeIntImm(i, INT))),
  );
  const arith = fc.constantFrom<BinaryKind>("tir.Add", "tir.Sub", "tir.Mul", "tir.FloorDiv", "tir.FloorMod", "tir.Div", "tir.Mod", "tir.Min", "tir.Max");
  const floats = fc.constantFrom<BinaryKind>("tir.Add", "tir.Sub", "tir.Mul", "tir.Div", "tir.Min", "tir.Max");
  const compare = fc.constantFrom<BinaryKind>("tir.LT", "tir.LE", "tir.EQ", "tir.NE", "tir.GT", "tir.GE");
  const two = (a: fc.Arbitrary<Make<PrimExpr>>, kinds: fc.Arbitrary<BinaryKind>): fc.Arbitrary<Make<PrimExpr>> =>
    fc.tuple(kinds, a, a).map(([k, x, y]): Make<PrimExpr> => (s) => makeBinary(k, x(s), y(s)));
  return {
    int: fc.oneof(
      sized,
      intLeaf,
      two(tie("int"), arith),
      fc.tuple(tie("bool"), tie("int"), tie("int")).map(([c, a, b]): Make<PrimExpr> => (s) => makeSelect(c(s), a(s), b(s))),
      fc.tuple(tie("int"), tie("int")).map(([value, body]): Make<PrimExpr> => (s) => {
        const bind = makeVar("x", INT);
        return makeLet(bind, value(s), body({ ...s, ints: [...s.ints, bind] }));
      }),
      tie("float").map((e): Make<PrimExpr> => (s) => makeCast(INT, e(s))),
    ),
    bool: fc.oneof(
      sized,
      fc.boolean().map((b): Make<PrimExpr> => () => makeIntImm(b ? 1 : 0, "bool")),
      two(tie("int"), compare),
      two(tie("float"), compare),
      two(tie("bool"), fc.constantFrom<BinaryKind>("tir.And", "tir.Or")),
      tie("bool").map((e): Make<PrimExpr> => (s) => makeNot(e(s))),
    ),
    float: fc.oneof(
      sized,
      fc.double({ noNaN: false }).map((x): Make<PrimExpr> => () => makeFloatImm(x, "float32")),
      fc.tuple(fc.nat(9), tie("int")).map(([i, at]): Make<PrimExpr> => (s) => {
        const [first] = s.buffers;
        return first === undefined ? makeFloatImm(i, "float32") : makeBufferLoad(pick(s.buffers, i, first), [at(s)]);
      }),
      two(tie("float"), floats),
      tie("float").map((e): Make<PrimExpr> => (s) => makeCall("float32", makeOp("tir.exp"), [e(s)])),
      fc.tuple(tie("bool"), tie("float"), tie("float")).map(([c, a, b]): Make<PrimExpr> => (s) => makeCall("float32", makeOp("tir.if_then_else"), [c(s), a(s), b(s)])),
      tie("int").map((e): Make<PrimExpr> => (s) => makeCast("float32", e(s))),
    ),
  };
});

const { stmt } = fc.letrec<{ stmt: Make<Stmt>; list: Make<Stmt> }>((tie) => {
  const name = fc.constantFrom("i", "x", "A", "T", "for", "a.b", "");
  const loop = fc.tuple(name, fc.constantFrom<ForKind>("serial", "parallel", "vectorized", "unrolled", "thread_binding"), int, int, tie("list"), fc.boolean());
  return {
    stmt: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      int.map((e): Make<Stmt> => (s) => makeEvaluate(e(s))),
      fc.tuple(fc.nat(9), int, float).map(([i, at, value]): Make<Stmt> => (s) => {
        const [first] = s.buffers;
        return first === undefined ? makeEvaluate(value(s)) : makeBufferStore(pick(s.buffers, i, first), value(s), [at(s)]);
      }),
      fc.tuple(fc.nat(9), int, float, fc.integer({ min: 2, max: 4 })).map(([i, at, value, lanes]): Make<Stmt> => (s) => {
        const [first] = s.buffers;
        if (first === undefined) return makeEvaluate(value(s));
        return makeBufferStore(pick(s.buffers, i, first), makeBroadcast(value(s), lanes), [makeRamp(at(s), makeIntImm(1, INT), lanes)]);
      }),
      loop.map(([n, forKind, min, extent, body, annotated]): Make<Stmt> => (s) => {
        const v = makeVar(n, INT);
        const inner = body({ ...s, ints: [...s.ints, v] });
        const threadBinding = forKind === "thread_binding" ? makeIterVar(undefined, makeVar("", INT), "kThreadIndex", "threadIdx.x") : undefined;
        return makeFor(v, min(s), extent(s), inner, { forKind, threadBinding, annotations: annotated ? { k: [1, "x"] } : {} });
      }),
      fc.tuple(name, tie("list"), fc.integer({ min: 1, max: 4 })).map(([n, body, extent]): Make<Stmt> => (s) => {
        const v = makeVar(n, INT);
        return makeFor(v, makeIntImm(0, INT), makeIntImm(extent, INT), body({ ...s, ints: [...s.ints, v] }));
      }),
      fc.tuple(bool, tie("list"), fc.option(tie("list"))).map(([c, a, b]): Make<Stmt> => (s) => makeIfThenElse(c(s), a(s), b === null ? undefined : b(s))),
      fc.tuple(bool, tie("list")).map(([c, body]): Make<Stmt> => (s) => makeWhile(c(s), body(s))),
      fc.tuple(name, int, tie("list")).map(([n, value, body]): Make<Stmt> => (s) => {
        const bind = makeVar(n, INT);
        return makeLetStmt(bind, value(s), body({ ...s, ints: [...s.ints, bind] }));
      }),
      fc.tuple(name, int, tie("list"), fc.constantFrom("global", "local")).map(([n, extent, body, scope]): Make<Stmt> => (s) => {
        const size = extent(s);
        const buffer = makeBuffer(n, [size], "float32", { scope });
        return makeAllocate(buffer.data, "float32", [size], makeDeclBuffer(buffer, body({ ...s, buffers: [...s.buffers, buffer] })));
      }),
      fc.tuple(name, int, tie("list")).map(([n, extent, body]): Make<Stmt> => (s) => {
        const data = makeVar(n, "handle", makePointerType(makePrimType("float32"), "shared"));
        const buffer = makeBuffer("view", [extent(s)], "float32", { data, scope: "shared" });
        const inner = makeDeclBuffer(buffer, body({ ...s, buffers: [...s.buffers, buffer] }));
        return makeAllocate(data, "float32", [extent(s), makeIntImm(4, INT)], inner, { annotations: { k: 1 } });
      }),
      fc.tuple(int, tie("list")).map(([value, body]): Make<Stmt> => (s) => makeAttrStmt(makeIntImm(0, INT), "pragma", value(s), body(s))),
      fc.tuple(int, tie("list"), fc.constantFrom("threadIdx.x", "blockIdx.y", "vthread.x")).map(([extent, body, tag]): Make<Stmt> => (s) => {
        const v = makeVar("tx", INT);
        const size = extent(s);
        const iter = makeIterVar(makeRange(makeIntImm(0, INT), size), v, "kThreadIndex", tag);
        const key = tag.startsWith("vthread") ? "virtual_thread" : "thread_extent";
        return makeAttrStmt(iter, key, size, body({ ...s, ints: [...s.ints, v] }));
      }),
      fc.tuple(bool, tie("list")).map(([c, body]): Make<Stmt> => (s) => makeAssertStmt(c(s), makeStringImm('say "no"'), body(s))),
      fc.tuple(name, int, int, bool, tie("list"), fc.boolean()).map(([n, extent, value, where, body, isReduce]): Make<Stmt> => (s) => {
        const v = makeVar(n, INT);
        const iter = makeIterVar(makeRange(makeIntImm(0, INT), extent(s)), v, isReduce ? "kCommReduce" : "kDataPar");
        const [first] = s.buffers;
        const allocated = makeBuffer("alloc", [4]);
        const inside: Scope = { ints: [...s.ints, v], buffers: [...s.buffers, allocated], inBlock: true };
        const regions = first === undefined ? [] : [makeBufferRegion(first, [makeRange(v, makeIntImm(2, INT))])];
        const init = isReduce && first !== undefined ? makeBufferStore(first, makeFloatImm(0, "float32"), [v]) : undefined;
        const block = makeBlock("block", [iter], regions, regions, body(inside), { allocBuffers: [allocated], init, annotations: { k: "v" } });
        return makeBlockRealize([value(s)], where(s), block);
      }),
    ),
    list: fc.array(tie("stmt"), { minLength: 1, maxLength: 3 }).map((items): Make<Stmt> => (s) => makeSeq(items.map((m) => m(s)))),
  };
});

/** Modules of one tensor program with any statements and expressions: correct in types, not in sense. */
export const randomModule: fc.Arbitrary<IRModule> = fc.tuple(stmt, fc.boolean()).map(([body, isPrivate]) => {
  const [a, n] = [makeVar("a", "handle"), makeVar("n", INT)];
  const buffer = makeBuffer("A", [16]);
  const inner = body({ ints: [n], buffers: [buffer], inBlock: false });
  // A root block is there where the reader puts one.
  const root = needsRoot(inner, []) ? makeBlockRealize([], makeIntImm(1, "bool"), makeBlock("root", [], [], [], inner)) : inner;
  const func = makePrimFunc([a, n], root, { bufferMap: new Map([[a, buffer]]), attrs: isPrivate ? {} : { global_symbol: "main" } });
  return makeIRModule(new Map([[makeGlobalVar("main"), func]]));
});
