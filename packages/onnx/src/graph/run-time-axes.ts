import type { Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt } from "@verticil/tir";
import type { NodeContext } from "../node-context.ts";
import { branchAtRun } from "./run-time-control.ts";

/** More ways than this to choose axes are not written out. */
const MAX_CHOICES = 128;

/**
 * What `build` makes of the axes that input `i` holds, counted from the front. Where the model computes them, it is made for
 * every set of as many axes out of `rank`, and the model chooses among those; `mayBe` says which
 * axes come into question.
 * @throws DiagnosticError (`onnx/dynamic-argument`) if not even the number of axes is known.
 */
export function withAxes(ctx: NodeContext, i: number, rank: number, build: (axes: readonly number[]) => Expr, mayBe: (axis: number) => boolean = () => true): Expr {
  const what = "the axes";
  if (ctx.known(i) !== undefined) return build(ctx.axes(ctx.numbers(i, what), rank));
  const given = ctx.astype(ctx.input(i), "int64");
  const count = ctx.dims(given).reduce((n, d) => n * (asInt(d) ?? ctx.dynamic("the number of its axes")), 1);
  const choices = subsets(rank, count).filter((axes) => axes.every(mayBe));
  if (choices.length > MAX_CHOICES) return ctx.dynamic(what);
  const [only] = choices;
  if (only === undefined) return ctx.unsupported(`it has ${count} axes of ${rank}`);
  if (choices.length === 1) return build(only);
  // A set of axes is a number with a bit for each.
  const fromFront = ctx.emit("floor_mod", [ctx.reshape(given, [count]), ctx.scalar(rank, "int64")]);
  const bits = ctx.constant(tensorFrom(Array.from({ length: rank }, (_, axis) => 2 ** axis), [rank], "int64"));
  const code = ctx.emit("sum", [ctx.emit("take", [bits, fromFront], { axis: 0 })], { axis: [0], keepdims: false });
  const from = (first: number): Expr => {
    const axes = choices[first] ?? only;
    if (first === choices.length - 1) return build(axes);
    const isThis = ctx.emit("equal", [code, ctx.scalar(axes.reduce((sum, axis) => sum + 2 ** axis, 0), "int64")]);
    const [chosen] = branchAtRun(ctx, isThis, () => [{ kind: "tensor", expr: build(axes) }], () => [{ kind: "tensor", expr: from(first + 1) }]);
    return chosen?.kind === "tensor" ? chosen.expr : ctx.dynamic(what);
  };
  return from(0);
}

/** The sets of `count` numbers below `n`, each in rising order. */
function subsets(n: number, count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  if (count > n) return [];
  return [...subsets(n - 1, count), ...subsets(n - 1, count - 1).map((s) => [...s, n - 1])];
}
