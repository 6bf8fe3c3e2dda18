// An external code generator, written with public entries only: WebNN-style operand graphs as JSON, and a function of the
// runtime that carries one out.
import { isRelaxFunction, staticShapeOf, type Call, type Constant, type Expr, type ExternalCodegen, type Function, type FusionPattern } from "@verticil/relax";
import { hasShape, isCall, wildcard } from "@verticil/relax/dpl";
import type { Tensor } from "@verticil/runtime-ffi";

/** One step of a graph: an operation of WebNN on numbered operands. */
interface Step {
  readonly op: string;
  readonly inputs: readonly number[];
  readonly shape: readonly number[];
}

/** Operands by number: the inputs, then the constants, then the steps' results; the last is the output. */
export interface WebnnGraph {
  readonly symbol: string;
  readonly inputs: number;
  readonly constants: readonly string[];
  readonly steps: readonly Step[];
}

const operations: ReadonlyMap<string, string> = new Map([
  ["relax.matmul", "matmul"],
  ["relax.add", "add"],
  ["relax.nn.relu", "relu"],
]);

const gemm = isCall("relax.matmul", [hasShape(wildcard(), [2, 3]), wildcard()]);

/** What the backend takes: a product, with a bias and a rectifier if they follow. */
export const webnnPatterns: readonly FusionPattern[] = [
  { name: "webnn.gemm_relu", pattern: isCall("relax.nn.relu", [isCall("relax.add", [gemm, wildcard()])]) },
  { name: "webnn.gemm", pattern: isCall("relax.add", [gemm, wildcard()]) },
];

/** Writes each function as a graph. */
export const webnnCodegen: ExternalCodegen = (functions, _options, names) => functions.map((f) => ({ format: "webnn.graph", symbols: [symbolOf(f)], source: JSON.stringify(graphOf(f, names)) }));

function symbolOf(func: Function): string {
  return String(func.attrs["global_symbol"]);
}

function graphOf(func: Function, names: ReadonlyMap<Constant, string>): WebnnGraph {
  const inner = compositeOf(func);
  const constants: Constant[] = [];
  const steps: Step[] = [];
  const bindings = inner.body.kind === "relax.SeqExpr" ? inner.body.blocks.flatMap((b) => b.bindings) : [];
  const collect = (e: Expr): void => {
    if (e.kind === "relax.Constant" && !constants.includes(e)) constants.push(e);
  };
  const calls = bindings.map((b) => b.value).filter((v): v is Call => v.kind === "relax.Call");
  for (const call of calls) call.args.forEach(collect);
  const numberOf = (e: Expr): number => {
    const param = inner.params.findIndex((p) => p === e);
    if (param >= 0) return param;
    if (e.kind === "relax.Constant") return inner.params.length + constants.indexOf(e);
    return inner.params.length + constants.length + bindings.findIndex((b) => b.var === e);
  };
  for (const call of calls) {
    const op = call.op.kind === "ir.Op" ? operations.get(call.op.name) : undefined;
    if (op === undefined) throw new RangeError("The backend does not have this operation.");
    steps.push({ op, inputs: call.args.map(numberOf), shape: staticShapeOf(call.structInfo) ?? [] });
  }
  return { symbol: symbolOf(func), inputs: inner.params.length, constants: constants.map((c) => names.get(c) ?? ""), steps };
}

function compositeOf(func: Function): Function {
  const bindings = func.body.kind === "relax.SeqExpr" ? func.body.blocks.flatMap((b) => b.bindings) : [];
  const local = bindings.map((b) => b.value).find((v) => v.kind === "relax.Function");
  if (local?.kind !== "relax.Function" || !isRelaxFunction(local)) throw new RangeError("The function holds no composite function.");
  return local;
}

/** A function of the runtime that carries a graph out: takes the inputs, and fills the last argument. */
export function webnnRuntime(source: string, constants: ReadonlyMap<string, Tensor>): (args: readonly unknown[]) => undefined {
  const graph = JSON.parse(source) as WebnnGraph;
  return (args) => {
    const tensors = args as readonly Tensor[];
    const operands: Operand[] = tensors.slice(0, graph.inputs).map(operandOf);
    for (const name of graph.constants) {
      const c = constants.get(name);
      if (c !== undefined) operands.push(operandOf(c));
    }
    for (const { op, inputs, shape } of graph.steps) operands.push(compute(op, inputs.flatMap((i) => operands[i] ?? []), shape));
    const out = tensors[tensors.length - 1];
    const result = operands[operands.length - 1];
    if (out !== undefined && result !== undefined) (out.data as Float32Array).set(result.data);
    return undefined;
  };
}

interface Operand {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

function operandOf(t: Tensor): Operand {
  return { data: t.data as Float32Array, shape: t.shape };
}

function compute(op: string, [a, b]: readonly Operand[], shape: readonly number[]): Operand {
  const [rows = 1, columns = 1] = shape;
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < data.length; i++) {
    const [r, c] = [Math.floor(i / columns), i % columns];
    if (op === "relu") data[i] = Math.max(a?.data[i] ?? 0, 0);
    else if (op === "add") data[i] = (a?.data[i] ?? 0) + (b?.data[(b.data.length === columns ? c : i)] ?? 0);
    else {
      const depth = a?.shape[1] ?? 0;
      for (let k = 0; k < depth; k++) data[i] = (data[i] ?? 0) + (a?.data[r * depth + k] ?? 0) * (b?.data[k * columns + c] ?? 0);
    }
  }
  return { data, shape };
}
