import { expect, test } from "vitest";
import type { PyExpr, PySlice, PyStmt } from "./ast.ts";
import { readPython } from "./read.ts";

/** An expression with everything in parentheses. */
function show(e: PyExpr | PySlice): string {
  switch (e.py) {
    case "Name":
      return e.id;
    case "Int":
    case "Float":
      return String(e.value);
    case "Str":
      return JSON.stringify(e.value);
    case "Const":
      return e.value === null ? "None" : e.value === undefined ? "..." : e.value ? "True" : "False";
    case "Attribute":
      return `${show(e.value)}.${e.attr}`;
    case "Call":
      return `${show(e.func)}(${[...e.args.map(show), ...e.keywords.map((k) => `${k.name ?? "**"}=${show(k.value)}`)].join(" ")})`;
    case "Subscript":
      return `${show(e.value)}[${e.indices.map(show).join(" ")}]`;
    case "Slice":
      return [e.lower, e.upper, e.step].map((p) => (p === undefined ? "" : show(p))).join(":");
    case "Binary":
    case "Compare":
    case "Bool":
      return `(${show(e.left)} ${e.op} ${show(e.right)})`;
    case "Unary":
      return `(${e.op} ${show(e.operand)})`;
    case "IfExp":
      return `(${show(e.body)} if ${show(e.test)} else ${show(e.orelse)})`;
    case "Lambda":
      return `(lambda ${e.params.join(" ")}: ${show(e.body)})`;
    case "Tuple":
      return `(${e.items.map(show).join(", ")},)`;
    case "List":
      return `[${e.items.map(show).join(", ")}]`;
    case "Dict":
      return `{${e.entries.map(([k, v]) => `${show(k)}: ${show(v)}`).join(", ")}}`;
    case "Starred":
      return `*${show(e.value)}`;
    case "Other":
      return `<${e.what}>`;
  }
}

function expression(text: string): string {
  const { body, problems } = readPython(text);
  const [first] = body;
  expect(problems).toEqual([]);
  return first?.py === "ExprStmt" ? show(first.value) : "no expression";
}

function shape(s: PyStmt): string {
  return s.py === "FunctionDef" ? `def ${s.name}` : s.py === "ClassDef" ? `class ${s.name}` : s.py;
}

test.each([
  ["a + b * c - d", "((a + (b * c)) - d)"],
  ["a - b - c", "((a - b) - c)"],
  ["2 ** -x ** 2", "(2 ** (- (x ** 2)))"],
  ["-x ** 2", "(- (x ** 2))"],
  ["a // b % c * d", "(((a // b) % c) * d)"],
  ["a << b + c & d | e ^ f", "(((a << (b + c)) & d) | (e ^ f))"],
  ["not a and b or c", "(((not a) and b) or c)"],
  ["a < b < c", "((a < b) and (b < c))"],
  ["a not in b", "(a not in b)"],
  ["a is not None", "(a is not None)"],
  ["x if a else y if b else z", "(x if a else (y if b else z))"],
  ["lambda i, j: (i, j + 1)", "(lambda i j: (i, (j + 1),))"],
  ["lambda *args: args", "(lambda *args: args)"],
  ["f(a, *b, c=1, **d)", "f(a *b c=1 **=d)"],
  ["A[i, j:k, ::2, ...]", "A[i j:k: ::2 ...]"],
  ["A[()]", "A[]"],
  ["A[(i, j)]", "A[i j]"],
  ["T.grid(1).x[0](2)", "T.grid(1).x[0](2)"],
  ["(a)", "a"],
  ["(a,)", "(a,,)".replace(",,", ",")],
  ["{1: 'a', \"b\": [2, 3]}", '{1: "a", "b": [2, 3]}'],
  ["1_000 + 0x1F + 0b11 + 0o17 + 1e3 + .5", "(((((1000 + 31) + 3) + 15) + 1000) + 0.5)"],
  ["12345678901234567890", "12345678901234567890"],
  ["'a\\n\\x41\\u00e9' \"b\" r'\\n'", '"a\\nAéb\\\\n"'],
  ["'''two\nlines'''", '"two\\nlines"'],
  ["[i for i in x]", "<comprehensions>"],
])("%s", (text, expected) => {
  expect(expression(text)).toBe(expected);
});

test("reads statements, with lines joined inside brackets and by a backslash", () => {
  const { body, problems } = readPython(
    ["import tvm", "from tvm.script import tir as T, ir as I", "x: T.int32 = f(", "  1,", ")", "a = b = \\", "  c", "x += 1", "pass; return x", "assert x, 'm'"].join("\n"),
  );
  expect(problems).toEqual([]);
  expect(body.map(shape)).toEqual(["Import", "Import", "AnnAssign", "Assign", "AugAssign", "Pass", "Return", "Assert"]);
  expect(body[1]).toMatchObject({ names: [["tvm.script.tir", "T"], ["tvm.script.ir", "I"]] });
});

test("reads blocks, comments between them, and a block on one line", () => {
  const { body, problems } = readPython(
    ["@d", "@e(1)", "def f(a: int, b=2) -> None:", "    # a comment", "", "    for i in x:", "        y", "  # one that sticks out", "    else_ = 1", "class C: pass", "while a: b", "if a:", "  b", "elif c:", "  d", "else:", "  e", "with x as y, z:", "  w"].join("\r\n"),
  );
  expect(problems).toEqual([]);
  expect(body.map(shape)).toEqual(["def f", "class C", "While", "If", "With"]);
  expect(body[0]).toMatchObject({ decorators: [{ py: "Name" }, { py: "Call" }], params: [{ name: "a" }, { name: "b" }], body: [{ py: "For" }, { py: "Assign" }] });
  expect(body[3]).toMatchObject({ orelse: [{ py: "If", orelse: [{ py: "ExprStmt" }] }] });
});

test("gives every node its place", () => {
  const text = "x = T.grid(a[0], 12)";
  const [s] = readPython(text).body;
  expect(s).toMatchObject({ py: "Assign", start: 0, end: text.length });
  const call = s?.py === "Assign" ? s.value : undefined;
  expect(call).toMatchObject({ py: "Call", start: 4, end: 20 });
  const args = call?.py === "Call" ? call.args : [];
  expect(args.map((a) => text.slice(a.start, a.end))).toEqual(["a[0]", "12"]);
});

test.each([
  ["x = (1 + ", "Expected"],
  ["x = $", "There is no `$` in Python."],
  ["x = 'abc", "This string has no end."],
  ["if a\n  b", "Expected `:`"],
  ["  x\n y", "matches no block"],
  ["def f(:\n  pass", "Expected"],
  ["x = 1 2", "Expected the end of the line, found `2`."],
])("says where %j is no Python", (text, message) => {
  const { problems } = readPython(text);
  expect(problems[0]?.message).toContain(message);
  for (const p of problems) {
    expect(p.start).toBeGreaterThanOrEqual(0);
    expect(p.end).toBeLessThanOrEqual(text.length);
    expect(p.start).toBeLessThanOrEqual(p.end);
  }
});

test("finds several mistakes in one run and goes on after them", () => {
  const { body, problems } = readPython("x = )\ny = 1\nz = ]\nw = 2");
  expect(problems).toHaveLength(2);
  expect(body.map(shape)).toEqual(["Assign", "Assign"]);
});

test("reads a chain of a hundred thousand terms", () => {
  const { body, problems } = readPython(`x = ${"a + ".repeat(100_000)}a`);
  expect(problems).toEqual([]);
  expect(body).toHaveLength(1);
});

test("refuses nesting that no Python reads, at the place", () => {
  const { problems } = readPython(`x = ${"(".repeat(100_000)}a${")".repeat(100_000)}`);
  expect(problems[0]?.message).toContain("nested too deeply");
  expect(problems).toHaveLength(1);
});
