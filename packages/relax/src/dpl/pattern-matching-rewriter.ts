import { definePass, irDialect, makeGlobalVar, structuralEqual, withFunctions, type BaseFunc, type Dialect, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { tirNodes } from "@verticil/tir";
import { containsImpureCall } from "../analysis/purity.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyBindingBlock, Binding, Expr, Function, SeqExpr } from "../ir/expr.ts";
import { makeTuple, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { relaxNodes } from "../ir/node-table.ts";
import { opRegistryKey, type OpRegistry } from "../ir/op-def.ts";
import { renameGlobals } from "../ir/rename-globals.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { UniqueNames } from "../ir/unique-names.ts";
import { isVar } from "../analysis/variables.ts";
import { canonicalizeFunction } from "../transform/canonicalize-bindings.ts";
import { removeAllUnused } from "../transform/dead-code-elimination.ts";
import { eliminateInFunction } from "../transform/eliminate-common-subexpr.ts";
import type { DFPattern } from "./pattern.ts";
import type { PatternContext } from "./pattern-context.ts";
import { patternsOfModule } from "./patterns-of-module.ts";
import { exprRule, graphRule, rewriteContext, tupleRule, unionRule, type BindingsRule, type GraphRewriter, type MatchRewriter, type RewriteContext } from "./rewrite-spec.ts";
import { topologicalOrder } from "./topological-order.ts";

const dialects: readonly Dialect[] = [irDialect, tirNodes, relaxNodes];

/** What a rewriter needs to know. */
export interface RewriteOptions {
  readonly ops: OpRegistry;
  /** The module that a function is of, if it calls others. */
  readonly module?: IRModule;
}

/**
 * Replaces what patterns match, again and again until nothing changes (upstream's `PatternMatchingRewriter`). Values are
 * looked at block by block, between calls with effects; branches and local functions are included.
 */
export class PatternMatchingRewriter {
  readonly #rule: BindingsRule;

  private constructor(rule: BindingsRule) {
    this.#rule = rule;
  }

  /** Replaces what one pattern matches. A pattern of a tuple matches tuples that nobody wrote out as well. */
  static fromPattern(pattern: DFPattern, rewriter: MatchRewriter): PatternMatchingRewriter {
    return new PatternMatchingRewriter(patternRule(pattern, rewriter, new Map(), []));
  }

  /** Replaces a graph of patterns. */
  static fromContext(pattern: PatternContext, rewriter: GraphRewriter): PatternMatchingRewriter {
    return new PatternMatchingRewriter(graphRule(pattern, rewriter));
  }

  /**
   * Replaces what the module's function `pattern` computes by what its function `replacement` does. Other functions of it
   * are private, and join the module that is rewritten.
   * @throws RangeError if one of the two is missing, their signatures differ, or another function is not private.
   * @throws TypeError if one of them is no graph function, or the pattern computes something that is no pattern.
   */
  static fromModule(module: IRModule): PatternMatchingRewriter {
    const { pattern, rewriter, functions } = patternsOfModule(module);
    return new PatternMatchingRewriter(patternRule(pattern, rewriter, functions, []));
  }

  /** Tries `other` where this one finds nothing (upstream's `a | b`). */
  union(other: PatternMatchingRewriter): PatternMatchingRewriter {
    return new PatternMatchingRewriter(unionRule(this.#rule, other.#rule));
  }

  /**
   * The function with every match replaced; itself if there is none.
   * @throws RangeError if a replacement calls functions that would have to join a module.
   */
  rewriteFunction(func: Function, opts: RewriteOptions): Function {
    const run = new Run(this.#rule, new BlockBuilder(opts), opts.ops);
    const out = run.function(func);
    const [needed] = run.functions.keys();
    if (needed !== undefined) throw new RangeError(`The replacement calls \`${needed.name}\`, so it can only be made in a whole module.`);
    return out;
  }

  /** The module with every match replaced. */
  rewriteModule(module: IRModule, opts: RewriteOptions): IRModule {
    const run = new Run(this.#rule, new BlockBuilder({ ops: opts.ops, module }), opts.ops, module.functions.keys());
    const functions = new Map<GlobalVar, BaseFunc>();
    let changed = false;
    for (const [gv, func] of module.functions) {
      const next = isRelaxFunction(func) ? run.function(func) : func;
      changed ||= next !== func;
      functions.set(gv, next);
    }
    if (!changed) return module;
    for (const [gv, func] of run.functions) functions.set(gv, func);
    return withFunctions(module, functions);
  }

  /** The rewriter as a pass. */
  pass(name = "PatternMatchingRewriter"): Pass {
    return definePass(name, (module, ctx) => this.rewriteModule(module, { ops: ctx.get(opRegistryKey) }));
  }
}

/** Replaces what a pattern matches in one function (upstream's `rewrite_call`). */
export function rewriteCall(pattern: DFPattern, rewriter: MatchRewriter, func: Function, opts: RewriteOptions): Function {
  return PatternMatchingRewriter.fromPattern(pattern, rewriter).rewriteFunction(func, opts);
}

/** Replaces a graph of patterns in one function (upstream's `rewrite_bindings`). */
export function rewriteBindings(pattern: PatternContext, rewriter: GraphRewriter, func: Function, opts: RewriteOptions): Function {
  return PatternMatchingRewriter.fromContext(pattern, rewriter).rewriteFunction(func, opts);
}

function patternRule(pattern: DFPattern, rewriter: MatchRewriter, functions: ReadonlyMap<GlobalVar, BaseFunc>, outer: readonly DFPattern[]): BindingsRule {
  if (pattern.kind === "dpl.Or") {
    const inner = [...outer, pattern];
    return unionRule(patternRule(pattern.left, rewriter, functions, inner), patternRule(pattern.right, rewriter, functions, inner));
  }
  const written = exprRule(pattern, rewriter, functions, outer);
  if (pattern.kind !== "dpl.Tuple" || pattern.unordered || pattern.fields.length > 3) return written;
  return unionRule(written, tupleRule(pattern.fields, rewriter, functions, [...outer, pattern]));
}

/** One application to one function or module. */
class Run {
  readonly functions = new Map<GlobalVar, BaseFunc>();
  readonly #rule: BindingsRule;
  readonly #bb: BlockBuilder;
  readonly #ops: OpRegistry;
  readonly #ctx: RewriteContext;
  readonly #names = new UniqueNames();
  readonly #added = new Set<GlobalVar>();
  readonly #renamed = new Map<GlobalVar, GlobalVar>();
  #changed = false;

  constructor(rule: BindingsRule, bb: BlockBuilder, ops: OpRegistry, taken: Iterable<GlobalVar> = []) {
    for (const gv of taken) this.#names.reserve(gv.name);
    this.#rule = rule;
    this.#bb = bb;
    this.#ops = ops;
    this.#ctx = rewriteContext(ops);
  }

  function(func: Function): Function {
    let current = func;
    for (;;) {
      this.#changed = false;
      const next = this.#once(current);
      if (!this.#changed || same(next, current)) return current;
      const clean = this.#clean(next);
      if (same(clean, current)) return current;
      current = clean;
    }
  }

  /** Equal values are found once names are gone, and names once equal values are found. */
  #clean(func: Function): Function {
    let current = func;
    for (;;) {
      const next = removeAllUnused(eliminateInFunction(canonicalizeFunction(current), this.#ops), this.#ops);
      if (next === current || same(next, current)) return next;
      current = next;
    }
  }

  #once(func: Function): Function {
    const { body } = this.#bb.buildFunction(func.params, () => this.#seqInto(func.body), { attrs: func.attrs, isPure: func.isPure, retStructInfo: func.retStructInfo });
    return makeFunction(func.params, body, func.retStructInfo, { isPure: func.isPure, attrs: func.attrs, span: func.span });
  }

  #seqInto(expr: Expr): Expr {
    if (expr.kind !== "relax.SeqExpr") return expr;
    const result = isVar(expr.body) ? undefined : makeVar("result", structInfoOf(expr.body));
    let body: Expr = expr.body;
    const blocks = result === undefined ? expr.blocks : withResult(expr, makeVarBinding(result, expr.body));
    for (const block of blocks) {
      const bindings = this.#rewriteBlock(block);
      const emit = (): void => {
        for (const b of bindings) {
          if (b.var === result) body = b.value === expr.body ? expr.body : this.#output(b.value);
          else this.#emit(b);
        }
      };
      if (block.kind === "relax.DataflowBlock") this.#bb.dataflow(emit);
      else this.#bb.bindings(emit);
    }
    return body;
  }

  /** What replaces a result that is no variable: it is made inside the block, and leaves it field by field. */
  #output(value: Expr): Expr {
    if (value.kind === "relax.Tuple") return makeTuple(value.fields.map((f) => this.#output(f)));
    return value.kind === "relax.Var" || value.kind === "relax.Constant" ? value : this.#bb.emitOutput(value);
  }

  #emit(b: Binding): void {
    const value = this.#bb.normalize(this.#inner(b.value));
    this.#bb.addBinding(value === b.value ? b : { ...b, value });
  }

  /** Branches and local functions. */
  #inner(value: Expr): Expr {
    if (value.kind === "relax.Function") return this.#once(value);
    if (value.kind !== "relax.If") return value;
    return { ...value, trueBranch: this.#bb.seq(() => this.#seqInto(value.trueBranch)), falseBranch: this.#bb.seq(() => this.#seqInto(value.falseBranch)) };
  }

  #rewriteBlock(block: AnyBindingBlock): readonly Binding[] {
    if (block.kind === "relax.DataflowBlock") return this.#rewriteBindings(block.bindings);
    const out: Binding[] = [];
    let run: Binding[] = [];
    for (const b of block.bindings) {
      if (b.value.kind !== "relax.If" && !containsImpureCall(b.value, this.#ops)) {
        run.push(b);
        continue;
      }
      out.push(...this.#rewriteBindings(run), b);
      run = [];
    }
    return [...out, ...this.#rewriteBindings(run)];
  }

  #rewriteBindings(bindings: readonly Binding[]): readonly Binding[] {
    if (bindings.length === 0) return bindings;
    const { values, functions } = this.#rule(bindings, this.#ctx);
    if (values.size === 0) return bindings;
    this.#changed = true;
    for (const [gv, func] of functions) this.#addFunction(gv, func);
    const rewritten = bindings.map((b) => {
      const value = values.get(b.var);
      return value === undefined ? b : { ...b, value: renameGlobals(value, this.#renamed) };
    });
    return topologicalOrder(rewritten);
  }

  /** A function under a name that no other has. */
  #addFunction(gv: GlobalVar, func: BaseFunc): void {
    if (this.#added.has(gv)) return;
    this.#added.add(gv);
    const name = this.#names.fresh(gv.name);
    const own = name === gv.name ? gv : makeGlobalVar(name);
    if (own !== gv) this.#renamed.set(gv, own);
    this.functions.set(own, func);
    this.#bb.updateFunc(own, func);
  }
}

function withResult(seq: SeqExpr, result: Binding): readonly AnyBindingBlock[] {
  const last = seq.blocks[seq.blocks.length - 1];
  if (last === undefined) return [{ kind: "relax.BindingBlock", bindings: [result] }];
  return [...seq.blocks.slice(0, -1), { ...last, bindings: [...last.bindings, result] }];
}

function same(a: Function, b: Function): boolean {
  return structuralEqual(a, b, { dialects });
}
