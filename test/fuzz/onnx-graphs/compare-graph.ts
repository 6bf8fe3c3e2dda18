import { compile } from "@verticil/compiler";
import { lookupFunc } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import { interpretRelax, type RelaxValue } from "@verticil/relax";
import { getElement, type Tensor } from "@verticil/runtime-ffi";
import ort from "onnxruntime-node";
import { interpretable } from "../../interpretable.ts";
import { encodeGraph, type GraphModel } from "./graph-model.ts";

/** Where our side runs. */
export type GraphTarget = "interp" | "wasm";

/** What went wrong on one of our sides: a difference, or an error. */
export type Fault =
  | { readonly kind: "differs"; readonly target: GraphTarget; readonly output: string; readonly text: string }
  | { readonly kind: "fails"; readonly target: GraphTarget; readonly text: string };

/** What came of a graph: nothing wrong, a fault of ours, or onnxruntime does not take it. */
export type Verdict = { readonly kind: "agrees" } | Fault | { readonly kind: "refused"; readonly text: string };

type Results = ReadonlyMap<string, Tensor>;

/** The results of onnxruntime by name, without its optimizations: the operators as they are specified. */
export async function runOnnxruntime(graph: GraphModel): Promise<Results> {
  const session = await ort.InferenceSession.create(encodeGraph(graph), { logSeverityLevel: 4, graphOptimizationLevel: "disabled", intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const feeds = Object.fromEntries([...graph.inputs].map(([name, t]) => [name, new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape)]));
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, t]) => [name, { dtype: dtypeOf(t.type), shape: t.dims, data: t.data as Tensor["data"] }]));
  } finally {
    await session.release();
  }
}

function dtypeOf(type: string): Tensor["dtype"] {
  return type as Tensor["dtype"];
}

/** The results of ours by name. */
export async function runOurs(graph: GraphModel, target: GraphTarget): Promise<Results> {
  const module = importOnnx(encodeGraph(graph));
  if (target === "wasm") {
    const executable = await compile(module);
    const model = await executable.load();
    const results = model.runSync(Object.fromEntries(graph.inputs));
    model.dispose();
    return new Map(Object.entries(results));
  }
  const legal = interpretable(module);
  const names = lookupFunc(legal, "main").attrs["input_names"];
  const args = (Array.isArray(names) ? names : []).flatMap((n) => graph.inputs.get(String(n)) ?? []);
  const results = tensors(interpretRelax(legal, args));
  return new Map(graph.outputs.flatMap((name, i) => (results[i] === undefined ? [] : [[name, results[i]]])));
}

function tensors(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

/** Runs a graph in onnxruntime and on each of the targets, and compares; the first fault counts. */
export async function compareGraph(graph: GraphModel, targets: readonly GraphTarget[]): Promise<Verdict> {
  let expected: Results;
  try {
    expected = await runOnnxruntime(graph);
  } catch (e) {
    return { kind: "refused", text: firstLine(e) };
  }
  for (const target of targets) {
    const fault = await faultOn(target, graph, expected);
    if (fault !== undefined) return fault;
  }
  return { kind: "agrees" };
}

async function faultOn(target: GraphTarget, graph: GraphModel, expected: Results): Promise<Fault | undefined> {
  let actual: Results;
  try {
    actual = await runOurs(graph, target);
  } catch (e) {
    return { kind: "fails", target, text: firstLine(e) };
  }
  for (const output of graph.outputs) {
    const e = expected.get(output);
    const text = e === undefined ? undefined : difference(e, actual.get(output), graph.slack.get(output) ?? 0);
    if (text !== undefined) return { kind: "differs", target, output, text };
  }
  return undefined;
}

function difference(e: Tensor, a: Tensor | undefined, slack: number): string | undefined {
  if (a === undefined) return "there is no result";
  if (a.dtype !== e.dtype) return `the result is ${a.dtype} instead of ${e.dtype}`;
  if (a.shape.join() !== e.shape.join()) return `the shape is [${a.shape.join()}] instead of [${e.shape.join()}]`;
  for (let i = 0; i < e.data.length; i++) {
    const [x, y] = [Number(getElement(e, i)), Number(getElement(a, i))];
    const close = x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= 2 * slack;
    if (!close) return `element ${i} is ${y} instead of ${x}, and may be off by ${2 * slack}`;
  }
  return undefined;
}

function firstLine(e: unknown): string {
  return (e instanceof Error ? e.message : String(e)).split("\n").slice(0, 2).join(" ").slice(0, 300);
}
