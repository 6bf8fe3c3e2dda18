// `pnpm conformance:onnx [DIR] [--target interp|wasm]`: ONNX's node tests, a folder a case, each with a model and data.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../fixtures.ts";
import { runOnnxCase, type OnnxTarget } from "./onnx-case.ts";
import { conformanceOptions } from "./options.ts";
import { conformanceReport, type ConformanceCase } from "./report.ts";

/** Names of categories by case; the file's texts may run over lines. */
function categories(folder: string): Readonly<Record<string, string>> {
  const path = join(folder, "categories.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8").replace(/,\n +/g, ", ")) as Record<string, string>) : {};
}

async function main(): Promise<number> {
  const builtIn = fixture("onnx-conformance");
  const opts = conformanceOptions(process.argv.slice(2), {
    name: "onnx",
    own: ["target"],
    ...(builtIn === undefined ? {} : { defaultFolder: builtIn }),
  });
  if (opts === undefined) return 2;
  const target: OnnxTarget = opts.own["target"] === "wasm" ? "wasm" : "interp";
  const known = categories(opts.folder);
  const cases: ConformanceCase[] = [];
  for (const root of [opts.folder, join(opts.folder, "node"), join(opts.folder, "simple")]) {
    if (!existsSync(root)) continue;
    for (const name of readdirSync(root).sort()) {
      if (!existsSync(join(root, name, "model.onnx"))) continue;
      const group = known[name] ?? "without category";
      if (opts.under !== undefined && group !== opts.under) continue;
      if (opts.only !== undefined && !name.includes(opts.only)) continue;
      if (process.stderr.isTTY) process.stderr.write(`\r${cases.length} ${name.padEnd(70).slice(0, 70)}`);
      const { failure, fixedInputs } = await runOnnxCase(join(root, name), target);
      const detail = fixedInputs > 0 ? `${fixedInputs} inputs were known at compile time` : undefined;
      cases.push({ id: name, group, checks: [{ step: target, failure, detail }] });
    }
  }
  const { text, exitCode } = conformanceReport(cases, opts);
  const fixed = cases.filter((c) => c.checks[0]?.detail !== undefined).length;
  process.stdout.write(`${fixed} cases needed values of inputs at compile time, where they decide shapes\n${text}\n`);
  return exitCode;
}

process.exitCode = await main();
