import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A row of a corpus's `manifest.jsonl`, as far as it is used here. */
export interface CorpusScript {
  readonly id: string;
  /** The file below the corpus folder; null where the program needs Python around it. */
  readonly path: string | null;
  /** The part of the test tree that it is from. */
  readonly dir: string;
  readonly kind: string;
  readonly self_contained: boolean;
  /** Not null where the program has to be rejected. */
  readonly expect_error: unknown;
  readonly check_well_formed: boolean;
}

/** A row of `pairs/print.jsonl`: a program and the text that upstream's printer writes for it. */
export interface CorpusPrint {
  readonly id: string;
  readonly script_path: string | null;
  readonly obj_expr: string;
  readonly expected: string;
}

/**
 * The rows of a JSON-lines file of a corpus; none where there is no such file. The caller names the row's type and
 * vouches for it.
 */
export function corpusRows<T>(folder: string, file: string): readonly T[] {
  const path = join(folder, file);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): T => JSON.parse(line));
}

/** The text of a script of the corpus, by its path there. */
export function corpusText(folder: string, path: string): string {
  return readFileSync(join(folder, path), "utf8");
}
