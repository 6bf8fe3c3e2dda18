import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One upstream test: a program, what is done to it, and what must come out (or that it must be refused). */
export interface TransformRow {
  readonly id: string;
  readonly passes: readonly { readonly name: string; readonly args: string }[];
  readonly before: string;
  readonly before_path: string | null;
  readonly expected_path?: string | null;
  readonly actual_expr: string;
  readonly expected_expr?: string;
  readonly contexts: readonly string[];
  readonly compare?: {
    readonly fn: string;
    readonly args?: readonly string[];
    readonly kwargs?: Readonly<Record<string, string>>;
    readonly ignore_global_symbol?: boolean;
  };
  readonly exception?: string;
  readonly kind: string;
  readonly usable: boolean;
}

/** The rows of a file of the corpus; none if there is no such file. */
export function readRows(dir: string, file: string): readonly TransformRow[] {
  const path = join(dir, "pairs", file);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as TransformRow);
}

/** True for a row whose passes are all of TensorIR's own. */
export function isTirRow(row: TransformRow): boolean {
  return row.passes.length > 0 && row.passes.every((p) => /^tvm\.tir\.(transform|analysis|stmt_functor)\./.test(p.name) || /^(\.script|tvm\.script\.from_source)$/.test(p.name));
}

/** The passes' names without their module. */
export function passNames(row: TransformRow): readonly string[] {
  return row.passes.map((p) => p.name.split(".").at(-1) ?? p.name);
}
