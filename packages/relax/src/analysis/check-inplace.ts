import type { Call } from "../ir/expr.ts";
import { shapeOf } from "../ir/make.ts";
import type { InferContext } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { intsAttr, opName } from "../op/attrs-of.ts";

/** Each output's index among the inputs, or -1 for a new one. @throws RangeError if one is out of range or comes twice, or if all are new. */
function checkIndices(call: Call, indices: readonly number[], inputs: number): void {
  for (const [i, index] of indices.entries()) {
    if (index < -1 || index >= inputs) throw new RangeError(`${opName(call)} has the in-place index ${index}, but ${inputs} inputs.`);
    if (index >= 0 && indices.indexOf(index) !== i) throw new RangeError(`${opName(call)} gives input ${index} to two outputs.`);
  }
  if (indices.every((i) => i < 0)) throw new RangeError(`${opName(call)} changes none of its inputs. Use the variant that is not in place.`);
}

function checkSameTensor(call: Call, input: StructInfo | undefined, output: StructInfo, ctx: InferContext): void {
  const [a, b] = [shapeOf(input), shapeOf(output)];
  const areTensors = input?.kind === "relax.TensorStructInfo" && output.kind === "relax.TensorStructInfo" && input.dtype !== undefined;
  const isSame = areTensors && input.dtype === output.dtype && a !== undefined && b !== undefined && a.length === b.length && a.every((d, i) => ctx.proveEqual(d, b[i] ?? d));
  if (!isSame) throw new TypeError(`${opName(call)} can only reuse a tensor of the shape and type of its output.`);
}

/** The inputs of a destination-passing call: the fields of its second argument. */
function inputsOf(call: Call): readonly (StructInfo | undefined)[] {
  const args = call.args[1];
  if (args?.kind === "relax.Tuple") return args.fields.map(structInfoOf);
  const info = args === undefined ? undefined : structInfoOf(args);
  return info?.kind === "relax.TupleStructInfo" ? info.fields : [];
}

/**
 * Checks a `call_tir_inplace`: each output that reuses an input is a tensor of the same shape and type.
 * @throws RangeError or TypeError that says what is wrong.
 */
export function checkInplace(call: Call, ctx: InferContext): void {
  const [info] = call.sinfoArgs;
  if (info === undefined) return;
  const indices = intsAttr(call, "inplace_indices");
  const given = inputsOf(call);
  const outputs = info.kind === "relax.TupleStructInfo" ? info.fields : [info];
  if (outputs.length !== indices.length) throw new RangeError(`${opName(call)} has ${outputs.length} outputs, but ${indices.length} in-place indices.`);
  checkIndices(call, indices, given.length);
  for (const [i, index] of indices.entries()) {
    const output = outputs[i];
    if (index >= 0 && output !== undefined) checkSameTensor(call, given[index], output, ctx);
  }
}
