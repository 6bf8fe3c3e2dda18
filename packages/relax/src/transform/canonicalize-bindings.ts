import { definePass, type Pass } from "@verticil/ir-core";
import { forEachUse, isVar, useCounts } from "../analysis/variables.ts";
import type { AnyBindingBlock, AnyVar, Binding, Expr, Function, SeqExpr, Tuple, Var } from "../ir/expr.ts";
import { makeDataflowVar, makeSeqExpr, makeVarBinding } from "../ir/make.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { renameExpr } from "../ir/rename.ts";
import { sameStructInfo } from "../ir/same-struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/**
 * Upstream's `CanonicalizeBindings`: drops aliases of variables, match-casts that check nothing, and `(a, b)[0]`; turns
 * variables that do not leave their dataflow block into dataflow variables; writes operands that are bound to constants as
 * these; joins adjacent blocks of one kind. Branches and local functions are included.
 */
export function canonicalizeBindings(): Pass {
  return definePass("CanonicalizeBindings", (module) => mapRelaxFunctions(module, canonicalizeFunction));
}

/** `CanonicalizeBindings` on one function, all sequences in it included. */
export function canonicalizeFunction(func: Function): Function {
  return localizeVars(dropAliases(promoteOutputs(func)));
}

/** What is known of the variables seen so far. */
interface Known {
  /** Other names of variables. */
  readonly renamed: Map<AnyVar, Expr>;
  /** Names of constants, which operands are written as. */
  readonly constants: Map<AnyVar, Expr>;
  readonly values: Map<AnyVar, Expr>;
}

function dropAliases(func: Function): Function {
  const body = rewriteSeq(func.body, { renamed: new Map(), constants: new Map(), values: new Map() });
  return body === func.body ? func : { ...func, body };
}

function operands(value: Expr, known: Known): Expr {
  return renameExpr(renameExpr(value, known.renamed), known.constants);
}

function rewriteSeq(expr: Expr, known: Known): Expr {
  if (expr.kind !== "relax.SeqExpr") return renameExpr(expr, known.renamed);
  let changed = false;
  const blocks: AnyBindingBlock[] = [];
  for (const block of expr.blocks) {
    const bindings: Binding[] = [];
    let same = true;
    for (const binding of block.bindings) {
      const next = rewriteBinding(binding, known);
      if (next !== binding) same = false;
      if (next !== undefined) bindings.push(next);
    }
    const before = blocks[blocks.length - 1];
    if (before?.kind === block.kind) {
      // Nothing tells two such blocks apart.
      blocks[blocks.length - 1] = { ...before, bindings: [...before.bindings, ...bindings] };
      changed = true;
    } else if (bindings.length > 0) blocks.push(same ? block : { ...block, bindings });
    if (!same || bindings.length === 0) changed = true;
  }
  const body = renameExpr(expr.body, known.renamed);
  return changed || body !== expr.body ? makeSeqExpr(blocks, body, expr.span) : expr;
}

/** The binding with aliases resolved; undefined if it is one. */
function rewriteBinding(binding: Binding, known: Known): Binding | undefined {
  if (binding.kind === "relax.MatchCast") {
    const value = renameExpr(binding.value, known.renamed);
    const info = structInfoOf(value);
    if (info !== undefined && sameStructInfo(info, binding.structInfo) && isVar(value) && mayStandFor(value, binding.var)) {
      known.renamed.set(binding.var, value);
      return undefined;
    }
    return value === binding.value ? binding : { ...binding, value };
  }
  const value = rewriteValue(binding.value, known);
  const alias = aliasOf(value, known.values);
  if (alias !== undefined && mayStandFor(alias, binding.var)) {
    known.renamed.set(binding.var, alias);
    return undefined;
  }
  known.values.set(binding.var, value);
  if (value.kind === "relax.Constant") known.constants.set(binding.var, value);
  return value === binding.value ? binding : makeVarBinding(binding.var, value, binding.span);
}

function rewriteValue(value: Expr, known: Known): Expr {
  if (value.kind === "relax.If") {
    const cond = renameExpr(value.cond, known.renamed);
    const trueBranch = rewriteSeq(value.trueBranch, known);
    const falseBranch = rewriteSeq(value.falseBranch, known);
    const same = cond === value.cond && trueBranch === value.trueBranch && falseBranch === value.falseBranch;
    return same ? value : { ...value, cond, trueBranch, falseBranch };
  }
  if (value.kind === "relax.Function") {
    const body = rewriteSeq(value.body, known);
    return body === value.body ? value : { ...value, body };
  }
  const renamed = renameExpr(value, known.renamed);
  // A name of a name of a constant stays a name; what is made of constants is written with them.
  const next = isVar(renamed) ? renamed : operands(renamed, known);
  const field = fieldOf(next, known.values);
  return field?.kind === "relax.Constant" ? field : next;
}

/** A dataflow variable must not stand for one that is seen outside its block. */
function mayStandFor(value: AnyVar, v: AnyVar): boolean {
  return !(value.kind === "relax.DataflowVar" && v.kind === "relax.Var");
}

/** The variable that a value is only another name of. */
function aliasOf(value: Expr, values: ReadonlyMap<AnyVar, Expr>): AnyVar | undefined {
  if (isVar(value)) return value;
  const field = fieldOf(value, values);
  if (field !== undefined && isVar(field)) return field;
  return value.kind === "relax.Tuple" ? takenApart(value, values) : undefined;
}

/** The tuple that another is put together from again, field by field. */
function takenApart(tuple: Tuple, values: ReadonlyMap<AnyVar, Expr>): AnyVar | undefined {
  const items = tuple.fields.map((f) => (isVar(f) ? values.get(f) : f));
  const [first] = items;
  if (first?.kind !== "relax.TupleGetItem" || !isVar(first.tuple)) return undefined;
  const whole = first.tuple;
  const size = whole.structInfo?.kind === "relax.TupleStructInfo" ? whole.structInfo.fields.length : -1;
  const isWhole = items.length === size && items.every((e, i) => e?.kind === "relax.TupleGetItem" && e.tuple === whole && e.index === i);
  return isWhole ? whole : undefined;
}

/** The field that a value takes out of a tuple that is known. */
function fieldOf(value: Expr, values: ReadonlyMap<AnyVar, Expr>): Expr | undefined {
  if (value.kind !== "relax.TupleGetItem") return undefined;
  const tuple = isVar(value.tuple) ? values.get(value.tuple) : value.tuple;
  return tuple?.kind === "relax.Tuple" ? tuple.fields[value.index] : undefined;
}

/**
 * A dataflow variable whose value leaves the block under the name of an output becomes that output, in every sequence of
 * the function.
 */
function promoteOutputs(func: Function): Function {
  const renamed = new Map<AnyVar, Var>();
  forEachSequence(func.body, (seq) => {
    for (const block of seq.blocks) {
      if (block.kind !== "relax.DataflowBlock") continue;
      const own = new Set<AnyVar>();
      for (const b of block.bindings) {
        const { var: v, value } = b;
        const isOutput = b.kind === "relax.VarBinding" && v.kind === "relax.Var" && value.kind === "relax.DataflowVar" && own.has(value) && !renamed.has(value);
        if (isOutput && sameInfo(v, value)) renamed.set(value, v);
        else own.add(v);
      }
    }
  });
  return renameDefinitions(func, renamed, (b) => b.kind === "relax.VarBinding" && renamed.get(b.value as AnyVar) === b.var);
}

function sameInfo(a: AnyVar, b: AnyVar): boolean {
  return a.structInfo !== undefined && b.structInfo !== undefined && sameStructInfo(a.structInfo, b.structInfo);
}

/** `Var`s bound in a dataflow block and used nowhere else become `DataflowVar`s. */
function localizeVars(func: Function): Function {
  const total = useCounts(func);
  const renamed = new Map<AnyVar, AnyVar>();
  forEachSequence(func.body, (seq) => {
    for (const block of seq.blocks) {
      if (block.kind !== "relax.DataflowBlock") continue;
      const inside = new Map<AnyVar, number>();
      for (const b of block.bindings) forEachUse(b.value, (v) => inside.set(v, (inside.get(v) ?? 0) + 1));
      for (const { var: v } of block.bindings) {
        if (v.kind === "relax.Var" && (inside.get(v) ?? 0) === (total.get(v) ?? 0)) renamed.set(v, makeDataflowVar(v.name, v.structInfo, v.span));
      }
    }
  });
  return renameDefinitions(func, renamed, () => false);
}

/** Variables replaced where they are bound and where they are used; bindings that `drop` names fall away. */
function renameDefinitions(func: Function, renamed: ReadonlyMap<AnyVar, AnyVar>, drop: (b: Binding) => boolean): Function {
  if (renamed.size === 0) return func;
  const defined = mapSequences(func, (seq) => {
    const blocks = seq.blocks.map((block) => ({
      ...block,
      bindings: block.bindings.filter((b) => !drop(b)).map((b) => (renamed.has(b.var) ? { ...b, var: renamed.get(b.var) ?? b.var } : b)),
    }));
    return makeSeqExpr(blocks, seq.body, seq.span);
  });
  return { ...defined, body: renameExpr(defined.body, renamed) };
}

/** Calls `f` on each sequence of an expression, branches and local functions included. */
function forEachSequence(expr: Expr, f: (seq: SeqExpr) => void): void {
  if (expr.kind === "relax.If") {
    forEachSequence(expr.trueBranch, f);
    forEachSequence(expr.falseBranch, f);
  } else if (expr.kind === "relax.Function") forEachSequence(expr.body, f);
  else if (expr.kind === "relax.SeqExpr") {
    f(expr);
    for (const block of expr.blocks) for (const b of block.bindings) forEachSequence(b.value, f);
  }
}
