import {
  asInt,
  isConstInt,
  visitExpr,
  type Block,
  type BufferLoad,
  type BufferStore,
  type PrimExpr,
  type PrimFunc,
  type Stmt,
} from "@verticil/tir";
import { maxPattern } from "../transform/fusion-graph.ts";
import { opPattern, type OpPattern } from "../transform/op-pattern.ts";

/**
 * How a tensor program may be fused, from how its blocks read and write (upstream's `AnalyzeOpPatternKind`): the most
 * general pattern of its blocks.
 */
export function tirOpPattern(func: PrimFunc): OpPattern {
  const blocks = leafBlocks(func.body);
  if (blocks === undefined || blocks.length === 0) return opPattern.opaque;
  // What a rule of its own schedules is fused with what comes after it, element by element.
  if (blocks.some((b) => typeof b.annotations["schedule_rule"] === "string")) return opPattern.outEWiseFusable;
  return blocks.reduce<OpPattern>((acc, b) => maxPattern(acc, blockPattern(b)), opPattern.elemWise);
}

/** The blocks that compute; undefined if the program has anything else in it. */
function leafBlocks(body: Stmt): readonly Block[] | undefined {
  const out: Block[] = [];
  let opaque = false;
  const visit = (s: Stmt): void => {
    switch (s.kind) {
      case "tir.BlockRealize":
        if (s.block.name === "root" && s.block.iterVars.length === 0) visit(s.block.body);
        else if (isConstInt(s.predicate, 1)) out.push(s.block);
        // What a guard leaves out is not written.
        else opaque = true;
        return;
      case "tir.For":
        visit(s.body);
        return;
      case "tir.SeqStmt":
        s.seq.forEach(visit);
        return;
      default:
        opaque = true;
    }
  };
  visit(body);
  return opaque ? undefined : out;
}

function blockPattern(block: Block): OpPattern {
  if (block.body.kind !== "tir.BufferStore") return opPattern.opaque;
  const store = block.body;
  const loads = collectLoads(store.value);
  if (loads === undefined) return opPattern.opaque;
  const reduces = block.iterVars.some((iv) => iv.iterType === "kCommReduce");
  if (block.iterVars.some((iv) => iv.iterType !== "kCommReduce" && iv.iterType !== "kDataPar")) return opPattern.opaque;
  if (reduces) return isMultiplyAdd(store) ? opPattern.outEWiseFusable : opPattern.commReduce;
  const outVars = store.indices.map((i) => (i.kind === "tir.Var" ? i : undefined));
  if (store.indices.some((i, k) => outVars[k] === undefined && asInt(i) === undefined)) return opPattern.opaque;
  return loads.reduce<OpPattern>((acc, load) => maxPattern(acc, loadPattern(load, store.indices)), opPattern.elemWise);
}

/** The loads of a value; undefined if it calls something with an effect. */
function collectLoads(value: PrimExpr): readonly BufferLoad[] | undefined {
  const out: BufferLoad[] = [];
  let opaque = false;
  visitExpr(value, (e) => {
    if (e.kind === "tir.BufferLoad") out.push(e);
    if (e.kind === "tir.Call" && (e.op.kind === "ir.GlobalVar" || e.op.name === "tir.call_extern" || e.op.name === "tir.tvm_call_packed")) {
      opaque = true;
    }
  });
  return opaque ? undefined : out;
}

function loadPattern(load: BufferLoad, out: readonly PrimExpr[]): OpPattern {
  const { indices } = load;
  if (indices.length === out.length && indices.every((i, k) => sameIndex(i, out[k]))) return opPattern.elemWise;
  if (isBroadcast(indices, out)) return opPattern.broadcast;
  return isInjective(indices) ? opPattern.injective : opPattern.opaque;
}

function sameIndex(a: PrimExpr, b: PrimExpr | undefined): boolean {
  return a === b || (b !== undefined && asInt(a) !== undefined && asInt(a) === asInt(b));
}

/** The indices are a subsequence of the output's, constant zeros (axes of length 1) aside. */
function isBroadcast(indices: readonly PrimExpr[], out: readonly PrimExpr[]): boolean {
  let next = 0;
  for (const i of indices) {
    if (isConstInt(i, 0)) continue;
    while (next < out.length && out[next] !== i) next++;
    if (next === out.length) return false;
    next++;
  }
  return true;
}

/** No index depends on loaded data. */
function isInjective(indices: readonly PrimExpr[]): boolean {
  return indices.every((i) => {
    let loads = false;
    visitExpr(i, (e) => {
      if (e.kind === "tir.BufferLoad") loads = true;
    });
    return !loads;
  });
}

/** `C[…] = C[…] + a * b`, casts aside: a convolution or matrix product, after which element-wise work may follow. */
function isMultiplyAdd(store: BufferStore): boolean {
  const { value } = store;
  if (value.kind !== "tir.Add") return false;
  const isSelf = (e: PrimExpr): boolean => e.kind === "tir.BufferLoad" && e.buffer === store.buffer;
  const other = isSelf(value.a) ? value.b : isSelf(value.b) ? value.a : undefined;
  return other !== undefined && stripCasts(other).kind === "tir.Mul";
}

function stripCasts(e: PrimExpr): PrimExpr {
  return e.kind === "tir.Cast" ? stripCasts(e.value) : e;
}

/** True if the program is one block that copies single elements and computes nothing. */
export function movingBlock(func: PrimFunc): Block | undefined {
  const blocks = leafBlocks(func.body);
  const [block] = blocks ?? [];
  if (blocks?.length !== 1 || block === undefined || block.body.kind !== "tir.BufferStore") return undefined;
  return block.body.value.kind === "tir.BufferLoad" && block.iterVars.every((iv) => iv.iterType === "kDataPar") ? block : undefined;
}
