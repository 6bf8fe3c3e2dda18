import { sealManifest, type Manifest } from "../manifest.ts";
import { writeSafetensors } from "../safetensors.ts";
import { sha256 } from "../sha256.ts";
import { tensor } from "../tensor.ts";

// (module (import "env" "memory" (memory 1)) (func (export "main") (param $arena i32) (param $params i32)
//   local.get $arena  local.get $arena f32.load  local.get $params f32.load  f32.mul  f32.store offset=4))
const CODE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x06, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x00,
  0x02, 0x0f, 0x01, 0x03, 0x65, 0x6e, 0x76, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x01,
  0x03, 0x02, 0x01, 0x00,
  0x07, 0x08, 0x01, 0x04, 0x6d, 0x61, 0x69, 0x6e, 0x00, 0x00,
  0x0a, 0x14, 0x01, 0x12, 0x00, 0x20, 0x00, 0x20, 0x00, 0x2a, 0x02, 0x00, 0x20, 0x01, 0x2a, 0x02, 0x00, 0x94, 0x38, 0x02, 0x04, 0x0b,
]);

/** The parts of a manifest that a test may want otherwise. */
export type ManifestParts = Partial<Omit<Manifest, "sha256">>;

/** A model by hand, of one float32 `x` to one float32 `y`: `y = 3 · x`, with 3 in the weights. */
export async function tinyModel(parts: ManifestParts = {}): Promise<{ readonly manifest: Manifest; readonly wasm: Uint8Array; readonly weights: Uint8Array }> {
  const weights = writeSafetensors(new Map([["c0", tensor(Float32Array.of(3), [1])]]));
  const manifest = await sealManifest<Omit<Manifest, "sha256">>({
    format: "verticil",
    abi: 1,
    name: "tiny",
    target: { kind: "wasm", simd: "none" },
    inputs: [{ name: "x", shape: [1], dtype: "float32", space: "arena", offset: 0 }],
    outputs: [{ name: "y", shape: [1], dtype: "float32", space: "arena", offset: 4 }],
    constants: [{ name: "c0", offset: 0 }],
    memory: { base: 64, arena: 8, params: 4, peak: 76 },
    kernels: {},
    ops: {},
    files: {
      wasm: { path: "tiny.wasm", bytes: CODE.byteLength, sha256: (await sha256(CODE)) ?? "" },
      weights: { path: "tiny.safetensors", bytes: weights.byteLength, sha256: (await sha256(weights)) ?? "" },
    },
    licences: [],
    ...parts,
  });
  return { manifest, wasm: CODE.slice(), weights };
}
