/** What a token is. Operators and keywords are told apart by their text. */
export const TokenKind = { name: 0, number: 1, string: 2, op: 3, newline: 4, indent: 5, dedent: 6, end: 7, error: 8, keyword: 9 } as const;

const KEYWORDS = new Set([
  "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
  "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or",
  "pass", "raise", "return", "try", "while", "with", "yield",
]);

/** True for a word that Python keeps for itself. */
export function isPythonKeyword(word: string): boolean {
  return KEYWORDS.has(word);
}

/** The tokens of a text as parallel lists. `texts` holds names, operators and numbers; a string's text is cut on demand. */
export interface Tokens {
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly texts: readonly string[];
  /** Places where the text cannot be cut into tokens. */
  readonly errors: readonly { readonly message: string; readonly start: number; readonly end: number }[];
}

const OPS3 = new Set(["**=", "//=", "<<=", ">>=", "..."]);
const OPS2 = new Set(["**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":="]);
const OPS1 = "+-*/%@&|^~<>()[]{},:.;=";
/** Operators that begin no longer one. */
const ALONE: readonly boolean[] = Array.from({ length: 128 }, (_, i) => "()[]{},;~".includes(String.fromCharCode(i)));
const SINGLE: readonly string[] = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i));

const NL = 10;
const CR = 13;

function isNameStart(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c > 127;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

/** Cuts Python source into tokens; line structure becomes `newline`, `indent` and `dedent`. Never throws. */
export function tokenize(src: string): Tokens {
  // Typed arrays are no work for the garbage collector. Four letters a token is less than programs have.
  let capacity = 64 + (src.length >> 2);
  let count = 0;
  let kinds = new Uint8Array(capacity);
  let starts = new Int32Array(capacity);
  let ends = new Int32Array(capacity);
  const texts: string[] = [];
  const errors: { message: string; start: number; end: number }[] = [];
  const indents = [0];
  const words = new Map<string, { readonly text: string; readonly kind: number }>();
  const n = src.length;
  let pos = 0;
  let depth = 0;
  let lineStart = true;

  const grow = (): void => {
    capacity *= 2;
    const [oldKinds, oldStarts, oldEnds] = [kinds, starts, ends];
    kinds = new Uint8Array(capacity);
    starts = new Int32Array(capacity);
    ends = new Int32Array(capacity);
    kinds.set(oldKinds);
    starts.set(oldStarts);
    ends.set(oldEnds);
  };

  const push = (kind: number, start: number, end: number, text: string): void => {
    if (count === capacity) grow();
    kinds[count] = kind;
    starts[count] = start;
    ends[count] = end;
    texts.push(text);
    count++;
  };

  /** At the start of a logical line: measures the indentation and opens or closes blocks. */
  const readIndent = (): void => {
    let width = 0;
    let p = pos;
    for (; p < n; p++) {
      const c = src.charCodeAt(p);
      if (c === 32) width++;
      else if (c === 9) width = (width | 7) + 1;
      else if (c === 12) width = 0;
      else break;
    }
    pos = p;
    const c = p < n ? src.charCodeAt(p) : NL;
    if (c === NL || c === CR || c === 35 || p >= n) return;
    lineStart = false;
    let top = indents[indents.length - 1] ?? 0;
    if (width > top) {
      indents.push(width);
      push(TokenKind.indent, p, p, "");
      return;
    }
    while (width < top) {
      indents.pop();
      top = indents[indents.length - 1] ?? 0;
      push(TokenKind.dedent, p, p, "");
    }
    if (width !== top) errors.push({ message: "This line's indentation matches no block around it.", start: p, end: p + 1 });
  };

  while (pos < n) {
    if (lineStart && depth === 0) {
      readIndent();
      if (pos >= n) break;
    }
    const c = src.charCodeAt(pos);
    if (c === 32 || c === 9 || c === CR || c === 12) {
      pos++;
    } else if (c === NL) {
      if (depth === 0 && !lineStart) {
        push(TokenKind.newline, pos, pos + 1, "");
        lineStart = true;
      }
      pos++;
    } else if (c === 35) {
      const end = src.indexOf("\n", pos);
      pos = end < 0 ? n : end;
    } else if (c === 92 && (src.charCodeAt(pos + 1) === NL || (src.charCodeAt(pos + 1) === CR && src.charCodeAt(pos + 2) === NL))) {
      pos += src.charCodeAt(pos + 1) === NL ? 2 : 3;
    } else if (isNameStart(c)) {
      let p = pos + 1;
      while (p < n) {
        const k = src.charCodeAt(p);
        if (!isNameStart(k) && !isDigit(k)) break;
        p++;
      }
      const q = src.charCodeAt(p);
      if ((q === 34 || q === 39) && p - pos <= 2 && /^[rbuf]{1,2}$/i.test(src.slice(pos, p))) {
        pos = readString(pos, p);
      } else {
        const cut = src.slice(pos, p);
        // One string for all occurrences of a word: a large program says few words many times.
        let word = words.get(cut);
        if (word === undefined) words.set(cut, (word = { text: cut, kind: KEYWORDS.has(cut) ? TokenKind.keyword : TokenKind.name }));
        push(word.kind, pos, p, word.text);
        pos = p;
      }
    } else if (isDigit(c) || (c === 46 && isDigit(src.charCodeAt(pos + 1)))) {
      pos = readNumber(pos);
    } else if (c === 34 || c === 39) {
      pos = readString(pos, pos);
    } else {
      pos = readOperator(pos, c);
    }
  }
  if (!lineStart) push(TokenKind.newline, n, n, "");
  while (indents.length > 1) {
    indents.pop();
    push(TokenKind.dedent, n, n, "");
  }
  push(TokenKind.end, n, n, "");
  return { kinds: kinds.subarray(0, count), starts: starts.subarray(0, count), ends: ends.subarray(0, count), texts, errors };

  function readNumber(start: number): number {
    let p = start;
    if (src.charCodeAt(p) === 48 && /[xXoObB]/.test(src[p + 1] ?? "")) {
      p += 2;
      while (/[0-9a-fA-F_]/.test(src[p] ?? "")) p++;
    } else {
      const digits = (): void => {
        while (isDigit(src.charCodeAt(p)) || src.charCodeAt(p) === 95) p++;
      };
      digits();
      if (src.charCodeAt(p) === 46) {
        p++;
        digits();
      }
      const e = src.charCodeAt(p);
      if (e === 101 || e === 69) {
        const sign = src.charCodeAt(p + 1);
        const first = sign === 43 || sign === 45 ? p + 2 : p + 1;
        if (isDigit(src.charCodeAt(first))) {
          p = first;
          digits();
        }
      }
    }
    push(TokenKind.number, start, p, src.slice(start, p));
    return p;
  }

  /** `start` is where the prefix begins, `quote` where the quote is. */
  function readString(start: number, quote: number): number {
    const q = src[quote] ?? '"';
    const triple = src.startsWith(q + q + q, quote);
    const close = triple ? q + q + q : q;
    let p = quote + close.length;
    for (;;) {
      if (p >= n || (!triple && src.charCodeAt(p) === NL)) {
        errors.push({ message: "This string has no end.", start, end: Math.min(p, n) });
        push(TokenKind.string, start, Math.min(p, n), "");
        return Math.min(p, n);
      }
      if (src.charCodeAt(p) === 92) p += 2;
      else if (src.startsWith(close, p)) break;
      else p++;
    }
    push(TokenKind.string, start, p + close.length, "");
    return p + close.length;
  }

  function readOperator(start: number, c: number): number {
    if (ALONE[c] === true) {
      if (c === 40 || c === 91 || c === 123) depth++;
      else if ((c === 41 || c === 93 || c === 125) && depth > 0) depth--;
      push(TokenKind.op, start, start + 1, SINGLE[c] ?? "");
      return start + 1;
    }
    const three = src.slice(start, start + 3);
    if (OPS3.has(three)) {
      push(TokenKind.op, start, start + 3, three);
      return start + 3;
    }
    const two = three.slice(0, 2);
    if (OPS2.has(two)) {
      push(TokenKind.op, start, start + 2, two);
      return start + 2;
    }
    const one = SINGLE[c] ?? "?";
    if (!OPS1.includes(one)) {
      errors.push({ message: `There is no \`${src.slice(start, start + 1)}\` in Python.`, start, end: start + 1 });
      push(TokenKind.error, start, start + 1, one);
      return start + 1;
    }
    push(TokenKind.op, start, start + 1, one);
    return start + 1;
  }
}

/** The value of a string literal with its prefix and quotes; undefined for bytes. */
export function stringValue(literal: string): string | undefined {
  const first = literal.charCodeAt(0);
  const isPlain = (first === 34 || first === 39) && literal.length > 1 && literal.charCodeAt(1) !== first && !literal.includes("\\");
  if (isPlain) return literal.endsWith(literal[0] ?? "") ? literal.slice(1, -1) : literal.slice(1);
  const quote = literal.search(/["']/);
  const prefix = literal.slice(0, Math.max(0, quote)).toLowerCase();
  const body = literal.slice(quote);
  const q = body[0] ?? '"';
  const width = body.length >= 6 && body.startsWith(q + q + q) ? 3 : 1;
  const inner = body.slice(width, body.length >= 2 * width && body.endsWith(q) ? -width : undefined);
  if (prefix.includes("b")) return undefined;
  return prefix.includes("r") || !inner.includes("\\") ? inner : inner.replace(ESCAPE, unescape);
}

const ESCAPE = /\\(\r?\n|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[^])/g;
const PLAIN: Readonly<Record<string, string>> = {
  n: "\n", t: "\t", r: "\r", a: "\u0007", b: "\b", f: "\f", v: "\v", "\\": "\\", "'": "'", '"': '"',
};

function unescape(whole: string, escape: string): string {
  if (escape === "\n" || escape === "\r\n") return "";
  const plain = PLAIN[escape];
  if (plain !== undefined) return plain;
  if (/^[xuU][0-9a-fA-F]{2}/.test(escape)) {
    const code = Number.parseInt(escape.slice(1), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  }
  return /^[0-7]/.test(escape) ? String.fromCharCode(Number.parseInt(escape, 8)) : whole;
}

/** A short run of digits; undefined for anything else. */
function decimal(text: string): number | undefined {
  if (text.length > 9) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** The value of a number literal; undefined if it is imaginary or malformed. */
export function numberValue(text: string): { readonly int: number | bigint } | { readonly float: number } | undefined {
  const small = decimal(text);
  if (small !== undefined) return { int: small };
  const t = text.replaceAll("_", "");
  if (/^(\d+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(t)) {
    const digits = /^0+\d/.test(t) ? t.replace(/^0+/, "") : t;
    const value = Number(digits);
    return { int: Number.isSafeInteger(value) ? value : BigInt(digits) };
  }
  const value = Number(t);
  return Number.isNaN(value) ? undefined : { float: value };
}
