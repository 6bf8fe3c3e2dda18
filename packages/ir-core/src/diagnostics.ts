import type { Span } from "./source-text.ts";

/** How bad it is. An error stops the pipeline after the pass that reported it. */
export type Severity = "error" | "warning" | "note";

/** One kind of message. The parameters of `message` become required, checked parameters of `report`. */
export interface DiagnosticDef {
  readonly severity: Severity;
  readonly message: (params: never) => string;
  /** How to get out of it, in the imperative. */
  readonly help?: string | ((params: never) => string | undefined);
}

/** All messages of a package by code. */
export interface Catalogue {
  readonly [code: string]: DiagnosticDef;
}

/** A further place that explains a diagnostic, e.g. "First defined here.". */
export interface RelatedSpan {
  readonly message: string;
  readonly span: Span;
}

/** One message about the user's program. */
export interface Diagnostic {
  /** `<package>/<code>`; stable, listed in the docs. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span | undefined;
  readonly help: string | undefined;
  readonly related: readonly RelatedSpan[];
}

/** What a message is told; `{}` for one that needs nothing. */
export type MessageParams<D extends DiagnosticDef> = Parameters<D["message"]> extends [] ? Record<never, never> : Parameters<D["message"]>[0];

/** Reports a message of catalogue `C`; code and parameters are checked by the compiler. */
export type Reporter<C extends Catalogue> = <K extends keyof C & string>(
  code: K,
  params: MessageParams<C[K]>,
  span?: Span,
  related?: readonly RelatedSpan[],
) => void;

/** Collects diagnostics in the order they were reported; never throws. */
export class Diagnostics {
  readonly all: Diagnostic[] = [];

  reporter<const C extends Catalogue>(scope: string, catalogue: C): Reporter<C> {
    return (code, params, span, related = []) => {
      const def: DiagnosticDef | undefined = catalogue[code];
      if (def === undefined) throw new Error(`internal: no diagnostic \`${scope}/${code}\``);
      const help = typeof def.help === "function" ? def.help(params as never) : def.help;
      this.all.push({
        code: `${scope}/${code}`,
        severity: def.severity,
        message: def.message(params as never),
        span,
        help,
        related,
      });
    };
  }

  get hasErrors(): boolean {
    return this.all.some((d) => d.severity === "error");
  }
}

/**
 * Thrown where a result cannot be had because the input is wrong: a file, a program, a request. Carries every
 * diagnostic of the run; `message` is the first error, rendered.
 */
export class DiagnosticError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => formatDiagnostic(d)).join("\n\n"));
    this.name = "DiagnosticError";
    this.diagnostics = diagnostics;
  }
}

/** Throws a `DiagnosticError` if `diagnostics` holds an error. */
export function throwIfErrors(diagnostics: Diagnostics): void {
  if (diagnostics.hasErrors) throw new DiagnosticError(diagnostics.all);
}

/** A diagnostic as text: message, excerpt with carets, notes, help. `color` adds ANSI colours. */
export function formatDiagnostic(d: Diagnostic, opts: { readonly color?: boolean } = {}): string {
  const paint = (code: string, text: string): string => (opts.color === true ? `\u001b[${code}m${text}\u001b[0m` : text);
  const severityColor = { error: "1;31", warning: "1;33", note: "1;36" }[d.severity];
  const out = [`${paint(severityColor, `${d.severity}[${d.code}]`)}: ${d.message}`];
  if (d.span) out.push(...excerpt(d.span));
  for (const r of d.related) out.push(`${paint("1;36", "note")}: ${r.message}`, ...excerpt(r.span));
  if (d.help !== undefined) out.push(`${paint("1;32", "help")}: ${d.help}`);
  return out.join("\n");
}

/** A place as plain data: 1-based lines and columns, 0-based offsets. */
export interface JsonSpan {
  readonly file: string;
  readonly start: { readonly line: number; readonly column: number; readonly offset: number };
  readonly end: { readonly line: number; readonly column: number; readonly offset: number };
}

/** A diagnostic as plain data, for editors and other programs. */
export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly help?: string;
  readonly span?: JsonSpan;
  readonly related: readonly { readonly message: string; readonly span: JsonSpan }[];
}

/** A diagnostic as plain data. */
export function diagnosticToJson(d: Diagnostic): JsonDiagnostic {
  return {
    code: d.code,
    severity: d.severity,
    message: d.message,
    ...(d.help === undefined ? {} : { help: d.help }),
    ...(d.span === undefined ? {} : { span: spanToJson(d.span) }),
    related: d.related.map((r) => ({ message: r.message, span: spanToJson(r.span) })),
  };
}

function spanToJson(span: Span): JsonSpan {
  const place = (offset: number): JsonSpan["start"] => ({ ...span.source.position(offset), offset });
  return { file: span.source.name, start: place(span.start), end: place(span.end) };
}

function excerpt(span: Span): string[] {
  const { line, column } = span.source.position(span.start);
  const gutter = " ".repeat(String(line).length);
  const text = span.source.lineText(line);
  const width = Math.max(1, Math.min(span.end - span.start, text.length - column + 1));
  return [
    `${gutter}--> ${span.source.name}:${line}:${column}`,
    `${line} | ${text}`,
    `${gutter} | ${" ".repeat(column - 1)}${"^".repeat(width)}`,
  ];
}
