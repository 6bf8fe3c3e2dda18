/**
 * Which package may import which; an edge that is not here fails `pnpm check:imports`.
 * `runtime-ffi` is open to every package of the compiler for data types and tensor values only: see `dataOnly`.
 */
export const packageEdges: Readonly<Record<string, readonly string[]>> = {
  "@verticil/runtime-ffi": [],
  "@verticil/ir-core": ["@verticil/runtime-ffi"],
  "@verticil/tvmscript": ["@verticil/ir-core"],
  "@verticil/tir": ["@verticil/ir-core", "@verticil/runtime-ffi", "@verticil/tvmscript"],
  "@verticil/te": ["@verticil/ir-core", "@verticil/runtime-ffi", "@verticil/tir"],
  "@verticil/relax": [
    "@verticil/ir-core",
    "@verticil/runtime-ffi",
    "@verticil/te",
    "@verticil/tir",
    "@verticil/tvmscript",
  ],
  "@verticil/dlight": ["@verticil/ir-core", "@verticil/tir"],
  "@verticil/onnx": ["@verticil/ir-core", "@verticil/relax", "@verticil/runtime-ffi", "@verticil/tir"],
  "@verticil/target-wasm": ["@verticil/ir-core", "@verticil/runtime-ffi", "@verticil/tir"],
  "@verticil/target-webgpu": ["@verticil/ir-core", "@verticil/runtime-ffi", "@verticil/tir"],
  "@verticil/compiler": [
    "@verticil/dlight",
    "@verticil/ir-core",
    "@verticil/onnx",
    "@verticil/relax",
    "@verticil/runtime-ffi",
    "@verticil/target-wasm",
    "@verticil/target-webgpu",
    "@verticil/te",
    "@verticil/tir",
    "@verticil/tvmscript",
  ],
  "@verticil/detection": [
    "@verticil/compiler",
    "@verticil/dlight",
    "@verticil/ir-core",
    "@verticil/onnx",
    "@verticil/relax",
    "@verticil/runtime-ffi",
    "@verticil/target-wasm",
    "@verticil/target-webgpu",
    "@verticil/te",
    "@verticil/tir",
    "@verticil/tvmscript",
  ],
  "@verticil/llm": [
    "@verticil/compiler",
    "@verticil/dlight",
    "@verticil/ir-core",
    "@verticil/relax",
    "@verticil/runtime-ffi",
    "@verticil/target-wasm",
    "@verticil/te",
    "@verticil/tir",
    "@verticil/tvmscript",
  ],
  verticil: [
    "@verticil/compiler",
    "@verticil/detection",
    "@verticil/dlight",
    "@verticil/ir-core",
    "@verticil/llm",
    "@verticil/onnx",
    "@verticil/relax",
    "@verticil/runtime-ffi",
    "@verticil/target-wasm",
    "@verticil/target-webgpu",
    "@verticil/te",
    "@verticil/tir",
    "@verticil/tvmscript",
  ],
};

/** Packages that may take nothing but data types and tensor values from `@verticil/runtime-ffi`, by source file there. */
export const dataOnly: { readonly packages: readonly string[]; readonly files: readonly string[] } = {
  packages: ["@verticil/ir-core", "@verticil/tir", "@verticil/te", "@verticil/onnx"],
  files: ["dtype.ts", "tensor.ts", "tensor-search.ts"],
};
