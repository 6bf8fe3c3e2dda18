/** A figure of a report, by what it is of: upstream's own form in JSON. */
export type VmMetric = { readonly string: string } | { readonly count: number } | { readonly microseconds: number } | { readonly percent: number } | { readonly ratio: number };

/** Figures by name: `Name`, `Duration (us)`, `Percent`, `Device`, `Count`, `Argument Shapes`, and others of a caller's own. */
export type VmMetrics = Readonly<Record<string, VmMetric>>;

/** What a profile found, each call by itself and in order (upstream's `profiling.Report`). */
export interface VmReport {
  readonly calls: readonly VmMetrics[];
  /** What all of a device took, by its name. */
  readonly deviceMetrics: Readonly<Record<string, VmMetrics>>;
  readonly configuration: VmMetrics;
}

/** What `reportAsTable` may be told; all is so unless told. */
export interface VmReportTableOptions {
  /** The dearest first. */
  readonly sort?: boolean;
  /** One row for all calls of one function with arguments of the same shapes. */
  readonly aggregate?: boolean;
  /** A row of sums at the end. */
  readonly colSums?: boolean;
}

/** The report in JSON, keys in order, as upstream's `Report.json` has it and `Report.from_json` reads it. */
export function reportAsJson({ calls, deviceMetrics, configuration }: VmReport): string {
  const devices = Object.fromEntries(Object.entries(deviceMetrics).map(([name, m]) => [name, sorted(m)]));
  return JSON.stringify({ calls: calls.map(sorted), device_metrics: devices, configuration: sorted(configuration) });
}

/** The calls as comma-separated values under their names in order, texts in quotes (upstream's `Report.csv`). */
export function reportAsCsv({ calls }: VmReport): string {
  const headers = [...new Set(calls.flatMap((c) => Object.keys(c)))].sort();
  const value = (m: VmMetric | undefined): string => (m === undefined ? "" : "string" in m ? `"${m.string}"` : String(numberOf(m)));
  return [headers, ...calls.map((c) => headers.map((h) => value(c[h])))].map((row) => `${row.join(",")}\n`).join("");
}

/** The report as a table to read (upstream's `Report.table`). */
export function reportAsTable(report: VmReport, { sort = true, aggregate = true, colSums = true }: VmReportTableOptions = {}): string {
  let rows = aggregate ? aggregated(report.calls) : [...report.calls];
  const duration = (m: VmMetrics): number => numberOf(m["Duration (us)"]);
  if (sort) rows = rows.toSorted((a, b) => duration(b) - duration(a));
  if (colSums) rows.push({ Name: { string: "----------" } }, sums(rows));
  for (const metrics of Object.values(report.deviceMetrics)) rows.push({ ...metrics, Name: { string: "Total" } });
  const known = ["Name", "Duration (us)", "Percent", "Device", "Count", "Argument Shapes"];
  const others = [...new Set(rows.flatMap((r) => Object.keys(r)))].filter((h) => !known.includes(h)).sort();
  const cells = [[...known, ...others], ...rows.map((r) => [...known, ...others].map((h) => shown(r[h])))];
  const widths = [...known, ...others].map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, i) => `${i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)}  `).join(""));
  const configuration = Object.entries(report.configuration).map(([name, m]) => `${name}: ${shown(m)}`);
  return [...lines, "", "Configuration", "-------------", ...configuration, ""].join("\n");
}

function sorted(metrics: VmMetrics): VmMetrics {
  return Object.fromEntries(Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function numberOf(m: VmMetric | undefined): number {
  if (m === undefined || "string" in m) return 0;
  if ("count" in m) return m.count;
  if ("microseconds" in m) return m.microseconds;
  return "percent" in m ? m.percent : m.ratio;
}

function shown(m: VmMetric | undefined): string {
  if (m === undefined) return "";
  if ("string" in m) return m.string;
  if ("count" in m) return grouped(m.count.toFixed(0));
  if ("ratio" in m) return String(Number(m.ratio.toPrecision(2)));
  return "percent" in m ? m.percent.toFixed(2) : grouped(m.microseconds.toFixed(2));
}

/** Thousands apart, the same wherever it runs. */
function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
}

function aggregated(calls: readonly VmMetrics[]): VmMetrics[] {
  const groups = new Map<string, VmMetrics[]>();
  for (const call of calls) {
    const key = JSON.stringify([call["Hash"] ?? call["Name"], call["Argument Shapes"], call["Device"]]);
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  return [...groups.values()].map((group) => {
    const names = new Set(group.flatMap((c) => Object.keys(c)));
    return Object.fromEntries([...names].flatMap((name) => joined(group.flatMap((c) => c[name] ?? [])).map((m) => [name, m] as const)));
  });
}

/** Figures of one name as one: sums, means of ratios, texts if they are the same. */
function joined(metrics: readonly VmMetric[]): readonly VmMetric[] {
  const [first] = metrics;
  if (first === undefined) return [];
  const sum = metrics.reduce((n, m) => n + numberOf(m), 0);
  if ("string" in first) return [metrics.every((m) => "string" in m && m.string === first.string) ? first : { string: "" }];
  if ("ratio" in first) return [{ ratio: sum / metrics.length }];
  if ("count" in first) return [{ count: sum }];
  return ["percent" in first ? { percent: sum } : { microseconds: sum }];
}

function sums(rows: readonly VmMetrics[]): VmMetrics {
  const names = new Set(rows.flatMap((r) => Object.keys(r)));
  const totals = [...names].flatMap((name) => joined(rows.flatMap((r) => r[name] ?? [])).map((m) => [name, m] as const));
  return { ...Object.fromEntries(totals.filter(([, m]) => !("string" in m || "ratio" in m))), Name: { string: "Sum" } };
}
