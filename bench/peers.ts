import type { Tensor, TensorData } from "@verticil/runtime-ffi";
import type * as OrtModule from "onnxruntime-node";
import type { BenchModel } from "./model-list.ts";
import { openTfjs } from "./peer-tfjs.ts";

/** A model opened by a peer. */
export interface Session {
  run(): Promise<unknown>;
  /** The outputs of one run, in the order of the model. */
  outputs(): Promise<readonly TensorData[]>;
  close(): Promise<unknown>;
}

/** Something to compare with. */
export interface Peer {
  readonly name: string;
  /** Undefined for a model that the peer cannot run. */
  open(model: BenchModel, bytes: Uint8Array, inputs: readonly Tensor[], threads: number): Promise<Session | undefined>;
}

type Ort = typeof OrtModule;

async function openOrt(ort: Ort, bytes: Uint8Array, inputs: readonly Tensor[], threads: number): Promise<Session> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds: Record<string, InstanceType<Ort["Tensor"]>> = {};
  for (const [i, name] of session.inputNames.entries()) {
    const t = inputs[i];
    if (t !== undefined) feeds[name] = new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape);
  }
  return {
    run: () => session.run(feeds),
    outputs: async () => {
      const results = await session.run(feeds);
      return session.outputNames.map((name) => results[name]?.data as Float32Array);
    },
    close: () => session.release(),
  };
}

/** onnxruntime with its native kernels: how far from native we are. */
export const ortNode: Peer = {
  name: "onnxruntime-node",
  open: async (_, bytes, inputs, threads) => openOrt(await import("onnxruntime-node"), bytes, inputs, threads),
};

/** onnxruntime compiled to WebAssembly. The number of threads is fixed by the first model. */
export const ortWeb: Peer = {
  name: "onnxruntime-web",
  open: async (_, bytes, inputs, threads) => {
    const ort = (await import("onnxruntime-web")) as unknown as Ort;
    ort.env.wasm.numThreads = threads;
    return openOrt(ort, bytes, inputs, threads);
  },
};

/** TensorFlow.js on its WebAssembly backend (XNNPACK): the networks that the bench builds itself. */
export const tfjsWasm: Peer = {
  name: "tfjs-wasm",
  open: async (model, _, inputs, threads) => {
    const [input] = inputs;
    return model.network === undefined || input === undefined ? undefined : openTfjs(model.network, input, threads);
  },
};

