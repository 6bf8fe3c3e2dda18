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
  const lines = printed.text.split("\n");
  const marks = underlinesByLine(lines, printed.underlines);
  const numberWidth = opts.lineNumbers ? String(lines.length).length + 1 : 0;
  const out: string[] = [];
  let next = 0;
  for (const [from, to] of chunks(lines.length, [...marks.keys()], opts.contextLines)) {
    cut(from - next, out);
    for (let i = from; i < to; i++) {
      const number = opts.lineNumbers ? `${i + 1} `.padStart(numberWidth) : "";
      out.push(number + (lines[i] ?? ""));
      const carets = marks.get(i);
      if (carets !== undefined) out.push(" ".repeat(numberWidth) + carets);
    }
    next = to;
  }
  cut(lines.length - next, out);
  return out.join("\n");
}

function cut(lines: number, out: string[]): void {
  if (lines > 0) out.push(`(... ${lines} lines skipped ...)`);
}

/** The caret line under each line that has one. Indentation is not underlined. */
function underlinesByLine(lines: readonly string[], ranges: readonly TextRange[]): ReadonlyMap<number, string> {
  const out = new Map<number, string>();
  let lineStart = 0;
  let index = 0;
  for (const line of lines) {
    const lineEnd = lineStart + line.length;
    let carets = "";
    for (const r of ranges) {
      if (r.start > lineEnd || r.end <= lineStart) continue;
      const first = Math.max(0, r.start - lineStart, line.length - line.trimStart().length);
      const last = Math.min(line.length, r.end - lineStart);
      if (last > Math.max(first, carets.length)) carets = carets.padEnd(first) + "^".repeat(last - Math.max(first, carets.length));
    }
    if (carets !== "") out.set(index, carets);
    lineStart = lineEnd + 1;
    index++;
  }
  return out;
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
