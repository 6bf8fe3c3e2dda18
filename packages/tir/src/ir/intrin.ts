import { makeOp, type Op } from "@verticil/ir-core";

/**
 * How a call acts on the world, after upstream's `CallEffectKind`; decides what may be moved, merged or dropped.
 * `annotation` and `embed` are values of annotations only; `special-arg` may stand only as an argument of another call.
 */
export type CallEffect = "annotation" | "pure" | "read" | "update" | "special-arg" | "embed" | "control";

/** Where the printer puts the data type of a call: `T.op("float32", …)`, `T.op(…, "float32")`, or nowhere. */
export type DTypePosition = "none" | "first" | "last";

/** What the compiler knows of a builtin operator. `vectorizable`: works lane by lane. */
export interface IntrinDef {
  readonly name: `tir.${string}`;
  readonly effect: CallEffect;
  readonly vectorizable: boolean;
  readonly dtypePosition: DTypePosition;
  /** The name under `T.` in TVMScript. */
  readonly scriptName: string;
  /** Number of arguments, undefined if it varies. */
  readonly arity: number | undefined;
}

function def(name: string, effect: CallEffect, arity?: number, opts: Partial<IntrinDef> = {}): IntrinDef {
  return { name: `tir.${name}`, effect, arity, vectorizable: false, dtypePosition: "none", scriptName: name, ...opts };
}

function math(names: readonly string[], arity: number): IntrinDef[] {
  return names.map((name) => def(name, "pure", arity, { vectorizable: true }));
}

function opaque(names: readonly string[], opts: Partial<IntrinDef> = {}): IntrinDef[] {
  return names.map((name) => def(name, "update", undefined, opts));
}

/** The builtin operators (upstream's `tir/op/builtin.cc` and math), by kind. */
export const intrinDefs: readonly IntrinDef[] = [
  ...math(
    [
      "exp", "exp2", "exp10", "erf", "tanh", "sigmoid", "sqrt", "rsqrt", "log", "log2", "log1p", "log10", "tan", "cos",
      "cosh", "sin", "sinh", "asin", "acos", "atan", "acosh", "asinh", "atanh", "clz", "popcount", "floor", "ceil",
      "round", "trunc", "nearbyint", "fabs", "isnan", "isfinite", "isinf",
    ],
    1,
  ),
  ...math(["atan2", "nextafter", "copysign", "hypot", "ldexp", "fmod"], 2),
  def("pow", "pure", 2, { vectorizable: true }),
  def("fma", "pure", 3, { vectorizable: true }),
  def("abs", "pure", 1, { vectorizable: true }),
  def("bitwise_and", "pure", 2, { vectorizable: true }),
  def("bitwise_or", "pure", 2, { vectorizable: true }),
  def("bitwise_xor", "pure", 2, { vectorizable: true }),
  def("bitwise_not", "pure", 1, { vectorizable: true }),
  def("shift_left", "pure", 2, { vectorizable: true }),
  def("shift_right", "pure", 2, { vectorizable: true }),
  def("reinterpret", "pure", 1, { vectorizable: true, dtypePosition: "first" }),
  def("likely", "annotation", 1, { vectorizable: true }),
  def("if_then_else", "pure", 3),
  def("infinity", "pure", 0, { dtypePosition: "first" }),
  def("large_uint_imm", "pure", 2),
  def("q_multiply_shift", "pure", 4, { vectorizable: true }),
  def("q_multiply_shift_per_axis", "pure", 7, { vectorizable: true }),
  def("dp4a", "pure", undefined, { dtypePosition: "first" }),
  // Ours: the sums of two products, lane by lane; `a` and `b` have twice the lanes of the result.
  def("dp2a", "pure", 3, { dtypePosition: "first" }),
  def("get_active_lane_mask", "pure", 2, { dtypePosition: "first" }),
  def("ignore_loop_partition", "pure", 1),
  def("ret", "control", 1),
  def("break_loop", "control", 0),
  def("continue_loop", "control", 0),
  def("thread_return", "control", 0),
  def("assume", "embed", 1),
  def("undef", "read", 0),
  def("vscale", "pure", 0),
  def("address_of", "pure", 1),
  def("tvm_access_ptr", "special-arg", 5),
  def("handle_add_byte_offset", "pure", 2),
  def("isnullptr", "pure", 1),
  def("type_annotation", "pure", 0, { dtypePosition: "first" }),
  def("call_extern", "update", undefined, { dtypePosition: "first" }),
  def("call_pure_extern", "pure", undefined, { dtypePosition: "first" }),
  def("call_llvm_intrin", "update", undefined, { dtypePosition: "first" }),
  def("call_llvm_pure_intrin", "pure", undefined, { dtypePosition: "first", vectorizable: true }),
  def("tvm_call_packed", "update", undefined, { scriptName: "call_packed" }),
  def("tvm_call_cpacked", "update", undefined, { scriptName: "call_cpacked" }),
  def("tvm_call_packed_lowered", "update", undefined, { scriptName: "call_packed_lowered" }),
  def("tvm_call_cpacked_lowered", "update", undefined, { scriptName: "call_cpacked_lowered" }),
  def("tvm_tuple", "embed", undefined),
  def("lookup_param", "update", 1),
  def("tvm_throw_last_error", "update", 0),
  def("tvm_check_return", "pure", 3),
  def("tvm_stack_alloca", "update", 2),
  def("tvm_stack_make_array", "update", 6),
  def("tvm_stack_make_shape", "pure", undefined),
  def("tvm_struct_get", "read", 3, { dtypePosition: "last" }),
  def("tvm_struct_set", "update", 4),
  def("tvm_storage_sync", "update", undefined),
  def("tvm_thread_allreduce", "update", undefined),
  def("tvm_thread_invariant", "pure", 1),
  def("tvm_warp_shuffle", "pure", 5),
  def("tvm_warp_shuffle_up", "pure", 5),
  def("tvm_warp_shuffle_down", "pure", 5),
  def("tvm_warp_activemask", "pure", 0),
  def("vectorhigh", "pure", 1, { dtypePosition: "first" }),
  def("vectorlow", "pure", 1, { dtypePosition: "first" }),
  def("vectorcombine", "pure", 2, { dtypePosition: "first" }),
  def("tvm_static_handle", "special-arg", 0),
  def("tvm_context_id", "read", 0),
  def("tvm_thread_context", "update", 1),
  def("ptx_ldg32", "pure", 4),
  def("call_spirv_pure_glsl450", "pure", undefined),
  def("texture2d_load", "update", undefined, { vectorizable: true }),
  def("texture2d_store", "update", undefined, { vectorizable: true }),
  def("start_profile_intrinsic", "update", 1),
  def("end_profile_intrinsic", "update", 1),
  def("anylist_getitem", "read", 2),
  def("anylist_resetitem", "update", 2),
  def("anylist_setitem_call_packed", "update", undefined),
  def("anylist_setitem_call_cpacked", "update", undefined),
  def("TVMBackendAllocWorkspace", "update", 5),
  def("TVMBackendFreeWorkspace", "update", 3),
  def("tvm_load_matrix_sync", "read", 8),
  ...opaque([
    "atomic_add", "dma_copy", "dma_wait", "dma_start_group", "dma_end_group", "nd_mem_alloc_with_scope",
    "tvm_call_trace_packed", "tvm_call_trace_packed_lowered", "tvm_global_barrier_kinit", "tvm_mma_sync", "tvm_bmma_sync", "tvm_fill_fragment", "tvm_store_matrix_sync", "ptx_commit_group", "ptx_wait_group",
    "ptx_cp_async_barrier", "ptx_init_barrier_thread_count", "ptx_arrive_barrier", "ptx_arrive_barrier_expect_tx",
    "ptx_wait_barrier", "create_barriers", "make_filled_simdgroup_matrix", "simdgroup_load", "simdgroup_store",
    "simdgroup_multiply_accumulate",
  ]),
  ...opaque(["ptx_mma", "ptx_mma_sp", "ptx_ldmatrix", "ptx_cp_async", "ptx_cp_async_bulk", "mma_store", "mma_fill"], { dtypePosition: "first" }),
];

const byName: ReadonlyMap<string, IntrinDef> = new Map(intrinDefs.map((d) => [d.name, d]));

/** What is known of a builtin operator, by full name (`tir.exp`); undefined for a third party's. */
export function intrinDef(name: string): IntrinDef | undefined {
  return byName.get(name);
}

/** A reference to a builtin by its short name: `intrinOp("exp")`. @throws RangeError if there is none. */
export function intrinOp(shortName: string): Op {
  const found = byName.get(`tir.${shortName}`);
  if (found === undefined) throw new RangeError(`There is no builtin \`tir.${shortName}\`.`);
  return makeOp(found.name);
}
