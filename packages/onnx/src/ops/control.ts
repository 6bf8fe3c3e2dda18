import { constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { knownNumbers } from "../known.ts";
import type { NodeContext } from "../node-context.ts";
import { knownValue, type Value } from "../value.ts";

const MAX_UNROLL = 4096;

/** The branch that is taken, which has to be known while importing. */
const branch: Converter = (ctx) => {
  const known = ctx.known(0);
  const [taken] = known === undefined ? [] : (knownNumbers(known) ?? []);
  if (taken === undefined) return ctx.unsupported("its condition is computed by the model");
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
  return (value ?? ctx.unsupported("its condition is computed by the model")) !== 0;
}

function stacked(ctx: NodeContext, list: readonly Value[]): Value {
  if (list.length === 0) return ctx.unsupported("it collects values but runs no round");
  return { kind: "tensor", expr: ctx.emit("stack", [ctx.tuple(list.map((v) => ctx.exprOf(v)))], { axis: 0 }) };
}

function scalarValue(value: number, dtype: "int64" | "bool"): Value {
  return knownValue({ dtype, shape: [], elems: [constant(value, dtype)] });
}

/** Control flow, as far as it can be decided while importing. */
export const controlConverters: ConverterTable = { If: branch, Loop: loop };
