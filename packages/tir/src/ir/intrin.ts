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

/** The builtin operators (upstream's `tir/op/builtin.cc` and math), by kind. GPU matrix and PTX families are left out. */
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
  def("dp4a", "pure", 3, { dtypePosition: "none" }),
  def("ret", "control", 1),
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
  def("call_packed", "update", undefined, { scriptName: "call_packed" }),
  def("call_cpacked", "update", undefined),
  def("tvm_call_packed", "update", undefined),
  def("tvm_call_cpacked", "update", undefined),
  def("tvm_stack_alloca", "update", 2),
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
  def("start_profile_intrinsic", "update", 1),
  def("end_profile_intrinsic", "update", 1),
  def("anylist_getitem", "read", 2),
  def("anylist_resetitem", "update", 2),
  def("anylist_setitem_call_packed", "update", undefined),
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
