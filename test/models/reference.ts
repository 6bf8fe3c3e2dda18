import * as ort from "onnxruntime-node";
import * as ortWeb from "onnxruntime-web";
import type { Tensor } from "@verticil/runtime-ffi";

/** The outputs of an ONNX file by name, as onnxruntime computes them on one thread. */
export async function runReference(path: string, inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  return runSession(await ort.InferenceSession.create(path, OPTIONS), inputs);
}

/** The same for a model in memory. */
export async function runBytes(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  return runSession(await ort.InferenceSession.create(bytes, OPTIONS), inputs);
}

/**
 * The same by onnxruntime's WebAssembly, which sums products of bytes exactly. On x86 without VNNI the native kernels add two such
 * products in 16 bits, and saturate.
 */
export async function runExactIntegers(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  ortWeb.env.wasm.numThreads = 1;
  return runSession(await ortWeb.InferenceSession.create(bytes, OPTIONS), inputs);
}

const OPTIONS: ort.InferenceSession.SessionOptions = { intraOpNumThreads: 1, logSeverityLevel: 3 };

async function runSession(session: ort.InferenceSession | ortWeb.InferenceSession, inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const feeds = Object.entries(inputs).map(([name, t]) => [name, new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape)] as const);
  const results = await session.run(Object.fromEntries(feeds));
  const outputs = Object.entries(results).map(([name, t]): readonly [string, Tensor] => [
    name,
    { dtype: t.type as Tensor["dtype"], shape: t.dims, data: t.data as Tensor["data"] },
  ]);
  await session.release();
  return Object.fromEntries(outputs);
}
