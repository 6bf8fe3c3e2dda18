import { FfiError } from "../ffi-error.ts";

/**
 * The same code for a memory that threads share: a byte of its only import of a memory says so. Compiled modules import
 * it first, with a maximum; nothing else in them differs.
 * @throws FfiError `invalid-artifact` for a module that imports no such memory.
 */
export function shareMemory(wasm: Uint8Array): Uint8Array {
  // Not `slice`: that of a Buffer of Node, which is a Uint8Array too, gives a view of the same bytes.
  const out = new Uint8Array(wasm);
  const at = memoryFlags(out);
  if (at === undefined || out[at] !== 1) throw new FfiError("invalid-artifact", "The model's code imports no memory that threads could share. Compile the model again.");
  out[at] = 3;
  return out;
}

/** Where the flags of the first import are, if it is a memory. */
function memoryFlags(wasm: Uint8Array): number | undefined {
  let at = 8;
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < wasm.length) {
    const id = wasm[at++];
    const end = u32() + at;
    if (id === 2) {
      u32();
      for (let names = 0; names < 2; names++) {
        const length = u32();
        at += length;
      }
      return wasm[at] === 2 ? at + 1 : undefined;
    }
    at = end;
  }
  return undefined;
}
