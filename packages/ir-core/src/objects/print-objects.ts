/** A value of upstream's object JSON. Objects and lists say whether they take a line an entry. */
export type JsonDoc =
  | string
  | number
  | { readonly entries: readonly (readonly [key: string, value: JsonDoc])[]; readonly lines: boolean }
  | { readonly items: readonly JsonDoc[]; readonly lines: boolean };

/** The text that upstream's JSON writer makes: two spaces a level, and a blank after each comma. */
export function printObjects(doc: JsonDoc, indent = "\n"): string {
  if (typeof doc === "number") return String(doc);
  if (typeof doc === "string") return quoted(doc);
  const inner = `${indent}  `;
  const before = doc.lines ? inner : "";
  const isList = "items" in doc;
  const parts = isList
    ? doc.items.map((v) => printObjects(v, inner))
    : doc.entries.map(([k, v]) => `${quoted(k)}: ${printObjects(v, inner)}`);
  const text = parts.length === 0 ? "" : before + parts.join(`, ${before}`) + (doc.lines ? indent : "");
  return isList ? `[${text}]` : `{${text}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\r": "\\r", "\n": "\\n", "\\": "\\\\", "\t": "\\t", '"': '\\"' };

/** A text in quotes; other control characters too are escaped, which upstream leaves out, so that it is JSON. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]|[^ -\uffff]/g, (c) => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}
