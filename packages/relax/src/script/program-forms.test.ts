import { DiagnosticError, firstMismatch, type IRModule } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, parseModules, print, type ParseOptions, type Spelling } from "@verticil/tvmscript";
import { describe, expect, test } from "vitest";
import { relax } from "./relax-script.ts";

// What stands around the functions of a program: imports, constants, remarks, other programs.

const dialects = [tir, relax];

const read = (text: string, opts: Partial<ParseOptions> = {}): IRModule => parse(text, { dialects, ...opts });

function expectSame(a: IRModule, b: IRModule): void {
  expect(firstMismatch(a, b, { dialects })?.path).toBeUndefined();
}

const body = (t: string): string => `@${t}.prim_func\ndef f(A: ${t}.Buffer((8,), "float32")):\n    for i in ${t}.serial(8):\n        A[i] = ${t}.float32(0)`;
const plain = read(body("T"));

test.each<readonly [spelling: Spelling, imports: string, prefix: string]>([
  ["v0.20", "from tvm.script import tir as T", "T"],
  ["v0.20", "from tvm.script import tir as X, ir as I", "X"],
  ["v0.20", "from tvm.script import tir", "tir"],
  ["v0.20", "from tvm.script.parser import tir as X", "X"],
  ["v0.20", "from tvm import tir as X", "X"],
  ["v0.20", "import tvm", "tvm.script.tir"],
  ["v0.20", "import tvm.script", "tvm.script.tir"],
  ["v0.20", "# from tvm.script import tir as X", "X"],
  ["main", "from tvm.script import tirx as X", "X"],
  ["main", "from tvm.script.parser import tirx as X", "X"],
])("%s: %s", (spelling, imports, prefix) => {
  expectSame(read(`${imports}\n${body(prefix)}`, { spelling }), plain);
});

test.each([
  ["a docstring of the file", (f: string) => `"""What this is."""\n${f}`],
  ["a docstring of the function", (f: string) => f.replace(":\n", ':\n    """What it does.\n\n    More."""\n')],
  ["comments", (f: string) => `# one\n\n${f.replace("A[i]", "# two\n        A[i]")}  # three`],
  ["comments on types", (f: string) => f.replace('"float32")', '"float32"),  # type: ignore').replace("(A", "(\n    A").replace("):\n", "\n):  # type: (Any) -> None\n").replace("serial(8):", "serial(8):  # type: int")],
  ["a return type of none", (f: string) => f.replace(")):", ")) -> None:")],
  ["a decorator with arguments", (f: string) => f.replace("prim_func", "prim_func(private=False, check_well_formed=True)")],
  ["constants above", (f: string) => `N = 4 * 2\nDTYPE, SHAPE = "float32", (N,)\nZERO: float = 0.0\n${f.replace("(8,)", "SHAPE").replace('"float32"', "DTYPE").replace("serial(8)", "serial(N)").replace("(0)", "(ZERO)")}`],
  ["short names of members", (f: string) => `Buf = T.Buffer\nf32 = T.float32\n${f.replace("T.Buffer", "Buf").replace("T.float32", "f32")}`],
  ["other statements of Python", (f: string) => `import sys\nassert True\nprint("x")\n${f}\nif __name__ == "__main__":\n    print(f.script())\n`],
])("%s", (_, change) => {
  expectSame(read(change(body("T"))), plain);
});

const module = (name: string, value: number): string => `@I.ir_module
class ${name}:
    """What it is."""
    K = ${value}
    @T.prim_func
    def f():
        T.evaluate(K)

    @R.function(private=True, pure=True)
    def g(x: R.Object) -> R.Object:
        return x
`;

describe("several programs in a file", () => {
  test("functions on their own are one module, and call each other", () => {
    const found = read("@T.prim_func\ndef f():\n    T.evaluate(0)\n\n@R.function\ndef main(x: R.Object) -> R.Object:\n    y: R.Object = g(x)\n    return y\n\n@R.function(private=True)\ndef g(x: R.Object) -> R.Object:\n    return x");
    expect([...found.functions.keys()].map((gv) => gv.name)).toEqual(["f", "main", "g"]);
  });

  const text = `N = 1\n${module("A", 1)}\nN = 2\n${module("B", 2)}\n@T.prim_func\ndef alone():\n    T.evaluate(N)\n`;

  test("each class is a module, functions outside are one more", () => {
    const found = parseModules(text, { dialects });
    expect(found.map((m) => m.name)).toEqual(["A", "B", undefined]);
    expectSame(found[0]!.module, read(module("M", 1)));
    expectSame(found[1]!.module, read(module("M", 2)));
    expect(print(found[2]!.module, { dialects })).toContain("def alone():\n        T.evaluate(2)");
  });

  test("names above a class are those that it sees", () => {
    const of = (n: number, name: string): string => `N = ${n}\n@I.ir_module\nclass ${name}:\n    @T.prim_func\n    def f():\n        T.evaluate(N)\n`;
    expect(parseModules(of(1, "A") + of(2, "B"), { dialects }).map((m) => /evaluate\((\d)\)/.exec(print(m.module, { dialects }))?.[1])).toEqual(["1", "2"]);
  });

  test("one is taken by its name; which one is meant is not guessed", () => {
    expectSame(read(text, { module: "B" }), read(module("M", 2)));
    expect(() => read(text)).toThrow("This script defines several modules: `A`, `B`.");
    expect(() => read(text, { module: "C" })).toThrow("This script defines no module `C`.");
  });

  test("what is wrong in each is said in one run", () => {
    const wrong = text.replace("T.evaluate(K)", "T.evaluate(x1)").replace("T.evaluate(N)", "T.evaluate(x2)");
    expect(problems(wrong, (t) => parseModules(t, { dialects })).map((p) => p.message)).toEqual(["`x1` is not defined here.", "`x2` is not defined here."]);
  });
});

interface Problem {
  readonly message: string;
  readonly at: string;
  readonly help: string | undefined;
}

function problems(text: string, f: (text: string) => unknown = read): readonly Problem[] {
  try {
    f(text);
    return [];
  } catch (e) {
    if (!(e instanceof DiagnosticError)) throw e;
    return e.diagnostics.map((d) => ({ message: d.message, at: d.span === undefined ? "" : text.slice(d.span.start, d.span.end), help: d.help }));
  }
}

const needs = (what: string): string => `This program needs Python to run it: ${what} cannot be evaluated here.`;

test.each<readonly [what: string, head: string, value: string, message: string, at: string]>([
  ["a value of a library", "import numpy as np", "np.prod(3)", needs("the value of `np`"), "np"],
  ["a name of a library", "from math import prod", "prod(3)", needs("the value of `prod`"), "prod"],
  ["a constant that is computed", "N = [i for i in x][0]", "N", needs("the value of `N`"), "N"],
  ["a function of Python", "def helper(n):\n    return n * 2", "helper(3)", needs("the value of `helper`"), "helper"],
  ["a comprehension", "", "[i for i in y]", needs("comprehensions"), "[i for i in y]"],
  ["a formatted string", "", 'f"a{1}"', needs("formatted strings"), 'f"a{1}"'],
  ["a name of nothing", "", "nowhere", "`nowhere` is not defined here.", "nowhere"],
])("%s needs Python: the message names it and says what to do", (_, head, value, message, at) => {
  const [found, ...others] = problems(`${head}\n@T.prim_func\ndef f():\n    T.evaluate(${value})\n`);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ message, at });
  expect(found?.help).toMatch(/Write out what it (evaluates to|stands for)/);
});

test("a program that a function of Python makes names that function", () => {
  expect(problems("def make(n):\n    @T.prim_func\n    def f():\n        T.evaluate(n)\n    return f\n")).toMatchObject([
    { message: needs("what the function `make` makes"), at: "make" },
  ]);
});

test("a text without a program says so", () => {
  expect(problems("x = 1\n")).toMatchObject([{ message: "There is no module and no function here." }]);
});
