import type { CallContext } from "./any.ts";
import { tensorView, zeros } from "./tensor.ts";

/** The context of functions that work on the host's own memory: every tensor is the garbage collector's. */
export function hostContext(): CallContext {
  const ctx: CallContext = {
    empty: zeros,
    own: (dtype, shape) => ({ ...zeros(dtype, shape), dispose: () => {} }),
    view: (t, shape, byteOffset = 0, dtype = t.dtype) => {
      const end = t.data.byteOffset + t.data.byteLength;
      const view = tensorView(dtype, shape, t.data.buffer, t.data.byteOffset + byteOffset);
      if (view.data.byteOffset + view.data.byteLength > end) throw new RangeError(`${dtype}[${shape.join(", ")}] at ${byteOffset} is not inside the tensor.`);
      return view;
    },
    call: (f, args) => f(args, ctx),
  };
  return ctx;
}
