import { add, Analyzer, constant, makeRange, mapExpr, mapSubStmts, type Block, type BlockRealize, type For, type PrimExpr, type Stmt, type Var } from "@verticil/tir";
import type { Cut } from "./tile-cuts.ts";

/** True if a plain nest or sequence holds the block. */
export function holdsBlock(s: Stmt, blockName: string): boolean {
  if (s.kind === "tir.BlockRealize") return s.block.name === blockName;
  if (s.kind === "tir.For") return holdsBlock(s.body, blockName);
  return s.kind === "tir.SeqStmt" && s.seq.some((x) => holdsBlock(x, blockName));
}

/** The nest over some runs only: loops, bindings and domains. Undefined if a variable is not bound to one loop. */
export function restrictNest(nest: Stmt, from: string, to: string, runs: ReadonlyMap<Var, Cut>): Stmt | undefined {
  const realize = soleBlock(nest);
  if (realize === undefined || realize.block.name !== from) return undefined;
  const loops = new Map<Var, Cut>();
  const { block } = realize;
  for (const [i, iv] of block.iterVars.entries()) {
    const run = runs.get(iv.var);
    const value = realize.iterValues[i];
    if (run === undefined) continue;
    if (value?.kind !== "tir.Var") return undefined;
    loops.set(value, run);
  }
  if (loops.size !== runs.size) return undefined;
  const cut: BlockRealize = {
    ...realize,
    iterValues: realize.iterValues.map((v) => {
      const run = v.kind === "tir.Var" ? loops.get(v) : undefined;
      return run === undefined ? v : add(v, constant(run.start, v.dtype));
    }),
    block: {
      ...block,
      name: to,
      iterVars: block.iterVars.map((iv) => {
        const run = runs.get(iv.var);
        const range = run && makeRange(constant(run.start, iv.var.dtype), constant(run.length, iv.var.dtype));
        return range === undefined ? iv : { ...iv, dom: range };
      }),
    },
  };
  const seen = new Set<Var>();
  const visit = (s: Stmt): Stmt => {
    if (s === realize) return { ...cut, block: decideConditions(cut.block) };
    const t = mapSubStmts(s, visit);
    const run = t.kind === "tir.For" ? loops.get(t.loopVar) : undefined;
    if (t.kind !== "tir.For" || run === undefined) return t;
    seen.add(t.loopVar);
    const loop: For = { ...t, extent: constant(run.length, t.loopVar.dtype) };
    return loop;
  };
  const out = visit(nest);
  return seen.size === loops.size ? out : undefined;
}

function soleBlock(s: Stmt): BlockRealize | undefined {
  if (s.kind === "tir.BlockRealize") return s;
  return s.kind === "tir.For" ? soleBlock(s.body) : undefined;
}

/** Conditions in the block's expressions decided where the domains of its variables decide them. */
function decideConditions(block: Block): Block {
  if (block.body.kind !== "tir.BufferStore") return block;
  const analyzer = new Analyzer();
  for (const iv of block.iterVars) if (iv.dom) analyzer.bind(iv.var, iv.dom);
  const value = mapExpr(block.body.value, (e) => {
    const choice = choiceOf(e);
    if (choice === undefined) return e;
    const condition = analyzer.simplify(choice.condition);
    if (condition.kind !== "ir.IntImm") return e;
    return condition.value === 0 ? choice.otherwise : choice.value;
  });
  return value === block.body.value ? block : { ...block, body: { ...block.body, value } };
}

/** A conditional value taken apart. */
export function choiceOf(e: PrimExpr): { readonly condition: PrimExpr; readonly value: PrimExpr; readonly otherwise: PrimExpr } | undefined {
  if (e.kind === "tir.Select") return { condition: e.condition, value: e.trueValue, otherwise: e.falseValue };
  if (e.kind !== "tir.Call" || e.op.kind !== "ir.Op" || e.op.name !== "tir.if_then_else") return undefined;
  const [condition, value, otherwise] = e.args;
  return condition && value && otherwise && { condition, value, otherwise };
}

/** Every way to take one item of each list. */
export function combinations<T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return lists.reduce<readonly (readonly T[])[]>((acc, list) => acc.flatMap((head) => list.map((x) => [...head, x])), [[]]);
}
