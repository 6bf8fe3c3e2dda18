import { Analyzer } from "../../arith/analyzer.ts";
import type { AnyVar, PrimExpr } from "../../ir/expr.ts";
import { makeVar } from "../../ir/make-expr.ts";
import { makeFor, makeSeq } from "../../ir/make-stmt.ts";
import { constant } from "../../ir/ops.ts";
import type { For, Stmt } from "../../ir/stmt.ts";
import { substitute } from "../../ir/substitute.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
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
  const tops = nests.map((nest) => nest[0] ?? first);
  const replacements = new Map<Stmt, Stmt | undefined>(tops.map((t, i) => [t, i === tops.length - 1 ? merged : undefined]));
  const inner = fresh[fresh.length - 1];
  return { func: replaceStmts(tree.func, replacements), loops: inner === undefined ? [] : [inner] };
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
