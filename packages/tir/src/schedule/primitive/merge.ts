import { Analyzer } from "../../arith/analyzer.ts";
import type { Buffer, BufferRegion } from "../../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { makeVar } from "../../ir/make-expr.ts";
import { makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { constant } from "../../ir/ops.ts";
import type { Block, For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { bindingsOf } from "../block-relations.ts";
import { replaceStmts, stmtChildren, type FuncTree } from "../func-tree.ts";
import { requireFromZero, requireOnlyChild, requirePlain } from "../loop-body.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** Loops under different branches of one sequence made one loop of all their bodies, with the loops above them up to the sequence. */
export function mergeLoops(tree: FuncTree, loops: readonly For[]): Outcome {
  const [first] = loops;
  if (first === undefined || loops.length < 2) return refuse("at least two loops are needed", first ?? []);
  const lca = commonAncestor(tree, loops);
  const scope = tree.scopeOf(first);
  const other = loops.find((l) => tree.scopeOf(l) !== scope);
  if (other !== undefined) refuse("the loops are in different scopes", [first, other]);
  if (lca === undefined) return refuse("the loops are not in one sequence", loops);
  const nests = loops.map((l) => nestUpTo(tree, l, lca));
  const [lead] = nests;
  if (lead === undefined) return refuse("no loops were given");
  const analyzer = new Analyzer();
  for (const nest of nests) {
    if (nest.length !== lead.length) refuse("the loops are at different depths", [first, ...loops]);
    nest.forEach((l, i) => {
      const own = lead[i];
      if (own !== undefined && !analyzer.canProveEqual(own.extent, l.extent)) {
        refuse(`the extents of \`${own.loopVar.name}\` and \`${l.loopVar.name}\` differ`, [own, l]);
      }
    });
  }
  const fresh = lead.map((l) => makeVar(`${l.loopVar.name}_m`, l.loopVar.dtype));
  const bodies = nests.map((nest) => {
    const values = new Map<AnyVar, PrimExpr>();
    nest.forEach((l, i) => values.set(l.loopVar, fresh[i] ?? l.loopVar));
    return substitute(nest[nest.length - 1]?.body ?? first.body, values);
  });
  const merged = lead.reduceRight<Stmt>((body, l, i) => makeFor(fresh[i] ?? l.loopVar, constant(0, "int32"), l.extent, body), makeSeq(bodies));
  requireIndependent(bodies, fresh, analyzer, inOrder(tree, loops));
  requireNothingBetween(lca, nests.map((nest) => nest[0] ?? first));
  const tops = nests.map((nest) => nest[0] ?? first);
  const replacements = new Map<Stmt, Stmt | undefined>(tops.map((t, i) => [t, i === tops.length - 1 ? merged : undefined]));
  const inner = fresh[fresh.length - 1];
  return { func: replaceStmts(tree.func, replacements), loops: inner === undefined ? [] : [inner] };
}

/**
 * Refuses bodies that depend on each other across iterations: what one writes and another touches must be at an index
 * that is a merged loop itself, for each loop, so that every iteration has its own.
 */
function requireIndependent(bodies: readonly Stmt[], loops: readonly AnyVar[], analyzer: Analyzer, ordered: boolean): void {
  const touched = bodies.map(accessesIn);
  touched.forEach((own, k) => {
    for (const other of touched.slice(k + 1).flat()) {
      for (const a of own) {
        if (a.buffer !== other.buffer || !(a.writes || other.writes)) continue;
        const apart = loops.every((v) => a.indices.some((e, i) => analyzer.canProveEqual(e, v) && analyzer.canProveEqual(other.indices[i] ?? e, v)));
        if (!ordered) refuse(`the loops are not listed in the order of the program, and both access \`${a.buffer.name}\``, [a.block, other.block]);
        if (!apart) refuse(`the loops access different elements of \`${a.buffer.name}\` in one iteration`, [a.block, other.block], "What one of them writes the others may only touch in the same iteration.");
      }
    }
  });
}

/** True if the loops are listed in the order of the program. */
function inOrder(tree: FuncTree, loops: readonly For[]): boolean {
  const all = [...tree.loops.values()];
  const at = loops.map((l) => all.indexOf(l));
  return at.every((p, i) => i === 0 || p > (at[i - 1] ?? -1));
}

/** Refuses if a statement between the nests depends on one that moves past it, to the place of the last. */
function requireNothingBetween(lca: Stmt, tops: readonly Stmt[]): void {
  if (lca.kind !== "tir.SeqStmt") return;
  const at = tops.map((t) => lca.seq.indexOf(t)).filter((p) => p >= 0);
  const last = Math.max(...at);
  const target = lca.seq.indexOf(tops[tops.length - 1] ?? lca);
  for (let i = Math.min(...at); i < last; i++) {
    const other = lca.seq[i];
    if (other === undefined || at.includes(i)) continue;
    const own = accessesIn(other);
    for (const p of at) {
      const moved = lca.seq[p];
      // What does not move across the statement cannot depend on it in another order.
      if (moved === undefined || (p < i) === (target < i)) continue;
      const found = accessesIn(moved).find((a) => own.some((b) => a.buffer === b.buffer && (a.writes || b.writes)));
      if (found !== undefined) refuse(`a block between the loops accesses \`${found.buffer.name}\` too`, [found.block]);
    }
  }
}

interface Access {
  readonly buffer: Buffer;
  readonly indices: readonly PrimExpr[];
  readonly writes: boolean;
  readonly block: Block;
}

/** What the outermost blocks of a body access, in terms of the loops. */
function accessesIn(body: Stmt): readonly Access[] {
  const out: Access[] = [];
  const visit = (s: Stmt): void => {
    if (s.kind !== "tir.BlockRealize") return stmtChildren(s).forEach(visit);
    const values = bindingsOf(s);
    const note = (r: BufferRegion, writes: boolean): void => {
      out.push({ buffer: r.buffer, indices: r.region.map((d) => substitute(d.min, values)), writes, block: s.block });
    };
    s.block.reads.forEach((r) => note(r, false));
    s.block.writes.forEach((r) => note(r, true));
  };
  visit(body);
  return out;
}

function commonAncestor(tree: FuncTree, loops: readonly For[]): Stmt | undefined {
  const [first, ...rest] = loops.map((l) => [l as Stmt, ...tree.ancestors(l)]);
  return first?.find((s) => rest.every((chain) => chain.includes(s)));
}

/** The loops from just below `lca` down to `loop`, which must be alone in each other. */
function nestUpTo(tree: FuncTree, loop: For, lca: Stmt): readonly For[] {
  if (loop === lca) return refuse(`loop \`${loop.loopVar.name}\` holds the others`, loop);
  const nest: For[] = [];
  for (let p: Stmt | undefined = loop; p !== undefined && p !== lca; p = tree.parent(p)) {
    if (p.kind !== "tir.For") continue;
    requirePlain(p);
    requireFromZero(p);
    const [inner] = nest;
    if (inner !== undefined) requireOnlyChild(p, inner);
    nest.unshift(p);
  }
  return nest;
}
