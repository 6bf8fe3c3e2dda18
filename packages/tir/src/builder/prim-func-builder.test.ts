import { makeFloatImm } from "@verticil/ir-core";
import { parseFunction, print } from "@verticil/tvmscript";
import { firstMismatch } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { makeVar } from "../ir/make-expr.ts";
import { add, lt, mul } from "../ir/ops.ts";
import { tir } from "../script/tir-script.ts";
import { bufferParam, element, primFunc, reduceAxis, scalarParam, spatialAxis } from "./prim-func-builder.ts";

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
