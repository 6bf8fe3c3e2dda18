import type { VmConstant, VmExecutable, VmFunction, VmInstruction, VmOperand } from "./executable.ts";

/** The first bytes of a file of bytecode: `VTVM`. */
export const VM_MAGIC = 0x4d565456;
/** The version of the bytecode. */
export const VM_VERSION = 1;

/** The kinds of operands, in the two low bits of each. */
export const operandKinds = ["register", "immediate", "constant", "function"] as const;
/** The operations by number. */
export const operations = ["call", "ret", "goto", "if"] as const;
/** The kinds of functions by number. */
export const functionKinds = ["bytecode", "kernel", "packed"] as const;
/** The kinds of constants by number. */
export const constantKinds = ["tensor", "shape", "string", "float", "int", "null"] as const;

/**
 * A program as bytes: numbers of variable length, seven bits a byte, low bits first; signed ones alternate between 0, -1,
 * 1, -2… The same program gives the same bytes.
 * @throws RangeError for an immediate beyond 2^50: such integers are constants.
 */
export function encodeVmExecutable(executable: VmExecutable): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.uint32(VM_MAGIC);
  out.uint(VM_VERSION);
  out.list(executable.functions, (f) => writeFunction(out, f));
  out.list(executable.constants, (c) => writeConstant(out, c));
  return out.bytes();
}

function writeFunction(out: Writer, f: VmFunction): void {
  out.uint(functionKinds.indexOf(f.kind));
  out.string(f.name);
  if (f.kind === "kernel") {
    out.list(f.params, (p) => out.string(p));
    out.list(f.dims, ({ arg, axis, dtype }) => {
      out.uint(arg);
      out.uint(axis);
      out.string(dtype);
    });
  } else if (f.kind === "bytecode") {
    out.list(f.params, ({ name, type }) => {
      out.string(name);
      out.string(type);
    });
    out.uint(f.registers);
    out.list(f.code, (i) => writeInstruction(out, i));
  }
}

function writeInstruction(out: Writer, i: VmInstruction): void {
  out.uint(operations.indexOf(i.op));
  switch (i.op) {
    case "call":
      out.uint(i.func);
      out.uint(i.dst + 1);
      out.list(i.args, (a) => writeOperand(out, a));
      return;
    case "ret":
      writeOperand(out, i.value);
      return;
    case "goto":
      out.int(i.offset);
      return;
    case "if":
      out.uint(i.cond);
      out.int(i.offset);
  }
}

function writeOperand(out: Writer, o: VmOperand): void {
  const kind = operandKinds.indexOf(o.kind);
  const value = o.kind === "immediate" ? zigzag(o.value) : o.index;
  if (value > 2 ** 51) throw new RangeError(`${value} is too large for an operand.`);
  out.uint(value * 4 + kind);
}

function writeConstant(out: Writer, c: VmConstant): void {
  out.uint(constantKinds.indexOf(c.kind));
  switch (c.kind) {
    case "tensor":
      out.string(c.name);
      return;
    case "shape":
      out.list(c.shape, (d) => out.uint(d));
      return;
    case "string":
      out.string(c.value);
      return;
    case "float":
      out.float(c.value);
      return;
    case "int":
      out.string(String(c.value));
      return;
    case "null":
      return;
  }
}

function zigzag(n: number): number {
  return n >= 0 ? n * 2 : -n * 2 - 1;
}

class Writer {
  readonly #bytes: number[] = [];

  bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  uint32(n: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.#bytes.push((n >>> shift) & 255);
  }

  /** Up to 2^53: by division, for shifts are of 32 bits. */
  uint(n: number): void {
    if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`${n} is no unsigned integer.`);
    while (n >= 128) {
      this.#bytes.push((n % 128) + 128);
      n = Math.floor(n / 128);
    }
    this.#bytes.push(n);
  }

  int(n: number): void {
    this.uint(zigzag(n));
  }

  float(n: number): void {
    this.#bytes.push(...new Uint8Array(Float64Array.of(n).buffer));
  }

  string(s: string): void {
    const bytes = new TextEncoder().encode(s);
    this.uint(bytes.length);
    for (const b of bytes) this.#bytes.push(b);
  }

  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.uint(items.length);
    items.forEach(write);
  }
}
