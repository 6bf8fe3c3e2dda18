import { readFileSync } from "node:fs";
import { argmax, compileModel, generate, importGguf, loadRunner, Sequence, type ModelRunner } from "@verticil/llm";
import { fixture } from "../test/fixtures.ts";
import { figure, markdownTable, type BenchRow } from "./bench-row.ts";
import { interleave } from "./interleave.ts";
import { benchOptions, writeJson } from "./options.ts";
import { openLlama, type LlamaPeer } from "./peer-llama.ts";
import { writeSection } from "./performance-page.ts";

const options = benchOptions("bench:llm", "Times a language model in Verticil and in llama.cpp (node-llama-cpp), in turns, after comparing the tokens.", 4000);
const TOKENS = 150;
const PEER = "node-llama-cpp";

function decode(runner: ModelRunner, prompt: readonly number[], count: number): readonly number[] {
  const sequence = new Sequence(runner);
  const ids = [...generate(runner, sequence, prompt, { sampler: argmax, maxTokens: count, stopTokens: [] })];
  sequence.dispose();
  return ids;
}

function prefill(runner: ModelRunner, prompt: readonly number[]): void {
  const sequence = new Sequence(runner);
  sequence.append(prompt);
  sequence.dispose();
}

/** A thing to do, in both, and how many tokens it is. */
interface Case {
  readonly name: string;
  readonly tokens: number;
  readonly ours: (runner: ModelRunner) => unknown;
  readonly theirs: (peer: LlamaPeer) => Promise<unknown>;
}

const prompt = Array.from({ length: 200 }, (_, i) => (i === 0 ? 1 : 259 + ((i * 29) % 150)));
const cases: readonly Case[] = [
  { name: `decode ${TOKENS}`, tokens: TOKENS, ours: (r) => decode(r, [1], TOKENS), theirs: (p) => p.greedy([1], TOKENS) },
  { name: `prefill ${prompt.length}`, tokens: prompt.length, ours: (r) => prefill(r, prompt), theirs: (p) => p.prefill(prompt) },
];

async function benchFile(type: string): Promise<readonly (BenchRow & { readonly tokens: number })[]> {
  const path = fixture(`models/stories260k/stories260K.${type}.gguf`);
  if (path === undefined) throw new Error("The fixtures are not there. Name their folder with VERTICIL_FIXTURES.");
  const model = importGguf(readFileSync(path));
  const runner = await loadRunner(await compileModel(model), model.info);
  const peer = await openLlama(path, options.threads);
  const [own, other] = [decode(runner, [1], TOKENS), await peer.greedy([1], TOKENS)];
  const same = own.findIndex((id, i) => id !== other[i]);
  if (same >= 0) console.error(`${type}: the first ${same} of ${TOKENS} tokens are equal (llama.cpp rounds activations to 8 bits where weights are quantized)`);
  const rows = [];
  for (const c of cases) {
    const name = `stories260K ${type}, ${c.name}`;
    if (options.only !== undefined && !name.toLowerCase().includes(options.only.toLowerCase())) continue;
    const contestants = [
      { name: "Verticil", run: (): void => void c.ours(runner) },
      { name: PEER, run: () => c.theirs(peer) },
    ];
    const [ours, theirs] = await interleave(contestants, { milliseconds: options.milliseconds, warmup: 3, minRounds: 5, maxRounds: 200, clock: options.clock, threads: options.threads });
    if (ours === undefined || theirs === undefined) continue;
    rows.push({ name, threads: 1, tokens: c.tokens, ours_ms: ours.min, ours_median_ms: ours.median, peer: PEER, peer_ms: theirs.min, peer_median_ms: theirs.median, ratio: theirs.min / ours.min });
  }
  await peer.close();
  runner.dispose();
  return rows;
}

const rows = [];
for (const type of ["f32", "f16", "q8_0"]) rows.push(...(await benchFile(type)));
const rate = (tokens: number, ms: number): string => figure((1000 * tokens) / ms);
const table = markdownTable(
  ["model", "Verticil, tokens/s", `${PEER}, tokens/s`, "ratio"],
  rows.map((r) => [r.name, `${rate(r.tokens, r.ours_ms)} / ${rate(r.tokens, r.ours_median_ms)}`, `${rate(r.tokens, r.peer_ms)} / ${rate(r.tokens, r.peer_median_ms)}`, `${r.ratio.toFixed(2)}×`]),
);
console.log(table);
writeJson(options, rows);
if (options.write) {
  const intro = `Tokens a second of ${options.clock === "cpu" ? "processor time" : "time"}, \`best / median\`, one thread; the ratio is that of the best rounds. llama.cpp is native code, ours is WebAssembly. Command: \`pnpm bench:llm\`.`;
  writeSection("llm", "Language models, one thread", `${intro}\n\n${table}`);
}
process.exit();
