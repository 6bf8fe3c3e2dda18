import { at } from "@verticil/ir-core";
import { Analyzer, add, asInt, constant, makeRange, mul, substitute, type Block, type BufferStore, type PrimExpr } from "@verticil/tir";

/** What is known of where a program that only moves elements moves them. */
export type OrderAnswer = "kept" | "changed" | "unknown";

/** Cells that are looked at where the analyzer has no proof. */
const PROBES = 7;

/**
 * Whether a block `out[…] = in[…]` moves element `i` of its input, in row-major order, to element `i` of its output
 * (what upstream's `has_reshape_pattern` asks): by proof, else refuted at a few cells. Shapes have to be static.
 */
export function keepsOrder(block: Block): OrderAnswer {
  const store = block.body;
  if (store.kind !== "tir.BufferStore" || store.value.kind !== "tir.BufferLoad") return "unknown";
  const [from, to] = [position(store.value), position(store)];
  if (from === undefined || to === undefined || !writesEachCell(block, store)) return "unknown";
  const analyzer = new Analyzer();
  for (const iv of block.iterVars) if (iv.dom !== undefined) analyzer.bind(iv.var, makeRange(iv.dom.min, iv.dom.extent));
  if (analyzer.canProveEqual(from, to)) return "kept";
  for (let probe = 1; probe <= PROBES; probe++) {
    const cell = new Map(
      block.iterVars.map((iv, k) => {
        const extent = asInt(iv.dom?.extent ?? constant(1, iv.var.dtype)) ?? 1;
        return [iv.var, constant((probe * (7 * k + 5)) % Math.max(1, extent), iv.var.dtype)] as const;
      }),
    );
    const [a, b] = [from, to].map((e) => asInt(analyzer.simplify(substitute(e, cell))));
    if (a !== undefined && b !== undefined && a !== b) return "changed";
  }
  return "unknown";
}

/** True if the block's variables are the output's indices, each over the whole of its dimension. */
function writesEachCell(block: Block, store: BufferStore): boolean {
  const sizes = new Map(block.iterVars.map((iv) => [iv.var as object, iv.dom !== undefined && asInt(iv.dom.min) === 0 ? asInt(iv.dom.extent) : undefined]));
  const distinct = new Set<object>(store.indices).size === store.indices.length;
  return distinct && store.indices.every((index, i) => sizes.get(index) !== undefined && sizes.get(index) === asInt(at(store.buffer.shape, i)));
}

/** The row-major position of an access; undefined if the shape is not static. */
function position(access: BufferStore | { readonly buffer: BufferStore["buffer"]; readonly indices: readonly PrimExpr[] }): PrimExpr | undefined {
  let out: PrimExpr | undefined;
  for (const [i, index] of access.indices.entries()) {
    const size = asInt(at(access.buffer.shape, i));
    if (size === undefined) return undefined;
    out = out === undefined ? index : add(mul(out, size), index);
  }
  return out ?? constant(0, "int64");
}
