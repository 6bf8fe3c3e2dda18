import type { Dialect } from "./field-table.ts";
import type { Node } from "./node.ts";
import { firstMismatch } from "./structural-equal.ts";

/** How matchers compare and show programs. */
export interface IrMatcherOptions {
  readonly dialects: readonly Dialect[];
  /** A program as text, e.g. TVMScript. Without it a failure shows the path alone. */
  readonly print?: (node: Node) => string;
}

/** The answer of a matcher, as vitest wants it. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** The matchers of `irMatchers`; a type and not an interface, because `expect.extend` wants an index signature. */
export type IrMatchers = {
  readonly toEqualIr: (received: unknown, expected: Node, opts?: { readonly mapFreeVars?: boolean }) => MatcherResult;
};

/**
 * Matchers for `expect.extend`:
 *
 * ```ts
 * expect.extend(irMatchers({ dialects: [irDialect, tir, relax], print: (n) => print(n, { dialects }) }));
 * expect(simplify().run(before, ctx)).toEqualIr(expected);
 * ```
 *
 * The test runner learns the type of `toEqualIr` from a declaration of the project's own (for vitest, an
 * `interface Matchers<T>` merged into its module): this package does not depend on a runner.
 */
export function irMatchers(options: IrMatcherOptions): IrMatchers {
  const show = (node: Node): string => printed(options, node);
  return {
    toEqualIr(received, expected, opts = {}) {
      if (typeof received !== "object" || received === null || !("kind" in received)) {
        return { pass: false, message: () => `Expected a program, got ${String(received)}.` };
      }
      const node = received as Node;
      const mismatch = firstMismatch(node, expected, { dialects: options.dialects, ...opts });
      if (mismatch === undefined) return { pass: true, message: () => `Expected programs to differ:\n${show(node)}` };
      const places = `${brief(mismatch.lhs, show)} where ${brief(mismatch.rhs, show)} was expected`;
      const message = (): string => `The programs differ at ${mismatch.path}: ${places}.`;
      return { pass: false, message, actual: show(node), expected: show(expected) };
    },
  };
}

function printed(options: IrMatcherOptions, node: Node): string {
  if (options.print === undefined) return `<${node.kind}>`;
  try {
    return options.print(node);
  } catch (error) {
    return `<${node.kind}, which cannot be printed: ${String(error)}>`;
  }
}

function brief(value: unknown, show: (node: Node) => string): string {
  if (value === undefined) return "nothing";
  if (typeof value !== "object" || value === null) return typeof value === "string" ? JSON.stringify(value) : String(value);
  if (!("kind" in value)) return Array.isArray(value) ? `a list of ${value.length}` : "a record";
  const text = show(value as Node);
  return text.includes("\n") || text.length > 120 ? `a \`${(value as Node).kind}\`` : `\`${text}\``;
}
