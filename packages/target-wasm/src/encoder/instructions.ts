import { ByteWriter } from "./byte-writer.ts";
import { opcode, typeCode, type WasmType } from "./opcodes.ts";

/** Log2 of the bytes that a memory instruction's name says it touches, at most the natural alignment. */
function naturalAlignment(name: string): number {
  const operation = name.slice(name.indexOf(".") + 1);
  const half = /^load(8x8|16x4|32x2)/.test(operation);
  if (half) return 3;
  const width = /^(?:load|store)(\d+)/.exec(operation)?.[1];
  if (width !== undefined) return Math.log2(Number(width) / 8);
  return name.startsWith("v128") ? 4 : name.startsWith("i64") || name.startsWith("f64") ? 3 : 2;
}

/** Instructions of a function body, written one after the other. */
export class InstructionWriter {
  readonly out: ByteWriter = new ByteWriter(256);

  /** An instruction without immediates. */
  op(name: string): void {
    const { prefix, code } = opcode(name);
    if (prefix === undefined) this.out.byte(code);
    else {
      this.out.byte(prefix);
      this.out.u32(code);
    }
  }

  /** A load or store. Data is only known to be aligned to elements, so vectors say 4 bytes. */
  memory(name: string, offset: number, lane?: number): void {
    this.op(name);
    this.out.u32(Math.min(naturalAlignment(name), 2));
    this.out.u32(offset);
    if (lane !== undefined) this.out.byte(lane);
  }

  /** An instruction with lane numbers: `extract_lane`, `replace_lane`, `shuffle`. */
  lanes(name: string, lanes: readonly number[]): void {
    this.op(name);
    this.out.bytes(lanes);
  }

  i32Const(value: number): void {
    this.out.byte(0x41);
    this.out.s32(value);
  }

  i64Const(value: bigint): void {
    this.out.byte(0x42);
    this.out.s64(value);
  }

  f32Const(value: number): void {
    this.out.byte(0x43);
    this.out.f32(value);
  }

  f64Const(value: number): void {
    this.out.byte(0x44);
    this.out.f64(value);
  }

  v128Const(bytes: Uint8Array): void {
    this.out.byte(0xfd);
    this.out.u32(0x0c);
    this.out.bytes(bytes);
  }

  localGet(index: number): void {
    this.out.byte(0x20);
    this.out.u32(index);
  }

  localSet(index: number): void {
    this.out.byte(0x21);
    this.out.u32(index);
  }

  localTee(index: number): void {
    this.out.byte(0x22);
    this.out.u32(index);
  }

  globalGet(index: number): void {
    this.out.byte(0x23);
    this.out.u32(index);
  }

  globalSet(index: number): void {
    this.out.byte(0x24);
    this.out.u32(index);
  }

  call(index: number): void {
    this.out.byte(0x10);
    this.out.u32(index);
  }

  /** Calls the function of the table that the number on the stack says. */
  callIndirect(type: number): void {
    this.out.byte(0x11);
    this.out.u32(type);
    this.out.u32(0);
  }

  /** Opens a block, closed by `end`. */
  begin(kind: "block" | "loop" | "if", result?: WasmType): void {
    this.out.byte(kind === "block" ? 0x02 : kind === "loop" ? 0x03 : 0x04);
    this.out.byte(result === undefined ? 0x40 : typeCode[result]);
  }

  else(): void {
    this.out.byte(0x05);
  }

  end(): void {
    this.out.byte(0x0b);
  }

  br(depth: number): void {
    this.out.byte(0x0c);
    this.out.u32(depth);
  }

  brIf(depth: number): void {
    this.out.byte(0x0d);
    this.out.u32(depth);
  }

  return(): void {
    this.out.byte(0x0f);
  }

  drop(): void {
    this.out.byte(0x1a);
  }

  /** The numeric `select`; vectors need their type written. */
  select(type: WasmType): void {
    if (type !== "v128") {
      this.out.byte(0x1b);
      return;
    }
    this.out.bytes([0x1c, 1, typeCode.v128]);
  }

  unreachable(): void {
    this.out.byte(0x00);
  }
}
