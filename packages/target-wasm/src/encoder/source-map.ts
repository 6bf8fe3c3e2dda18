import type { SourceText } from "@verticil/ir-core";
import type { ByteMark } from "./byte-writer.ts";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * A source map of a WebAssembly module: a module is one line whose columns are byte offsets.
 * Format: ECMA-426; for WebAssembly its section on "sourceMappingURL" sections.
 */
export function wasmSourceMap(marks: readonly ByteMark[]): string {
  const sources: SourceText[] = [];
  let [offset, source, line, column] = [0, 0, 0, 0];
  const segments: string[] = [];
  for (const { at, span } of marks) {
    let index = sources.indexOf(span.source);
    if (index < 0) index = sources.push(span.source) - 1;
    const place = span.source.position(span.start);
    segments.push([at - offset, index - source, place.line - 1 - line, place.column - 1 - column].map(vlq).join(""));
    [offset, source, line, column] = [at, index, place.line - 1, place.column - 1];
  }
  return JSON.stringify({
    version: 3,
    sources: sources.map((s) => s.name),
    sourcesContent: sources.map((s) => s.text),
    names: [],
    mappings: segments.join(","),
  });
}

/** An integer in base 64 of a variable length: five bits a digit, the lowest first, the sign in the lowest of all. */
function vlq(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = "";
  do {
    const digit = rest % 32;
    rest = Math.floor(rest / 32);
    text += DIGITS[rest > 0 ? digit + 32 : digit] ?? "";
  } while (rest > 0);
  return text;
}
