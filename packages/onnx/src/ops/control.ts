import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import { getElement } from "@verticil/runtime-ffi";
import { asInt, constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { branchAtRun, loopAtRun } from "../graph/run-time-control.ts";
import { knownNumbers } from "../known.ts";
import type { NodeContext } from "../node-context.ts";
import type { GraphProto } from "../proto/schema.ts";
import { knownValue, type Value } from "../value.ts";

const MAX_UNROLL = 4096;

/** The branch that is taken where that is known while importing; both, and a choice while the model runs, where not. */
const branch: Converter = (ctx) => {
  const side = (name: string): readonly Value[] => ctx.inline(ctx.attrs.graph(name) ?? ctx.unsupported(`it has no ${name}`), []);
  const taken = ctx.tensor(0);
  if (taken !== undefined) return side(Number(getElement(taken, 0)) !== 0 ? "then_branch" : "else_branch");
  return branchAtRun(ctx, ctx.input(0), () => side("then_branch"), () => side("else_branch"));
};

/** Rounds one after the other while importing, as far as it is known that they follow; undefined where it is not. */
interface Unrolled {
  readonly carried: readonly Value[];
  readonly scans: readonly (readonly Value[])[];
}

const loop: Converter = (ctx) => {
  const body = ctx.attrs.graph("body") ?? ctx.unsupported("it has no body");
  const unrolled = unrolledLoop(ctx, body);
  if (unrolled !== undefined) return [...unrolled.carried, ...unrolled.scans.map((list) => stacked(ctx, list))];
  const carriedCount = ctx.inputCount - 2;
  if (Array.from({ length: carriedCount }, (_, i) => ctx.value(i + 2)).some((v) => v.kind === "sequence")) return ctx.dynamic("the number of its rounds, since it carries a sequence,");
  return loopAtRun(ctx, {
    trips: ctx.optional(0),
    condition: ctx.optional(1),
    carried: Array.from({ length: carriedCount }, (_, i) => ctx.input(i + 2)),
    round: (index, going, state) => {
      const [condition, ...outputs] = ctx.inline(body, [index, going, ...state].map((expr): Value => ({ kind: "tensor", expr }))).map((v) => ctx.exprOf(v));
      return { condition, carried: outputs.slice(0, carriedCount), scans: outputs.slice(carriedCount) };
    },
  });
};

/** Undefined where the number of rounds is not known, or so large that a loop at run time is better. */
function unrolledLoop(ctx: NodeContext, body: GraphProto): Unrolled | undefined {
  const limit = ctx.optionalValue(0);
  const given = limit === undefined ? undefined : ctx.known(0);
  const trips = limit === undefined ? Infinity : given === undefined ? undefined : knownNumbers(given)?.[0];
  if (trips === undefined || (trips !== Infinity && !isWorthUnrolling(body, trips))) return undefined;
  const carriedCount = ctx.inputCount - 2;
  const scans: Value[][] = Array.from({ length: (body.output?.length ?? 1) - 1 - carriedCount }, () => []);
  let carried: readonly Value[] = Array.from({ length: carriedCount }, (_, i) => ctx.value(i + 2));
  let condition: Value | undefined = ctx.optionalValue(1);
  for (let i = 0; i < trips; i++) {
    const goesOn = holds(ctx, condition);
    if (goesOn === false) break;
    if (goesOn === undefined || !isWorthUnrolling(body, i)) return undefined;
    const [next, ...outputs] = ctx.inline(body, [scalarValue(i, "int64"), condition ?? scalarValue(1, "bool"), ...carried]);
    condition = next;
    carried = outputs.slice(0, carriedCount);
    for (const [k, list] of scans.entries()) list.push(outputs[carriedCount + k] ?? ctx.unsupported("its body lacks an output"));
  }
  return scans.some((list) => list.length === 0) ? undefined : { carried, scans };
}

/** Rounds times nodes: beyond this the function that the runtime calls in turn is smaller by far. */
function isWorthUnrolling(body: GraphProto, rounds: number): boolean {
  return rounds * (body.node?.length ?? 1) <= MAX_UNROLL;
}

function holds(ctx: NodeContext, condition: Value | undefined): boolean | undefined {
  if (condition === undefined) return true;
  const known = ctx.knownOf(condition);
  const [value] = known === undefined ? [] : (knownNumbers(known) ?? []);
  return value === undefined ? undefined : value !== 0;
}

function stacked(ctx: NodeContext, list: readonly Value[], axis: number = 0): Value {
  if (list.length === 0) return ctx.unsupported("it collects values but runs no round");
  return { kind: "tensor", expr: ctx.emit("stack", [ctx.tuple(list.map((v) => ctx.exprOf(v)))], { axis }) };
}

function scalarValue(value: number, dtype: "int64" | "bool"): Value {
  return knownValue({ dtype, shape: [], elems: [constant(value, dtype)] });
}

/** Rounds over the scanned axis; the last inputs are scanned, those before are carried from round to round. */
const scan: Converter = (ctx) => {
  const body = ctx.attrs.graph("body") ?? ctx.unsupported("it has no body");
  const scanned = ctx.attrs.int("num_scan_inputs") ?? ctx.unsupported("it has no num_scan_inputs");
  // The first version had lengths as its first input and a batch axis in front.
  if (ctx.opset < 9) return oldScan(ctx, body, scanned);
  const carriedCount = ctx.inputCount - scanned;
  const inputs = Array.from({ length: scanned }, (_, i) => ctx.input(carriedCount + i));
  const axes = inputs.map((x, i) => ctx.axis(ctx.attrs.ints("scan_input_axes")?.[i] ?? 0, ctx.rank(x)));
  const state = Array.from({ length: carriedCount }, (_, i) => ctx.value(i));
  const outAxes = ctx.attrs.ints("scan_output_axes") ?? [];
  const backwards = ctx.attrs.ints("scan_output_directions") ?? [];
  const length = asInt(at(ctx.dims(at(inputs, 0)), at(axes, 0)));
  if (length === undefined || length === 0 || !isWorthUnrolling(body, length)) {
    const lists = openScan(ctx, body, inputs, axes);
    return lists.map((x, k) => (k < carriedCount ? x : placed(ctx, x, backwards[k - carriedCount] === 1, outAxes[k - carriedCount] ?? 0)));
  }
  const { carried, scans } = rounds(ctx, body, state, inputs, axes, ctx.attrs.ints("scan_input_directions") ?? []);
  return [...carried, ...scans.map((list, i) => stacked(ctx, backwards[i] === 1 ? list.toReversed() : list, outAxes[i] ?? 0))];
};

/** A list of rounds, its first axis turned round and moved to where it belongs. */
function placed(ctx: NodeContext, x: Expr, isBackwards: boolean, given: number): Expr {
  const list = isBackwards ? ctx.emit("flip", [x], { axis: 0 }) : x;
  const rank = ctx.rank(list);
  const axis = ctx.axis(given, rank);
  const order = Array.from({ length: rank - 1 }, (_, i) => i + 1);
  return ctx.transpose(list, order.toSpliced(axis, 0, 0));
}

/** `Scan` over a length that is not known, or long: the runtime calls its body in turn. */
function openScan(ctx: NodeContext, body: GraphProto, inputs: readonly Expr[], axes: readonly number[]): readonly Expr[] {
  const directions = ctx.attrs.ints("scan_input_directions") ?? [];
  const count = ctx.exprOf(knownValue({ dtype: "int64", shape: [], elems: [at(ctx.dims(at(inputs, 0)), at(axes, 0))] }));
  const carriedCount = ctx.inputCount - inputs.length;
  return loopAtRun(ctx, {
    trips: count,
    condition: undefined,
    carried: Array.from({ length: carriedCount }, (_, i) => ctx.input(i)),
    round: (index, _going, state) => {
      const fromEnd = (): Expr => ctx.emit("subtract", [ctx.emit("subtract", [count, ctx.scalar(1, "int64")]), index]);
      const slices = inputs.map((x, i) => ctx.emit("take", [x, directions[i] === 1 ? fromEnd() : index], { axis: at(axes, i) }));
      const outputs = ctx.inline(body, [...state, ...slices].map((expr): Value => ({ kind: "tensor", expr }))).map((v) => ctx.exprOf(v));
      return { condition: undefined, carried: outputs.slice(0, carriedCount), scans: outputs.slice(carriedCount) };
    },
  });
}

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

/** The body once for each item of a sequence; other sequences give their item of the same number, tensors stay what they are. */
const sequenceMap: Converter = (ctx) => {
  const body = ctx.attrs.graph("body") ?? ctx.unsupported("it has no body");
  const first = ctx.value(0);
  if (first.kind !== "sequence") return ctx.unsupported("its input is no sequence");
  const others = Array.from({ length: ctx.inputCount - 1 }, (_, i) => ctx.value(i + 1));
  const rounds = first.items.map((item, k) => ctx.inline(body, [item, ...others.map((o) => (o.kind === "sequence" ? at(o.items, k) : o))]));
  return (body.output ?? []).map((_, i): Value => ({ kind: "sequence", items: rounds.map((r) => at(r, i)) }));
};

/** Control flow: decided while importing where that can be, else while the model runs. */
export const controlConverters: ConverterTable = { If: branch, Loop: loop, Scan: scan, SequenceMap: sequenceMap };
