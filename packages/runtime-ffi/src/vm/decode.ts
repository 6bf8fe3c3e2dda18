import { isDType, type ScalarDType } from "../dtype.ts";
import { FfiError } from "../ffi-error.ts";
import { constantKinds, functionKinds, operandKinds, operations, VM_MAGIC, VM_VERSION } from "./encode.ts";
import type { VmBytecodeFunction, VmConstant, VmExecutable, VmFunction, VmInstruction, VmOperand } from "./executable.ts";

/**
 * Reads what `encodeVmExecutable` wrote. Every index and jump is checked.
 * @throws FfiError `invalid-artifact` for anything else, `abi-mismatch` for another version.
 */
export function decodeVmExecutable(bytes: Uint8Array): VmExecutable {
  const input = new Reader(bytes);
  if (input.uint32() !== VM_MAGIC) throw damaged("it does not start as bytecode does");
  const version = input.uint();
  if (version !== VM_VERSION) {
    throw new FfiError("abi-mismatch", `The bytecode has version ${version}, this runtime runs version ${VM_VERSION}. Compile the model again.`);
  }
  const functions = input.list(() => readFunction(input));
  const constants = input.list(() => readConstant(input));
  input.end();
  for (const f of functions) if (f.kind === "bytecode") check(f, functions.length, constants.length);
  return { functions, constants };
}

function damaged(what: string): FfiError {
  return new FfiError("invalid-artifact", `The bytecode is damaged: ${what}. Copy the artifact again, or compile the model again.`);
}

function readFunction(input: Reader): VmFunction {
  const kind = input.oneOf(functionKinds);
  const name = input.string();
  switch (kind) {
    case "packed":
      return { kind, name };
    case "kernel": {
      const params = input.list(() => input.dtype());
      const dims = input.list(() => ({ arg: input.uint(), axis: input.uint(), dtype: input.dtype() }));
      if (dims.some((d) => d.arg >= params.length)) throw damaged(`\`${name}\` takes a size from an argument that it does not have`);
      return { kind, name, params, dims };
    }
    case "bytecode": {
      const params = input.list(() => ({ name: input.string(), type: input.string() }));
      const registers = input.uint();
      return { kind, name, params, registers, code: input.list(() => readInstruction(input)) };
    }
  }
}

function readInstruction(input: Reader): VmInstruction {
  const op = input.oneOf(operations);
  switch (op) {
    case "call":
      return { op, func: input.uint(), dst: input.uint() - 1, args: input.list(() => readOperand(input)) };
    case "ret":
      return { op, value: readOperand(input) };
    case "goto":
      return { op, offset: input.int() };
    case "if":
      return { op, cond: input.uint(), offset: input.int() };
  }
}

function readOperand(input: Reader): VmOperand {
  const word = input.uint();
  const kind = operandKinds[word % 4] ?? "register";
  const value = Math.floor(word / 4);
  return kind === "immediate" ? { kind, value: unzigzag(value) } : { kind, index: value };
}

function readConstant(input: Reader): VmConstant {
  const kind = input.oneOf(constantKinds);
  switch (kind) {
    case "tensor":
      return { kind, name: input.string() };
    case "shape":
      return { kind, shape: input.list(() => input.uint()) };
    case "string":
      return { kind, value: input.string() };
    case "float":
      return { kind, value: input.float() };
    case "int": {
      const text = input.string();
      if (!/^-?\d{1,40}$/.test(text)) throw damaged("a constant is no integer");
      return { kind, value: BigInt(text) };
    }
    case "null":
      return { kind };
  }
}

/** Whatever an instruction names is there, and no path leaves the code. */
function check(f: VmBytecodeFunction, functions: number, constants: number): void {
  const fail = (what: string): never => {
    throw damaged(`\`${f.name}\` ${what}`);
  };
  if (f.params.length > f.registers) fail("has fewer registers than parameters");
  const operand = (o: VmOperand): void => {
    if (o.kind === "immediate") return;
    const count = o.kind === "register" ? f.registers : o.kind === "constant" ? constants : functions;
    if (o.index >= count) fail(`uses ${o.kind} ${o.index} of ${count}`);
  };
  f.code.forEach((i, at) => {
    if ((i.op === "if" || i.op === "goto") && (i.offset <= 0 || at + i.offset >= f.code.length)) fail(`jumps out of itself at ${at}`);
    switch (i.op) {
      case "call":
        if (i.func >= functions || i.dst >= f.registers) fail(`has an impossible call at ${at}`);
        i.args.forEach(operand);
        return;
      case "ret":
        return operand(i.value);
      case "if":
        if (i.cond >= f.registers) fail(`uses register ${i.cond} of ${f.registers}`);
    }
  });
  const last = f.code[f.code.length - 1];
  if (last?.op !== "ret") fail("does not end with a return");
}

function unzigzag(n: number): number {
  return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
}

class Reader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#view.byteLength) throw damaged("it is cut off");
    this.#at += count;
    return at;
  }

  end(): void {
    if (this.#at !== this.#view.byteLength) throw damaged("something follows its end");
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  uint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#view.getUint8(this.#take(1));
      value += (byte % 128) * scale;
      if (!Number.isSafeInteger(value)) throw damaged("a number is too large");
      if (byte < 128) return value;
    }
  }

  int(): number {
    return unzigzag(this.uint());
  }

  float(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  string(): string {
    const length = this.uint();
    const at = this.#take(length);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, length));
  }

  dtype(): ScalarDType {
    const text = this.string();
    if (!isDType(text)) throw damaged(`\`${text}\` is no data type`);
    return text as ScalarDType;
  }

  oneOf<T>(choices: readonly T[]): T {
    const choice = choices[this.uint()];
    if (choice === undefined) throw damaged("a part of it is of no known kind");
    return choice;
  }

  /** Every item takes a byte at least, which bounds the length. */
  list<T>(read: () => T): readonly T[] {
    const length = this.uint();
    if (length > this.#view.byteLength - this.#at) throw damaged("a list is longer than the file");
    return Array.from({ length }, read);
  }
}
