import { describeAny, isTensor, isTuple, shapeValue, type Any, type CallContext, type PackedFunction } from "../any.ts";
import { FfiError } from "../ffi-error.ts";
import { host } from "../host.ts";
import { nonZeroOf, rangeOf, uniqueOf } from "../tensor-search.ts";
import { getElement, setElement, type Tensor } from "../tensor.ts";
import { dtypeAt, functionAt, isTrue, shapeAt, tensorAt } from "./arguments.ts";
import { checkFunc, checkPrimValue, checkShape, checkTensor, checkTuple, makePrimValue, makeShape, matchPrimValue, matchShape } from "./shape-heap.ts";
import { runLoop } from "./run-loop.ts";
import { makeClosure } from "./storage.ts";

/** A copy of the tensor in memory of its own. */
function copyOf(t: Tensor, ctx: CallContext): Tensor {
  const out = ctx.empty(t.dtype, t.shape);
  out.data.set(t.data as never);
  return out;
}

function shapeToTensor(args: readonly Any[], ctx: CallContext): Tensor {
  const dims = shapeAt(args, 0);
  const out = ctx.empty("int64", [dims.length]);
  dims.forEach((d, i) => setElement(out, i, d));
  return out;
}

function tensorToShape(args: readonly Any[]): Any {
  const t = tensorAt(args, 0);
  return shapeValue(Array.from({ length: t.data.length }, (_, i) => Number(getElement(t, i))));
}

/** `(x, sorted, return_index, return_inverse, return_counts, axis or nothing)`: the values alone, or a tuple with what else is asked for. */
function uniqueTensors(args: readonly Any[]): Any {
  const [values, ...others] = uniqueOf(tensorAt(args, 0), args[5] === undefined ? undefined : Number(args[5]), isTrue(args[1]));
  const wanted = others.filter((_, i) => isTrue(args[2 + i]));
  return wanted.length === 0 ? values : [values, ...wanted];
}

/** `{}` in `format` replaced by the values in turn; without such places the values follow. */
function formatted(format: Any, values: readonly Any[]): string {
  let next = 0;
  const shown = (v: Any): string => (isTensor(v) && v.data.length <= 16 ? `[${Array.from({ length: v.data.length }, (_, i) => getElement(v, i)).join(", ")}]` : describeAny(v));
  const text = String(format ?? "").replace(/\{\}/g, () => (next < values.length ? shown(values[next++]) : "{}"));
  return [text, ...values.slice(next).map(shown)].filter((s) => s !== "").join(" ");
}

/**
 * The functions of the runtime that programs call (`vm.builtin.*`), upstream's names. Those that need the machine's
 * memory take it from the context.
 */
export const vmBuiltins: Readonly<Record<string, PackedFunction>> = {
  "vm.builtin.alloc_shape_heap": (args, ctx) => {
    const heap = ctx.empty("int64", [Math.max(1, Number(args[0]))]);
    heap.data.fill(0n as never);
    return heap;
  },
  "vm.builtin.match_shape": matchShape,
  "vm.builtin.match_prim_value": matchPrimValue,
  "vm.builtin.make_shape": makeShape,
  "vm.builtin.make_prim_value": makePrimValue,
  "vm.builtin.check_tensor_info": checkTensor,
  "vm.builtin.check_shape_info": checkShape,
  "vm.builtin.check_tuple_info": checkTuple,
  "vm.builtin.check_prim_value_info": checkPrimValue,
  "vm.builtin.check_func_info": checkFunc,
  "vm.builtin.make_tuple": (args) => [...args],
  "vm.builtin.tuple_getitem": (args) => {
    const [tuple, index] = args;
    if (isTuple(tuple) && Number(index) < tuple.length) return tuple[Number(index)];
    throw new FfiError("runtime", `Field ${String(index)} of ${describeAny(tuple)} was asked for.`);
  },
  "vm.builtin.tuple_reset_item": (args) => {
    const [tuple, index] = args;
    if (!isTuple(tuple) || Number(index) >= tuple.length) throw new FfiError("runtime", `Field ${String(index)} of ${describeAny(tuple)} was to be let go.`);
    // The one value that programs change in place: whoever hands a tuple over hands over its fields.
    (tuple as Any[])[Number(index)] = undefined;
    return undefined;
  },
  "vm.builtin.null_value": () => undefined,
  "vm.builtin.copy": (args) => args[0],
  "vm.builtin.to_device": (args) => args[0],
  "vm.builtin.reshape": (args, ctx) => ctx.view(tensorAt(args, 0), shapeAt(args, 1)),
  "vm.builtin.view": (args, ctx) => {
    const t = tensorAt(args, 0);
    const shape = args[1] === undefined ? t.shape : shapeAt(args, 1);
    return ctx.view(t, shape, Number(args[3] ?? 0), args[2] === undefined ? t.dtype : dtypeAt(args, 2));
  },
  "vm.builtin.ensure_zero_offset": (args, ctx) => copyOf(tensorAt(args, 0), ctx),
  "vm.builtin.shape_of": (args) => shapeValue(tensorAt(args, 0).shape),
  "vm.builtin.shape_to_tensor": shapeToTensor,
  "vm.builtin.tensor_to_shape": tensorToShape,
  "vm.builtin.read_if_cond": (args) => isTrue(args[0]),
  "vm.builtin.make_closure": (args) => {
    const f = functionAt(args, 0);
    const captured = args.slice(1);
    return makeClosure(captured, (rest, ctx) => ctx.call(f, [...rest, ...captured]));
  },
  "vm.builtin.invoke_closure": (args, ctx) => ctx.call(functionAt(args, 0), args.slice(1)),
  "vm.builtin.assert": (args) => {
    if (!isTrue(args[0])) throw new FfiError("runtime", `Assertion failed. ${formatted(args[1], args.slice(2))}`.trimEnd());
    return undefined;
  },
  "relax.run.nonzero": (args) => nonZeroOf(tensorAt(args, 0)),
  "relax.run.unique": (args) => uniqueTensors(args),
  "relax.run.loop": (args, ctx) => runLoop(args, (f, given) => ctx.call(f, given)),
  "relax.run.range": (args) => rangeOf(tensorAt(args, 0), tensorAt(args, 1), tensorAt(args, 2)),
  "vm.builtin.print": (args) => {
    host.console?.log(formatted(args[0], args.slice(1)));
    return undefined;
  },
};
