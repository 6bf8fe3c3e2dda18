import type { PrintedDoc, TextRange } from "../doc/print-doc.ts";

/** Fewer lines than this are shown rather than cut out. */
const LEAST_CUT = 2;

/**
 * The text with carets under the underlined parts, line numbers, and lines far from any underlined part cut out.
 * Without any of these it is the text itself.
 */
export function decorateText(
  printed: PrintedDoc,
  opts: { readonly lineNumbers: boolean; readonly contextLines: number | undefined },
): string {
  if (printed.underlines.length === 0 && !opts.lineNumbers) return printed.text;
  const lines = linesOf(printed);
  const numberWidth = opts.lineNumbers ? String(lines.length).length + 1 : 0;
  const out: string[] = [];
  let next = 0;
  const carets = caretLines(lines, printed);
  const marked = carets.flatMap((c, i) => (c === "" ? [] : [i]));
  for (const [from, to] of chunks(lines.length, marked, opts.contextLines)) {
    cut(from - next, out);
    for (let i = from; i < to; i++) {
      const number = opts.lineNumbers ? `${i + 1} `.padStart(numberWidth) : "";
      out.push(number + (lines[i]?.text ?? ""));
      const below = carets[i] ?? "";
      if (below !== "") out.push(" ".repeat(numberWidth) + below);
    }
    next = to;
  }
  cut(lines.length - next, out);
  return out.join("\n");
}

interface Line {
  readonly start: number;
  readonly text: string;
}

/** The lines that upstream counts: one that ends a function has the empty line behind it. */
function linesOf({ text, lineStarts }: PrintedDoc): Line[] {
  const starts = lineStarts.filter((s) => s <= text.length);
  return starts.map((start, i) => ({ start, text: text.slice(start, i + 1 < starts.length ? (starts[i + 1] ?? 0) - 1 : text.length) }));
}

function cut(lines: number, out: string[]): void {
  if (lines > 0) out.push(`(... ${lines} lines skipped ...)`);
}

/** What stands under each line; nothing under a line without underlined parts. */
function caretLines(lines: readonly Line[], { underlines, exempt }: PrintedDoc): readonly string[] {
  const marks = new Map<number, string[]>();
  const mark = (r: TextRange, sign: string): void => {
    for (let i = lineAt(lines, r.start); i < lines.length; i++) {
      const line = lines[i];
      if (line === undefined || line.start >= r.end) return;
      const row = marks.get(i) ?? [];
      if (row.length === 0 && sign === " ") continue;
      marks.set(i, row);
      const end = Math.min(r.end - line.start, line.text.length);
      for (let at = Math.max(0, r.start - line.start); at < end; at++) row[at] = sign;
    }
  };
  for (const r of underlines) mark(r, "^");
  for (const r of exempt) mark(r, " ");
  return lines.map((_, i) => Array.from(marks.get(i) ?? [], (m) => m ?? " ").join("").trimEnd());
}

/** The line that holds a place of the text. */
function lineAt(lines: readonly Line[], place: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lines[middle]?.start ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The ranges of lines to show. */
function chunks(count: number, marked: readonly number[], context: number | undefined): (readonly [number, number])[] {
  if (marked.length === 0 || context === undefined) return [[0, count]];
  const out: [number, number][] = [];
  for (const line of marked) {
    const from = Math.max(0, line - context);
    const to = Math.min(count, line + 1 + context);
    const last = out[out.length - 1];
    if (last !== undefined && from < last[1] + LEAST_CUT) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  const first = out[0];
  if (first !== undefined && first[0] < LEAST_CUT) first[0] = 0;
  const last = out[out.length - 1];
  if (last !== undefined && count - last[1] < LEAST_CUT) last[1] = count;
  return out;
}
