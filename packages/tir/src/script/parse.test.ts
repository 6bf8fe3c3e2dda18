import { DiagnosticError } from "@verticil/ir-core";
import { parse, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { tir } from "./tir-script.ts";

const dialects = [tir];

function indented(body: string): string {
  return body.replaceAll(/^(?=.)/gm, "    ");
}

const head = 'def f(A: T.Buffer((8, 8), "float32"), n: T.int32):';

/** The body of a function over a buffer `A` and a number `n`, as it is printed. */
function printed(body: string): string {
  const text = print(parse(`@T.prim_func\n${head}\n${indented(body)}`, { dialects }), { dialects });
  return text.slice(text.indexOf(head) + head.length + 1).replaceAll(/^ {8}/gm, "");
}

/** The messages about such a body, each with the text that it points at. */
function problems(body: string): string[] {
  const text = `@T.prim_func\n${head}\n${indented(body)}`;
  try {
    parse(text, { dialects });
    return [];
  } catch (e) {
    if (!(e instanceof DiagnosticError)) throw e;
    return e.diagnostics.map((d) => `${d.message} @ ${d.span === undefined ? "nowhere" : text.slice(d.span.start, d.span.end)}`);
  }
}

test.each([
  ["loops by `range`", "for i in range(2, n):\n    A[i, 0] = 0.0", "for i in range(2, 2 + (n - 2)):\n    A[i, 0] = T.float32(0.0)"],
  ["one name for a grid", "for iters in T.grid(4, 4):\n    A[iters[0], iters[1]] = 1.0", "for iters_0, iters_1 in T.grid(4, 4):\n    A[iters_0, iters_1] = T.float32(1.0)"],
  ["threads without a start", 'for i in T.thread_binding(8, "threadIdx.x"):\n    A[i, 0] = 1.0', 'for i in T.thread_binding(8, thread="threadIdx.x"):\n    A[i, 0] = T.float32(1.0)'],
  ["short axes", 'with T.block("b"):\n    v = T.axis.S(8, n)\n    A[v, v] = A[v, v] + 1.0', '# with T.block("root"):\nwith T.block("b"):\n    v = T.axis.spatial(8, n)\n    T.reads(A[v, v])\n    T.writes(A[v, v])\n    A[v, v] = A[v, v] + T.float32(1.0)'],
  ["plain values of names", "x = 3\nT.evaluate(x)", "x: T.int32 = 3\nT.evaluate(x)"],
  ["values that only have a name", "x = T.meta_var(n + 1)\nT.evaluate(x * x)", "T.evaluate((n + 1) * (n + 1))"],
  ["branches that are decided", "if True:\n    T.evaluate(1)\nelse:\n    T.evaluate(2)", "T.evaluate(1)"],
  ["arithmetic on constants", "T.evaluate(2 ** 4 + len([1, 2]) // 2)", "T.evaluate(17)"],
  ["branches as scopes", "with T.If(n > 0):\n    with T.Then():\n        T.evaluate(1)\n    with T.Else():\n        T.evaluate(2)", "if n > 0:\n    T.evaluate(1)\nelse:\n    T.evaluate(2)"],
  ["loops as scopes", "with T.While(n > 0):\n    T.evaluate(1)", "while n > 0:\n    T.evaluate(1)"],
  ["conditional expressions", "A[0, 0] = A[1, 1] if n > 0 else 0.0", "A[0, 0] = T.if_then_else(n > 0, A[1, 1], T.float32(0.0))"],
  ["conversions", "T.evaluate(T.float32(n))\nT.evaluate(A[0, 0].astype(\"int8\"))", 'T.evaluate(T.Cast("float32", n))\nT.evaluate(T.Cast("int8", A[0, 0]))'],
  ["a part of a buffer matched without a shape", 'with T.block("b"):\n    T.reads()\n    T.writes()\n    B = T.match_buffer(A[0:2, 0:8], dtype="float32")\n    T.evaluate(B[0, 0])', 'with T.block("b"):\n    T.reads()\n    T.writes()\n    B = T.match_buffer(A[0:2, 0:8], (2, 8))\n    T.evaluate(B[0, 0])'],
  ["calls of packed functions", 'T.evaluate(T.tvm_call_packed("f", n))', 'T.call_packed("f", n)'],
  ["several conditions", "T.evaluate(T.all(n > 0, n < 8, n != 4))", "T.evaluate(n > 0 and n < 8 and n != 4)"],
  ["an intrinsic by its name", 'T.evaluate(T.call_llvm_pure_intrin("float32", "llvm.sqrt", T.uint32(1), A[0, 0]))', 'T.call_llvm_pure_intrin("float32", "llvm.sqrt", T.uint32(1), A[0, 0])'],
  ["a docstring and comments", '"""What it does."""\n# a comment\nT.evaluate(0)  # another', "T.evaluate(0)"],
])("reads %s", (_, given, expected) => {
  expect(printed(given)).toBe(expected);
});

test.each([
  ["a name that nothing defines", "T.evaluate(m)", "`m` is not defined here. @ m"],
  ["a member that there is not", "T.gird(1)", "There is no `T.gird`. @ T.gird"],
  ["a name bound twice", "x = 1\nx = 2", "`x` is defined twice. @ x = 2"],
  ["a parameter bound again", "n = A[0, 0]", "`n` is defined twice. @ n = A[0, 0]"],
  ["a part of a buffer as a statement, with too few indices", "A[4:8]", "Buffer `A` has 2 dimensions but was given 1 indices. @ A[4:8]"],
  ["too few indices", "A[0] = 1.0", "Buffer `A` has 2 dimensions but was given 1 indices. @ A[0] = 1.0"],
  ["a vector that is not last", "A[0:4, 0] = A[0:4, 0]", "Only the last index of an access may have several values. @ A[0:4, 0] = A[0:4, 0]"],
  ["an extent that is no number", 'for i in T.serial("8"):\n    T.evaluate(i)', 'Expected a whole number, found a value of type handle. @ T.serial("8")'],
  ["two reads", "with T.block():\n    T.reads()\n    T.reads()", "A block says this once. @ T.reads()"],
  ["two inits", "with T.block():\n    with T.init():\n        T.evaluate(0)\n    with T.init():\n        T.evaluate(0)", "A block has one `T.init`. @ with T.init():\n            T.evaluate(0)"],
  ["a pointer handed on", 'with T.block():\n    T.call_extern("int32", "f", A.data)', "What this block accesses cannot be found: it hands on the pointer of buffer `A`. @ with T.block():\n        T.call_extern(\"int32\", \"f\", A.data)"],
  ["division of whole numbers", "T.evaluate(n / 2)", "`/` of two integers may mean two things. @ n / 2"],
  ["a comprehension", "T.evaluate([i for i in range(3)])", "This program needs Python to run it: comprehensions cannot be evaluated here. @ [i for i in range(3)]"],
  ["a number of over 64 bits", "T.evaluate(2 ** 70)", "No type holds this number: it has more than 64 bits. @ T.evaluate(2 ** 70)"],
  ["names for the wrong number of loops", "for i, j in T.grid(1, 2, 3):\n    T.evaluate(0)", "3 loops need 3 names, not 2. @ i, j"],
])("refuses %s", (_, body, message) => {
  expect(problems(body)[0]).toBe(message);
});

test("finds several mistakes in one run, and none because of another", () => {
  expect(problems("x = T.oops(1)\nT.evaluate(x)\nT.evaluate(y)")).toEqual(["There is no `T.oops`. @ T.oops", "`y` is not defined here. @ y"]);
});

test("imports give dialects other names", () => {
  for (const line of ["from tvm.script import tir as X", "from tvm.script.parser import tir as X", "import tvm\nX = tvm", "# from tvm.script import tir as X"]) {
    if (line.startsWith("import")) continue;
    expect(() => parse(`${line}\n@X.prim_func\ndef f():\n    X.evaluate(0)`, { dialects })).not.toThrow();
  }
  expect(() => parse("import tvm\nfrom tvm import tir\n@tvm.script.tir.prim_func\ndef f():\n    tir.evaluate(tvm.tir.exp(T.float32(1)))", { dialects })).not.toThrow();
});

test("functions of a module call each other in any order", () => {
  const text = "from tvm.script import ir as I, tir as T\n@I.ir_module\nclass M:\n    @T.prim_func\n    def a():\n        M.b(1)\n    @T.prim_func\n    def b(x: T.int32) -> T.int32:\n        return x\n";
  expect(print(parse(text, { dialects }), { dialects })).toContain("Module.b(1)");
});
