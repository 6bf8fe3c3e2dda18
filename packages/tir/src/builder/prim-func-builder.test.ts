import { makeFloatImm } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { parseFunction, print } from "@verticil/tvmscript";
import { firstMismatch } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { tirFields } from "../ir/fields.ts";
import { makeVar } from "../ir/make-expr.ts";
import { add, constant, lt, mul } from "../ir/ops.ts";
import { isStmt, visitStmt } from "../ir/visit.ts";
import { tir } from "../script/tir-script.ts";
import { bufferParam, primFunc, scalarParam } from "./prim-func-builder.ts";
import { element, opaqueAxis, reduceAxis, region, scanAxis, spatialAxis } from "./stmt-builder.ts";

const dialects = [tir];

function expectText(func: ReturnType<typeof primFunc>, body: string): void {
  const text = `# from tvm.script import tir as T\n\n${body.trim()}`;
  expect(print(func, { dialects })).toBe(text);
  expect(firstMismatch(func, parseFunction(text, { dialects }), { dialects })?.path).toBeUndefined();
}

test("a matrix product with a fused step, as it is written", () => {
  const func = primFunc("main", { A: bufferParam([128, 64]), B: bufferParam([64, 32]), C: bufferParam([128, 32]) }, ({ A, B, C }, f) => {
    const D = f.alloc("D", [128, 32]);
    f.grid({ i: 128, j: 32, k: 64 }, ({ i, j, k }, b) =>
      b.block("matmul", { vi: spatialAxis(128, i), vj: spatialAxis(32, j), vk: reduceAxis(64, k) }, ({ vi, vj, vk }, blk) => {
        blk.init((b0) => b0.store(D, [vi, vj], 0));
        blk.store(D, [vi, vj], add(element(D, vi, vj), mul(element(A, vi, vk), element(B, vk, vj))));
      }),
    );
    f.grid({ i: 128, j: 32 }, ({ i, j }, b) =>
      b.block("scale", { vi: spatialAxis(128, i), vj: spatialAxis(32, j) }, ({ vi, vj }, blk) => blk.store(C, [vi, vj], mul(element(D, vi, vj), makeFloatImm(0.5)))),
    );
  });
  expectText(
    func,
    `
@T.prim_func
def main(A: T.Buffer((128, 64), "float32"), B: T.Buffer((64, 32), "float32"), C: T.Buffer((128, 32), "float32")):
    # with T.block("root"):
    D = T.alloc_buffer((128, 32))
    for i, j, k in T.grid(128, 32, 64):
        with T.block("matmul"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            T.reads(A[vi, vk], B[vk, vj])
            T.writes(D[vi, vj])
            with T.init():
                D[vi, vj] = T.float32(0.0)
            D[vi, vj] = D[vi, vj] + A[vi, vk] * B[vk, vj]
    for i, j in T.grid(128, 32):
        with T.block("scale"):
            vi, vj = T.axis.remap("SS", [i, j])
            T.reads(D[vi, vj])
            T.writes(C[vi, vj])
            C[vi, vj] = D[vi, vj] * T.float32(0.5)`,
  );
});

test("loops of all kinds, branches, bindings, sizes that are not known", () => {
  const n = makeVar("n", "int64");
  const func = primFunc("main", { A: bufferParam([n]), m: scalarParam("int32") }, ({ A, m }, f) => {
    f.loop("i", 8, (i, b) => b.if(lt(i, m), (b1) => b1.store(A, [i], 1), (b2) => b2.evaluate(i)), { thread: "threadIdx.x" });
    f.let("x", add(m, m), (x, b) => b.loop("j", x, (j, b1) => b1.store(A, [j], j), { kind: "parallel", annotations: { k: 1 } }));
  }, { isPrivate: true, attrs: { op_pattern: 0 } });
  expectText(
    func,
    `
@T.prim_func(private=True)
def main(A_handle: T.handle, m: T.int32):
    T.func_attr({"op_pattern": 0})
    n = T.int64()
    A = T.match_buffer(A_handle, (n,))
    for i in T.thread_binding(8, thread="threadIdx.x"):
        if i < m:
            A[i] = T.float32(1.0)
        else:
            T.evaluate(i)
    x: T.int32 = m + m
    for j in T.parallel(x, annotations={"k": 1}):
        A[j] = T.Cast("float32", j)`,
  );
});

test("whatever else a program may say: memory, threads, attributes, conditions, views", () => {
  const func = primFunc("main", { A: bufferParam([64]), B: bufferParam([64]), n: scalarParam("int32") }, ({ A, B, n }, f) => {
    f.assert(lt(n, constant(64, "int32")), "n is small", (b) => {
      b.launchThread("threadIdx.x", 8, (tx, b1) => {
        b1.attr(undefined, "pragma", 1, (b2) => b2.store(A, [tx], 0));
        b1.allocate("acc", [4], "float32", (acc, b2) => {
          b2.store(acc, [0], element(A, tx));
          b2.while(lt(n, constant(3, "int32")), (b3) => b3.store(acc, [0], add(element(acc, 0), element(B, tx))));
          b2.declBuffer("view", [2, 2], "float32", { data: acc.data, scope: "local" }, (view, b3) => b3.store(B, [tx], element(view, 0, 0)));
        }, { scope: "local" });
        b1.allocateConst("table", tensorFrom([1, 2], [2], "int32"), (table, b2) => b2.loop("i", 2, (i, b3) => b3.store(A, [i], element(table, 0)), { min: 4, kind: "unrolled" }));
      });
    });
  });
  expectText(
    func,
    `
@T.prim_func
def main(A: T.Buffer((64,), "float32"), B: T.Buffer((64,), "float32"), n: T.int32):
    assert n < 64, "n is small"
    threadIdx_x = T.launch_thread("threadIdx.x", 8)
    with T.attr(None, "pragma", 1):
        A[threadIdx_x] = T.float32(0.0)
    with T.decl_buffer((4,), scope="local") as acc:
        acc[0] = A[threadIdx_x]
        while n < 3:
            acc[0] = acc[0] + B[threadIdx_x]
        view = T.decl_buffer((2, 2), data=acc.data, scope="local")
        B[threadIdx_x] = view[0, 0]
    table = T.allocate_const([1, 2], "int32", [2])
    table_1 = T.decl_buffer((2,), "int32", data=table)
    for i in T.unroll(4, 6):
        A[i] = T.Cast("float32", table_1[0])`,
  );
});

test("blocks of all kinds, with what they read and write said, and parts of buffers as buffers", () => {
  const func = primFunc("main", { A: bufferParam([64, 64]), B: bufferParam([64, 64]) }, ({ A, B }, f) => {
    f.grid({ i: 64, j: 4 }, ({ i, j }, b) => {
      b.block("copy", { vi: scanAxis(64, i), vj: opaqueAxis(4, j) }, ({ vi, vj }, blk) => {
        const part = blk.match("part", region(B, vi, [mul(vj, constant(16, "int32")), 16]), [16], { offsetFactor: 1, elemOffset: makeVar("off"), strides: [makeVar("s")] });
        blk.store(part, [0], element(A, vi, vj));
        blk.reads(region(A));
        blk.writes(region(B, vi));
      }, { where: lt(j, i), annotations: { k: "v" } });
    });
  });
  const text = print(func, { dialects });
  for (const line of [
    "vi = T.axis.scan(64, i)",
    "vj = T.axis.opaque(4, j)",
    "T.where(j < i)",
    "T.reads(A[0:64, 0:64])",
    "T.writes(B[vi, 0:64])",
    'T.block_attr({"k": "v"})',
    "part = T.match_buffer(B[vi, vj * 16:vj * 16 + 16], (16,)",
  ]) {
    expect(text).toContain(line);
  }
  expect(firstMismatch(func, parseFunction(text, { dialects }), { dialects })?.path).toBeUndefined();
});

test("a program that returns a number", () => {
  const func = primFunc("main", { n: scalarParam("int32") }, ({ n }, f) => f.ret(add(n, n)));
  expectText(func, "@T.prim_func\ndef main(n: T.int32):\n    return n + n");
});

test("the compiler knows what parameters and axes there are", () => {
  primFunc("f", { A: bufferParam([4]), n: scalarParam() }, (args, f) => {
    // @ts-expect-error There is no such parameter.
    expect(args.B).toBeUndefined();
    // @ts-expect-error A number has no elements.
    expect(() => element(args.n, 0)).toThrow();
    f.grid({ i: 4 }, (vars) => {
      // @ts-expect-error There is no such loop.
      expect(vars.j).toBeUndefined();
    });
  });
});

test("parts of buffers that are realized and prefetched", () => {
  const func = primFunc("main", { A: bufferParam([16]) }, ({ A }, f) => {
    f.realize(region(A, [0, 16]), "shared", (b) => {
      b.prefetch(region(A, [0, 8]));
      b.store(A, [0], 1);
    });
  });
  expectText(
    func,
    `
@T.prim_func
def main(A: T.Buffer((16,), "float32")):
    T.realize(A[0:16], "shared")
    T.prefetch(A, [T.Range(0, 8)])
    A[0] = T.float32(1.0)`,
  );
});

test("every kind of statement can be built", () => {
  const func = primFunc("main", { A: bufferParam([16]) }, ({ A }, f) => {
    f.realize(region(A, [0, 16]), "shared", (b) => b.prefetch(region(A, [0, 8])));
    f.let("x", constant(1, "int32"), (x, b) => b.assert(lt(x, constant(2, "int32")), "small", (b1) => b1.evaluate(x)));
    f.allocate("p", [4], "float32", (p, b) => b.store(p, [0], 0));
    f.allocateConst("q", tensorFrom([1, 2], [2], "float32"), (q, b) => b.store(A, [0], element(q, 0)));
    f.if(lt(element(A, 0), makeFloatImm(1)), (b) => b.while(lt(element(A, 1), makeFloatImm(1)), (w) => w.store(A, [1], 2)));
    f.loop("i", 16, (i, b) => b.block("b", { vi: spatialAxis(16, i) }, ({ vi }, blk) => blk.store(A, [vi], 0)));
  });
  const kinds = new Set<string>();
  visitStmt(func.body, { stmt: (s) => void kinds.add(s.kind) });
  expect([...kinds].sort()).toEqual(Object.keys(tirFields).filter((kind) => isStmt({ kind })).sort());
});
