// `pnpm docs:onnx FOLDER INTERP.json WASM.json`: writes docs/onnx-operators.md from what `pnpm conformance:onnx --json` wrote for
// both targets: how many of ONNX's cases of each operator pass, and every miss with its reason.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { decodeModelProto, type NodeProto } from "../../packages/onnx/src/proto/schema.ts";
import { missingRuntimeOperators, runtimeOperators } from "../../packages/onnx/src/testing/contrib-operators.ts";
import type { ConformanceCase } from "./report.ts";

interface Run {
  readonly cases: readonly ConformanceCase[];
}

/** A case on both targets; a reason where it fails. */
export interface OnnxRow {
  readonly id: string;
  readonly group: string;
  readonly op: string;
  readonly interp: string | undefined;
  readonly wasm: string | undefined;
  /** True if it passes only with values of inputs known at compile time. */
  readonly isTold?: boolean;
}

/** The operator that a case is about: its only node's, or that whose function it is the body of. */
export function operatorOf(nodes: readonly NodeProto[]): string {
  const [first] = nodes;
  const domain = first?.domain ?? "";
  const own = `${domain === "" || domain === "ai.onnx" ? "" : `${domain}:`}${first?.opType ?? "no node"}`;
  const expanded = nodes.map((n) => /^(\w+?)_test_\w+_function_/.exec(n.output?.[0] ?? "")?.[1]).find((name) => name !== undefined);
  return nodes.length === 1 ? own : (expanded ?? own);
}

/** The text of the page. */
export function onnxPage(rows: readonly OnnxRow[]): string {
  const passed = (list: readonly OnnxRow[], target: "interp" | "wasm"): number => list.filter((r) => r[target] === undefined).length;
  const line = (name: string, list: readonly OnnxRow[]): string => `| ${name} | ${list.length} | ${passed(list, "interp")} | ${passed(list, "wasm")} |`;
  const by = (key: (r: OnnxRow) => string): readonly (readonly [string, readonly OnnxRow[]])[] => {
    const groups = new Map<string, OnnxRow[]>();
    for (const r of rows) groups.set(key(r), [...(groups.get(key(r)) ?? []), r]);
    return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  };
  const told = rows.filter((r) => r.isTold === true).map((r) => `\`${r.id}\``);
  const misses = by((r) => r.interp ?? r.wasm ?? "").filter(([reason]) => reason !== "");
  return [
    "# ONNX operators",
    "",
    "ONNX's own cases (`onnx/backend/test/data`), by operator: how many there are, and how many the interpreter and WebAssembly pass.",
    "Written by `pnpm docs:onnx` from what `pnpm conformance:onnx --json` says.",
    "",
    ...(told.length === 0 ? [] : [`${told.length} of them are told values of inputs at compile time, where those decide shapes: ${told.join(", ")}. All others run with shapes alone.`, ""]),
    "| group | cases | interpreter | WebAssembly |",
    "|---|---|---|---|",
    line("all", rows),
    ...by((r) => r.group).map(([group, list]) => line(group, list)),
    "",
    "| operator | cases | interpreter | WebAssembly |",
    "|---|---|---|---|",
    ...by((r) => r.op).map(([op, list]) => line(`\`${op}\``, list)),
    "",
    "## What is missed, and why",
    "",
    ...misses.map(([reason, list]) => `- ${reason.trim()}${list.every((r) => r.interp === undefined) ? " (WebAssembly only)" : ""}: ${list.map((r) => `\`${r.id}\``).join(", ")}`),
    "",
    ...runtimeSection(),
    "",
  ].join("\n");
}

/** The operators of ONNX Runtime's own domain. */
function runtimeSection(): readonly string[] {
  const imported = runtimeOperators.filter((name) => missingRuntimeOperators[name] === undefined).map((name) => `\`${name}\``);
  const reasons = new Map<string, string[]>();
  for (const [name, reason] of Object.entries(missingRuntimeOperators)) reasons.set(reason, [...(reasons.get(reason) ?? []), `\`${name}\``]);
  return [
    "## ONNX Runtime's own operators",
    "",
    `Of the ${runtimeOperators.length} operators of \`com.microsoft\`, ${imported.length} are imported: ${imported.join(", ")}.`,
    "Tests hold them to onnxruntime on the interpreter and on WebAssembly, and those that it has no kernel of for CPUs to what it makes of the plain operators they stand for.",
    "",
    "The others are not:",
    "",
    ...[...reasons].map(([reason, names]) => `- ${names.join(", ")}: ${reason}.`),
  ];
}

function main(folder: string | undefined, interpFile: string | undefined, wasmFile: string | undefined): number {
  if (folder === undefined || interpFile === undefined || wasmFile === undefined) {
    process.stderr.write("Usage: pnpm docs:onnx FOLDER INTERP.json WASM.json\n");
    return 2;
  }
  const read = (path: string): Run => JSON.parse(readFileSync(path, "utf8")) as Run;
  const wasm = new Map(read(wasmFile).cases.map((c) => [c.id, c.checks[0]?.failure]));
  const rows = read(interpFile).cases.map((c): OnnxRow => ({ id: c.id, group: c.group, op: operatorOf(nodesOf(folder, c.id)), interp: c.checks[0]?.failure, wasm: wasm.get(c.id), isTold: c.checks[0]?.detail !== undefined }));
  writeFileSync(fileURLToPath(new URL("../../docs/onnx-operators.md", import.meta.url)), onnxPage(rows));
  return 0;
}

function nodesOf(folder: string, id: string): readonly NodeProto[] {
  for (const root of ["node", "simple", "."]) {
    try {
      return decodeModelProto(new Uint8Array(readFileSync(join(folder, root, id, "model.onnx")))).graph?.node ?? [];
    } catch {
      // The next place, then.
    }
  }
  return [];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder, interpFile, wasmFile] = process.argv.slice(2).filter((a) => a !== "--");
  process.exitCode = main(folder, interpFile, wasmFile);
}
