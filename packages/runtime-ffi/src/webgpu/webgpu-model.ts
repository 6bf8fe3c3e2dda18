import { FfiError } from "../ffi-error.ts";
import { checkedInputs } from "../model-inputs.ts";
import type { ValueSpec } from "../manifest.ts";
import type { Capabilities, InputValue, Model } from "../model.ts";
import { tensorView, type Tensor } from "../tensor.ts";
import type { DeviceWork } from "./device-work.ts";
import { gpuFlags, type GpuBuffer, type GpuHandle } from "./gpu.ts";
import type { WebgpuManifest } from "./manifest.ts";
import { writeBytes } from "./write-bytes.ts";

/** A kernel with its buffers, ready to run. */
export interface Step {
  readonly pipeline: GpuHandle;
  readonly group: GpuHandle;
  readonly grid: readonly [number, number, number];
}

/** What loading made on the device. */
export interface Prepared {
  readonly buffers: readonly GpuBuffer[];
  /** Where outputs are copied to be read. */
  readonly staging: GpuBuffer;
  readonly steps: readonly Step[];
}

/** A model on a WebGPU device: one submission a run. */
export class WebgpuModel implements Model {
  readonly name: string;
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  readonly capabilities: Capabilities = { backend: "webgpu", simd: "none", threads: 1, sharedMemory: false };
  readonly memoryBytes: number;
  readonly #manifest: WebgpuManifest;
  readonly #work: DeviceWork;
  readonly #owned: boolean;
  #prepared: Prepared | undefined;
  /** The run before: runs share buffers and wait for one another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(manifest: WebgpuManifest, work: DeviceWork, prepared: Prepared, owned: boolean) {
    this.name = manifest.name;
    this.inputs = manifest.inputs;
    this.outputs = manifest.outputs;
    this.memoryBytes = prepared.buffers.reduce((sum, b) => sum + b.size, prepared.staging.size);
    this.#manifest = manifest;
    this.#work = work;
    this.#owned = owned;
    this.#prepared = prepared;
  }

  run(inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, Tensor>> {
    const run = this.#last.then(() => this.#runOnce(inputs));
    this.#last = run.catch(() => undefined);
    return run;
  }

  runSync(): Record<string, Tensor> {
    throw new FfiError("unsupported", `The model \`${this.name}\` runs on WebGPU, which answers later: use \`run\`.`);
  }

  async #runOnce(inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, Tensor>> {
    const prepared = this.#prepared;
    if (prepared === undefined) throw new FfiError("disposed", `The model \`${this.name}\` was disposed of.`);
    const values = checkedInputs(this, inputs);
    return this.#work.checked("run", async () => {
      this.#submit(prepared, values);
      await prepared.staging.mapAsync(gpuFlags.mapRead);
      try {
        return this.#read(prepared.staging);
      } finally {
        prepared.staging.unmap();
      }
    });
  }

  #submit({ buffers, staging, steps }: Prepared, values: readonly Uint8Array[]): void {
    const { device } = this.#work;
    const { program } = this.#manifest;
    program.inputs.forEach((place, i) => {
      const [buffer, bytes] = [buffers[place.buffer], values[i]];
      if (buffer !== undefined && bytes !== undefined) writeBytes(device, buffer, place.offset, bytes);
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, grid } of steps) {
      pass.setPipeline(pipeline as never);
      pass.setBindGroup(0, group as never);
      pass.dispatchWorkgroups(...grid);
    }
    pass.end();
    let end = 0;
    for (const place of program.outputs) {
      const buffer = buffers[place.buffer];
      if (buffer !== undefined) encoder.copyBufferToBuffer(buffer, place.offset, staging, end, place.bytes);
      end += place.bytes;
    }
    device.queue.submit([encoder.finish()]);
  }

  #read(staging: GpuBuffer): Record<string, Tensor> {
    // A copy, which outlives the mapping.
    const bytes = staging.getMappedRange().slice(0);
    const out: Record<string, Tensor> = {};
    let offset = 0;
    this.outputs.forEach((spec, i) => {
      const view = tensorView(spec.dtype, spec.shape, bytes, offset);
      out[spec.name] = { ...view, data: view.data.slice() };
      offset += this.#manifest.program.outputs[i]?.bytes ?? 0;
    });
    return out;
  }

  dispose(): void {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) return;
    for (const buffer of [...prepared.buffers, prepared.staging]) buffer.destroy();
    if (this.#owned) this.#work.device.destroy();
  }
}
