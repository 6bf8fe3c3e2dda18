import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { build } from "esbuild";
import { figure, markdownTable, type BenchRow } from "./bench-row.ts";
import { timingOf } from "./interleave.ts";
import { benchModels, type BenchModel } from "./model-list.ts";
import { benchOptions, writeJson } from "./options.ts";
import { writeSection } from "./performance-page.ts";

const options = benchOptions("bench:coldstart", "Times load and first result in fresh processes, in turns; --ms is the time for each model.", 8000);
const child = fileURLToPath(new URL("./coldstart-child.mjs", import.meta.url));
const peers = ["onnxruntime-web", "onnxruntime-node"] as const;

/** What a child prints, in milliseconds. */
interface ColdStart {
  readonly load: number;
  readonly first: number;
  readonly second: number;
}

/** The artifact as one file of JavaScript beside its wasm and weights, as a bundler makes it for a page. */
async function writeModel(model: BenchModel, bytes: Uint8Array, dir: string): Promise<{ readonly path: string; readonly inputs: string }> {
  const exe = await compile(importOnnx(bytes, model.dims === undefined ? {} : { dims: model.dims }), { name: "model" });
  for (const [name, data] of exe.files) writeFileSync(join(dir, name), data);
  const path = join(dir, "bundle.mjs");
  await build({
    stdin: { contents: String(exe.files.get("model.js")), resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    bundle: true,
    conditions: ["@verticil/source"],
    external: ["node:*"],
    format: "esm",
    minify: true,
    outfile: path,
    platform: "neutral",
    logLevel: "error",
  });
  return { path, inputs: JSON.stringify(exe.manifest.inputs.map(({ dtype, shape }) => ({ dtype, shape }))) };
}

function coldStart(kind: string, path: string, inputs: string): ColdStart | undefined {
  const { stdout, status } = spawnSync(process.execPath, [child, kind, path, inputs], { encoding: "utf8", timeout: 60_000 });
  return status === 0 ? (JSON.parse(stdout) as ColdStart) : undefined;
}

async function benchModel(model: BenchModel): Promise<{ readonly rows: readonly BenchRow[]; readonly line: readonly string[] }> {
  const bytes = await model.bytes();
  const dir = mkdtempSync(join(tmpdir(), "verticil-cold-"));
  try {
    const ours = await writeModel(model, bytes, dir);
    const onnx = join(dir, "model.onnx");
    writeFileSync(onnx, bytes);
    const contestants = [{ name: "verticil", path: ours.path }, ...peers.map((name) => ({ name, path: onnx }))];
    const seen = contestants.map((): ColdStart[] => []);
    const end = performance.now() + options.milliseconds;
    for (let round = 0; round < 30 && (round < 5 || performance.now() < end); round++) {
      for (const [i, c] of contestants.entries()) {
        const result = coldStart(c.name, c.path, ours.inputs);
        if (result !== undefined) seen[i]?.push(result);
      }
    }
    const totals = seen.map((list) => timingOf(list.map((s) => s.load + s.first)));
    const part = (of: keyof ColdStart): string => {
      const t = timingOf((seen[0] ?? []).map((s) => s[of]));
      return `${figure(t.min)} / ${figure(t.median)}`;
    };
    const [own] = totals;
    const rows = peers.flatMap((peer, i): readonly BenchRow[] => {
      const theirs = totals[i + 1];
      if (own === undefined || theirs === undefined || theirs.rounds === 0) return [];
      return [{
        name: `cold start of ${model.name}`, threads: 1, ours_ms: own.min, ours_median_ms: own.median, peer,
        peer_ms: theirs.min, peer_median_ms: theirs.median, ratio: theirs.min / own.min,
      }];
    });
    const cells = rows.flatMap((r) => [`${figure(r.peer_ms)} / ${figure(r.peer_median_ms)}`, `${r.ratio.toFixed(1)}×`]);
    return { rows, line: [model.name, part("load"), part("first"), own === undefined ? "-" : `${figure(own.min)} / ${figure(own.median)}`, ...cells] };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const rows: BenchRow[] = [];
const lines: (readonly string[])[] = [];
for (const model of benchModels()) {
  if (options.only !== undefined && !model.name.toLowerCase().includes(options.only.toLowerCase())) continue;
  const result = await benchModel(model);
  console.error(result.line.join("  "));
  rows.push(...result.rows);
  lines.push(result.line);
}
const table = markdownTable(["model", "load", "first result", "together", ...peers.flatMap((p) => [p, "ratio"])], lines);
console.log(table);
writeJson(options, rows);
if (options.write) {
  const intro = "Milliseconds from the start of the import to the first result in a fresh process, `minimum / median`, one thread; the ratio is the peer's minimum over ours. Command: `pnpm bench:coldstart`.";
  writeSection("cold start", "Cold start", `${intro}\n\n${table}`);
}
