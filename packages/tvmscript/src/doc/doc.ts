import type { Node } from "@verticil/ir-core";

// Python as a tree of documents: what the print handlers of the dialects make, and the document printer writes.

interface DocBase {
  /** The node that this document stands for; set only if something is to be underlined. */
  readonly source?: Node | readonly Node[] | undefined;
}

/** Text that stands as it is: a literal or a name. */
export interface TextDoc extends DocBase {
  readonly doc: "text";
  readonly text: string;
  /** True for a number, `True`, `None` or a string, false for a name. */
  readonly literal: boolean;
}

export interface AttrDoc extends DocBase {
  readonly doc: "attr";
  readonly value: ExprDoc;
  readonly name: string;
}

export interface IndexDoc extends DocBase {
  readonly doc: "index";
  readonly value: ExprDoc;
  readonly indices: readonly (ExprDoc | SliceDoc)[];
}

export interface SliceDoc extends DocBase {
  readonly doc: "slice";
  readonly start: ExprDoc | undefined;
  readonly stop: ExprDoc | undefined;
  readonly step: ExprDoc | undefined;
}

export interface CallDoc extends DocBase {
  readonly doc: "call";
  readonly callee: ExprDoc;
  readonly args: readonly ExprDoc[];
  readonly keywords: readonly (readonly [name: string, value: ExprDoc])[];
}

export type UnaryOperator = "-" | "~" | "not";
export type BinaryOperator =
  | "+" | "-" | "*" | "/" | "//" | "%" | "**" | "<<" | ">>" | "&" | "|" | "^"
  | "<" | "<=" | "==" | "!=" | ">" | ">=" | "and" | "or";

export interface UnaryDoc extends DocBase {
  readonly doc: "unary";
  readonly op: UnaryOperator;
  readonly operand: ExprDoc;
}

export interface BinaryDoc extends DocBase {
  readonly doc: "binary";
  readonly op: BinaryOperator;
  readonly left: ExprDoc;
  readonly right: ExprDoc;
}

export interface IfExpDoc extends DocBase {
  readonly doc: "if-exp";
  readonly test: ExprDoc;
  readonly body: ExprDoc;
  readonly orelse: ExprDoc;
}

export interface LambdaDoc extends DocBase {
  readonly doc: "lambda";
  readonly params: readonly string[];
  readonly body: ExprDoc;
}

export interface TupleDoc extends DocBase {
  readonly doc: "tuple";
  readonly items: readonly ExprDoc[];
}

export interface ListDoc extends DocBase {
  readonly doc: "list";
  readonly items: readonly ExprDoc[];
}

export interface DictDoc extends DocBase {
  readonly doc: "dict";
  readonly entries: readonly (readonly [key: ExprDoc, value: ExprDoc])[];
}

export type ExprDoc =
  | TextDoc
  | AttrDoc
  | IndexDoc
  | CallDoc
  | UnaryDoc
  | BinaryDoc
  | IfExpDoc
  | LambdaDoc
  | TupleDoc
  | ListDoc
  | DictDoc;

interface StmtBase extends DocBase {
  /** A remark: behind a one-line statement, above one with a body. */
  readonly comment?: string | undefined;
}

export interface AssignDoc extends StmtBase {
  readonly doc: "assign";
  readonly lhs: ExprDoc;
  readonly annotation: ExprDoc | undefined;
  readonly rhs: ExprDoc | undefined;
}

export interface ExprStmtDoc extends StmtBase {
  readonly doc: "expr";
  readonly value: ExprDoc;
}

export interface ForDoc extends StmtBase {
  readonly doc: "for";
  readonly lhs: ExprDoc;
  readonly rhs: ExprDoc;
  readonly body: readonly StmtDoc[];
}

export interface WhileDoc extends StmtBase {
  readonly doc: "while";
  readonly test: ExprDoc;
  readonly body: readonly StmtDoc[];
}

export interface IfDoc extends StmtBase {
  readonly doc: "if";
  readonly test: ExprDoc;
  readonly body: readonly StmtDoc[];
  readonly orelse: readonly StmtDoc[];
}

export interface ScopeDoc extends StmtBase {
  readonly doc: "scope";
  readonly lhs: ExprDoc | undefined;
  readonly rhs: ExprDoc;
  readonly body: readonly StmtDoc[];
}

export interface AssertDoc extends StmtBase {
  readonly doc: "assert";
  readonly test: ExprDoc;
  readonly message: ExprDoc | undefined;
}

export interface ReturnDoc extends StmtBase {
  readonly doc: "return";
  readonly value: ExprDoc;
}

export interface FunctionDoc extends StmtBase {
  readonly doc: "function";
  readonly name: string;
  /** `def f[n](…)`; none unless told. */
  readonly typeParams?: readonly string[];
  readonly params: readonly AssignDoc[];
  readonly decorators: readonly ExprDoc[];
  readonly returns: ExprDoc | undefined;
  readonly body: readonly StmtDoc[];
}

export interface ClassDoc extends StmtBase {
  readonly doc: "class";
  readonly name: string;
  readonly decorators: readonly ExprDoc[];
  readonly body: readonly StmtDoc[];
}

export interface CommentDoc extends StmtBase {
  readonly doc: "comment";
  readonly text: string;
}

export type StmtDoc =
  | AssignDoc
  | ExprStmtDoc
  | ForDoc
  | WhileDoc
  | IfDoc
  | ScopeDoc
  | AssertDoc
  | ReturnDoc
  | FunctionDoc
  | ClassDoc
  | CommentDoc;

/** A name. */
export function idDoc(name: string): TextDoc {
  return { doc: "text", text: name, literal: false };
}

/** An integer. */
export function intDoc(value: number | bigint): TextDoc {
  const known = typeof value === "number" ? SMALL[value] : undefined;
  if (known !== undefined && !Object.is(value, -0)) return known;
  return { doc: "text", text: String(value), literal: true };
}

const SMALL: readonly TextDoc[] = Array.from({ length: 256 }, (_, i) => ({ doc: "text", text: String(i), literal: true }));

/** `True` or `False`. */
export function boolDoc(value: boolean): TextDoc {
  return { doc: "text", text: value ? "True" : "False", literal: true };
}

/** `None`. */
export const noneDoc: TextDoc = { doc: "text", text: "None", literal: true };

/** A string in double quotes, on one line whatever it holds. */
export function strDoc(value: string): TextDoc {
  return { doc: "text", text: quote(value), literal: true };
}

/** A float: integral values with one decimal, others with up to 17 significant digits, `"inf"` and `"nan"` as strings. */
export function floatDoc(value: number): TextDoc {
  return { doc: "text", text: formatFloat(value), literal: true };
}

// oxlint-disable-next-line no-control-regex
const UNSAFE = /["\\\u0000-\u001f\u007f-\uffff]/;

function quote(value: string): string {
  if (!UNSAFE.test(value)) return `"${value}"`;
  let out = '"';
  for (const ch of value) {
    const code = ch.codePointAt(0) ?? 0;
    if (ch === '"' || ch === "\\") out += `\\${ch}`;
    else if (ch === "\n") out += "\\n";
    else if (ch === "\t") out += "\\t";
    else if (ch === "\r") out += "\\r";
    else if (code < 32 || code === 127) out += `\\x${code.toString(16).padStart(2, "0").toUpperCase()}`;
    // A lone half of a surrogate pair has no place in UTF-8 text.
    else if (code >= 0xd800 && code <= 0xdfff) out += `\\u${code.toString(16)}`;
    else out += ch;
  }
  return `${out}"`;
}

/** As C++ streams write a double at precision 17; fixed notation with one decimal for integral values. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return '"nan"';
  if (!Number.isFinite(value)) return value > 0 ? '"inf"' : '"-inf"';
  if (Number.isInteger(value)) {
    if (Object.is(value, -0)) return "-0.0";
    return `${Number.isSafeInteger(value) ? String(value) : BigInt(value).toString()}.0`;
  }
  return general17(value);
}

/** `%.17g`: 17 significant digits without trailing zeros; an exponent below 1e-4 and from 1e17. */
function general17(value: number): string {
  const [mantissa = "", exponentText = "0"] = value.toExponential(16).split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 17) {
    const sign = exponent < 0 ? "-" : "+";
    return `${trimZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return trimZeros(value.toFixed(Math.min(100, 16 - exponent)));
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function attrDoc(value: ExprDoc, name: string): AttrDoc {
  return { doc: "attr", value, name };
}

export function indexDoc(value: ExprDoc, indices: readonly (ExprDoc | SliceDoc)[]): IndexDoc {
  return { doc: "index", value, indices };
}

export function sliceDoc(start: ExprDoc | undefined, stop: ExprDoc | undefined, step?: ExprDoc): SliceDoc {
  return { doc: "slice", start, stop, step };
}

const NO_KEYWORDS: readonly (readonly [string, ExprDoc])[] = [];

export function callDoc(
  callee: ExprDoc,
  args: readonly ExprDoc[],
  keywords: readonly (readonly [name: string, value: ExprDoc])[] = NO_KEYWORDS,
): CallDoc {
  return { doc: "call", callee, args, keywords };
}

export function binaryDoc(op: BinaryOperator, left: ExprDoc, right: ExprDoc): BinaryDoc {
  return { doc: "binary", op, left, right };
}

export function unaryDoc(op: UnaryOperator, operand: ExprDoc): UnaryDoc {
  return { doc: "unary", op, operand };
}

export function lambdaDoc(params: readonly string[], body: ExprDoc): LambdaDoc {
  return { doc: "lambda", params, body };
}

export function tupleDoc(items: readonly ExprDoc[]): TupleDoc {
  return { doc: "tuple", items };
}

export function listDoc(items: readonly ExprDoc[]): ListDoc {
  return { doc: "list", items };
}

export function dictDoc(entries: readonly (readonly [ExprDoc, ExprDoc])[]): DictDoc {
  return { doc: "dict", entries };
}

export function assignDoc(lhs: ExprDoc, rhs: ExprDoc | undefined, annotation?: ExprDoc): AssignDoc {
  return { doc: "assign", lhs, rhs, annotation };
}

export function exprStmtDoc(value: ExprDoc): ExprStmtDoc {
  return { doc: "expr", value };
}

export function forDoc(lhs: ExprDoc, rhs: ExprDoc, body: readonly StmtDoc[]): ForDoc {
  return { doc: "for", lhs, rhs, body };
}

export function whileDoc(test: ExprDoc, body: readonly StmtDoc[]): WhileDoc {
  return { doc: "while", test, body };
}

export function ifDoc(test: ExprDoc, body: readonly StmtDoc[], orelse: readonly StmtDoc[]): IfDoc {
  return { doc: "if", test, body, orelse };
}

export function scopeDoc(lhs: ExprDoc | undefined, rhs: ExprDoc, body: readonly StmtDoc[]): ScopeDoc {
  return { doc: "scope", lhs, rhs, body };
}

export function assertDoc(test: ExprDoc, message?: ExprDoc): AssertDoc {
  return { doc: "assert", test, message };
}

export function returnDoc(value: ExprDoc): ReturnDoc {
  return { doc: "return", value };
}

export function commentDoc(text: string): CommentDoc {
  return { doc: "comment", text };
}
