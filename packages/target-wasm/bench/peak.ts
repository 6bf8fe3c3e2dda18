import { ModuleBuilder } from "../src/encoder/module-builder.ts";
import { InstructionWriter } from "../src/encoder/instructions.ts";
import type { WasmType } from "../src/encoder/opcodes.ts";

const SUMS = 8;
const FACTORS = 4;
/** The local with the count of rounds; then the sums, then the factors. */
const COUNT = 0;

/**
 * A loop of `rounds` times 8 multiply-adds in registers, as one instruction each if `relaxed`: what the engine and the machine
 * can do at most. No product waits for a sum, or the loop would show how long an instruction takes and not how many the
 * machine does. The factors change places, or the engine would compute the products once for all rounds.
 */
export function peakModule({ relaxed = false }: { readonly relaxed?: boolean } = {}): Uint8Array<ArrayBuffer> {
  const w = new InstructionWriter();
  const sum = (i: number): number => COUNT + 1 + i;
  const factor = (i: number): number => sum(SUMS) + i;
  for (let i = 0; i < FACTORS; i++) {
    w.v128Const(new Uint8Array(new Float32Array(4).fill(2 ** -i).buffer));
    w.localSet(factor(i));
  }
  w.begin("loop");
  for (let i = 0; i < SUMS; i++) {
    // Eight different pairs of the four factors.
    multiplyAdd(w, { sum: sum(i), factors: [factor(i % FACTORS), factor((i + (i < FACTORS ? 0 : 1)) % FACTORS)], relaxed });
  }
  w.localGet(factor(0));
  for (let i = 1; i < FACTORS; i++) {
    w.localGet(factor(i));
    w.localSet(factor(i - 1));
  }
  w.localSet(factor(FACTORS - 1));
  w.localGet(COUNT);
  w.i32Const(1);
  w.op("i32.sub");
  w.localTee(COUNT);
  w.brIf(0);
  w.end();
  w.localGet(sum(0));
  for (let i = 1; i < SUMS; i++) {
    w.localGet(sum(i));
    w.op("f32x4.add");
  }
  w.lanes("f32x4.extract_lane", [0]);
  const builder = new ModuleBuilder("peak");
  const locals = new Array<WasmType>(SUMS + FACTORS).fill("v128");
  builder.exportFunc("peak", builder.func({ name: "peak", signature: { params: ["i32"], results: ["f32"] }, locals, code: w.out }));
  return builder.finish().toBytes();
}

interface MultiplyAdd {
  readonly sum: number;
  readonly factors: readonly [number, number];
  readonly relaxed: boolean;
}

/** `sum = sum + factors[0] * factors[1]`, of locals. */
function multiplyAdd(w: InstructionWriter, { sum, factors, relaxed }: MultiplyAdd): void {
  if (!relaxed) w.localGet(sum);
  for (const f of factors) w.localGet(f);
  if (relaxed) w.localGet(sum);
  else w.op("f32x4.mul");
  w.op(relaxed ? "f32x4.relaxed_madd" : "f32x4.add");
  w.localSet(sum);
}

/** Floating-point operations of one round. */
export const PEAK_FLOPS: number = SUMS * 4 * 2;
