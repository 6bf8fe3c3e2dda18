/** A result as `--json` writes it; times are minima in milliseconds, `ratio` is how many times faster we are. */
export interface BenchRow {
  readonly name: string;
  readonly threads: number;
  readonly ours_ms: number;
  readonly ours_median_ms: number;
  readonly peer: string;
  readonly peer_ms: number;
  readonly peer_median_ms: number;
  readonly ratio: number;
}

/** A table in Markdown: the first column to the left, the others to the right, padded so that it reads as plain text too. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((h, i) => Math.max(h.length, ...rows.map((r) => (r[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((c, i) => (i === 0 ? c.padEnd(widths[i] ?? 0) : c.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((w, i) => (i === 0 ? "-".repeat(w) : `${"-".repeat(Math.max(1, w - 1))}:`)).join(" | ")} |`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}

/** A time or a rate with three significant digits. */
export function figure(x: number): string {
  if (!Number.isFinite(x)) return "-";
  return x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x >= 1 ? x.toFixed(2) : x.toPrecision(2);
}

/** The geometric mean. */
export function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
}

/** The rows as a table: a line for each model, two columns for each peer, and the means of all and of those of each `group`. */
export function modelTable(rows: readonly BenchRow[], groups: Readonly<Record<string, ReadonlySet<string>>> = {}): string {
  const peers = ["onnxruntime-web", "tfjs-wasm", "onnxruntime-node"].filter((peer) => rows.some((r) => r.peer === peer));
  const names = [...new Set(rows.map((r) => r.name))];
  const lines = names.map((name) => {
    const own = rows.find((r) => r.name === name);
    const cells = peers.flatMap((peer) => {
      const row = rows.find((r) => r.name === name && r.peer === peer);
      return row === undefined ? ["-", "-"] : [`${figure(row.peer_ms)} / ${figure(row.peer_median_ms)}`, `${row.ratio.toFixed(2)}×`];
    });
    return [name, own === undefined ? "-" : `${figure(own.ours_ms)} / ${figure(own.ours_median_ms)}`, ...cells];
  });
  const mean = (label: string, counts: (row: BenchRow) => boolean): readonly string[] => {
    const ratios = peers.map((peer) => rows.filter((r) => r.peer === peer && counts(r)).map((r) => r.ratio));
    return [label, "", ...ratios.flatMap((list) => ["", list.length === 0 ? "-" : `${geomean(list).toFixed(2)}×`])];
  };
  const means = Object.entries(groups).map(([label, own]) => mean(`geometric mean, ${label}`, (r) => own.has(r.name)));
  return markdownTable(["model", "Verticil", ...peers.flatMap((p) => [p, "ratio"])], [...lines, mean("geometric mean", () => true), ...means]);
}
