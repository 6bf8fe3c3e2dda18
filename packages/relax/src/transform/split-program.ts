import { makeIntImm } from "@verticil/ir-core";
import { makeBlock, makeBlockRealize, makePrimFunc, makeSeq, makeVar, renewDefs, visitStmt, type Buffer, type PrimFunc, type Stmt } from "@verticil/tir";

/** A program in two, at a place where one buffer goes from the first part to the second. */
export interface SplitProgramParts {
  /** The parameters of the program, by number, that the first part is handed; its result comes after them. */
  readonly first: readonly number[];
  /** The buffer that the first part fills; undefined if it is all of the program. */
  readonly passed: Buffer | undefined;
  /** The second part: takes `passed`, then parameters of the program, by number. */
  readonly rest: { readonly func: PrimFunc; readonly params: readonly number[] } | undefined;
}

/**
 * Splits a program after its first `count` nests. The first part is handed `args`, which are parameters of the program.
 * Gives undefined if the second part needs more of the first than one buffer, or the first fills a result of the program.
 * @throws RangeError if one of `args` is no parameter that the first part reads.
 */
export function splitProgram(func: PrimFunc, count: number, args: readonly Buffer[]): SplitProgramParts | undefined {
  if (func.body.kind !== "tir.BlockRealize") return undefined;
  const root = func.body.block;
  const nests = root.body.kind === "tir.SeqStmt" ? root.body.seq : [root.body];
  const [early, late] = [usesOf(nests.slice(0, count)), usesOf(nests.slice(count))];
  const paramOf = (b: Buffer): number => func.params.findIndex((p) => func.bufferMap.get(p) === b);
  const first = args.map((b) => {
    const index = early.read.has(b) ? paramOf(b) : -1;
    if (index < 0) throw new RangeError(`\`${b.name}\` is no parameter that the part reads which the code stands for.`);
    return index;
  });
  if (nests.length <= count) return { first, passed: undefined, rest: undefined };
  const own = new Set(root.allocBuffers);
  const shared = [...early.written].filter((b) => late.read.has(b) || late.written.has(b));
  const [passed] = shared;
  if (passed === undefined || shared.length > 1 || late.written.has(passed) || ![...early.written].every((b) => own.has(b))) return undefined;
  const params = func.params.flatMap((p, i) => {
    const buffer = func.bufferMap.get(p);
    return buffer === undefined || late.read.has(buffer) || late.written.has(buffer) ? [i] : [];
  });
  const input = makeVar("input", "handle");
  const kept = params.flatMap((i) => func.params[i] ?? []);
  const bufferMap = new Map([[input, passed] as const, ...[...func.bufferMap].filter(([p]) => kept.includes(p))]);
  const allocBuffers = root.allocBuffers.filter((b) => b !== passed && (late.read.has(b) || late.written.has(b)));
  const body = makeBlockRealize([], makeIntImm(1, "bool"), makeBlock(root.name, [], [], [], makeSeq(nests.slice(count)), { allocBuffers }));
  const attrs = Object.fromEntries(Object.entries(func.attrs).filter(([key]) => key !== "global_symbol"));
  return { first, passed, rest: { func: renewDefs(makePrimFunc([input, ...kept], body, { bufferMap, attrs })), params } };
}

function usesOf(stmts: readonly Stmt[]): { readonly read: ReadonlySet<Buffer>; readonly written: ReadonlySet<Buffer> } {
  const [read, written] = [new Set<Buffer>(), new Set<Buffer>()];
  for (const s of stmts) {
    visitStmt(s, {
      expr: (e) => {
        if (e.kind === "tir.BufferLoad") read.add(e.buffer);
      },
      stmt: (x) => {
        if (x.kind === "tir.BufferStore") written.add(x.buffer);
      },
    });
  }
  return { read, written };
}
