import { parseDType } from "@verticil/runtime-ffi";
import { Analyzer } from "../../arith/analyzer.ts";
import type { AnyVar, PrimExpr, Var } from "../../ir/expr.ts";
import { makeRange, makeVar } from "../../ir/make-expr.ts";
import { makeFor } from "../../ir/make-stmt.ts";
import { add, asInt, cast, constant, floorDiv, ge, lt, mul, sub } from "../../ir/ops.ts";
import type { For, Stmt } from "../../ir/stmt.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import { appendPredicate, requireFromZero, requirePlain, simplifyBindings, substituteLoops } from "../loop-body.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** How a loop is split. */
export interface SplitOptions {
  /** Keeps bindings of loops with one iteration as they are. */
  readonly preserveUnitIters: boolean;
  /** Leaves out the predicate although the factors do not divide the extent. */
  readonly disablePredication: boolean;
}

/**
 * The loop split into a nest with the given extents, of which one may be undefined: it takes what is left. Where they
 * cover more than the loop, blocks inside get a predicate.
 */
export function splitLoop(tree: FuncTree, loop: For, given: readonly (PrimExpr | undefined)[], opts: SplitOptions): Outcome {
  const factors = inferFactors(loop, given);
  requirePlain(loop);
  requireFromZero(loop);
  const analyzer = new Analyzer();
  const dtype = widestIndex([loop.loopVar, ...factors]);
  let value: PrimExpr = constant(0, dtype);
  const vars = factors.map((factor, i): Var => {
    const v = makeVar(`${loop.loopVar.name}_${i}`, dtype);
    value = add(mul(value, factor), v);
    analyzer.bind(v, makeRange(constant(0, dtype), cast(dtype, factor)));
    return v;
  });
  let body = substituteLoops(loop.body, new Map<AnyVar, PrimExpr>([[loop.loopVar, value]]));
  const inside = lt(value, loop.extent);
  if (!opts.disablePredication && !analyzer.canProve(inside, "symbolicBound")) body = appendPredicate(body, inside);
  const nest = factors.reduceRight<Stmt>((b, factor, i) => {
    const v = vars[i];
    return v === undefined ? b : makeFor(v, constant(0, factor.dtype), factor, b);
  }, body);
  const simplified = simplifyBindings(nest, tree.loopsOf(loop), opts.preserveUnitIters);
  return { func: replaceStmts(tree.func, new Map([[loop, simplified]])), loops: vars };
}

function inferFactors(loop: For, given: readonly (PrimExpr | undefined)[]): readonly PrimExpr[] {
  if (given.length === 0) refuse("no factors were given", loop, "Give at least one factor.");
  if (given.filter((f) => f === undefined).length > 1) refuse("more than one factor is left open", loop, "Leave at most one factor undefined.");
  const analyzer = new Analyzer();
  const factors = given.map((f) => f && checkFactor(loop, f));
  let product: PrimExpr = constant(1, "int32");
  for (const f of factors) if (f !== undefined) product = mul(product, f);
  const open = factors.indexOf(undefined);
  if (open < 0) {
    if (!analyzer.canProve(ge(product, loop.extent))) {
      refuse(`the product of the factors is not known to reach the extent of loop \`${loop.loopVar.name}\``, loop, "Leave one factor undefined, or give larger ones.");
    }
    return factors.filter((f) => f !== undefined);
  }
  const rest = analyzer.simplify(floorDiv(sub(add(loop.extent, product), 1), product));
  return factors.map((f) => f ?? rest);
}

/** A factor that is positive if it is constant, no wider than the loop's extent. */
export function checkFactor(loop: For, f: PrimExpr): PrimExpr {
  const n = asInt(f);
  if (n !== undefined && n <= 0) refuse(`a factor is ${n}`, loop, "Factors are positive.");
  return parseDType(f.dtype).bits > parseDType(loop.extent.dtype).bits ? cast(loop.extent.dtype, f) : f;
}

/** The index type that holds the values of all. */
export function widestIndex(all: readonly PrimExpr[]): "int32" | "int64" {
  return all.some((e) => parseDType(e.dtype).bits > 32) ? "int64" : "int32";
}
