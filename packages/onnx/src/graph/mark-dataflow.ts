import type { IRModule } from "@verticil/ir-core";
import {
  freeVars,
  makeBindingBlock,
  makeDataflowBlock,
  makeDataflowVar,
  makeSeqExpr,
  mapRelaxFunctions,
  renameExpr,
  type AnyBindingBlock,
  type AnyVar,
  type Binding,
  type Expr,
  type Function,
  type SeqExpr,
} from "@verticil/relax";

/** Runs of bindings between branches become dataflow blocks, in branches as well; passes work on those. */
export function markDataflow(module: IRModule): IRModule {
  return mapRelaxFunctions(module, (f): Function => ({ ...f, body: marked(f.body) }));
}

function marked(e: Expr): Expr {
  switch (e.kind) {
    case "relax.SeqExpr":
      return markedSeq(e);
    case "relax.If":
      return { ...e, trueBranch: marked(e.trueBranch), falseBranch: marked(e.falseBranch) };
    default:
      return e;
  }
}

interface Run {
  readonly isStraight: boolean;
  readonly bindings: Binding[];
}

function markedSeq(seq: SeqExpr): SeqExpr {
  const runs: Run[] = [];
  for (const b of seq.blocks.flatMap((block) => block.bindings)) {
    const isStraight = b.value.kind !== "relax.If" && b.value.kind !== "relax.Function";
    const last = runs.at(-1);
    const binding = { ...b, value: marked(b.value) };
    if (last?.isStraight === isStraight) last.bindings.push(binding);
    else runs.push({ isStraight, bindings: [binding] });
  }
  const kept = readElsewhere(runs, seq.body);
  return makeSeqExpr(runs.map((run) => (run.isStraight ? dataflow(run.bindings, kept) : makeBindingBlock(run.bindings))), seq.body, seq.span);
}

/** The variables that another run than their own reads, or the result. */
function readElsewhere(runs: readonly Run[], body: Expr): ReadonlySet<AnyVar> {
  const home = new Map<AnyVar, number>();
  runs.forEach((run, i) => run.bindings.forEach((b) => home.set(b.var, i)));
  const kept = new Set<AnyVar>(freeVars(body));
  runs.forEach((run, i) => {
    for (const v of run.bindings.flatMap((b) => freeVars(b.value))) if (home.get(v) !== i) kept.add(v);
  });
  return kept;
}

function dataflow(bindings: readonly Binding[], kept: ReadonlySet<AnyVar>): AnyBindingBlock {
  const renamed = new Map<AnyVar, Expr>();
  return makeDataflowBlock(
    bindings.map((b): Binding => {
      const value = renameExpr(b.value, renamed);
      if (kept.has(b.var)) return { ...b, value };
      const local = makeDataflowVar(b.var.name, b.var.structInfo, b.var.span);
      renamed.set(b.var, local);
      return { ...b, var: local, value };
    }),
  );
}
