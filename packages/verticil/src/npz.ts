import { unzipSync, zipSync } from "fflate";
import type { Tensor } from "@verticil/runtime-ffi";
import { readNpy, writeNpy } from "./npy.ts";

/** Bytes that an archive may unpack to. */
const MAX_BYTES = 2 ** 31;

/** The arrays of a `.npz` archive by name. @throws RangeError that says what is wrong with it. */
export function readNpz(bytes: Uint8Array): ReadonlyMap<string, Tensor> {
  let files: Record<string, Uint8Array>;
  let total = 0;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        total += originalSize;
        if (total > MAX_BYTES) throw new RangeError(`it unpacks to more than ${MAX_BYTES} bytes`);
        return name.endsWith(".npy");
      },
    });
  } catch (error) {
    throw new RangeError(`It is not a .npz archive: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
  return new Map(
    Object.entries(files).map(([file, content]) => {
      const name = file.slice(0, -".npy".length);
      try {
        return [name, readNpy(content)];
      } catch (error) {
        throw new RangeError(`The array \`${name}\`: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }),
  );
}

/** Arrays as a `.npz` archive, not compressed, as `numpy.savez` writes it. */
export function writeNpz(arrays: ReadonlyMap<string, Tensor>): Uint8Array {
  return zipSync(Object.fromEntries([...arrays].map(([name, t]) => [`${name}.npy`, writeNpy(t)])), { level: 0 });
}
