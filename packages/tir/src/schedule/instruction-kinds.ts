/** How an argument of a primitive is written in Python and in a trace. */
export type ArgForm =
  /** As it is: a random variable, a number, a list. */
  | "plain"
  | "string"
  /** As "plain", and written without a name. */
  | "unnamed"
  | "bool"
  /** A list that is spread over the inputs of the instruction: `split` takes (loop, *factors). */
  | "spread"
  /** As "spread", and the arguments have no name: `reorder(l0, l1)`. */
  | "positional"
  /** `("read", 0)`; two attributes in a trace: the index, and 0 for read or 1 for write. */
  | "buffer"
  /** `"read"` or `"write"`; 0 or 1 in a trace. */
  | "bufferKind"
  | "indexMap"
  /** A function from block variables to ranges; an index map in a trace. */
  | "ranges";

/** One argument of a primitive. Without a default it must be given. */
export interface ArgSpec {
  readonly name: string;
  readonly form: ArgForm;
  readonly default?: number | string | boolean | null | readonly never[];
  /** Not written in Python where it has its default. */
  readonly optional?: true;
}

/** A primitive as traces know it: upstream's instruction kind, and the Python method. */
export interface InstructionKind {
  readonly kind: string;
  readonly method: string;
  /** In the order of the Python method. */
  readonly args: readonly ArgSpec[];
  /** The arguments that are inputs of the instruction, in order; the rest are attributes, in the order of `attrs`. */
  readonly inputs: readonly string[];
  readonly attrs: readonly string[];
  readonly outputs: "none" | "single" | "list";
  /** True if the program is not changed, so that the instruction can go if its outputs are not used. */
  readonly pure: boolean;
  /** True if it makes a choice. */
  readonly decides: boolean;
}

type Options = Partial<Pick<InstructionKind, "pure" | "decides" | "outputs">> & { readonly method?: string };

function arg(name: string, form: ArgForm = "plain", fallback?: ArgSpec["default"], optional?: true): ArgSpec {
  return { name, form, ...(fallback === undefined ? {} : { default: fallback }), ...(optional === undefined ? {} : { optional }) };
}

function instruction(kind: string, args: readonly ArgSpec[], inputs: string, attrs = "", opts: Options = {}): InstructionKind {
  const words = (s: string): readonly string[] => s.split(" ").filter((w) => w !== "");
  return {
    kind,
    method: opts.method ?? kind.replace(/[A-Z]/g, (c, i: number) => (i === 0 ? "" : "_") + c.toLowerCase()),
    args,
    inputs: words(inputs),
    attrs: words(attrs),
    outputs: opts.outputs ?? "none",
    pure: opts.pure ?? false,
    decides: opts.decides ?? false,
  };
}

const getter = { pure: true, outputs: "list" } as const;
const sampling = { pure: true, decides: true } as const;
const block = arg("block");
const loop = arg("loop");
const blockOrLoop = arg("block_or_loop");
const preserveUnitIters = arg("preserve_unit_iters", "bool", true);
const scope = arg("storage_scope", "string");
const move = [arg("preserve_unit_loops", "bool", false), arg("index", "plain", -1)];
const consumers = arg("consumer_blocks", "plain", [], true);

/** Every instruction kind of upstream's v0.20 traces. */
export const instructionKinds: readonly InstructionKind[] = [
  instruction("SampleCategorical", [arg("candidates"), arg("probs")], "", "candidates probs", { ...sampling, outputs: "single" }),
  instruction("SamplePerfectTile", [loop, arg("n"), arg("max_innermost_factor", "plain", 16)], "loop", "n max_innermost_factor", { ...sampling, outputs: "list" }),
  instruction(
    "SamplePartitionedTile",
    [loop, arg("n"), arg("partition_pos", "plain", 0), arg("innerpart_factor", "plain", 1)],
    "loop",
    "n partition_pos innerpart_factor",
    { ...sampling, outputs: "list" },
  ),
  instruction("SampleComputeLocation", [block], "block", "", { ...sampling, outputs: "single" }),
  instruction("GetBlock", [arg("name", "string"), arg("func_name", "string", null)], "", "name func_name", { pure: true, outputs: "single" }),
  instruction("GetLoops", [block], "block", "", getter),
  instruction("GetChildBlocks", [arg("block_or_loop", "unnamed")], "block_or_loop", "", getter),
  instruction("GetProducers", [block], "block", "", getter),
  instruction("GetConsumers", [block], "block", "", getter),
  instruction("GetOutputBlocks", [arg("scope_block")], "scope_block", "", getter),
  instruction("Merge", [arg("loops", "positional")], "loops", "", { outputs: "single" }),
  instruction("Fuse", [arg("loops", "positional"), preserveUnitIters], "loops", "preserve_unit_iters", { outputs: "single" }),
  instruction(
    "Split",
    [loop, arg("factors", "spread"), preserveUnitIters, arg("disable_predication", "bool", false)],
    "loop factors",
    "preserve_unit_iters disable_predication",
    { outputs: "list" },
  ),
  instruction("LoopPartition", [loop, arg("factors", "spread"), preserveUnitIters], "loop factors", "preserve_unit_iters", { outputs: "list" }),
  instruction("Reorder", [arg("ordered_loops", "positional")], "ordered_loops"),
  instruction("ReorderBlockIterVar", [block, arg("new_order")], "block new_order"),
  instruction("AddUnitLoop", [blockOrLoop], "block_or_loop", "", { outputs: "single" }),
  instruction("Parallel", [loop], "loop"),
  instruction("Vectorize", [loop], "loop"),
  instruction("Bind", [loop, arg("thread_axis", "string")], "loop", "thread_axis"),
  instruction("Unroll", [loop], "loop"),
  instruction("CacheRead", [block, arg("read_buffer_index"), scope, consumers], "block consumer_blocks", "read_buffer_index storage_scope", { outputs: "single" }),
  instruction("CacheWrite", [block, arg("write_buffer_index"), scope, consumers], "block consumer_blocks", "write_buffer_index storage_scope", { outputs: "single" }),
  instruction("ReindexCacheRead", [block, arg("read_buffer_index"), scope, arg("index_map", "indexMap")], "block index_map", "read_buffer_index storage_scope", { outputs: "single" }),
  instruction("ReindexCacheWrite", [block, arg("write_buffer_index"), scope, arg("index_map", "indexMap")], "block index_map", "write_buffer_index storage_scope", { outputs: "single" }),
  instruction("CacheInplace", [block, arg("read_buffer_index"), scope], "block", "read_buffer_index storage_scope", { outputs: "list" }),
  instruction("CacheIndex", [block, scope, arg("cse_thresh", "plain", 0)], "block", "storage_scope cse_thresh", { outputs: "list" }),
  instruction("ReIndex", [block, arg("buffer", "buffer")], "block", "buffer", { method: "reindex", outputs: "single" }),
  instruction("ReadAt", [loop, block, arg("read_buffer_index"), scope], "loop block", "read_buffer_index storage_scope", { outputs: "single" }),
  instruction("WriteAt", [loop, block, arg("write_buffer_index"), scope], "loop block", "write_buffer_index storage_scope", { outputs: "single" }),
  instruction("ComputeAt", [block, loop, ...move], "block loop", "preserve_unit_loops index"),
  instruction("ReverseComputeAt", [block, loop, ...move], "block loop", "preserve_unit_loops index"),
  instruction("ComputeInline", [block], "block"),
  instruction("ReverseComputeInline", [block], "block"),
  instruction("DecomposeReduction", [block, loop], "block loop", "", { outputs: "single" }),
  instruction("RFactor", [loop, arg("factor_axis")], "loop", "factor_axis", { method: "rfactor", outputs: "single" }),
  instruction("StorageAlign", [block, arg("buffer_index"), arg("axis"), arg("factor"), arg("offset")], "block", "buffer_index axis factor offset"),
  instruction("SetScope", [block, arg("buffer_index"), scope], "block", "buffer_index storage_scope"),
  instruction("UnsafeSetDType", [block, arg("buffer_index"), arg("dtype", "string")], "block", "buffer_index dtype", { method: "unsafe_set_dtype" }),
  instruction("Blockize", [arg("target"), preserveUnitIters], "target", "preserve_unit_iters", { outputs: "single" }),
  instruction("Tensorize", [blockOrLoop, arg("tensor_intrin", "string"), preserveUnitIters], "block_or_loop", "tensor_intrin preserve_unit_iters"),
  instruction("Annotate", [blockOrLoop, arg("ann_key", "string"), arg("ann_val")], "block_or_loop ann_val", "ann_key"),
  instruction("Unannotate", [blockOrLoop, arg("ann_key", "string")], "block_or_loop", "ann_key"),
  instruction(
    "TransformLayout",
    [block, arg("buffer", "buffer"), arg("index_map", "indexMap"), arg("pad_value", "indexMap", null), arg("assume_injective_transform", "bool", false)],
    "block index_map",
    "buffer pad_value assume_injective_transform",
  ),
  instruction("TransformBlockLayout", [block, arg("index_map", "indexMap")], "block", "index_map"),
  instruction("SetAxisSeparator", [block, arg("buffer", "buffer"), arg("axis_separators")], "block", "buffer axis_separators"),
  instruction("DecomposePadding", [block, loop], "block loop", "", { outputs: "single" }),
  instruction("PadEinsum", [block, arg("padding")], "block", "padding"),
  instruction("RollingBuffer", [block, arg("write_buffer_index")], "block", "write_buffer_index"),
  instruction("EnterPostproc", [], ""),
  instruction("UnsafeHideBufferAccess", [block, arg("buf_type", "string"), arg("buf_index_array")], "block buf_type buf_index_array"),
  instruction("AnnotateBufferAccess", [block, arg("buffer_index"), arg("buf_type", "bufferKind"), arg("gen_new_ranges", "ranges")], "block buffer_index buf_type gen_new_ranges"),
];

const byKind = new Map(instructionKinds.map((k) => [k.kind, k]));
const byMethod = new Map(instructionKinds.map((k) => [k.method, k]));

/** The kind with upstream's name, such as `ComputeAt`. */
export function kindNamed(name: string): InstructionKind | undefined {
  return byKind.get(name);
}

/** The kind of a Python method, such as `compute_at`. */
export function kindOfMethod(method: string): InstructionKind | undefined {
  return byMethod.get(method);
}
