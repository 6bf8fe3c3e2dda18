import { toNumber } from "./proto/integers.ts";
import { decodeModel, domainOf } from "./proto/decode.ts";
import type { ValueInfoProto } from "./proto/schema.ts";
import { valueTypeOf, type ValueType } from "./proto/value-type.ts";

/** What a model file says of an input or output, whether or not it can be imported. */
export interface OnnxValue {
  readonly name: string;
  /** Sizes, names of symbolic dimensions, or `?`; undefined where the file gives no shape. */
  readonly shape: readonly (number | string)[] | undefined;
  /** `sequence`: its tensors become inputs or outputs of their own, `NAME.0`, `NAME.1`…; `shape` is that of each of them. */
  readonly form: ValueType["form"];
  /** True if it may hold nothing. */
  readonly isOptional: boolean;
}

/** What is in a model file. */
export interface OnnxDescription {
  /** Without those that have a default among the weights. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Versions of the operator sets by domain; the standard domain is the empty string. */
  readonly opsets: ReadonlyMap<string, number>;
  /** How often the main graph uses each operator, `domain:name` outside of the standard domain. */
  readonly ops: ReadonlyMap<string, number>;
}

/**
 * Looks into a model file without importing it.
 * @throws DiagnosticError if it is not a model.
 */
export function describeOnnx(bytes: Uint8Array): OnnxDescription {
  const { graph, opsets } = decodeModel(bytes);
  const weights = new Set((graph.initializer ?? []).map((t) => t.name ?? ""));
  const ops = new Map<string, number>();
  for (const node of graph.node ?? []) {
    const domain = domainOf(node.domain);
    const name = domain === "" ? (node.opType ?? "") : `${domain}:${node.opType ?? ""}`;
    ops.set(name, (ops.get(name) ?? 0) + 1);
  }
  return {
    inputs: (graph.input ?? []).filter((i) => !weights.has(i.name ?? "")).map(described),
    outputs: (graph.output ?? []).map(described),
    opsets,
    ops,
  };
}

function described(value: ValueInfoProto): OnnxValue {
  const { form, isOptional, tensor } = valueTypeOf(value);
  const dims = tensor?.shape?.dim;
  const shape = dims?.map((d) => (d.dimParam ? d.dimParam : d.dimValue === undefined || d.dimValue === null ? "?" : toNumber(d.dimValue)));
  return { name: value.name ?? "", shape, form, isOptional };
}
