import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { knownNumbers } from "../known.ts";
import type { NodeContext } from "../node-context.ts";
import type { GraphProto } from "../proto/schema.ts";
import { knownValue, type Value } from "../value.ts";

const MAX_UNROLL = 4096;

/** The branch that is taken, which has to be known while importing. */
const branch: Converter = (ctx) => {
  const known = ctx.known(0);
  const [taken] = known === undefined ? [] : (knownNumbers(known) ?? []);
  if (taken === undefined) return ctx.dynamic("its condition");
  const graph = ctx.attrs.graph(taken !== 0 ? "then_branch" : "else_branch");
  return graph === undefined ? ctx.unsupported("it has no branch") : ctx.inline(graph, []);
};

/** Unrolled: the number of rounds has to be known while importing. */
const loop: Converter = (ctx) => {
  const body = ctx.attrs.graph("body") ?? ctx.unsupported("it has no body");
  const trips = ctx.optionalNumbers(0, "the number of rounds")?.[0] ?? Infinity;
  const carriedCount = ctx.inputCount - 2;
  const scans: Value[][] = Array.from({ length: (body.output?.length ?? 1) - 1 - carriedCount }, () => []);
  let carried: readonly Value[] = Array.from({ length: carriedCount }, (_, i) => ctx.value(i + 2));
  let condition: Value | undefined = ctx.optionalValue(1);
  for (let i = 0; i < trips && holds(ctx, condition); i++) {
    if (i >= MAX_UNROLL) return ctx.unsupported(`it runs more than ${MAX_UNROLL} rounds`);
    const [next, ...outputs] = ctx.inline(body, [scalarValue(i, "int64"), condition ?? scalarValue(1, "bool"), ...carried]);
    condition = next;
    carried = outputs.slice(0, carriedCount);
    for (const [k, list] of scans.entries()) list.push(outputs[carriedCount + k] ?? ctx.unsupported("its body lacks an output"));
  }
  return [...carried, ...scans.map((list) => stacked(ctx, list))];
};

function holds(ctx: NodeContext, condition: Value | undefined): boolean {
  if (condition === undefined) return true;
  const known = ctx.knownOf(condition);
  const [value] = known === undefined ? [] : (knownNumbers(known) ?? []);
  return (value ?? ctx.dynamic("its condition")) !== 0;
}

function stacked(ctx: NodeContext, list: readonly Value[], axis: number = 0): Value {
  if (list.length === 0) return ctx.unsupported("it collects values but runs no round");
  return { kind: "tensor", expr: ctx.emit("stack", [ctx.tuple(list.map((v) => ctx.exprOf(v)))], { axis }) };
}

function scalarValue(value: number, dtype: "int64" | "bool"): Value {
  return knownValue({ dtype, shape: [], elems: [constant(value, dtype)] });
}

/** Unrolled over the scanned axis; the last inputs are scanned, those before are carried from round to round. */
const scan: Converter = (ctx) => {
  const body = ctx.attrs.graph("body") ?? ctx.unsupported("it has no body");
  const scanned = ctx.attrs.int("num_scan_inputs") ?? ctx.unsupported("it has no num_scan_inputs");
  // The first version had lengths as its first input and a batch axis in front.
  if (ctx.opset < 9) return oldScan(ctx, body, scanned);
  const carriedCount = ctx.inputCount - scanned;
  const inputs = Array.from({ length: scanned }, (_, i) => ctx.input(carriedCount + i));
  const axes = inputs.map((x, i) => ctx.axis(ctx.attrs.ints("scan_input_axes")?.[i] ?? 0, ctx.rank(x)));
  const state = Array.from({ length: carriedCount }, (_, i) => ctx.value(i));
  const { carried, scans } = rounds(ctx, body, state, inputs, axes, ctx.attrs.ints("scan_input_directions") ?? []);
  const outAxes = ctx.attrs.ints("scan_output_axes") ?? [];
  const backwards = ctx.attrs.ints("scan_output_directions") ?? [];
  return [...carried, ...scans.map((list, i) => stacked(ctx, backwards[i] === 1 ? list.toReversed() : list, outAxes[i] ?? 0))];
};

function oldScan(ctx: NodeContext, body: GraphProto, scanned: number): readonly Value[] {
  if (ctx.optionalValue(0) !== undefined) return ctx.unsupported("its sequences have lengths of their own");
  const carriedCount = ctx.inputCount - 1 - scanned;
  const all = Array.from({ length: carriedCount + scanned }, (_, i) => ctx.input(i + 1));
  const batch = at(ctx.staticDims(at(all, 0)), 0);
  const row = (x: Expr, b: number): Expr => ctx.emit("take", [x, ctx.scalar(b, "int64")], { axis: 0 });
  const results = Array.from({ length: batch }, (_, b) => {
    const rows = all.map((x) => row(x, b));
    const state = rows.slice(0, carriedCount).map((expr): Value => ({ kind: "tensor", expr }));
    const { carried, scans } = rounds(ctx, body, state, rows.slice(carriedCount), rows.slice(carriedCount).map(() => 0), ctx.attrs.ints("directions") ?? []);
    return [...carried, ...scans.map((list) => stacked(ctx, list))];
  });
  return at(results, 0).map((_, i) => stacked(ctx, results.map((r) => at(r, i))));
}

function rounds(
  ctx: NodeContext,
  body: GraphProto,
  state: readonly Value[],
  inputs: readonly Expr[],
  axes: readonly number[],
  directions: readonly number[],
): { readonly carried: readonly Value[]; readonly scans: readonly (readonly Value[])[] } {
  const length = at(ctx.staticDims(at(inputs, 0)), at(axes, 0));
  if (length > MAX_UNROLL) return ctx.unsupported(`it runs more than ${MAX_UNROLL} rounds`);
  const scans: Value[][] = Array.from({ length: (body.output?.length ?? 0) - state.length }, () => []);
  let carried = state;
  for (let t = 0; t < length; t++) {
    const slices = inputs.map((x, i): Value => {
      const index = ctx.scalar(directions[i] === 1 ? length - 1 - t : t, "int64");
      return { kind: "tensor", expr: ctx.emit("take", [x, index], { axis: at(axes, i) }) };
    });
    const outputs = ctx.inline(body, [...carried, ...slices]);
    carried = outputs.slice(0, state.length);
    for (const [k, list] of scans.entries()) list.push(outputs[state.length + k] ?? ctx.unsupported("its body lacks an output"));
  }
  return { carried, scans };
}

/** Control flow, as far as it can be decided while importing. */
export const controlConverters: ConverterTable = { If: branch, Loop: loop, Scan: scan };
