import type { ScriptValue } from "@verticil/tvmscript";
import { makeTuple } from "../ir/make.ts";

// How scripts give the arguments of operators, where that is another order than the one of the operator's definition
// (arguments, then attributes), or another name.

const POOL: readonly string[] = ["data", "pool_size", "strides", "padding", "dilation", "ceil_mode", "count_include_pad", "layout", "out_layout"];
const QUANTIZE: readonly string[] = ["data", "scale", "zero_point", "axis", "out_dtype"];

const ORDERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["relax.nn.pad", ["data", "pad_width", "pad_mode", "pad_value"]],
  ...["max", "avg"].flatMap((kind) => [1, 2, 3].map((n): [string, readonly string[]] => [`relax.nn.${kind}_pool${n}d`, POOL])),
  ["relax.grad.max_pool2d_backward", ["output_grad", ...POOL]],
  ["relax.grad.avg_pool2d_backward", ["output_grad", ...POOL]],
  ["relax.quantize", QUANTIZE],
  ["relax.dequantize", QUANTIZE],
  ["relax.hint_on_device", ["data", "dst_vdevice", "memory_scope"]],
  ["relax.call_tir", ["func", "args", "out_sinfo", "packed_ints"]],
  ["relax.call_tir_with_grad", ["func", "args", "out_sinfo", "te_grad_name", "te_grad_kwargs", "packed_ints"]],
  ["relax.call_tir_inplace", ["func", "args", "inplace_indices", "out_sinfo", "packed_ints"]],
  ["relax.call_dps_packed", ["func", "args", "out_sinfo"]],
  ["relax.call_py_func", ["func", "args", "out_sinfo"]],
  ["relax.dist.call_tir_local_view", ["func", "args", "out_sinfo", "packed_ints"]],
  ["relax.call_builtin_with_ctx", ["func", "args", "sinfo_args"]],
  ["relax.invoke_closure", ["closure", "args", "sinfo_args"]],
  ["relax.invoke_pure_closure", ["closure", "args", "sinfo_args"]],
]);

const NAMES: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  ["relax.sort", { x: "data" }],
  ["relax.shape_of", { expr: "input" }],
  ["relax.tensor_to_shape", { expr: "input" }],
  ["relax.shape_to_tensor", { expr: "input" }],
  ...["call_tir", "call_tir_with_grad", "call_tir_inplace", "dist.call_tir_local_view"].map((name): [string, Readonly<Record<string, string>>] => [
    `relax.${name}`,
    { gvar: "func", tir_vars: "packed_ints" },
  ]),
]);

/** The names of an operator's arguments and attributes in the order in which a script gives them; undefined if it is the usual one. */
export function callOrder(op: string): readonly string[] | undefined {
  return ORDERS.get(op);
}

/** The operator's own name for what a script calls `name`. */
export function argumentName(op: string, name: string): string {
  return NAMES.get(op)?.[name] ?? name;
}

const nothing = makeTuple([]);
const DEFAULTS: ReadonlyMap<string, Readonly<Record<string, ScriptValue>>> = new Map<string, Readonly<Record<string, ScriptValue>>>([
  ["relax.unique", { sorted: true, return_index: false, return_inverse: false, return_counts: false }],
  ["relax.memory.view", { shape: nothing, dtype: nothing, relative_byte_offset: nothing }],
  ["relax.builtin.alloc_tensor", { storage_scope: "global" }],
  ["relax.vm.alloc_storage", { storage_scope: "global" }],
]);

/** What stands for an argument that a script leaves out; undefined if nothing does. */
export function argumentDefault(op: string, name: string): ScriptValue {
  return DEFAULTS.get(op)?.[name];
}
