import type { TensorTypeProto, TypeProto, ValueInfoProto } from "./schema.ts";

/** What a value of a graph is: a tensor or a sequence of tensors, and either may be optional. */
export interface ValueType {
  readonly form: "tensor" | "sequence" | "other";
  readonly isOptional: boolean;
  /** Of the tensor, or of those in the sequence; undefined where the file does not say. */
  readonly tensor: TensorTypeProto | undefined;
}

/** The type that a file gives a value. */
export function valueTypeOf(info: ValueInfoProto): ValueType {
  const optional = info.type?.optionalType;
  const type: TypeProto | null | undefined = optional === undefined || optional === null ? info.type : optional.elemType;
  const isOptional = type !== info.type;
  if (type?.sequenceType !== undefined && type.sequenceType !== null) {
    return { form: "sequence", isOptional, tensor: type.sequenceType.elemType?.tensorType ?? undefined };
  }
  const isTensor = type === undefined || type === null || (type.tensorType !== undefined && type.tensorType !== null);
  return { form: isTensor ? "tensor" : "other", isOptional, tensor: type?.tensorType ?? undefined };
}
