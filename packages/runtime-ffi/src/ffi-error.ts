/**
 * What went wrong, for programs to branch on:
 * `invalid-input` a tensor that does not fit the model, `invalid-artifact` files that are damaged or do not belong
 * together, `abi-mismatch` an artifact of another version, `unsupported` a host that lacks what the artifact needs,
 * `disposed` use after `dispose()`, `aborted` by a signal, `out-of-memory` where the host gives no more, `runtime` a check of
 * the program that failed while it ran, or a device that refused what it was told, `device-lost` a device that is gone.
 */
export type FfiErrorKind = "invalid-input" | "invalid-artifact" | "abi-mismatch" | "unsupported" | "disposed" | "aborted" | "out-of-memory" | "runtime" | "device-lost";

/** The one error type that the runtime throws on purpose. `message` names the place and the way out; `cause` chains. */
export class FfiError extends Error {
  readonly kind: FfiErrorKind;

  constructor(kind: FfiErrorKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "FfiError";
    this.kind = kind;
  }
}
