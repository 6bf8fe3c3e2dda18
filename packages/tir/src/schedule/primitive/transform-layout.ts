import type { Buffer } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../../ir/expr.ts";
import { makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeIndexMap, makeSeq } from "../../ir/make-stmt.ts";
import { constant, isConstInt } from "../../ir/ops.ts";
import type { Block, BlockRealize, IndexMap, Stmt } from "../../ir/stmt.ts";
import { visitExpr } from "../../ir/visit.ts";
import { getBlockReadWriteRegion } from "../../analysis/block-access-region.ts";
import { Analyzer } from "../../arith/analyzer.ts";
import { AccessContext, mapInContext } from "../access-context.ts";
import { analyzerFor, rootRealize } from "../block-relations.ts";
import type { BufferIndex } from "../buffer-ref.ts";
import { replaceIn, replaceStmts, type FuncTree } from "../func-tree.ts";
import { mapIndices, mapShape, nonSurjectiveInverse, substituteWiden, type Inverse } from "../index-map.ts";
import { planPadding, type PaddingPlan } from "../layout-padding.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { matchedIn } from "./set-scope.ts";

/**
 * The layout of a buffer changed everywhere: element `i` is kept at `map(i)`. Where the new shape has elements that no
 * old index maps to, they hold `pad`: the block that writes the buffer writes it too, or one after it; of an input the
 * caller guarantees it. `assumeInjective` skips the check that no two elements fall together.
 */
export function transformLayout(
  tree: FuncTree,
  realize: BlockRealize,
  which: BufferIndex,
  original: IndexMap,
  pad: IndexMap | undefined,
  assumeInjective: boolean,
): Outcome {
  const { buffer } = which;
  const analyzer = analyzerFor(tree);
  if (original.initialIndices.length !== buffer.shape.length) {
    return refuse(`the index map takes ${original.initialIndices.length} indices, \`${buffer.name}\` has ${buffer.shape.length}`, realize.block);
  }
  const map = legalize(original, buffer.shape);
  const blocks = [realize, ...tree.ancestors(realize)].filter((s) => s.kind === "tir.BlockRealize");
  if (blocks.some((b) => b.block.matchBuffers.some((m) => m.buffer === buffer))) refuse(`\`${buffer.name}\` is a part of another buffer`, realize.block, "Change the layout of the whole buffer.");
  if (matchedIn(tree.func.body, buffer).length > 0) {
    // Axis separators are all that a map like this can be for, and they are set by themselves.
    if (original.finalIndices.every((e, i) => e === original.initialIndices[i]) && original.finalIndices.length === buffer.shape.length) return { func: tree.func };
    refuse(`a part of \`${buffer.name}\` is matched by another buffer`, realize.block);
  }
  if (pad !== undefined) requirePadValue(buffer, pad, realize);
  const site = blocks.find((b) => b.block.allocBuffers.includes(buffer));
  const scope = (site ?? rootRealize(tree.func)).block;
  const inverse = assumeInjective ? undefined : inverseFor(map, buffer, analyzer);
  if (inverse !== undefined && pad === undefined && !isConstInt(inverse.padding, 0)) {
    return refuse(`the new layout of \`${buffer.name}\` has elements that no old one maps to`, [realize.block, inverse.padding], "Give a pad value, or choose factors that divide the shape.");
  }
  const after: Buffer = { ...buffer, shape: mapShape(map, buffer.shape, analyzer) };
  const plan: PaddingPlan = inverse !== undefined && pad !== undefined ? planPadding(scope, buffer, after, inverse, pad) : { kind: "none" };
  const rewritten = relayout(scope, buffer, after, map, plan);
  const body = plan.kind === "before" ? { ...rewritten, body: makeSeq([plan.stmt, rewritten.body]) } : rewritten;
  const func = replaceStmts(tree.func, new Map<Stmt, Stmt>([[scope, body]]));
  const bufferMap = new Map([...func.bufferMap].map(([p, b]) => [p, b === buffer ? after : b]));
  return { func: { ...func, bufferMap }, rekeyed: plan.kind === "replace" ? plan.rekeyed : new Map() };
}

function inverseFor(map: IndexMap, buffer: Buffer, analyzer: Analyzer): Inverse {
  return nonSurjectiveInverse(map, buffer.shape.map((d) => makeRange(constant(0, d.dtype), d)), analyzer);
}

function requirePadValue(buffer: Buffer, pad: IndexMap, realize: BlockRealize): void {
  const [value] = pad.finalIndices;
  if (value === undefined || pad.finalIndices.length !== 1) return refuse(`the pad value gives ${pad.finalIndices.length} values`, realize.block, "It must give one.");
  if (value.dtype !== buffer.dtype) refuse(`the pad value is ${value.dtype}, \`${buffer.name}\` holds ${buffer.dtype}`, realize.block);
  visitExpr(value, {
    expr(e) {
      if (e.kind === "tir.BufferLoad" && e.buffer !== buffer) refuse(`the pad value reads \`${e.buffer.name}\``, realize.block, "It may read only the buffer itself.");
      return undefined;
    },
  });
}

/** The map over indices of the type that the shape has. */
function legalize(map: IndexMap, shape: readonly PrimExpr[]): IndexMap {
  if (map.initialIndices.every((v, i) => v.dtype === shape[i]?.dtype)) return map;
  const dtype = shape[0]?.dtype ?? "int32";
  const values = new Map<AnyVar, PrimExpr>();
  const initial = map.initialIndices.map((v, i): Var => {
    const own = makeVar(v.name, shape[i]?.dtype ?? dtype);
    values.set(v, own);
    return own;
  });
  const finals = map.finalIndices.map((e) => (e.kind === "ir.IntImm" ? constant(e.value, dtype) : substituteWiden(e, values)));
  return makeIndexMap(initial, finals, map.inverse);
}

/** Every access of the scope put through the map; regions are found anew. */
function relayout(scope: Block, before: Buffer, after: Buffer, map: IndexMap, plan: PaddingPlan): Block {
  const plain = new Analyzer();
  const pointers = new Map([[after.data, after]]);
  const through = (indices: readonly PrimExpr[], at: AccessContext): readonly PrimExpr[] => at.simplify(mapIndices(map, indices, plain));
  const out = mapInContext(
    plan.kind === "after" ? insertAfter(scope, plan.after, plan.stmt) : scope,
    {
      before: (s) => (plan.kind === "replace" ? (plan.replacements.get(s) ?? s) : s),
      expr: (e, at) => (e.kind === "tir.BufferLoad" && e.buffer === before ? { ...e, buffer: after, indices: through(e.indices, at) } : e),
      stmt(s, at) {
        if (s.kind === "tir.BufferStore" && s.buffer === before) return { ...s, buffer: after, indices: through(s.indices, at) };
        if (s.kind !== "tir.Block") return s;
        const touches = [...s.reads, ...s.writes].some((r) => r.buffer === before);
        const allocBuffers = s.allocBuffers.map((b) => (b === before ? after : b));
        if (!touches) return { ...s, allocBuffers };
        const found = getBlockReadWriteRegion(s, pointers);
        const read = found.reads.find((r) => r.buffer === after);
        const write = found.writes.find((r) => r.buffer === after);
        return {
          ...s,
          allocBuffers,
          reads: s.reads.map((r) => (r.buffer === before ? (read ?? { ...r, buffer: after }) : r)),
          writes: s.writes.map((r) => (r.buffer === before ? (write ?? { ...r, buffer: after }) : r)),
        };
      },
    },
    new AccessContext(),
  );
  if (out.kind !== "tir.Block") throw new Error("internal: a block was mapped to another statement");
  return out;
}

function insertAfter(scope: Block, place: Stmt, stmt: Stmt): Block {
  return { ...scope, body: replaceIn(scope.body, new Map<Stmt, Stmt>([[place, makeSeq([place, stmt])]])) ?? scope.body };
}
