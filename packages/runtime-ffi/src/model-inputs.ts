import { FfiError } from "./ffi-error.ts";
import type { ValueSpec } from "./manifest.ts";
import type { InputValue } from "./model.ts";
import { arrayClass, tensorBytes, type TensorData } from "./tensor.ts";

/** What a model says of its inputs. */
interface Inputs {
  readonly name: string;
  readonly inputs: readonly ValueSpec[];
}

/**
 * The bytes of each input, in the model's order.
 * @throws FfiError `invalid-input` that names the input and what it should be.
 */
export function checkedInputs(model: Inputs, given: Readonly<Record<string, InputValue>>): readonly Uint8Array[] {
  checkInputNames(model, given);
  return model.inputs.map((spec) => {
    const data = checkedInput(model, spec, given[spec.name]);
    return tensorBytes({ dtype: spec.dtype, shape: spec.shape, data });
  });
}

/** @throws FfiError `invalid-input` for an input that the model does not have. */
export function checkInputNames(model: Inputs, given: Readonly<Record<string, InputValue>>): void {
  for (const name of Object.keys(given)) {
    if (!model.inputs.some((v) => v.name === name)) throw inputError(model, `has no input \`${name}\``);
  }
}

/** The elements of one input, which fit its shape and type. @throws FfiError `invalid-input`. */
export function checkedInput(model: Inputs, spec: ValueSpec, value: InputValue | undefined): TensorData {
  const { name, shape, dtype } = spec;
  if (value === undefined || value === null) throw inputError(model, `was given no input \`${name}\``);
  if (typeof value === "object" && "shape" in value) {
    const sameShape = value.shape.length === shape.length && value.shape.every((d, i) => d === shape[i]);
    if (!sameShape) throw inputError(model, `takes \`${name}\` of shape [${shape.join(", ")}], not [${value.shape.join(", ")}]`);
    if (value.dtype !== dtype) throw inputError(model, `takes \`${name}\` as ${dtype}, not ${value.dtype}`);
    return checkedData(model, spec, value.data);
  }
  return checkedData(model, spec, value);
}

function checkedData(model: Inputs, { name, shape, dtype }: ValueSpec, data: TensorData): TensorData {
  const array = arrayClass(dtype);
  if (data.constructor !== array) {
    throw inputError(model, `takes \`${name}\` as ${dtype} in a ${array?.name ?? "typed array"}, not in a ${data.constructor?.name ?? typeof data}`);
  }
  const count = shape.reduce((a, b) => a * b, 1);
  if (data.length !== count) throw inputError(model, `takes \`${name}\` with ${count} elements, not ${data.length}`);
  return data;
}

function inputError(model: Inputs, what: string): FfiError {
  const list = model.inputs.map((v) => `\`${v.name}\`: ${v.dtype}[${v.shape.join(", ")}]`).join("; ");
  return new FfiError("invalid-input", `The model \`${model.name}\` ${what}. Its inputs are ${list}.`);
}
