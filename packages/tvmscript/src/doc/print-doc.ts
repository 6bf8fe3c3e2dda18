import type { Node } from "@verticil/ir-core";
import type { BinaryDoc, ExprDoc, SliceDoc, StmtDoc } from "./doc.ts";

/** How documents become text. */
export interface DocPrintOptions {
  readonly indentSpaces: number;
  /** The nodes from the root to the part that is to be underlined, one list a part. */
  readonly underlinePaths: readonly (readonly Node[])[];
  /** Nodes that are underlined wherever they are. */
  readonly underlineNodes: ReadonlySet<Node>;
  /** Notes where lines begin and what is never underlined, for `decorateText`. */
  readonly notesLines?: boolean;
}

/** A half-open range of the text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The text and the ranges to underline, in order. */
export interface PrintedDoc {
  readonly text: string;
  readonly underlines: readonly TextRange[];
  /** Where lines begin; the empty line behind a function belongs to the line before it. Empty unless asked for. */
  readonly lineStarts: readonly number[];
  /** Indentation, line breaks and comments: they are not underlined. Empty unless asked for. */
  readonly exempt: readonly TextRange[];
}

const LAMBDA = 1;
const IF_EXP = 2;
const COMPARISON = 6;
const UNARY = 13;
const POWER = 14;
const ATOM = 15;

const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 3, and: 4, not: 5,
  "<": 6, "<=": 6, "==": 6, "!=": 6, ">": 6, ">=": 6,
  "|": 7, "^": 8, "&": 9, "<<": 10, ">>": 10, "+": 11, "-": 11,
  "*": 12, "/": 12, "//": 12, "%": 12, "**": POWER,
};

function precedence(e: ExprDoc): number {
  switch (e.doc) {
    case "binary":
      return PRECEDENCE[e.op] ?? ATOM;
    case "unary":
      return e.op === "not" ? 5 : UNARY;
    case "if-exp":
      return IF_EXP;
    case "lambda":
      return LAMBDA;
    default:
      return ATOM;
  }
}

/** Python chains comparisons: `a < b < c` is not `(a < b) < c`. */
function wrapsSame(of: number): boolean {
  return of === POWER || of === COMPARISON;
}

function needsParentheses(left: ExprDoc, of: BinaryDoc): boolean {
  const own = precedence(left);
  const around = precedence(of);
  return own < around || (own === around && wrapsSame(around));
}

/** For each part to underline: how deep along its path we are, and the deepest ranges found so far. */
interface Track {
  readonly path: readonly Node[];
  level: number;
  best: number;
  found: TextRange[];
}

/** Writes statements as Python text, without a line break at the end. */
export function printDocs(stmts: readonly StmtDoc[], opts: DocPrintOptions): PrintedDoc {
  const tracks: Track[] = opts.underlinePaths.map((path) => ({ path, level: -1, best: -1, found: [] }));
  const nodes = opts.underlineNodes;
  const isTracking = tracks.length > 0 || nodes.size > 0;
  const marked: TextRange[] = [];
  const step = " ".repeat(opts.indentSpaces);
  const indents = [""];
  const notesLines = opts.notesLines === true;
  const lineStarts: number[] = notesLines ? [0] : [];
  const exempt: TextRange[] = [];
  let depth = 0;
  let out = "";

  const newline = (): void => {
    const indent = (indents[depth] ??= step.repeat(depth));
    if (notesLines) {
      lineStarts.push(out.length + 1);
      exempt.push({ start: out.length, end: out.length + 1 + indent.length });
    }
    out += `\n${indent}`;
  };

  /** Writes what is never underlined. */
  const aside = (write: () => void): void => {
    const start = out.length;
    write();
    if (notesLines) exempt.push({ start, end: out.length });
  };

  const joined = (items: readonly (ExprDoc | SliceDoc)[]): void => {
    for (let i = 0; i < items.length; i++) {
      if (i > 0) out += ", ";
      const item = items[i];
      if (item !== undefined) expr(item);
    }
  };

  const child = (e: ExprDoc, parent: number, wrapSame: boolean): void => {
    const own = precedence(e);
    if (own < parent || (wrapSame && own === parent)) {
      out += "(";
      expr(e);
      out += ")";
    } else expr(e);
  };

  function expr(e: ExprDoc | SliceDoc): void {
    if (isTracking && e.source !== undefined) tracked(e.source, () => writeExpr(e));
    else writeExpr(e);
  }

  function tracked(source: Node | readonly Node[], write: () => void): void {
    const sources = isList(source) ? source : [source];
    const before = tracks.map((t) => t.level);
    for (const t of tracks) {
      for (const one of sources) {
        const at = t.path.indexOf(one, t.level + 1);
        if (at >= 0) t.level = at;
      }
    }
    const start = out.length;
    write();
    if (sources.some((one) => nodes.has(one))) marked.push({ start, end: out.length });
    for (const [i, t] of tracks.entries()) {
      const was = before[i] ?? -1;
      if (t.level > was && t.level >= t.best) {
        if (t.level > t.best) t.found = [];
        t.best = t.level;
        t.found.push({ start, end: out.length });
      }
      t.level = was;
    }
  }

  /** Sums may be thousands of terms long: what nests to the left is not walked recursively. */
  function writeBinary(e: BinaryDoc): void {
    const spine: { readonly node: BinaryDoc; readonly wrapped: boolean }[] = [{ node: e, wrapped: false }];
    let node = e;
    for (;;) {
      const { left } = node;
      if (left.doc !== "binary" || (isTracking && left.source !== undefined)) break;
      const wrapped = needsParentheses(left, node);
      if (wrapped) out += "(";
      spine.push({ node: left, wrapped });
      node = left;
    }
    const own = precedence(node);
    child(node.left, own, wrapsSame(own));
    for (let i = spine.length - 1; i >= 0; i--) {
      const step = spine[i];
      if (step === undefined) continue;
      const at = precedence(step.node);
      out += ` ${step.node.op} `;
      if (at === POWER) child(step.node.right, UNARY, false);
      else child(step.node.right, at, true);
      if (step.wrapped) out += ")";
    }
  }

  function writeExpr(e: ExprDoc | SliceDoc): void {
    switch (e.doc) {
      case "text":
        out += e.text;
        return;
      case "attr":
        child(e.value, ATOM, false);
        out += `.${e.name}`;
        return;
      case "index":
        child(e.value, ATOM, false);
        if (e.indices.length === 0) out += "[()]";
        else {
          out += "[";
          joined(e.indices);
          out += "]";
        }
        return;
      case "slice":
        if (e.start !== undefined) expr(e.start);
        out += ":";
        if (e.stop !== undefined) expr(e.stop);
        if (e.step !== undefined) {
          out += ":";
          expr(e.step);
        }
        return;
      case "call": {
        child(e.callee, ATOM, false);
        out += "(";
        joined(e.args);
        let first = e.args.length === 0;
        for (const [name, value] of e.keywords) {
          out += first ? `${name}=` : `, ${name}=`;
          first = false;
          expr(value);
        }
        out += ")";
        return;
      }
      case "unary":
        out += e.op === "not" ? "not " : e.op;
        child(e.operand, precedence(e), false);
        return;
      case "binary":
        writeBinary(e);
        return;
      case "if-exp":
        child(e.body, IF_EXP, false);
        out += " if ";
        child(e.test, IF_EXP, true);
        out += " else ";
        child(e.orelse, IF_EXP, true);
        return;
      case "lambda":
        out += `lambda ${e.params.join(", ")}: `;
        child(e.body, LAMBDA, false);
        return;
      case "tuple":
        out += "(";
        joined(e.items);
        out += e.items.length === 1 ? ",)" : ")";
        return;
      case "list":
        out += "[";
        joined(e.items);
        out += "]";
        return;
      case "dict": {
        out += "{";
        let first = true;
        for (const [key, value] of e.entries) {
          if (!first) out += ", ";
          first = false;
          expr(key);
          out += ": ";
          expr(value);
        }
        out += "}";
        return;
      }
    }
  }

  const block = (body: readonly StmtDoc[]): void => {
    depth++;
    if (body.every((s) => s.doc === "comment")) {
      for (const s of body) {
        newline();
        stmt(s);
      }
      newline();
      out += "pass";
    } else {
      for (const s of body) {
        newline();
        stmt(s);
      }
    }
    depth--;
  };

  const above = (comment: string | undefined): void => {
    if (comment === undefined) return;
    commentLines(comment);
    newline();
  };

  const commentLines = (comment: string): void =>
    aside(() => {
      for (const [i, line] of comment.split("\n").entries()) {
        if (i > 0) newline();
        out += `# ${line}`;
      }
    });

  /** A remark on a function or a class is its documentation. */
  const inside = (comment: string | undefined): void => {
    if (comment === undefined) return;
    depth++;
    newline();
    aside(() => {
      out += '"""';
      for (const line of comment.split("\n")) {
        if (line === "") out += "\n";
        else {
          newline();
          out += line;
        }
      }
      newline();
      out += '"""';
    });
    depth--;
  };

  const behind = (comment: string | undefined): void => {
    if (comment !== undefined) aside(() => void (out += `  # ${comment.replaceAll("\n", " ")}`));
  };

  /** `a, b` for several, without the parentheses of a tuple. */
  const bare = (e: ExprDoc): void => {
    if (e.doc === "tuple" && e.items.length > 1) joined(e.items);
    else if (e.doc === "tuple" && e.items.length === 1) {
      joined(e.items);
      out += ",";
    } else expr(e);
  };

  function stmt(s: StmtDoc): void {
    if (isTracking && s.source !== undefined) tracked(s.source, () => writeStmt(s));
    else writeStmt(s);
  }

  function writeStmt(s: StmtDoc): void {
    switch (s.doc) {
      case "assign":
        bare(s.lhs);
        if (s.annotation !== undefined) {
          out += ": ";
          expr(s.annotation);
        }
        if (s.rhs !== undefined) {
          out += " = ";
          if (s.rhs.doc === "tuple" && s.rhs.items.length > 1) joined(s.rhs.items);
          else expr(s.rhs);
        }
        behind(s.comment);
        return;
      case "expr":
        expr(s.value);
        behind(s.comment);
        return;
      case "for":
        above(s.comment);
        out += "for ";
        bare(s.lhs);
        out += " in ";
        expr(s.rhs);
        out += ":";
        block(s.body);
        return;
      case "while":
        above(s.comment);
        out += "while ";
        expr(s.test);
        out += ":";
        block(s.body);
        return;
      case "if":
        above(s.comment);
        out += "if ";
        expr(s.test);
        out += ":";
        block(s.body);
        if (s.orelse.length > 0) {
          newline();
          out += "else:";
          block(s.orelse);
        }
        return;
      case "scope":
        above(s.comment);
        out += "with ";
        expr(s.rhs);
        if (s.lhs !== undefined) {
          out += " as ";
          expr(s.lhs);
        }
        out += ":";
        block(s.body);
        return;
      case "assert":
        out += "assert ";
        expr(s.test);
        if (s.message !== undefined) {
          out += ", ";
          expr(s.message);
        }
        behind(s.comment);
        return;
      case "return":
        out += "return ";
        expr(s.value);
        behind(s.comment);
        return;
      case "function":
        decorators(s.decorators);
        out += `def ${s.name}${typeParams(s.typeParams ?? [])}(`;
        for (const [i, param] of s.params.entries()) {
          if (i > 0) out += ", ";
          stmt(param);
        }
        out += ")";
        if (s.returns !== undefined) {
          out += " -> ";
          expr(s.returns);
        }
        out += ":";
        inside(s.comment);
        block(s.body);
        aside(() => void (out += "\n"));
        return;
      case "class":
        decorators(s.decorators);
        out += `class ${s.name}:`;
        inside(s.comment);
        block(s.body);
        return;
      case "comment":
        if (s.text !== "") commentLines(s.text);
        return;
    }
  }

  function decorators(list: readonly ExprDoc[]): void {
    for (const d of list) {
      out += "@";
      expr(d);
      newline();
    }
  }

  for (const [i, s] of stmts.entries()) {
    if (i > 0) newline();
    stmt(s);
  }
  const underlines = [...tracks.flatMap((t) => t.found), ...marked].sort((a, b) => a.start - b.start || a.end - b.end);
  return { text: out.trimEnd(), underlines, lineStarts, exempt };
}

function typeParams(names: readonly string[]): string {
  return names.length === 0 ? "" : `[${names.join(", ")}]`;
}

function isList(source: Node | readonly Node[]): source is readonly Node[] {
  return Array.isArray(source);
}

/** One expression as text. */
export function printExprDoc(e: ExprDoc): string {
  return printDocs([{ doc: "expr", value: e }], { indentSpaces: 4, underlinePaths: [], underlineNodes: new Set() }).text;
}
