import { ModuleBuilder } from "../src/encoder/module-builder.ts";
import { InstructionWriter } from "../src/encoder/instructions.ts";
import type { WasmType } from "../src/encoder/opcodes.ts";

/** A loop of `rounds` times 8 multiply-adds in registers, twice: what the engine and the machine can do at most. */
export function peakModule(): Uint8Array<ArrayBuffer> {
  const w = new InstructionWriter();
  const [count, first, x, y] = [0, 1, 11, 12];
  w.v128Const(new Uint8Array(new Float32Array(4).fill(0.5).buffer));
  w.localSet(x);
  w.v128Const(new Uint8Array(new Float32Array(4).fill(0.25).buffer));
  w.localSet(y);
  w.begin("loop");
  for (let i = 0; i < 10; i++) {
    w.localGet(first + i);
    w.localGet(i % 2 === 0 ? x : y);
    w.localGet(first + i);
    w.op("f32x4.mul");
    w.op("f32x4.add");
    w.localSet(first + i);
  }
  w.localGet(count);
  w.i32Const(1);
  w.op("i32.sub");
  w.localTee(count);
  w.brIf(0);
  w.end();
  w.localGet(first);
  for (let i = 1; i < 10; i++) {
    w.localGet(first + i);
    w.op("f32x4.add");
  }
  w.lanes("f32x4.extract_lane", [0]);
  const builder = new ModuleBuilder("peak");
  const locals: WasmType[] = new Array<WasmType>(12).fill("v128");
  builder.exportFunc("peak", builder.func({ name: "peak", signature: { params: ["i32"], results: ["f32"] }, locals, code: w.out }));
  return builder.finish().toBytes();
}

/** Floating-point operations of one round. */
export const PEAK_FLOPS: number = 10 * 4 * 2;
