import { expect, test } from "vitest";
import {
  assignDoc,
  attrDoc,
  binaryDoc,
  callDoc,
  commentDoc,
  dictDoc,
  exprStmtDoc,
  floatDoc,
  forDoc,
  idDoc,
  ifDoc,
  indexDoc,
  intDoc,
  lambdaDoc,
  listDoc,
  scopeDoc,
  sliceDoc,
  strDoc,
  tupleDoc,
  unaryDoc,
  type ExprDoc,
  type StmtDoc,
} from "./doc.ts";
import { printDocs, printExprDoc } from "./print-doc.ts";

const [a, b, c] = ["a", "b", "c"].map(idDoc) as [ExprDoc, ExprDoc, ExprDoc];

function text(...stmts: readonly StmtDoc[]): string {
  return printDocs(stmts, { indentSpaces: 4, underlinePaths: [], underlineNodes: new Set() }).text;
}

test.each<readonly [string, ExprDoc]>([
  ["a + b - c", binaryDoc("-", binaryDoc("+", a, b), c)],
  ["a - (b - c)", binaryDoc("-", a, binaryDoc("-", b, c))],
  ["(a + b) * c", binaryDoc("*", binaryDoc("+", a, b), c)],
  ["a // (b // c)", binaryDoc("//", a, binaryDoc("//", b, c))],
  ["(a < b) == c", binaryDoc("==", binaryDoc("<", a, b), c)],
  ["a and (b or c)", binaryDoc("and", a, binaryDoc("or", b, c))],
  ["not (a and b)", unaryDoc("not", binaryDoc("and", a, b))],
  ["not a == b", unaryDoc("not", binaryDoc("==", a, b))],
  ["(a + b).x", attrDoc(binaryDoc("+", a, b), "x")],
  ["a[b:c, ::2]", indexDoc(a, [sliceDoc(b, c), sliceDoc(undefined, undefined, intDoc(2))])],
  ["a[()]", indexDoc(a, [])],
  ["a(b, x=c)", callDoc(a, [b], [["x", c]])],
  ["a(x=b)", callDoc(a, [], [["x", b]])],
  ["lambda i, j: (a, b)", lambdaDoc(["i", "j"], tupleDoc([a, b]))],
  ["(a,)", tupleDoc([a])],
  ["()", tupleDoc([])],
  ['{"k": [1, 2]}', dictDoc([[strDoc("k"), listDoc([intDoc(1), intDoc(2)])]])],
])("%s", (expected, doc) => {
  expect(printExprDoc(doc)).toBe(expected);
});

test.each<readonly [string, number]>([
  ["0.5", 0.5],
  ["1.0", 1],
  ["-0.0", -0],
  ["0.10000000000000001", 0.1],
  ["1.0000000000000001e-05", 1e-5],
  ["100000000000000000000.0", 1e20],
  ["1.7976931348623157e+308", 1.7976931348623157e308].map((v, i) => (i === 0 ? `${BigInt(1.7976931348623157e308)}.0` : v)) as [string, number],
  ['"inf"', Infinity],
  ['"-inf"', -Infinity],
  ['"nan"', NaN],
  ["9.9999999999999995e-08", 1e-7],
])("the float %s", (expected, value) => {
  expect(printExprDoc(floatDoc(value))).toBe(expected);
});

test("escapes what a string may not hold on one line", () => {
  expect(printExprDoc(strDoc('a"b\\c\n\t\r\u0001é'))).toBe('"a\\"b\\\\c\\n\\t\\r\\x01é"');
});

test("indents blocks and fills empty ones", () => {
  const loop = forDoc(tupleDoc([a, b]), callDoc(idDoc("range"), [c]), [scopeDoc(c, a, []), ifDoc(a, [exprStmtDoc(b)], [exprStmtDoc(c)])]);
  expect(text(commentDoc("one\ntwo"), assignDoc(tupleDoc([a, b]), tupleDoc([b, c])), loop)).toBe(
    ["# one", "# two", "a, b = b, c", "for a, b in range(c):", "    with a as c:", "        pass", "    if a:", "        b", "    else:", "        c"].join("\n"),
  );
});

test("writes a chain of a hundred thousand terms", () => {
  let sum = a;
  for (let i = 0; i < 100_000; i++) sum = binaryDoc("+", sum, b);
  expect(printExprDoc(sum)).toHaveLength(1 + 4 * 100_000);
});
