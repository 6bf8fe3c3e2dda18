import { makeTensorStructInfo, makeVar, staticShapeOf, type TensorStructInfo, type Var } from "@verticil/relax";
import { zeros } from "@verticil/runtime-ffi";
import { fail } from "../messages.ts";
import type { TensorTypeProto, ValueInfoProto } from "../proto/schema.ts";
import { dtypeOf } from "../proto/tensor.ts";
import { valueTypeOf } from "../proto/value-type.ts";
import type { Value } from "../value.ts";
import type { Problems } from "./problems.ts";
import { sanitizedName } from "./sanitized-name.ts";
import type { SymbolicDims } from "./symbolic-dims.ts";

type Dims = readonly (number | string)[];

/** The shape of an input; those of a sequence's tensors; null for an optional that holds nothing. */
export type GivenShape = Dims | readonly Dims[] | null;

/** An input of a graph: what it is while importing, and the parameters that it is made of. */
export interface GraphInput {
  readonly name: string;
  readonly value: Value;
  readonly parameters: readonly { readonly name: string; readonly variable: Var }[];
}

/**
 * The inputs of a graph as parameters: a tensor is one, each tensor of a sequence is one of its own (`NAME.0`, `NAME.1`…),
 * and an optional that holds nothing is none.
 * Those that cannot be read (`onnx/unsupported-type`, `onnx/open-sequence`, `onnx/bad-shape`) are unknown, and noted in `problems`.
 */
export function graphInputs(inputs: readonly ValueInfoProto[], dims: SymbolicDims, shapes: Readonly<Record<string, GivenShape>>, problems: Problems): readonly GraphInput[] {
  const taken = new Set<string>();
  const parameter = (name: string, type: TensorTypeProto | undefined, shape: Dims | undefined): GraphInput["parameters"][number] => {
    const base = sanitizedName(name);
    let own = base;
    for (let i = 1; taken.has(own); i++) own = `${base}_${i}`;
    taken.add(own);
    return { name, variable: makeVar(own, inputInfo(name, type, dims, shape)) };
  };
  const read = (input: ValueInfoProto): GraphInput => {
    const name = input.name ?? "";
    const { form, isOptional, tensor } = valueTypeOf(input);
    const shape = shapes[name];
    if (form === "other") return fail("unsupported-type", { what: `The input \`${name}\``, type: "not a tensor" });
    if (shape === null) return isOptional ? { name, value: { kind: "nothing" }, parameters: [] } : fail("bad-shape", { name, reason: "it is not optional" });
    if (form === "tensor") {
      if (shape !== undefined && !isDims(shape)) return fail("bad-shape", { name, reason: "it is not a sequence" });
      const only = parameter(name, tensor, shape);
      return { name, value: inputValue(only.variable), parameters: [only] };
    }
    const list = shape ?? fail("open-sequence", { name });
    if (!isList(list)) return fail("bad-shape", { name, reason: "it is a sequence" });
    const parameters = list.map((s, i) => parameter(`${name}.${i}`, tensor, s));
    return { name, value: { kind: "sequence", items: parameters.map((p) => inputValue(p.variable)) }, parameters };
  };
  return inputs.map((input): GraphInput => {
    try {
      return read(input);
    } catch (error) {
      problems.note(error);
      return { name: input.name ?? "", value: { kind: "unknown" }, parameters: [] };
    }
  });
}

function isDims(shape: Dims | readonly Dims[]): shape is Dims {
  return shape.every((d) => typeof d !== "object");
}

function isList(shape: Dims | readonly Dims[]): shape is readonly Dims[] {
  return shape.every((d) => typeof d === "object");
}

/** A parameter; of one without elements everything is known. */
function inputValue(param: Var): Value {
  const dims = param.structInfo?.kind === "relax.TensorStructInfo" ? staticShapeOf(param.structInfo) : undefined;
  const dtype = param.structInfo?.kind === "relax.TensorStructInfo" ? param.structInfo.dtype : undefined;
  return dims?.includes(0) === true && dtype !== undefined ? { kind: "constant", tensor: zeros(dtype, dims) } : { kind: "tensor", expr: param };
}

function inputInfo(name: string, type: TensorTypeProto | undefined, dims: SymbolicDims, shape: Dims | undefined): TensorStructInfo {
  if (type === undefined) return fail("unsupported-type", { what: `The input \`${name}\``, type: "not a tensor" });
  const dtype = dtypeOf(type.elemType ?? 0, `The input \`${name}\``);
  if (shape !== undefined) {
    return makeTensorStructInfo(shape.map((d) => dims.dim(typeof d === "number" ? { dimValue: d } : { dimParam: d }, name)), dtype);
  }
  const protoDims = type.shape?.dim;
  if (protoDims === undefined || protoDims === null) return makeTensorStructInfo(-1, dtype);
  return makeTensorStructInfo(protoDims.map((d) => dims.dim(d, name)), dtype);
}
