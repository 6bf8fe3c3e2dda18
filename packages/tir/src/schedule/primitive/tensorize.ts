import type { Buffer } from "../../ir/buffer.ts";
import type { Range } from "../../ir/expr.ts";
import { makeRange } from "../../ir/make-expr.ts";
import { makeBufferRegion, makeMatchBufferRegion } from "../../ir/make-stmt.ts";
import { cast, constant } from "../../ir/ops.ts";
import type { Block, BlockRealize, For, PrimFunc, Stmt, TensorIntrin } from "../../ir/stmt.ts";
import { renewDefs } from "../../ir/substitute.ts";
import { simplifyFunc } from "../../transform/simplify.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";
import { matchDescription } from "../tensor-pattern.ts";
import { blockizeUnder } from "./blockize.ts";

/** The computation of a block, or under a loop, replaced by an intrinsic's implementation, which takes parts of the buffers as its own. */
export function tensorize(tree: FuncTree, at: BlockRealize | For, intrin: TensorIntrin, preserveUnitIters: boolean): Outcome {
  const realize = at.kind === "tir.For" ? blockizeUnder(tree, at, preserveUnitIters).realize : at;
  const desc = simplifyFunc(intrin.desc);
  const impl = renewDefs(intrin.impl);
  if (desc.params.length !== impl.params.length) refuse("the description and the implementation of the intrinsic take different parameters", realize.block);
  const match = matchDescription(realize, rootOf(desc));
  const body = rootOf(impl);
  const matchBuffers = impl.params.map((p, i) => {
    const own = impl.bufferMap.get(p);
    const described = desc.params[i] && desc.bufferMap.get(desc.params[i]);
    const current = described && match.buffers.get(described);
    if (own === undefined || current === undefined) return refuse(`parameter \`${p.name}\` of the intrinsic has no buffer in the program`, realize.block);
    return makeMatchBufferRegion(own, makeBufferRegion(current, partOf(body.block, own, match.bases.get(current) ?? [])));
  });
  const annotations = { ...body.block.annotations, ...realize.block.annotations };
  const block: Block = { ...realize.block, body: body.block.body, matchBuffers, annotations };
  const replaced = new Map<Stmt, Stmt>([[at, { ...realize, block }]]);
  return { func: replaceStmts(tree.func, replaced) };
}

function rootOf(func: PrimFunc): BlockRealize {
  return func.body.kind === "tir.BlockRealize" ? func.body : refuse("a function of the intrinsic has no root block", func);
}

/** Where the implementation's part of a buffer lies: from the base on, as large as the implementation says. */
function partOf(impl: Block, buffer: Buffer, base: readonly Range["min"][]): readonly Range[] {
  const region = [...impl.reads, ...impl.writes].find((r) => r.buffer === buffer)?.region;
  if (region === undefined) return refuse(`the implementation of the intrinsic does not say what it touches of \`${buffer.name}\``, impl);
  const lead = base.length - region.length;
  return base.map((min, i) => {
    const r = region[i - lead];
    return makeRange(min, r === undefined ? constant(1, min.dtype) : cast(min.dtype, r.extent));
  });
}
