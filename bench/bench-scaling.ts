import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { randomTensor, type Model } from "@verticil/runtime-ffi";
import { figure, markdownTable } from "./bench-row.ts";
import { interleave } from "./interleave.ts";
import { networkOnnx } from "./network-onnx.ts";
import { mobilenetV2, resnet50, squeezenet, type Network } from "./networks.ts";
import { benchOptions, writeJson } from "./options.ts";
import { writeSection } from "./performance-page.ts";

// Twice the images or four times the area should take twice or four times as long: what grows faster falls out of a cache
// or into a schedule that does not fit. Two threads should take half the time of one.
const options = benchOptions("bench:scaling", "Times models at several batches and areas, and with one and two threads.", 3000);

async function open(network: Network, batch: number, threads = 1): Promise<Model> {
  const executable = await compile(importOnnx(networkOnnx(network, batch)), { name: "scaling" });
  if (executable.kind !== "static") throw new Error("internal: fixed shapes need no virtual machine");
  return executable.load({ threads });
}

/** Times of variants of one model, in one interleaved run. */
async function times(models: readonly Model[], threads = 1): Promise<readonly number[]> {
  const contestants = models.map((model, i) => {
    const inputs = Object.fromEntries(model.inputs.map((v) => [v.name, randomTensor(v, 1)]));
    return { name: String(i), run: () => void model.runSync(inputs, { copy: false }) };
  });
  const timings = await interleave(contestants, { milliseconds: options.milliseconds, warmup: 5, minRounds: 5, maxRounds: 200, clock: threads > 1 ? "wall" : options.clock, threads });
  models.forEach((m) => m.dispose());
  return timings.map((t) => t.min);
}

interface Case {
  readonly name: string;
  /** How many times the work of the first. */
  readonly work: number;
  open(): Promise<Model>;
}

const wanted = (name: string): boolean => name.toLowerCase().includes(options.only?.toLowerCase() ?? "");
const networks = [mobilenetV2(), squeezenet()];
const families: readonly (readonly Case[])[] = networks.flatMap((n) => [
  [1, 2, 4, 8].map((batch): Case => ({ name: `${n.name}, batch ${batch}`, work: batch, open: () => open(n, batch) })),
  [112, 224, 448].map((size): Case => ({ name: `${n.name}, ${size}×${size}`, work: (size / 112) ** 2, open: () => open({ ...n, size }, 1) })),
]);

const rows: { readonly name: string; readonly ms: number; readonly work: number; readonly growth: number }[] = [];
for (const family of families) {
  if (!family.some((c) => wanted(c.name))) continue;
  const models: Model[] = [];
  for (const c of family) models.push(await c.open());
  const ms = await times(models);
  family.forEach((c, i) => {
    const row = { name: c.name, ms: ms[i] ?? NaN, work: c.work, growth: (ms[i] ?? NaN) / (ms[0] ?? NaN) };
    rows.push(row);
    console.error(`${row.name}: ${figure(row.ms)} ms, ${row.growth.toFixed(2)}× the first for ${row.work}× the work`);
  });
}
const table = markdownTable(["model", "ms", "work", "time", "time for the same work"], rows.map((r) => [r.name, figure(r.ms), `${r.work}×`, `${r.growth.toFixed(2)}×`, `${(r.growth / r.work).toFixed(2)}×`]));

const threaded: { readonly name: string; readonly one: number; readonly two: number }[] = [];
for (const network of [resnet50(), mobilenetV2()].filter((n) => wanted(n.name))) {
  const [one = NaN, two = NaN] = await times([await open(network, 1, 1), await open(network, 1, 2)], 2);
  threaded.push({ name: network.name, one, two });
  console.error(`${network.name}: ${figure(one)} ms with one thread, ${figure(two)} with two, ${(one / two).toFixed(2)}×`);
}
const threads = markdownTable(["model", "one thread, ms", "two threads, ms", "two threads are"], threaded.map((r) => [r.name, figure(r.one), figure(r.two), `${(r.one / r.two).toFixed(2)}× one`]));
console.log(`${table}\n\n${threads}`);
writeJson(options, [...rows, ...threaded]);
if (options.write) {
  const sizes = `Minima of interleaved runs, one thread; each group against its first row. Command: \`pnpm bench:scaling\`.\n\n${table}`;
  writeSection("scaling", "Batch, area and threads", `${sizes}\n\nOne and two threads in turns, by the time that passes:\n\n${threads}`);
}
