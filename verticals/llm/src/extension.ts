import type { Extension } from "@verticil/compiler";
import { cacheLegalization, cacheOps } from "./cache/cache-ops.ts";
import { quantizedLegalization, quantizedOps } from "./quantize/dequantize-op.ts";

/** What language models add to the compiler: operators on caches and quantized weights, and how they are lowered. */
export const llmExtension: Extension = {
  ops: [...cacheOps, ...quantizedOps],
  legalize: new Map([...cacheLegalization, ...quantizedLegalization]),
};
