import { makeTensorStructInfo, makeVar } from "@verticil/relax";
import { tensorFrom, type ScalarDType } from "@verticil/runtime-ffi";
import { constant } from "@verticil/tir";
import type { GraphProto, NodeProto, ValueInfoProto } from "../proto/schema.ts";
import { dtypeOf, unsupportedType } from "../proto/tensor.ts";
import { valueTypeOf } from "../proto/value-type.ts";
import type { Value } from "../value.ts";
import type { SymbolicDims } from "./symbolic-dims.ts";

/**
 * Values in the place of those that could not be read, so that the nodes after them are looked at as well: tensors of the
 * types that the file gives them. What it says nothing of is unknown.
 */
export class StandIns {
  readonly #types = new Map<string, ValueInfoProto>();
  readonly #dims: SymbolicDims;

  constructor(graph: GraphProto, dims: SymbolicDims) {
    this.#dims = dims;
    this.#learn(graph);
  }

  value(name: string): Value {
    const info = this.#types.get(name);
    const { form, tensor } = info === undefined ? { form: "other", tensor: undefined } : valueTypeOf(info);
    const dims = tensor?.shape?.dim;
    const type = tensor?.elemType ?? 0;
    if (form !== "tensor" || dims === undefined || dims === null || unsupportedType(type) !== undefined) return { kind: "unknown" };
    return tensorValue(dims.map((d) => this.#dims.dim(d, name)), dtypeOf(type, name));
  }

  #learn(graph: GraphProto): void {
    for (const v of [...(graph.valueInfo ?? []), ...(graph.output ?? [])]) this.#types.set(v.name ?? "", v);
    for (const node of graph.node ?? []) this.#learnWithin(node);
  }

  #learnWithin(node: NodeProto): void {
    for (const a of node.attribute ?? []) {
      for (const graph of [a.g, ...(a.graphs ?? [])]) if (graph !== undefined && graph !== null) this.#learn(graph);
    }
  }
}

function tensorValue(dims: Parameters<typeof makeTensorStructInfo>[0], dtype: ScalarDType): Value {
  return { kind: "tensor", expr: makeVar("stand_in", makeTensorStructInfo(dims, dtype)) };
}

/** As many elements for each dimension: a multiple of the usual numbers of groups, heads and blocks. */
const SIZE = 24;

/** What the inputs of a node might be. A refusal of tensors tells something, one of sequences does not. */
export interface Guess {
  readonly inputs: readonly (Value | undefined)[];
  readonly tells: boolean;
}

/**
 * What the doubtful ones of a node's inputs might be, the likeliest first. A node that is refused whatever they are is one
 * that is not supported.
 */
export function* guessedInputs(inputs: readonly (Value | undefined)[], isDoubtful: readonly boolean[]): Generator<Guess> {
  const filled = (guess: (i: number) => Value, tells = true): Guess => ({ inputs: inputs.map((v, i) => (isDoubtful[i] === true ? guess(i) : v)), tells });
  for (const rank of [4, 3, 2, 5, 1, 0]) {
    const dims = Array.from({ length: rank }, () => constant(SIZE, "int64"));
    const list: Value = { kind: "constant", tensor: tensorFrom(dims.map(() => 1), [rank], "int64") };
    for (const dtype of ["float32", "int64", "uint8", "bool"] as const) {
      yield filled(() => tensorValue(dims, dtype));
      yield filled((i) => (i === 0 ? tensorValue(dims, dtype) : list));
    }
    yield filled(() => list);
    const item = tensorValue(dims, "float32");
    yield filled((i) => (i === 0 ? { kind: "sequence", items: [item] } : { kind: "constant", tensor: tensorFrom([0], [], "int64") }), false);
  }
}
