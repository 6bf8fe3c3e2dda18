// The thread of `wasmThreadBuilder`: its data is the seed of the kernels' inputs.
import { workerData } from "node:worker_threads";
import { serveBuilds } from "@verticil/metaschedule/node";
import { wasmKernelBuilder } from "./wasm-builder.ts";

serveBuilds(wasmKernelBuilder(Number(workerData)));
