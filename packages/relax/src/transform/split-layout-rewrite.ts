import { makeIntImm, type AttrMap, type AttrValue } from "@verticil/ir-core";
import { makeBlock, makeBlockRealize, makePrimFunc, makeSeq, makeVar, mapStmt, renewDefs, visitStmt, type Block, type Buffer, type PrimFunc, type Stmt } from "@verticil/tir";

/** The annotation of a block that only lays a weight out anew. */
const PREPROC = "meta_schedule.layout_rewrite_preproc";

/** A buffer of a program that is laid out anew: the parameter number, and the buffer before and after. */
export interface LayoutRewrite {
  readonly index: number;
  readonly before: Buffer;
  readonly after: Buffer;
}

/** A program in two: `prepack` lays weights out anew, and `compute` takes them so. */
export interface SplitProgram {
  readonly rewrites: readonly LayoutRewrite[];
  readonly prepack: PrimFunc;
  readonly compute: PrimFunc;
}

/**
 * Takes out of a program what only lays its parameters out anew; undefined if nothing does.
 * @throws RangeError if such a part does more than that, or lays out what is no parameter.
 */
export function splitLayoutRewrite(func: PrimFunc): SplitProgram | undefined {
  if (func.body.kind !== "tir.BlockRealize") return undefined;
  const root = func.body.block;
  const stmts = root.body.kind === "tir.SeqStmt" ? root.body.seq : [root.body];
  const parts = stmts.map((stmt) => ({ stmt, rewrites: rewritesIn(stmt, func) }));
  const rewrites = parts.flatMap((p) => p.rewrites);
  const rest = parts.filter((p) => p.rewrites.length === 0).map((p) => p.stmt);
  if (rewrites.length === 0 || rest.length === 0) return undefined;
  const moved = new Set(rewrites.map((r) => r.after));
  const allocBuffers = root.allocBuffers.filter((b) => !moved.has(b));
  const bufferMap = new Map(func.bufferMap);
  for (const { index, after } of rewrites) {
    const param = func.params[index];
    if (param !== undefined) bufferMap.set(param, after);
  }
  return {
    rewrites,
    prepack: prepackProgram(func, rewrites, parts.filter((p) => p.rewrites.length > 0).map((p) => p.stmt)),
    compute: renewDefs({ ...func, bufferMap, body: rooted(rest, allocBuffers), attrs: attrsOf(func, "_prepacked") }),
  };
}

function prepackProgram(func: PrimFunc, rewrites: readonly LayoutRewrite[], stmts: readonly Stmt[]): PrimFunc {
  const buffers = [...rewrites.map((r) => r.before), ...rewrites.map((r) => r.after)];
  const bufferMap = new Map(buffers.map((b) => [makeVar(b.name, "handle"), b]));
  const plain = stmts.map((s) => mapStmt(s, { stmt: (x) => (x.kind === "tir.Block" && isPreproc(x) ? unmarked(x) : x) }));
  return renewDefs(makePrimFunc([...bufferMap.keys()], rooted(plain, []), { bufferMap, attrs: attrsOf(func, "_weight_prepack") }));
}

function rooted(stmts: readonly Stmt[], allocBuffers: readonly Buffer[]): Stmt {
  return makeBlockRealize([], makeIntImm(1, "bool"), makeBlock("root", [], [], [], makeSeq(stmts), { allocBuffers }));
}

/** The attributes of a part; what it is known as outside is named after it. */
function attrsOf(func: PrimFunc, suffix: string): AttrMap {
  const kept = Object.entries(func.attrs).filter(([key]) => key !== "layout_free_buffers");
  return Object.fromEntries(kept.map(([key, value]) => [key, key === "global_symbol" ? `${String(value)}${suffix}` : value]));
}

function rewritesIn(stmt: Stmt, func: PrimFunc): readonly LayoutRewrite[] {
  const out: LayoutRewrite[] = [];
  let others = 0;
  visitStmt(stmt, {
    stmt(x) {
      if (x.kind !== "tir.Block") return undefined;
      if (isPreproc(x)) out.push(rewriteOf(x, func));
      else others++;
      return undefined;
    },
  });
  if (out.length > 0 && others > 0) throw new RangeError("A part of a program lays weights out anew and does other things as well.");
  return out;
}

function rewriteOf(block: Block, func: PrimFunc): LayoutRewrite {
  const [before, after] = [block.reads[0]?.buffer, block.writes[0]?.buffer];
  const index = func.params.findIndex((p) => before !== undefined && func.bufferMap.get(p) === before);
  const isCopy = block.reads.length === 1 && block.writes.length === 1 && block.allocBuffers.length === 0 && block.matchBuffers.length === 0;
  if (before === undefined || after === undefined || index < 0 || !isCopy) throw new RangeError(`The block \`${block.name}\` does not lay out one parameter anew.`);
  return { index, before, after };
}

function isPreproc(block: Block): boolean {
  const value: AttrValue | undefined = block.annotations[PREPROC];
  const plain = typeof value === "object" && value !== null && "value" in value ? value.value : value;
  return plain === true || Number(plain) === 1;
}

function unmarked(block: Block): Block {
  return { ...block, annotations: Object.fromEntries(Object.entries(block.annotations).filter(([key]) => key !== PREPROC)) };
}
