import { describeAny, isTensor, isTuple, type Any, type PackedFunction } from "../any.ts";
import type { ScalarDType } from "../dtype.ts";
import { FfiError } from "../ffi-error.ts";
import { elementCount, getElement, zeros, type Tensor } from "../tensor.ts";
import { dtypeAt, functionAt, isTrue, shapeAt, tensorAt } from "./arguments.ts";

/**
 * `(body, trips, condition, n, ...n carried values, then dtype and shape of an element of each list)`: calls
 * `body(round, condition, ...carried)`, which gives `(condition, ...carried, ...elements)`, as long as the condition holds
 * and at most `trips` times. Gives the values that are carried, and the lists stacked along a new first axis. `call` makes
 * one call; what it gives has to stay valid after the next.
 */
export function runLoop(args: readonly Any[], call: (f: PackedFunction, args: readonly Any[]) => Any): Any {
  const body = functionAt(args, 0);
  const trips = Number(getElement(tensorAt(args, 1), 0));
  const count = Number(args[3]);
  const lists = Array.from({ length: (args.length - 4 - count) / 2 }, (_, k) => listOf(dtypeAt(args, 4 + count + 2 * k), shapeAt(args, 5 + count + 2 * k)));
  let carried = args.slice(4, 4 + count);
  let condition: Any = args[2];
  for (let round = 0; round < trips && isTrue(condition); round++) {
    const result = call(body, [scalar("int64", round), scalar("bool", 1), ...carried]);
    if (!isTuple(result) || result.length !== 1 + count + lists.length) throw new FfiError("runtime", `The body of a loop gave ${describeAny(result)} instead of ${1 + count + lists.length} values.`);
    condition = result[0];
    carried = result.slice(1, 1 + count);
    for (const [k, list] of lists.entries()) list.push(result[1 + count + k]);
  }
  return [...carried, ...lists.map((l) => l.stacked())];
}

function scalar(dtype: ScalarDType, value: number): Tensor {
  const t = zeros(dtype, []);
  t.data.fill((dtype === "int64" ? BigInt(value) : value) as never);
  return t;
}

interface List {
  push(element: Any): void;
  stacked(): Tensor;
}

/** Elements of one shape, one after the other; without any, `shape` says what they would be. */
function listOf(dtype: ScalarDType, shape: readonly number[]): List {
  const elements: Tensor[] = [];
  return {
    push(element) {
      if (!isTensor(element)) throw new FfiError("runtime", `A loop collects tensors, and was given ${describeAny(element)}.`);
      const [first] = elements;
      if (first !== undefined && first.shape.join() !== element.shape.join()) {
        throw new FfiError("runtime", `A loop collects tensors of one shape, and was given [${first.shape.join(", ")}] and [${element.shape.join(", ")}].`);
      }
      elements.push(element);
    },
    stacked() {
      const each = elements[0]?.shape ?? shape;
      const out = zeros(dtype, [elements.length, ...each]);
      const size = elementCount(each);
      for (const [i, e] of elements.entries()) out.data.set(e.data as never, i * size);
      return out;
    },
  };
}
