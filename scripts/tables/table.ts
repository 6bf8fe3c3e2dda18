/** One row of a table: a name of upstream's, what it is here, and the test that holds it. */
export interface TableRow {
  readonly upstream: string;
  /** The name here; undefined where there is nothing. */
  readonly ours: string | undefined;
  /** A test file, from the root of the repository, and a text that it holds. */
  readonly test?: { readonly file: string; readonly mentions: string } | undefined;
  /** Why there is nothing. */
  readonly reason?: string | undefined;
}

/** A generated page of `docs/`. */
export interface DocTable {
  readonly file: string;
  readonly title: string;
  readonly intro: string;
  readonly groups: readonly { readonly name: string; readonly rows: readonly TableRow[] }[];
}
