import { getElement, type Tensor } from "@verticil/runtime-ffi";
import ort from "onnxruntime-node";
import * as ortWeb from "onnxruntime-web";

/** A tensor as its shape and then its elements. */
export function shapeAndNumbers(t: Tensor): readonly number[] {
  return [...t.shape, ...Array.from({ length: t.data.length }, (_, i) => Number(getElement(t, i)))];
}

/** The outputs of a model by onnxruntime, as shapes and numbers. */
export async function runReference(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<readonly (readonly number[])[]> {
  return run(await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 }), inputs);
}

/**
 * The same by onnxruntime's WebAssembly, which sums products of bytes exactly. On x86 without VNNI the native kernels add two such
 * products in 16 bits, and saturate.
 */
export async function runExactIntegers(bytes: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<readonly (readonly number[])[]> {
  ortWeb.env.wasm.numThreads = 1;
  return run(await ortWeb.InferenceSession.create(bytes, { logSeverityLevel: 3 }), inputs);
}

async function run(session: ort.InferenceSession | ortWeb.InferenceSession, inputs: Readonly<Record<string, Tensor>>): Promise<readonly (readonly number[])[]> {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape)]));
  const results = await session.run(feeds);
  return session.outputNames.map((n) => {
    const t = results[n];
    if (t === undefined) throw new Error(`onnxruntime gave no ${n}`);
    return [...t.dims, ...Array.from(t.data as ArrayLike<number | bigint>, Number)];
  });
}
