import { FfiError } from "../ffi-error.ts";
import { settled, type Settled } from "../model.ts";
import type { GpuDevice } from "./gpu.ts";

/** A device at work for one model: what goes wrong there becomes an error here. */
export class DeviceWork {
  readonly device: GpuDevice;
  readonly #name: string;
  #lost: string | undefined;
  readonly #whenLost: Promise<void>;

  constructor(device: GpuDevice, name: string) {
    this.device = device;
    this.#name = name;
    this.#whenLost = device.lost.then(({ message, reason }) => {
      this.#lost = message === "" ? (reason ?? "no reason was given") : message;
    });
  }

  /** @throws FfiError `device-lost` if the device is gone. */
  throwIfLost(cause?: unknown): void {
    if (this.#lost === undefined) return;
    throw new FfiError("device-lost", `The device that \`${this.#name}\` runs on is gone (${this.#lost}). Load the model again.`, { cause });
  }

  /**
   * Does something with the device and waits for what it says to it. What the device is told before the first `await`
   * is watched; later it would mix with other work.
   * @throws FfiError `runtime` if it refused, `out-of-memory`, `device-lost` if it went away meanwhile.
   */
  async checked<T>(what: "load" | "run", work: () => Promise<T>): Promise<T> {
    const { device } = this;
    this.throwIfLost();
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const result = settled(work());
    const scopes = settled(Promise.all([device.popErrorScope(), device.popErrorScope()]));
    const outcome = await Promise.race([result, this.#whenLost.then((): Settled<T> => ({ error: undefined }))]);
    this.throwIfLost("error" in outcome ? outcome.error : undefined);
    const failures = await scopes;
    const [refused, memory] = "value" in failures ? failures.value : [null, null];
    if (memory !== null) throw new FfiError("out-of-memory", `The device has no room to ${what} \`${this.#name}\`: ${memory.message}`);
    if (refused !== null) throw new FfiError("runtime", `The device refused to ${what} \`${this.#name}\`: ${refused.message}`);
    if (!("error" in outcome)) return outcome.value;
    const cause = outcome.error;
    if (cause instanceof FfiError) throw cause;
    throw new FfiError("runtime", `The device failed to ${what} \`${this.#name}\`: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
