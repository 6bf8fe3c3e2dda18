import type { Node } from "@verticil/ir-core";
import { lanesOf, withLanes, type DType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "../ir/expr.ts";

/** Builtins with one result type whatever they are given. */
const FIXED: Readonly<Record<string, DType>> = {
  "tir.clz": "int32",
  "tir.break_loop": "void",
  "tir.continue_loop": "void",
  "tir.thread_return": "void",
  "tir.q_multiply_shift": "int32",
  "tir.assume": "bool",
  "tir.undef": "int32",
  "tir.vscale": "int32",
  "tir.address_of": "handle",
  "tir.tvm_access_ptr": "handle",
  "tir.handle_add_byte_offset": "handle",
  "tir.isnullptr": "bool",
  "tir.tvm_call_packed": "int32",
  "tir.tvm_call_cpacked": "int32",
  "tir.tvm_stack_alloca": "handle",
  "tir.tvm_stack_make_shape": "handle",
  "tir.tvm_struct_set": "int32",
  "tir.tvm_storage_sync": "int32",
  "tir.tvm_thread_allreduce": "handle",
  "tir.tvm_warp_activemask": "uint32",
  "tir.start_profile_intrinsic": "handle",
  "tir.end_profile_intrinsic": "handle",
  "tir.anylist_getitem": "handle",
  "tir.anylist_resetitem": "int32",
  "tir.anylist_setitem_call_packed": "int32",
  "tir.anylist_setitem_call_cpacked": "int32",
  "tir.q_multiply_shift_per_axis": "int32",
  "tir.ignore_loop_partition": "bool",
  "tir.tvm_call_packed_lowered": "int32",
  "tir.tvm_call_cpacked_lowered": "int32",
  "tir.tvm_tuple": "handle",
  "tir.tvm_static_handle": "handle",
  "tir.tvm_thread_context": "handle",
  "tir.nd_mem_alloc_with_scope": "handle",
  "tir.tvm_global_barrier_kinit": "int32",
  "tir.dma_copy": "int32",
  "tir.dma_wait": "int32",
  "tir.dma_start_group": "int32",
  "tir.dma_end_group": "int32",
  "tir.ptx_ldg32": "float32",
  "tir.lookup_param": "handle",
  "tir.tvm_throw_last_error": "handle",
  "tir.tvm_check_return": "int32",
  "tir.tvm_stack_make_array": "handle",
  "tir.TVMBackendAllocWorkspace": "handle",
  "tir.TVMBackendFreeWorkspace": "int32",
  "tir.tvm_load_matrix_sync": "handle",
  "tir.tvm_mma_sync": "handle",
  "tir.tvm_bmma_sync": "handle",
  "tir.tvm_fill_fragment": "handle",
  "tir.tvm_store_matrix_sync": "handle",
  "tir.ptx_commit_group": "void",
  "tir.ptx_wait_group": "void",
  "tir.ptx_cp_async_barrier": "void",
  "tir.ptx_init_barrier_thread_count": "void",
  "tir.ptx_arrive_barrier": "void",
  "tir.ptx_arrive_barrier_expect_tx": "void",
  "tir.ptx_wait_barrier": "void",
  "tir.create_barriers": "void",
  "tir.make_filled_simdgroup_matrix": "handle",
  "tir.simdgroup_load": "handle",
  "tir.simdgroup_store": "handle",
  "tir.simdgroup_multiply_accumulate": "handle",
};

/** Builtins whose result is a truth value for each lane of their argument. */
const PREDICATES = new Set(["tir.isnan", "tir.isfinite", "tir.isinf"]);

/** Builtins whose result has the type of a later argument. */
const LIKE_ARGUMENT: Readonly<Record<string, number>> = {
  "tir.if_then_else": 1,
  "tir.tvm_warp_shuffle": 1,
  "tir.tvm_warp_shuffle_up": 1,
  "tir.tvm_warp_shuffle_down": 1,
};

/**
 * The type of a call of a builtin that is written without one: what the reader gives it, and what the printer checks
 * before it leaves the type out. Undefined where the type does not follow from the arguments.
 */
export function callDType(op: string, args: readonly PrimExpr[]): DType | undefined {
  const fixed = FIXED[op];
  if (fixed !== undefined) return fixed;
  const like = args[LIKE_ARGUMENT[op] ?? 0];
  if (like === undefined) return undefined;
  return PREDICATES.has(op) ? withLanes("bool", lanesOf(like.dtype)) : like.dtype;
}

/** True for nodes that are expressions of this dialect: they have a data type. */
export function isPrimExpr(node: Node): node is PrimExpr {
  switch (node.kind) {
    case "ir.IntImm":
    case "ir.FloatImm":
      return true;
    case "tir.Buffer":
    case "tir.Allocate":
    case "tir.AllocateConst":
      return false;
    default:
      return node.kind.startsWith("tir.") && "dtype" in node;
  }
}
