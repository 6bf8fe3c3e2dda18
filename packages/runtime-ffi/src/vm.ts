export { type VmBytecodeFunction, type VmConstant, type VmExecutable, type VmFunction, type VmInstruction, type VmKernelFunction, type VmOperand, type VmPackedFunction, type VmParam } from "./vm/executable.ts";
export { LinearMemory } from "./vm/linear-memory.ts";
export { VirtualMachine, type Kernel, type VmCallEvent, type VmHost, type VmInstrument } from "./vm/virtual-machine.ts";
export { vmBuiltins } from "./vm/builtins.ts";
export { makeCodes, matchCodes } from "./vm/shape-heap.ts";
