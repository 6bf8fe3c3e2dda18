import { firstMismatch } from "@verticil/ir-core";
import { DiagnosticError } from "@verticil/ir-core";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { tir } from "./tir-script.ts";

const dialects = [tir];

/** The program with macros is the one without; `f` is the function of both. */
function expectSame(withMacros: string, without: string): void {
  const [a, b] = [parse(withMacros, { dialects }), parse(without, { dialects })];
  expect(firstMismatch(a, b, { dialects })?.path).toBeUndefined();
}

function messages(text: string): string[] {
  try {
    parse(text, { dialects });
  } catch (e) {
    if (e instanceof DiagnosticError) return e.diagnostics.map((d) => d.message);
  }
  return [];
}

test("a macro's statements stand where it is called, with all kinds of parameters", () => {
  expectSame(
    `@T.macro
def assign(i, *args, t1, scale=2, **kwargs):
    vi, vj, vk = T.axis.remap("SSR", [i, args[0], args[1]])
    kwargs["t3"][vi, vj] = kwargs["t3"][vi, vj] + t1[vi, vk] * kwargs["t2"][vj, vk] * scale

@T.prim_func
def f(A: T.Buffer((8, 8), "int32"), B: T.Buffer((8, 8), "int32"), C: T.Buffer((8, 8), "int32")):
    for i, j, k in T.grid(8, 8, 8):
        with T.block("update"):
            assign(i, j, k, t1=A, t2=B, t3=C)
`,
    `@T.prim_func
def f(A: T.Buffer((8, 8), "int32"), B: T.Buffer((8, 8), "int32"), C: T.Buffer((8, 8), "int32")):
    for i, j, k in T.grid(8, 8, 8):
        with T.block("update"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            C[vi, vj] = C[vi, vj] + A[vi, vk] * B[vj, vk] * 2
`,
  );
});

test.each([
  ["what it meant where the macro was defined", "", "128"],
  ["what it means where the macro is called", "(hygienic=False)", "n"],
])("a name that is no parameter means %s", (_, how, index) => {
  expectSame(
    `n = 128
@T.macro${how}
def copy(A, B):
    B[0] = A[n]

@T.prim_func
def f(A: T.Buffer((256,), "int32"), B: T.Buffer((1,), "int32")):
    for n in T.serial(10):
        copy(A, B)
`,
    `@T.prim_func
def f(A: T.Buffer((256,), "int32"), B: T.Buffer((1,), "int32")):
    for n in range(10):
        B[0] = A[${index}]
`,
  );
});

test("what a macro opens to the end holds to the end of the list that calls it", () => {
  expectSame(
    `@T.macro
def guard(x):
    assert x > 0, "positive"

@T.prim_func
def f(x: T.int32):
    guard(x)
    T.evaluate(x)
`,
    `@T.prim_func
def f(x: T.int32):
    assert x > 0, "positive"
    T.evaluate(x)
`,
  );
});

test("macros call macros, in a class too, and choose by constants", () => {
  expectSame(
    `@I.ir_module
class Module:
    @T.macro(hygienic=False)
    def steps(A, n):
        if n > 0:
            A[n] = 1
            steps(A, n - 1)

    @T.prim_func
    def f(A: T.Buffer((4,), "int32")):
        steps(A, 2)
`,
    `@I.ir_module
class Module:
    @T.prim_func
    def f(A: T.Buffer((4,), "int32")):
        A[2] = 1
        A[1] = 1
`,
  );
});

test("constants above the program may be used; what needs Python is reported where it is used", () => {
  expectSame(
    `N = 16
M, dtype = N * 2, "int8"
shape = (N, M)
unused = open("file").read()
@T.prim_func
def f(A: T.Buffer(shape, dtype)):
    T.evaluate(N // 3)
`,
    `@T.prim_func
def f(A: T.Buffer((16, 32), "int8")):
    T.evaluate(5)
`,
  );
  expect(messages(`N = compute()\n@T.prim_func\ndef f():\n    T.evaluate(N)\n    T.evaluate(N + 1)`)).toEqual([
    "This program needs Python to run it: the value of `N` cannot be evaluated here.",
    "This program needs Python to run it: the value of `N` cannot be evaluated here.",
  ]);
});

const macro = (signature: string, call: string): string => `@T.macro
def m(${signature}):
    T.evaluate(x)
@T.prim_func
def f():
    ${call}
`;

test.each([
  [macro("x", "m()"), "The macro `m` needs `x`."],
  [macro("x", "m(1, 2)"), "The macro `m` takes 1 arguments without a name, not 2."],
  [macro("x", "m(1, y=2)"), "The macro `m` has no parameter `y`, or it was given twice."],
  [macro("x", "m(1, x=2)"), "The macro `m` has no parameter `x`, or it was given twice."],
  [macro("*, x", "m(1)"), "The macro `m` needs `x`."],
  [macro("y", "m(1)"), "`x` is not defined here."],
  [macro("x", "m(1)").replace("@T.macro", "@T.macro(True)"), "A macro is told how it is by name only."],
  ["@T.macro(hygienic=False)\ndef m():\n    m()\n@T.prim_func\ndef f():\n    m()\n", "Macros call each other too deeply here."],
  ["@T.prim_func\ndef f(*args):\n    T.evaluate(0)\n", "A parameter that collects the rest has no meaning here."],
])("says what is wrong with macro %#", (text, message) => {
  expect(messages(text)).toContain(message);
});

test("macros that double each other end in a diagnostic", () => {
  const doubling = Array.from({ length: 40 }, (_, i) => `@T.macro\ndef m${i + 1}():\n    m${i}()\n    m${i}()\n`).join("");
  const text = `@T.macro\ndef m0():\n    T.evaluate(0)\n${doubling}@T.prim_func\ndef f():\n    m40()\n`;
  expect(messages(text)[0]).toBe("The macros of this program write more than 100000 statements.");
});
