import { Schedule } from "@verticil/tir";
import type { DocTable, TableRow } from "./table.ts";

const FOLDER = "packages/tir/src/schedule";

/** Rows of upstream's methods: those that have a test file of their own, or are in `file`. */
function rows(names: string, file?: string): readonly TableRow[] {
  return names.split(" ").map((entry): TableRow => {
    const [upstream = "", own] = entry.split("=");
    const ours = irregular.get(upstream) ?? upstream.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());
    if (!(ours in Schedule.prototype)) throw new Error(`\`Schedule\` has no \`${ours}\`, which the table names for \`${upstream}\`.`);
    const test = file ?? `primitive/${own ?? upstream.replaceAll("_", "-")}.test.ts`;
    return { upstream, ours, test: { file: `${FOLDER}/${test}`, mentions: `${ours}(` } };
  });
}

/** Names that are not upstream's in camel case. */
const irregular: ReadonlyMap<string, string> = new Map([["unsafe_set_dtype", "unsafeSetDType"]]);

/** The methods of upstream's schedule against ours. */
export const primitivesTable: DocTable = {
  file: "docs/primitives.md",
  title: "The primitives of schedules",
  intro: "The methods of upstream's `tir.Schedule` (v0.20), what they are in `Schedule` of `@verticil/tir`, and a test. In traces they have upstream's names.",
  groups: [
    { name: "Sampling", rows: rows("sample_categorical sample_perfect_tile sample_partitioned_tile sample_compute_location", "primitive/sampling.test.ts") },
    { name: "Getters", rows: rows("get_block get_loops get_child_blocks get_producers get_consumers get_output_blocks", "schedule.test.ts") },
    { name: "Loops", rows: rows("merge fuse split loop_partition reorder reorder_block_iter_var add_unit_loop=unit-loop") },
    { name: "Kinds of loops", rows: rows("parallel vectorize bind unroll", "primitive/for-kind.test.ts") },
    {
      name: "Caching",
      rows: rows("cache_read cache_write reindex_cache_read=reindex-cache reindex_cache_write=reindex-cache cache_inplace cache_index reindex read_at=read-write-at write_at=read-write-at"),
    },
    { name: "Compute location", rows: rows("compute_at reverse_compute_at=compute-at compute_inline reverse_compute_inline") },
    { name: "Reductions", rows: rows("decompose_reduction rfactor pad_einsum") },
    { name: "Annotations and buffers", rows: rows("storage_align set_scope unsafe_set_dtype set_axis_separator annotate unannotate=annotate annotate_buffer_access unsafe_hide_buffer_access") },
    { name: "Blocks of blocks", rows: rows("blockize tensorize") },
    { name: "Layout", rows: rows("transform_layout transform_block_layout") },
    { name: "Padding and rolling", rows: rows("decompose_padding can_decompose_padding=decompose-padding rolling_buffer") },
    { name: "The schedule itself", rows: [...rows("enter_postproc", "trace.test.ts"), ...rows("work_on copy seed fork_seed get get_sref remove_rv show", "schedule.test.ts")] },
  ],
};
