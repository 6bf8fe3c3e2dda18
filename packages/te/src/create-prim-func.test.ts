import { expect, test } from "vitest";
import { print } from "@verticil/tvmscript";
import { add, asInt, constant, ge, ifThenElse, lt, makeSizeVar, mul, select, sub, tir, type PrimFunc } from "@verticil/tir";
import { compute, computeMany, extern, placeholder } from "./compute.ts";
import { createPrimFunc } from "./create-prim-func.ts";
import { commReducer, reduceAxis, sum } from "./reduce.ts";
import { load, loop, store } from "./topi/statements.ts";
import { cellBuffer } from "./topi/statements.ts";

function text(f: PrimFunc): string {
  return print(f, { dialects: [tir] }).replace(/^# from[^\n]*\n+/, "");
}

test("a computation becomes a block in a nest of loops", () => {
  const a = placeholder([4, 8], "float32", "A");
  const b = compute([4, 8], (i, j) => add(a.at(i!, j!), 1), "B", { axes: "ax" });
  expect(text(createPrimFunc([a, b], { globalSymbol: "main" }))).toMatchInlineSnapshot(`
    "@T.prim_func
    def main(A: T.Buffer((T.int64(4), T.int64(8)), "float32"), B: T.Buffer((T.int64(4), T.int64(8)), "float32")):
        T.func_attr({"tir.noalias": T.bool(True)})
        # with T.block("root"):
        for ax0, ax1 in T.grid(T.int64(4), T.int64(8)):
            with T.block("B"):
                v_ax0, v_ax1 = T.axis.remap("SS", [ax0, ax1])
                T.reads(A[v_ax0, v_ax1])
                T.writes(B[v_ax0, v_ax1])
                B[v_ax0, v_ax1] = A[v_ax0, v_ax1] + T.float32(1.0)"
  `);
});

test("a reduction gets an initial value; tensors between are allocated", () => {
  const a = placeholder([4, 8], "float32", "A");
  const b = compute([4, 8], (i, j) => mul(a.at(i!, j!), 2), "B");
  const k = reduceAxis(8, "k");
  const c = compute([4], (i) => sum(b.at(i!, k.var), k), "C");
  expect(text(createPrimFunc([a, c]))).toMatchInlineSnapshot(`
    "@T.prim_func(private=True)
    def main(A: T.Buffer((T.int64(4), T.int64(8)), "float32"), C: T.Buffer((T.int64(4),), "float32")):
        T.func_attr({"tir.noalias": T.bool(True)})
        # with T.block("root"):
        B = T.alloc_buffer((T.int64(4), T.int64(8)))
        for i0, i1 in T.grid(T.int64(4), T.int64(8)):
            with T.block("B"):
                v_i0, v_i1 = T.axis.remap("SS", [i0, i1])
                T.reads(A[v_i0, v_i1])
                T.writes(B[v_i0, v_i1])
                B[v_i0, v_i1] = A[v_i0, v_i1] * T.float32(2.0)
        for i0, k in T.grid(T.int64(4), T.int64(8)):
            with T.block("C"):
                v_i0, v_k = T.axis.remap("SR", [i0, k])
                T.reads(B[v_i0, v_k])
                T.writes(C[v_i0])
                with T.init():
                    C[v_i0] = T.float32(0.0)
                C[v_i0] = C[v_i0] + B[v_i0, v_k]"
  `);
});

test("reads of neighbours are joined, guarded reads keep their place", () => {
  const a = placeholder([8], "float32", "A");
  const b = compute([7], (i) => add(a.at(i!), a.at(add(i!, 1))), "B");
  const c = compute([9], (i) => ifThenElse(ge(i!, constant(1, "int64")), b.at(sub(i!, 1)), constant(0, "float32")), "C");
  const out = text(createPrimFunc([a, c]));
  expect(out).toContain("T.reads(A[v_i0:v_i0 + T.int64(2)])");
  expect(out).toContain("T.reads(B[v_i0 - T.int64(1)])");
});

test("two values reduced together are stored after both are computed", () => {
  const a = placeholder([8], "float32", "A");
  const argmin = commReducer(
    (l, r) => [select(lt(l[1]!, r[1]!), l[0]!, r[0]!), select(lt(l[1]!, r[1]!), l[1]!, r[1]!)],
    (d) => [constant(-1, d[0]!), constant(3e38, d[1]!)],
  );
  const k = reduceAxis(8, "k");
  const results = computeMany([], () => argmin([k.var, a.at(k.var)], k), "am");
  const out = text(createPrimFunc([a, ...results]));
  expect(out).toContain("v_am_v0: T.int64 = T.Select");
  expect(out.indexOf("v_am_v1: ")).toBeLessThan(out.indexOf("am_v0[()] = v_am_v0"));
});

test("symbolic sizes are renewed, and scalars come last", () => {
  const n = makeSizeVar("n", "int64");
  const m = makeSizeVar("m", "int64");
  const a = placeholder([n], "float32", "A");
  const b = compute([m], (i) => a.at(i!), "B");
  const f = createPrimFunc([a, b], { tirVars: [m] });
  expect(f.params).toHaveLength(3);
  expect(f.params[2]!.name).toBe("m");
  expect([...f.bufferMap.values()][0]!.shape[0]).not.toBe(n);
});

test("indices are of the type that is asked for", () => {
  const n = makeSizeVar("n", "int64");
  const a = placeholder([n, 8], "float32", "A");
  const k = reduceAxis(a.shape[1]!, "k");
  const b = compute([n], (i) => sum(a.at(i!, k.var), k), "B");
  const out = text(createPrimFunc([a, b], { indexDType: "int32" }));
  expect(out).not.toContain("int64");
  expect(out).toContain("for i0, k in T.grid(n, 8):");
  expect(text(createPrimFunc([a, b]))).toContain("T.int64(8)");
});

test("a placeholder that is not an argument is an error", () => {
  const a = placeholder([4], "float32", "A");
  expect(() => createPrimFunc([compute([4], (i) => a.at(i!), "B")])).toThrow(/`A` is not among the arguments/);
});

test("an external computation is an opaque block with buffers of its own", () => {
  const a = placeholder([4], "int64", "A");
  const [b] = extern([{ shape: [4], dtype: "int64" }], [a], ([x], [y]) => {
    const acc = cellBuffer("acc", "int64");
    return { body: loop("i", 4, (i) => store(y!, add(load(x!, i), load(acc, 0)), i)), scratch: [acc] };
  }, "ext");
  const out = text(createPrimFunc([a, b!]));
  expect(out).toContain("T.reads(A[T.int64(0):T.int64(4)])");
  expect(out).toContain("acc = T.alloc_buffer((T.int64(1),), \"int64\")");
});

test("an index of the wrong rank is refused", () => {
  const a = placeholder([4, 4], "float32", "A");
  expect(() => a.at(0)).toThrow(/2 dimensions/);
  expect(asInt(a.at(0, 1).indices[1]!)).toBe(1);
});
