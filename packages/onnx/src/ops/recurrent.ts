import { at } from "@verticil/ir-core";
import { makePrimValue, makeShapeExpr, type Expr } from "@verticil/relax";
import { tensorFrom } from "@verticil/runtime-ffi";
import { asInt, constant, type PrimExpr } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import { loopAtRun } from "../graph/run-time-control.ts";
import type { NodeContext } from "../node-context.ts";
import { knownValue } from "../value.ts";
import { activationNamed, activationNumbers, type Activation } from "./activation.ts";
import { splitAt } from "./shape.ts";

/** One direction of a recurrent layer. Gates are side by side on the last axis. */
interface Direction {
  /** `[length, batch, gates * hidden]`: the inputs' share with the biases that do not depend on the state. */
  readonly projected: Expr;
  /** `[hidden, gates * hidden]` */
  readonly recurrent: Expr;
  /** Biases of the recurrent products, one a gate, `[hidden]`; zeros where there are none. */
  readonly recurrentBias: readonly Expr[];
  readonly peepholes: readonly Expr[] | undefined;
  readonly hidden: Expr;
  readonly cell: Expr | undefined;
  readonly activations: readonly Activation[];
}

interface State {
  readonly hidden: Expr;
  readonly cell: Expr | undefined;
}

/** What a cell does with one step: `x` is the step's share of the inputs. */
type Step = (ctx: NodeContext, d: Direction, x: Expr, state: State) => State;

interface Layer {
  readonly gates: number;
  readonly defaults: readonly string[];
  readonly hasCell: boolean;
  readonly step: Step;
  /** True where the recurrent bias of the last gate stays apart from the inputs' (GRU, reset after the product). */
  readonly splitsBias: (ctx: NodeContext) => boolean;
}

function plus(ctx: NodeContext, a: Expr, b: Expr): Expr {
  return ctx.emit("add", [a, b]);
}

function times(ctx: NodeContext, a: Expr, b: Expr): Expr {
  return ctx.emit("multiply", [a, b]);
}

function parts(ctx: NodeContext, x: Expr, axis: number, count: number): readonly Expr[] {
  const size = (asInt(at(ctx.dims(x), axis)) ?? ctx.dynamic("the size of its gates")) / count;
  return splitAt(ctx, x, axis, Array.from({ length: count }, () => size));
}

const rnnStep: Step = (ctx, d, x, state) => {
  const sum = plus(ctx, x, ctx.emit("matmul", [state.hidden, d.recurrent]));
  return { hidden: at(d.activations, 0)(sum), cell: undefined };
};

const gruStep: Step = (ctx, d, x, { hidden }) => {
  const [f, g] = [at(d.activations, 0), at(d.activations, 1)];
  const [xz, xr, xh] = parts(ctx, x, 1, 3);
  const [rz, rr, rh] = parts(ctx, d.recurrent, 1, 3);
  if (xz === undefined || xr === undefined || xh === undefined || rz === undefined || rr === undefined || rh === undefined) throw new Error("internal: a GRU has three gates");
  const z = f(plus(ctx, xz, ctx.emit("matmul", [hidden, rz])));
  const r = f(plus(ctx, xr, ctx.emit("matmul", [hidden, rr])));
  const candidate = ctx.attrs.flag("linear_before_reset")
    ? times(ctx, r, plus(ctx, ctx.emit("matmul", [hidden, rh]), at(d.recurrentBias, 2)))
    : ctx.emit("matmul", [times(ctx, r, hidden), rh]);
  const h = g(plus(ctx, xh, candidate));
  const kept = times(ctx, z, ctx.emit("subtract", [hidden, h]));
  return { hidden: plus(ctx, h, kept), cell: undefined };
};

const lstmStep: Step = (ctx, d, x, { hidden, cell }) => {
  if (cell === undefined) throw new Error("internal: an LSTM has a cell");
  const [f, g, h] = [at(d.activations, 0), at(d.activations, 1), at(d.activations, 2)];
  const [i0, o0, f0, c0] = parts(ctx, plus(ctx, x, ctx.emit("matmul", [hidden, d.recurrent])), 1, 4);
  if (i0 === undefined || o0 === undefined || f0 === undefined || c0 === undefined) throw new Error("internal: an LSTM has four gates");
  const peep = (v: Expr, i: number, c: Expr): Expr => (d.peepholes === undefined ? v : plus(ctx, v, times(ctx, at(d.peepholes, i), c)));
  const input = f(peep(i0, 0, cell));
  const forget = ctx.attrs.flag("input_forget") ? ctx.emit("subtract", [ctx.scalar(1, input), input]) : f(peep(f0, 2, cell));
  const next = plus(ctx, times(ctx, forget, cell), times(ctx, input, g(c0)));
  const output = f(peep(o0, 1, next));
  return { hidden: times(ctx, output, h(next)), cell: next };
};

/** Its steps one after the other where their number is known, else a loop at run time. */
function recurrent(layer: Layer): Converter {
  return (ctx) => {
    const batchFirst = ctx.attrs.flag("layout");
    const x = batchFirst ? ctx.transpose(ctx.input(0), [1, 0, 2]) : ctx.input(0);
    const directions = ctx.attrs.string("direction", "forward");
    const count = directions === "bidirectional" ? 2 : 1;
    const lengths = ctx.optional(4);
    const results = Array.from({ length: count }, (_, i) => {
      const backwards = directions === "reverse" || i === 1;
      const run = runDirection(ctx, layer, direction(ctx, layer, reversed(ctx, x, backwards, lengths), i, batchFirst), lengths);
      return { ...run, all: reversed(ctx, run.all, backwards, lengths) };
    });
    const joined = (list: readonly Expr[], axis: number): Expr => ctx.emit("stack", [ctx.tuple(list)], { axis });
    // [length, directions, batch, hidden] or, batch first, [batch, length, directions, hidden].
    const all = joined(results.map((r) => r.all), 1);
    const last = joined(results.map((r) => r.state.hidden), 0);
    const cells = results.flatMap((r) => r.state.cell ?? []);
    const outputs = [all, last, ...(cells.length > 0 ? [joined(cells, 0)] : [])];
    return batchFirst ? outputs.map((o, i) => ctx.transpose(o, i === 0 ? [2, 0, 1, 3] : [1, 0, 2])) : outputs;
  };
}

/** The steps in the other order; with lengths, those of each row's own length. */
function reversed(ctx: NodeContext, x: Expr, backwards: boolean, lengths: Expr | undefined): Expr {
  if (!backwards) return x;
  if (lengths === undefined) return ctx.emit("flip", [x], { axis: 0 });
  return ctx.emit("reverse_sequence", [x, ctx.astype(lengths, "int64")], { seq_axis: 0, batch_axis: 1 });
}

function direction(ctx: NodeContext, layer: Layer, x: Expr, i: number, batchFirst: boolean): Direction {
  const slice = (e: Expr): Expr => ctx.emit("take", [e, ctx.scalar(i, "int64")], { axis: 0 });
  const [w, r] = [slice(ctx.input(1)), slice(ctx.input(2))];
  const hiddenSize = at(ctx.staticDims(r), 1);
  const batch = at(ctx.dims(x), 1);
  const bias = ctx.optional(3);
  const [wb, rb] = bias === undefined ? [] : parts(ctx, slice(bias), 0, 2);
  const zeros = (shape: readonly (number | PrimExpr)[]): Expr =>
    ctx.emit("full", [makeShapeExpr(shape), ctx.constant(tensorFrom([0], [], ctx.dtype(x)))], { dtype: ctx.dtype(x) });
  const product = ctx.emit("matmul", [x, ctx.transpose(w, [1, 0])]);
  const recurrentBias = rb === undefined ? Array.from({ length: layer.gates }, () => zeros([hiddenSize])) : parts(ctx, rb, 0, layer.gates);
  const apart = layer.splitsBias(ctx);
  const joinedBias = recurrentBias.map((b, k) => (apart && k === layer.gates - 1 ? zeros([hiddenSize]) : b));
  const biased = wb === undefined ? product : plus(ctx, product, plus(ctx, wb, ctx.emit("concat", [ctx.tuple(joinedBias)], { axis: 0 })));
  const initial = (k: number): Expr => {
    const given = ctx.optional(k);
    if (given === undefined) return zeros([batch, hiddenSize]);
    return slice(batchFirst ? ctx.transpose(given, [1, 0, 2]) : given);
  };
  const peepholes = layer.hasCell ? ctx.optional(7) : undefined;
  return {
    projected: biased,
    recurrent: ctx.transpose(r, [1, 0]),
    recurrentBias,
    peepholes: peepholes === undefined ? undefined : parts(ctx, slice(peepholes), 0, 3),
    hidden: initial(5),
    cell: layer.hasCell ? initial(6) : undefined,
    activations: activationsOf(ctx, layer, i),
  };
}

/** The activations of one direction. Those that take numbers take them in order, over both directions. */
function activationsOf(ctx: NodeContext, layer: Layer, direction: number): readonly Activation[] {
  const n = layer.defaults.length;
  const names = ctx.attrs.strings("activations") ?? [...layer.defaults, ...layer.defaults];
  const [alphas, betas] = [[...(ctx.attrs.floats("activation_alpha") ?? [])], [...(ctx.attrs.floats("activation_beta") ?? [])]];
  const all = names.map((name): Activation => {
    const takes = activationNumbers[name.toLowerCase()];
    const [alpha, beta] = [takes?.alpha === true ? alphas.shift() : undefined, takes?.beta === true ? betas.shift() : undefined];
    return activationNamed(ctx, name, alpha, beta) ?? ctx.unsupported(`its activation is \`${name}\``);
  });
  const limit = ctx.attrs.float("clip", 0);
  return Array.from({ length: n }, (_, k) => {
    const f = all[direction * n + k] ?? ctx.unsupported(`it has ${all.length} activations`);
    // What goes into gates is clipped; a cell, the last activation's operand where there is one, is not.
    return limit === 0 || (layer.hasCell && k === n - 1) ? f : (x: Expr) => f(clipped(ctx, x, limit));
  });
}

function clipped(ctx: NodeContext, x: Expr, limit: number): Expr {
  return ctx.emit("clip", [x, makePrimValue(constant(-limit, ctx.dtype(x))), makePrimValue(constant(limit, ctx.dtype(x)))]);
}

/** What a layer made of all steps: the hidden states, `[length, batch, hidden]`, and the last state. */
interface Run {
  readonly all: Expr;
  readonly state: State;
}

/** The most steps that are written one after the other. */
const MAX_UNROLL = 512;

function runDirection(ctx: NodeContext, layer: Layer, d: Direction, lengths: Expr | undefined): Run {
  const length = asInt(at(ctx.dims(d.projected), 0));
  return length === undefined || length > MAX_UNROLL ? loopOverSteps(ctx, layer, d, lengths) : stepsInTurn(ctx, layer, d, lengths, length);
}

function stepsInTurn(ctx: NodeContext, layer: Layer, d: Direction, lengths: Expr | undefined, length: number): Run {
  const steps = splitAt(ctx, d.projected, 0, Array.from({ length }, () => 1)).map((s) => ctx.emit("squeeze", [s], { axis: [0] }));
  let state: State = { hidden: d.hidden, cell: d.cell };
  const all: Expr[] = [];
  for (const [t, x] of steps.entries()) {
    const { output, next } = oneStep(ctx, layer, d, x, state, lengths, () => ctx.scalar(t, "int64"));
    all.push(output);
    state = next;
  }
  return { all: ctx.emit("stack", [ctx.tuple(all)], { axis: 0 }), state };
}

/** Steps whose number is not known, or large: the runtime calls the step in turn. */
function loopOverSteps(ctx: NodeContext, layer: Layer, d: Direction, lengths: Expr | undefined): Run {
  const length = at(ctx.dims(d.projected), 0);
  const results = loopAtRun(ctx, {
    trips: ctx.exprOf(knownValue({ dtype: "int64", shape: [], elems: [length] })),
    condition: undefined,
    carried: [d.hidden, ...(d.cell === undefined ? [] : [d.cell])],
    round: (index, _going, [hidden, cell]) => {
      if (hidden === undefined) throw new Error("internal: a state is carried");
      const x = ctx.emit("take", [d.projected, index], { axis: 0 });
      const { output, next } = oneStep(ctx, layer, d, x, { hidden, cell }, lengths, () => index);
      return { condition: undefined, carried: [next.hidden, ...(next.cell === undefined ? [] : [next.cell])], scans: [output] };
    },
  });
  const all = at(results, results.length - 1);
  return { all: ctx.withOpenDims(all, [length, ...ctx.dims(d.hidden)]), state: { hidden: at(results, 0), cell: d.cell === undefined ? undefined : at(results, 1) } };
}

/** Step `t`; a row that has ended keeps its state and gives zeros. */
function oneStep(ctx: NodeContext, layer: Layer, d: Direction, x: Expr, state: State, lengths: Expr | undefined, t: () => Expr): { readonly output: Expr; readonly next: State } {
  const next = layer.step(ctx, d, x, state);
  if (lengths === undefined) return { output: next.hidden, next };
  const runs = ctx.emit("expand_dims", [ctx.emit("less", [t(), ctx.astype(lengths, "int64")])], { axis: [1] });
  const held = (now: Expr, before: Expr): Expr => ctx.emit("where", [runs, now, before]);
  const cell = next.cell === undefined || state.cell === undefined ? undefined : held(next.cell, state.cell);
  return { output: held(next.hidden, ctx.scalar(0, next.hidden)), next: { hidden: held(next.hidden, state.hidden), cell } };
}

/** Recurrent layers. */
export const recurrentConverters: ConverterTable = {
  RNN: recurrent({ gates: 1, defaults: ["Tanh"], hasCell: false, step: rnnStep, splitsBias: () => false }),
  GRU: recurrent({ gates: 3, defaults: ["Sigmoid", "Tanh"], hasCell: false, step: gruStep, splitsBias: (ctx) => ctx.attrs.flag("linear_before_reset") }),
  LSTM: recurrent({ gates: 4, defaults: ["Sigmoid", "Tanh", "Tanh"], hasCell: true, step: lstmStep, splitsBias: () => false }),
};
