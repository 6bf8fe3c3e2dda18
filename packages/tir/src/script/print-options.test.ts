import { makeGlobalVar, makeIRModule, type IRModule, type Node, type ObjectPath } from "@verticil/ir-core";
import { MetadataTable, parse, parseFunction, print, type PrintOptions } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { makeRange, makeVar } from "../ir/make-expr.ts";
import { makeBuffer, makeEvaluate, makePrimFunc } from "../ir/make-stmt.ts";
import { add, constant } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { tir } from "./tir-script.ts";

const dialects = [tir];

const func = parseFunction(
  `from tvm.script import tir as T
@T.prim_func
def main(a: T.int32, b: T.int32):
    T.evaluate(a)
    T.evaluate(b)
    T.evaluate(a)`,
  { dialects },
) as PrimFunc;

/** The lines of the function's own text. */
function lines(node: Node, opts: Partial<PrintOptions>): string[] {
  return print(node, { dialects, ...opts }).split("\n").slice(2);
}

const secondStatement: ObjectPath = [
  { kind: "field", name: "body" },
  { kind: "field", name: "seq" },
  { kind: "index", index: 1 },
];

test("underlines a part wherever it is used", () => {
  expect(lines(func, { objectsToUnderline: [func.params[0]!] })).toEqual([
    "@T.prim_func",
    "def main(a: T.int32, b: T.int32):",
    "    T.evaluate(a)",
    "               ^",
    "    T.evaluate(b)",
    "    T.evaluate(a)",
    "               ^",
  ]);
});

test("underlines statements and functions by path, without their indentation", () => {
  expect(lines(func, { pathsToUnderline: [secondStatement] }).slice(3)).toEqual([
    "    T.evaluate(b)",
    "    ^^^^^^^^^^^^^",
    "    T.evaluate(a)",
  ]);
  expect(lines(func, { pathsToUnderline: [[]] }).slice(0, 6)).toEqual([
    "@T.prim_func",
    "^^^^^^^^^^^^",
    "def main(a: T.int32, b: T.int32):",
    "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    "    T.evaluate(a)",
    "    ^^^^^^^^^^^^^",
  ]);
});

test("remarks on statements, by what they are or by path", () => {
  expect(lines(func, { annotatePaths: [[secondStatement, "second"]] })[3]).toBe("    T.evaluate(b)  # second");
  const body = func.body as Extract<PrimFunc["body"], { kind: "tir.SeqStmt" }>;
  expect(lines(func, { annotate: new Map([[body.seq[0]!, "first"]]) })[2]).toBe("    T.evaluate(a)  # first");
});

test("a remark on a binding gives it a block of its own", () => {
  const f = parseFunction("@T.prim_func\ndef main():\n    x = 1\n    y = x + 1\n    T.evaluate(y - 1)", { dialects }) as PrimFunc;
  const inner = (f.body as unknown as { readonly body: Node }).body;
  expect(lines(f, { annotate: new Map([[inner, "a remark"]]) }).slice(2)).toEqual([
    "    x: T.int32 = 1",
    "    # a remark",
    "    with T.LetStmt(x + 1) as y:",
    "        T.evaluate(y - 1)",
  ]);
});

test("numbers lines and shows a few around what is underlined", () => {
  const found = print(func, { dialects, printLineNumbers: true, numContextLines: 0, objectsToUnderline: [func.params[1]!] });
  expect(found.split("\n")).toEqual(["(... 5 lines skipped ...)", "6     T.evaluate(b)", "                 ^", "7     T.evaluate(a)"]);
});

test("other prefixes, indentation, types that need not be said, no short forms", () => {
  const f = parseFunction('@T.prim_func\ndef main(A: T.Buffer((4, 4), "float32")):\n    for i, j in T.grid(4, 4):\n        A[i, j] = T.float32(0)', { dialects });
  expect(print(f, { dialects, prefixes: { tir: "X" }, indentSpaces: 2, floatDtype: "float32", intDtype: "int64", syntaxSugar: false })).toBe(
    [
      "# from tvm.script import tir as X",
      "",
      "@X.prim_func",
      "def main(A_handle: X.handle):",
      "  A = X.match_buffer(A_handle, (X.int32(4), X.int32(4)))",
      "  for i in range(X.int32(4)):",
      "    for j in range(X.int32(4)):",
      "      A[i, j] = 0.0",
    ].join("\n"),
  );
});

test("numbers objects of one name", () => {
  expect(print(func, { dialects, showObjectAddress: true })).toContain("def main(a_0x00000001: T.int32, b_0x00000002: T.int32):");
});

test("parts print alone, with what they use if that is asked for", () => {
  const n = makeVar("n", "int64");
  expect(print(add(n, constant(1, "int64")), { dialects })).toBe("n + T.int64(1)");
  expect(print(add(n, constant(1, "int64")), { dialects, verboseExpr: true })).toBe("n = T.int64()\nn + T.int64(1)");
  expect(print(makeBuffer("A", [4], "float16"), { dialects, verboseExpr: true })).toBe('A = T.Buffer((4,), "float16")\nA');
});

test("what has no text form goes into the metadata, and comes back", () => {
  const text = '@T.prim_func\ndef main():\n    T.call_extern("int32", "a\\nb")\n    T.call_extern("int32", "a\\nb")';
  const f = parseFunction(text, { dialects });
  expect(print(f, { dialects })).toContain("# Metadata omitted. Use show_meta=True in script() method to show it.");
  const whole = print(f, { dialects, showMeta: true });
  expect(whole).toMatch(/^metadata = tvm\.ir\.load_json\("""/);
  expect(print(parseFunction(whole, { dialects }), { dialects, showMeta: true })).toBe(whole);
  const metadata = new MetadataTable();
  const short = print(f, { dialects, metadata });
  expect(short).toContain('T.call_extern("int32", metadata["tir.StringImm"][0])');
  expect(print(parseFunction(short, { dialects, metadata }), { dialects, metadata })).toBe(short);
});

test("ill-formed programs print", () => {
  const x = makeVar("x");
  const broken = makePrimFunc([x, x], makeEvaluate(add(x, makeVar("free"))), { attrs: { global_symbol: "main" } });
  expect(print(broken, { dialects })).toContain("T.evaluate(x + free)");
  const notATree = { kind: "tir.For", loopVar: undefined } as unknown as Node;
  expect(print(notATree, { dialects })).toContain('metadata["tir.For"][0]');
  const unknown = { kind: "other.Thing" } as unknown as Node;
  expect(print(unknown, { dialects })).toContain('metadata["other.Thing"][0]');
  expect(print(unknown, { dialects, showMeta: true })).toContain("verticil.Node");
});

test("a function that is nested too deeply to print becomes a reference, the others print", () => {
  let deep = add(makeVar("x"), constant(1, "int32"));
  for (let i = 0; i < 50_000; i++) deep = add(constant(1, "int32"), add(makeVar("y"), deep));
  const module: IRModule = makeIRModule(
    new Map([
      [makeGlobalVar("deep"), makePrimFunc([], makeEvaluate(deep))],
      [makeGlobalVar("main"), func],
    ]),
  );
  const text = print(module, { dialects });
  expect(text).toContain('deep = metadata["tir.PrimFunc"][0]');
  expect(text).toContain("T.evaluate(b)");
});

test("two functions of one module may be read and printed alone", () => {
  const module = parse("@T.prim_func\ndef f():\n    T.evaluate(0)\n\n@T.prim_func\ndef g():\n    T.evaluate(1)", { dialects });
  expect(print(module, { dialects }).match(/def \w/g)).toEqual(["def f", "def g"]);
});

test("a part that is printed alone declares what it uses where all uses see it", () => {
  const f = parseFunction(
    '@T.prim_func\ndef main(i: T.int32, j: T.int32):\n    with T.block("b"):\n        vi = T.axis.spatial(8, i)\n        T.reads()\n        T.writes()\n        T.evaluate(vi + j)\n    T.evaluate(i)',
    { dialects },
  ) as PrimFunc;
  const root = f.body as unknown as { readonly block: { readonly body: { readonly seq: readonly Node[] } } };
  expect(print(root.block.body.seq[0]!, { dialects })).toBe(
    ["i = T.int32()", 'with T.block("b"):', "    vi = T.axis.spatial(8, i)", "    T.reads()", "    T.writes()", "    j = T.int32()", "    T.evaluate(vi + j)"].join("\n"),
  );
});

test("a sum of a hundred thousand terms prints alone, with what it uses", () => {
  const [x, y] = [makeVar("x"), makeVar("y")];
  let deep = add(x, y);
  for (let i = 0; i < 100_000; i++) deep = add(deep, y);
  expect(print(deep, { dialects, verboseExpr: true }).slice(0, 41)).toBe("x = T.int32()\ny = T.int32()\nx + y + y + y");
});

test("tuples of types, and pointers to pointers", () => {
  const text = `# from tvm.script import tir as T

@T.prim_func
def main(p: T.handle(T.handle("int8", "global"), "shared")) -> T.Tuple(T.float32, T.int32):
    T.evaluate(p)`;
  expect(print(parseFunction(text, { dialects }), { dialects })).toBe(text);
});

test("a range alone is upstream's `I.Range`", () => {
  expect(print(makeRange(constant(0, "int32"), constant(10, "int32")), { dialects })).toBe("I.Range(0, 10)");
});
