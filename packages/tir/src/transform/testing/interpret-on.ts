import type { IRModule } from "@verticil/ir-core";
import { zeros, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { interpretPrimFunc } from "../../interpreter/interpret.ts";
import { asInt } from "../../ir/ops.ts";
import type { PrimFunc } from "../../ir/stmt.ts";
import { moduleOf } from "./expect-pass.ts";

/** Runs `main`, whose last parameter is its output, on inputs; gives the output's elements. */
export function interpretOn(program: IRModule | string, inputs: readonly Tensor[]): Tensor["data"] {
  const module = typeof program === "string" ? moduleOf(program) : program;
  const func = [...module.functions.values()][0] as PrimFunc;
  const buffer = [...func.bufferMap.values()].at(-1);
  if (buffer === undefined) throw new Error("The program has no output.");
  const output = zeros(buffer.dtype as ScalarDType, buffer.shape.map((d) => asInt(d) ?? 0));
  interpretPrimFunc(func, [...inputs, output], { module });
  return output.data;
}
