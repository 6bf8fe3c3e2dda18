import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { randomTensor, usesRelaxedSimd, type Model, type Tensor, type TensorData } from "@verticil/runtime-ffi";
import { figure, modelTable, type BenchRow } from "./bench-row.ts";
import { interleave } from "./interleave.ts";
import { benchModels, float32Networks, type BenchModel } from "./model-list.ts";
import { benchOptions, writeJson } from "./options.ts";
import { ortNode, ortWeb, tfjsWasm, type Peer, type Session } from "./peers.ts";
import { writeSection } from "./performance-page.ts";

const options = benchOptions("bench:models", "Times every model in Verticil and in its peers, in turns, after comparing the results. With more than one thread, each timed run\nfollows a wait for the other contestants' threads to go to sleep and an untimed run of the same contestant.", 2000);
const peers: readonly Peer[] = [ortWeb, tfjsWasm, ortNode];

async function openOurs(model: BenchModel, bytes: Uint8Array, threads: number): Promise<Model> {
  const module = importOnnx(bytes, model.dims === undefined ? {} : { dims: model.dims });
  const exe = await compile(module, { name: "bench" });
  return exe.load({ threads });
}

/** The largest distance of `actual` from `expected`, in units of what the model tolerates. */
function distance(actual: readonly TensorData[], expected: readonly TensorData[], model: BenchModel): number {
  const { absolute, relative } = model.tolerance;
  let worst = actual.length === expected.length ? 0 : Infinity;
  for (const [i, want] of expected.entries()) {
    const got = actual[i];
    if (got === undefined || got.length !== want.length) return Infinity;
    for (let j = 0; j < want.length; j++) {
      const [a, b] = [Number(got[j]), Number(want[j])];
      if (a !== b) worst = Math.max(worst, Math.abs(a - b) / Math.max(absolute, relative * Math.abs(b)) || Infinity);
    }
  }
  return worst;
}

function halfAware(data: TensorData, like: Tensor): TensorData {
  return like.dtype === "float16" && !(data instanceof Uint16Array) ? new Uint16Array(data.buffer) : data;
}

async function benchModel(model: BenchModel): Promise<readonly BenchRow[]> {
  const bytes = await model.bytes();
  const ours = await openOurs(model, bytes, options.threads);
  const inputs = ours.inputs.map((spec, i) => randomTensor(spec, 5 + i));
  const feeds = Object.fromEntries(ours.inputs.map((spec, i) => [spec.name, inputs[i] as Tensor]));
  const results = await ours.run(feeds);
  const mine = ours.outputs.map((o) => results[o.name] as Tensor);
  const open: { readonly peer: Peer; readonly session: Session }[] = [];
  for (const peer of peers) {
    try {
      const session = await peer.open(model, bytes, inputs, options.threads);
      if (session === undefined) continue;
      const theirs = await session.outputs();
      const off = distance(mine.map((t) => t.data), theirs.map((d, i) => halfAware(d, mine[i] as Tensor)), model);
      if (off > 1) console.error(`${model.name}: ${peer.name} gives something else, ${figure(off)} times what is tolerated`);
      open.push({ peer, session });
    } catch (e) {
      console.error(`${model.name}: ${peer.name} fails: ${e instanceof Error ? e.message : String(e)}`);
    }
  }
  const contestants = [
    { name: "Verticil", run: (): void => void ours.runSync(feeds, { copy: true }) },
    ...open.map(({ peer, session }) => ({ name: peer.name, run: () => session.run() })),
  ];
  const [own, ...others] = await interleave(contestants, { milliseconds: options.milliseconds, warmup: 5, minRounds: 8, maxRounds: 400, clock: options.clock, threads: options.threads });
  for (const { session } of open) await session.close();
  ours.dispose();
  if (own === undefined) return [];
  return others.flatMap((t, i) => {
    const peer = open[i]?.peer.name;
    if (peer === undefined) return [];
    return {
      name: model.name,
      threads: ours.capabilities.threads,
      ours_ms: own.min,
      ours_median_ms: own.median,
      peer,
      peer_ms: t.min,
      peer_median_ms: t.median,
      ratio: t.min / own.min,
    };
  });
}

const rows: BenchRow[] = [];
for (const model of benchModels()) {
  if (options.only !== undefined && !model.name.toLowerCase().includes(options.only.toLowerCase())) continue;
  try {
    const made = await benchModel(model);
    rows.push(...made);
    for (const r of made) console.error(`${r.name}: ${figure(r.ours_ms)} ms, ${r.peer} ${figure(r.peer_ms)} ms, ${r.ratio.toFixed(2)}×`);
  } catch (e) {
    console.error(`${model.name}: ${e instanceof Error ? e.message.slice(0, 500) : String(e)}`);
    process.exitCode = 1;
  }
}
const table = modelTable(rows, { "float32 networks": float32Networks });
console.log(table);
writeJson(options, rows);
if (options.write) {
  const code = usesRelaxedSimd() ? "Our code is that with relaxed SIMD." : "No relaxed SIMD here.";
  const intro = `Milliseconds of ${options.clock === "cpu" ? "processor time" : "time"}, \`minimum / median\`; the ratio is the peer's minimum over ours. Command: \`pnpm bench:models --threads ${options.threads}\`. ${code}`;
  const threads = options.threads === 1 ? "one thread" : `${options.threads} threads`;
  const engine = `Node ${process.versions.node.split(".")[0]}`;
  writeSection(`models, ${engine}, ${threads}`, `Models, ${engine}, ${threads}`, `${intro}\n\n${table}`);
}
process.exit();
