import { isNode, type AttrValue } from "@verticil/ir-core";
import type { AnyVar } from "../ir/expr.ts";
import type { Stmt } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";

/** Entries (-1, axis, factor, offset): the stride of the axis is a multiple of the factor, and the offset more. */
export type StorageAlignment = readonly (readonly [index: number, axis: number, factor: number, offset: number])[];

/** What `buffer_dim_align` annotations of blocks say of the buffers they write, by pointer. */
export type StorageAlignments = ReadonlyMap<AnyVar, StorageAlignment>;

/** The alignments that blocks ask for the buffers they write. */
export function storageAlignments(body: Stmt): StorageAlignments {
  const out = new Map<AnyVar, StorageAlignment[number][]>();
  visitStmt(body, {
    expr: () => "skip",
    stmt(s) {
      const wanted = s.kind === "tir.Block" ? s.annotations["buffer_dim_align"] : undefined;
      if (s.kind !== "tir.Block" || !Array.isArray(wanted)) return;
      for (const entry of wanted as readonly AttrValue[]) {
        if (!Array.isArray(entry)) continue;
        const [index, axis, factor, offset] = (entry as readonly AttrValue[]).map(attrInt);
        const buffer = s.writes[index ?? -1]?.buffer;
        if (buffer === undefined || axis === undefined || factor === undefined || offset === undefined) continue;
        // The allocation is its own buffer.
        out.set(buffer.data, [...(out.get(buffer.data) ?? []), [-1, axis, factor, offset]]);
      }
    },
  });
  return out;
}

function attrInt(value: AttrValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  return isNode(value) && value.kind === "ir.IntImm" && "value" in value ? Number(value.value) : undefined;
}
