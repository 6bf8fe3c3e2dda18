export { vmExecutableText } from "./vm/as-text.ts";
export { decodeVmExecutable } from "./vm/decode.ts";
export { encodeVmExecutable, VM_VERSION } from "./vm/encode.ts";
export {
  type VmBytecodeFunction,
  type VmConstant,
  type VmExecutable,
  type VmFunction,
  type VmInstruction,
  type VmKernelFunction,
  type VmOperand,
  type VmPackedFunction,
  type VmParam,
} from "./vm/executable.ts";
export { LinearMemory } from "./vm/linear-memory.ts";
export { loadVmModel, type VmLoadOptions, type VmModel, type VmModelFiles } from "./vm/load-vm-model.ts";
export { reportAsCsv, reportAsJson, reportAsTable, type VmMetric, type VmMetrics, type VmReport, type VmReportTableOptions } from "./vm/profile-report.ts";
export { profileVm, type VmProfile, type VmProfileRow } from "./vm/profile.ts";
export { VirtualMachine, type Kernel, type VmCallEvent, type VmCompiledFunction, type VmFrame, type VmHost, type VmInstrument } from "./vm/virtual-machine.ts";
export { checkVmManifest, isVmManifest, type VmManifest } from "./vm/vm-manifest.ts";
export { vmBuiltins } from "./vm/builtins.ts";
export { makeCodes, matchCodes } from "./vm/shape-heap.ts";
