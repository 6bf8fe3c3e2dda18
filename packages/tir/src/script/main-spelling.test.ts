import { firstMismatch } from "@verticil/ir-core";
import { parse, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { tir } from "./tir-script.ts";

const dialects = [tir];

function onMain(body: string): string {
  return `# from tvm.script import ir as I\n# from tvm.script import tirx as T\n# from tvm.tirx.layout import Axis\n\n@I.ir_module\nclass Module:\n${body.trim().replaceAll(/^(?=.)/gm, "    ")}`;
}

function inV020(body: string): string {
  return `# from tvm.script import ir as I\n# from tvm.script import tir as T\n\n@I.ir_module\nclass Module:\n${body.trim().replaceAll(/^(?=.)/gm, "    ")}`;
}

/** The two texts say the same: each is what the other prints as in its spelling. */
function expectSame(main: string, v020: string): void {
  const [newer, older] = [onMain(main), inV020(v020)];
  const fromMain = parse(newer, { dialects, spelling: "main" });
  const from020 = parse(older, { dialects });
  expect(firstMismatch(fromMain, from020, { dialects })?.path).toBeUndefined();
  expect(print(fromMain, { dialects })).toBe(older);
  expect(print(from020, { dialects, spelling: "main" })).toBe(newer);
}

test("blocks", () => {
  expectSame(
    `
@T.prim_func(s_tir=True)
def f(A: T.Buffer((8,), "float32")):
    T.func_attr({"tirx.noalias": True})
    # with T.sblock("root"):
    B = T.sblock_alloc_buffer((8,), scope="shared")
    for i in range(8):
        with T.sblock("b"):
            vi = T.axis.spatial(8, i)
            T.reads(A[vi])
            T.writes(B[vi])
            T.sblock_attr({"k": 1})
            B[vi] = A[vi]`,
    `
@T.prim_func
def f(A: T.Buffer((8,), "float32")):
    T.func_attr({"tir.noalias": T.bool(True)})
    # with T.block("root"):
    B = T.alloc_buffer((8,), scope="shared")
    for i in range(8):
        with T.block("b"):
            vi = T.axis.spatial(8, i)
            T.reads(A[vi])
            T.writes(B[vi])
            T.block_attr({"k": 1})
            B[vi] = A[vi]`,
  );
});

test("bindings, allocations and assertions", () => {
  expectSame(
    `
@T.prim_func(private=True, s_tir=True)
def f(A: T.Buffer((8,), "float32"), n: T.int32):
    x: T.let[T.int32] = n + 1
    assert x > 0, ("RuntimeError", ["no"])
    assert x > 1, ("ValueError", ["bad"])
    B = T.alloc_local((8,))
    C = T.decl_buffer((4, 2), data=A.data)
    D = T.alloc_shared((8,), "float16")
    E = T.alloc_buffer((8,))
    B[x] = C[0, 0]`,
    `
@T.prim_func(private=True)
def f(A: T.Buffer((8,), "float32"), n: T.int32):
    x: T.int32 = n + 1
    assert x > 0, "no"
    assert x > 1, "ValueError: bad"
    B = T.decl_buffer((8,), scope="local")
    C = T.decl_buffer((4, 2), data=A.data)
    D = T.decl_buffer((8,), "float16", scope="shared")
    E = T.decl_buffer((8,))
    B[x] = C[0, 0]`,
  );
});

test("the device's part of a function, and the numbers of its threads", () => {
  const main = (body: string): string => onMain(`@T.prim_func(s_tir=True)\ndef f(A: T.Buffer((8,), "float32")):\n${body.replaceAll(/^(?=.)/gm, "    ")}`);
  const text = main(`T.attr({"tirx.device_entry": T.bool(True), "level": 2})
cbx = T.cta_id_in_cluster([2])
bx, by = T.cta_id([2, 4])
tx = T.thread_id()
lane = T.lane_id([32], dtype="uint32")
A[bx + by] = A[tx + cbx]`);
  const module = parse(text, { dialects, spelling: "main" });
  expect(print(module, { dialects, spelling: "main" })).toBe(text);
  const older = print(module, { dialects });
  expect(older).toContain('T.iter_var(bx, T.Range(0, 2), "ThreadIndex", "cta_id.0"), "tir.scope_id", 2)');
  expect(firstMismatch(module, parse(older, { dialects }), { dialects })?.path).toBeUndefined();
  const short = main(`T.device_entry()\nwith T.attr({"level": 2}):\n    T.cta_id([1])\n    T.thread_id([2, 4])\n    T.evaluate(0)`);
  const written = print(parse(short, { dialects, spelling: "main" }), { dialects, spelling: "main" });
  expect(written).toContain(`T.attr({"tirx.device_entry": T.bool(True), "level": 2})
        cta_id = T.cta_id([1])
        thread_id, thread_id_1 = T.thread_id([2, 4])`);
});

test.each([
  ["a scalar that is assigned again is a buffer of one element", "x: T.int32 = 1\nx = x + 2\nT.evaluate(x)", 'x = T.alloc_buffer((1,), "int32", scope="local")\nx[0] = 1\nx[0] = x[0] + 2\nT.evaluate(x[0])'],
  ["without a type too", "x = A[0]\nx += T.float32(1)\nA[1] = x", 'x = T.alloc_buffer((1,), scope="local")\nx[0] = A[0]\nx[0] = x[0] + T.float32(1.0)\nA[1] = x[0]'],
  ["bindings by a call", "p = T.bind(A.data, T.handle(\"float32\"))\nT.evaluate(p)", 'p: T.let[T.handle("float32", "global")] = A.data\nT.evaluate(p)'],
  ["short names of types", "T.evaluate(T.i64(3))\nA[0] = T.f32(1)", "T.evaluate(T.int64(3))\nA[0] = T.float32(1.0)"],
  ["loops that are unrolled, or not", "for i in T.serial(8, unroll=False):\n    for j in T.serial(8, unroll=2):\n        T.evaluate(i + j)", "for i in T.serial(8, unroll=False):\n    for j in T.serial(8, unroll=2):\n        T.evaluate(i + j)"],
  ["jumps out of loops", "for i in range(8):\n    if i == 3:\n        continue\n    break", "for i in range(8):\n    if i == 3:\n        T.continue_loop()\n    T.break_loop()"],
  ["the order of a call", 'T.Call("tirx.exp", [A[0]], ret_ty="float32")', "T.exp(A[0])"],
])("%s", (_, given, printed) => {
  const wrap = (body: string): string => onMain(`@T.prim_func(s_tir=True)\ndef f(A: T.Buffer((8,), "float32")):\n${body.replaceAll(/^(?=.)/gm, "    ")}`);
  expect(print(parse(wrap(given), { dialects, spelling: "main" }), { dialects, spelling: "main" })).toBe(wrap(printed));
});

test("a thread's number is an integer of 32 bits", () => {
  const text = (dtype: string): string => `@T.prim_func\ndef f():\n    T.evaluate(0)\n    x = T.lane_id([32], dtype="${dtype}")\n`;
  expect(() => parse(text("uint32"), { dialects, spelling: "main" })).not.toThrow();
  expect(() => parse(text("int64"), { dialects, spelling: "main" })).toThrow("an int32 or a uint32, not int64");
});

test("v0.20 does not know main's names", () => {
  expect(() => parse(onMain("@T.prim_func\ndef f():\n    with T.sblock():\n        T.evaluate(0)"), { dialects })).toThrow("There is no `T.sblock`.");
});
