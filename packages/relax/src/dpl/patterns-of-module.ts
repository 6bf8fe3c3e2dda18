import { irDialect, lookupFunc, structuralEqual, type BaseFunc, type Dialect, type GlobalVar, type IRModule } from "@verticil/ir-core";
import { tirNodes, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { isVar } from "../analysis/variables.ts";
import { cloneFunction } from "../ir/clone-function.ts";
import type { AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { bindSymbolic } from "../ir/infer-call.ts";
import { makeDataflowBlock, makePrimStructInfo, makeSeqExpr, makeVar, makeVarBinding } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { relaxNodes } from "../ir/node-table.ts";
import { renameExpr } from "../ir/rename.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { hasStructInfo, isCall, isExpr, isExternFunc, isTuple, isTupleGetItem, wildcard, type DFPattern } from "./pattern.ts";
import type { MatchRewriter } from "./rewrite-spec.ts";

const dialects: readonly Dialect[] = [irDialect, tirNodes, relaxNodes];

/** A rewriting as a module gives it. */
export interface ModulePatterns {
  readonly pattern: DFPattern;
  readonly rewriter: MatchRewriter;
  readonly functions: ReadonlyMap<GlobalVar, BaseFunc>;
}

/** Reads a module's functions `pattern` and `replacement`; see `PatternMatchingRewriter.fromModule`. */
export function patternsOfModule(module: IRModule): ModulePatterns {
  const pattern = graphFunction(module, "pattern");
  const replacement = graphFunction(module, "replacement");
  const functions = new Map<GlobalVar, BaseFunc>();
  for (const [gv, func] of module.functions) {
    if (func === pattern || func === replacement) continue;
    if (func.attrs["global_symbol"] !== undefined) throw new RangeError(`Beside \`pattern\` and \`replacement\` the module may only have private functions, but \`${gv.name}\` is not private.`);
    functions.set(gv, func);
  }
  const [a, b] = [pattern.structInfo, replacement.structInfo];
  if (a === undefined || b === undefined || !structuralEqual(a, b, { dialects })) throw new RangeError("`pattern` and `replacement` must have the same parameters and result.");
  const params = pattern.params.map(() => wildcard());
  return { pattern: patternOf(pattern, params), rewriter: replacer(replacement, params), functions };
}

function graphFunction(module: IRModule, name: string): Function {
  const has = [...module.functions.keys()].some((gv) => gv.name === name);
  if (!has) throw new RangeError(`The module has no function \`${name}\`.`);
  const func = lookupFunc(module, name);
  if (!isRelaxFunction(func)) throw new TypeError(`\`${name}\` must be a graph function, not \`${func.kind}\`.`);
  return func;
}

function patternOf(func: Function, params: readonly DFPattern[]): DFPattern {
  const known = new Map<AnyVar, DFPattern>();
  func.params.forEach((p, i) => known.set(p, withInfo(params[i] ?? wildcard(), p)));
  const of = (e: Expr): DFPattern => {
    if (isVar(e)) return known.get(e) ?? wildcard();
    switch (e.kind) {
      case "relax.Call":
        return isCall(of(e.op), e.args.map(of));
      case "relax.Tuple":
        return isTuple(e.fields.map(of));
      case "relax.TupleGetItem":
        return isTupleGetItem(of(e.tuple), e.index);
      case "ir.Op":
      case "ir.GlobalVar":
      case "relax.Constant":
      case "relax.StringImm":
      case "relax.DataTypeImm":
        return isExpr(e);
      case "relax.ExternFunc":
        return isExternFunc(e.globalSymbol);
      case "relax.PrimValue":
        return hasStructInfo(wildcard(), structInfoOf(e) ?? makePrimStructInfo("int64", e.value));
      case "relax.ShapeExpr":
        return withInfo(wildcard(), e);
      default:
        throw new TypeError(`\`${e.kind}\` cannot be part of a pattern.`);
    }
  };
  if (func.body.kind !== "relax.SeqExpr") return of(func.body);
  for (const block of func.body.blocks) {
    for (const b of block.bindings) {
      const value = of(b.value);
      known.set(b.var, b.kind === "relax.MatchCast" ? hasStructInfo(value, b.structInfo) : value);
    }
  }
  return of(func.body.body);
}

function withInfo(pattern: DFPattern, e: Expr): DFPattern {
  const info = structInfoOf(e);
  return info === undefined ? pattern : hasStructInfo(pattern, info);
}

/** The body of the replacement, its parameters bound to what the wildcards stand for. What it computes is inferred anew. */
function replacer(replacement: Function, params: readonly DFPattern[]): MatchRewriter {
  return (_expr, matches) => {
    const sizes = new Map<TirVar, PrimExpr>();
    const values = replacement.params.map((p, i): Expr => {
      const wanted = params[i];
      const value = wanted === undefined ? undefined : matches.get(wanted);
      if (value === undefined) throw new RangeError(`The pattern does not use the parameter \`${p.name}\`.`);
      if (p.structInfo !== undefined) bindSymbolic(p.structInfo, structInfoOf(value), sizes);
      return value;
    });
    const copy = cloneFunction(replacement, new Map(), sizes);
    // A variable of its own, for values that are none.
    const held = copy.params.map((p, i) => makeVar(p.name, structInfoOf(values[i] ?? p)));
    const bindings = held.map((v, i) => makeVarBinding(v, values[i] ?? v));
    const renamed = new Map<AnyVar, Expr>(copy.params.map((p, i) => [p, held[i] ?? p]));
    const { body } = copy;
    if (body.kind !== "relax.SeqExpr") return makeSeqExpr([makeDataflowBlock(bindings)], renameExpr(body, renamed));
    const blocks = body.blocks.map((block) => ({ ...block, bindings: block.bindings.map((b) => bare(b, renamed)) }));
    return makeSeqExpr([makeDataflowBlock(bindings), ...blocks], renameExpr(body.body, renamed));
  };
}

/** A binding whose struct info is to be inferred. */
function bare(b: Binding, renamed: Map<AnyVar, Expr>): Binding {
  const value = renameExpr(b.value, renamed);
  if (b.kind === "relax.MatchCast") return { ...b, value };
  const v: AnyVar = { ...b.var, structInfo: undefined };
  renamed.set(b.var, v);
  return { ...b, var: v, value: value.kind === "relax.Call" || value.kind === "relax.Tuple" || value.kind === "relax.TupleGetItem" ? { ...value, structInfo: undefined } : value };
}
