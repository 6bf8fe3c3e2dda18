export {
  describeAny,
  isShapeValue,
  isTensor,
  isTuple,
  shapeValue,
  type Any,
  type CallContext,
  type FfiObject,
  type Functions,
  type OwnedTensor,
  type PackedFunction,
  type ShapeValue,
} from "./any.ts";
export { attentionKvCache } from "./attention-kv-cache.ts";
export {
  dtypeBytes,
  isDType,
  isFloat,
  isInteger,
  lanesOf,
  parseDType,
  scalarOf,
  withLanes,
  type DType,
  type DTypeCode,
  type DTypeParts,
  type ScalarDType,
} from "./dtype.ts";
export {
  bfloatToFloat,
  elementCount,
  floatToBfloat,
  floatToHalf,
  getElement,
  halfToFloat,
  setElement,
  tensor,
  tensorBytes,
  tensorFrom,
  tensorView,
  zeros,
  type Tensor,
  type TensorData,
} from "./tensor.ts";
export { hostContext } from "./host-context.ts";
export { chooseCode, usesRelaxedSimd, type CodeFiles, type CodeOptions } from "./code-variant.ts";
export { fileSource, type FileSource } from "./file-source.ts";
export { fetchBytes, fetchModel } from "./fetch-model.ts";
export { readBytes } from "./read-bytes.ts";
export { FfiError, type FfiErrorKind } from "./ffi-error.ts";
export { ABI_VERSION, checkManifest, codeFile, sealManifest, type FileSpec, type Manifest, type ManifestBase, type ValueSpec } from "./manifest.ts";
export {
  isFixedValue,
  loadModel,
  randomTensor,
  type Capabilities,
  type FixedValue,
  type InputValue,
  type LoadOptions,
  type LoadProgress,
  type Model,
  type ModelFiles,
  type ModelValue,
} from "./model.ts";
export type { ThreadOptions } from "./threads/thread-count.ts";
export { poolLayout } from "./threads/pool-layout.ts";
export { readSafetensors, writeSafetensors, type Safetensors } from "./safetensors.ts";
export { nonZeroOf, rangeOf, uniqueOf } from "./tensor-search.ts";
export { sha256 } from "./sha256.ts";
export { kernelHeading, splitKernels, type DevicePlace, type Dispatch, type KernelSpec, type WebgpuProgram } from "./webgpu/program.ts";
