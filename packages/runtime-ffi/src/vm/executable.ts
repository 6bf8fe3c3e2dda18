import type { ScalarDType } from "../dtype.ts";

/** An operand of an instruction. */
export type VmOperand =
  | { readonly kind: "register"; readonly index: number }
  /** A safe integer. */
  | { readonly kind: "immediate"; readonly value: number }
  | { readonly kind: "constant"; readonly index: number }
  /** A function as a value. */
  | { readonly kind: "function"; readonly index: number };

/** One step of a function. Jumps are relative: `offset` is added to the index of the instruction. */
export type VmInstruction =
  /** Calls function `func`; `dst` is the register of its result, -1 to drop it. */
  | { readonly op: "call"; readonly func: number; readonly dst: number; readonly args: readonly VmOperand[] }
  | { readonly op: "ret"; readonly value: VmOperand }
  | { readonly op: "goto"; readonly offset: number }
  /** Goes on with the next instruction if the register is true, else jumps. */
  | { readonly op: "if"; readonly cond: number; readonly offset: number };

/** A parameter of a function of the program, as callers see it. */
export interface VmParam {
  readonly name: string;
  /** What is taken: `R.Tensor((n, 4), dtype="float32")`. */
  readonly type: string;
}

/** A function of the program, as instructions. Its parameters are the first registers. */
export interface VmBytecodeFunction {
  readonly kind: "bytecode";
  readonly name: string;
  readonly params: readonly VmParam[];
  readonly registers: number;
  readonly code: readonly VmInstruction[];
}

/**
 * A compiled tensor program. It is called with its tensors and scalars; `dims` are sizes that it takes beyond those,
 * each read from an axis of an argument.
 */
export interface VmKernelFunction {
  readonly kind: "kernel";
  readonly name: string;
  /** `"handle"` for a tensor, else the type of a scalar. */
  readonly params: readonly ScalarDType[];
  readonly dims: readonly { readonly arg: number; readonly axis: number; readonly dtype: ScalarDType }[];
}

/** A function of the runtime or of the host, by name. */
export interface VmPackedFunction {
  readonly kind: "packed";
  readonly name: string;
}

/** An entry of the table of functions. */
export type VmFunction = VmBytecodeFunction | VmKernelFunction | VmPackedFunction;

/** An entry of the table of constants. Tensors lie in the file of weights, by name. */
export type VmConstant =
  | { readonly kind: "tensor"; readonly name: string }
  | { readonly kind: "shape"; readonly shape: readonly number[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "null" };

/** A program for the virtual machine. Public functions are called by name: there may be several. */
export interface VmExecutable {
  readonly functions: readonly VmFunction[];
  readonly constants: readonly VmConstant[];
}
