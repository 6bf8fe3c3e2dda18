import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { interpretRelax, type RelaxValue } from "@verticil/relax";
import { getElement, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import ort from "onnxruntime-node";
import { interpretable } from "../interpretable.ts";
import { elementType, modelBytes, node, type TestAttribute } from "../../packages/onnx/src/testing/onnx-model.ts";

/** One node, its inputs in order; undefined for one that is left out. */
export interface NodeCase {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  /** The inputs that are stored in the model, by position: none unless told. */
  readonly stored?: readonly number[];
  readonly attrs?: Readonly<Record<string, TestAttribute>>;
  /** 1 unless told. */
  readonly outputs?: number;
  /** 21 unless told. */
  readonly opset?: number;
  /** That of the standard unless told. */
  readonly domain?: string;
}

/** The outputs as text that tells types, shapes, infinities and NaN apart; floats to 4 digits, both zeros as one. */
export type Outcome = readonly string[];

/** The outputs of a node by onnxruntime, by our interpreter, and compiled to WebAssembly. */
export interface Outcomes {
  readonly theirs: Outcome;
  readonly interpreted: Outcome;
  readonly compiled: Outcome;
}

function bytesOf(t: Tensor): Uint8Array {
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}

interface Model {
  readonly bytes: Uint8Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** A model of nodes beside each other, all of one operator set, and what it is run with. */
export function modelOf(cases: readonly NodeCase[]): Model {
  const named = cases.map((c, k) => c.inputs.map((t, i) => ({ name: t === undefined ? "" : `x${k}_${i}`, t, isStored: c.stored?.includes(i) === true })));
  const all = named.flat();
  const feeds = Object.fromEntries(all.flatMap(({ name, t, isStored }) => (t === undefined || isStored ? [] : [[name, t] as const])));
  const stored = all.flatMap(({ name, t, isStored }) => (t === undefined || !isStored ? [] : [[name, { dims: t.shape, type: elementType(t.dtype), raw: bytesOf(t) }] as const]));
  const outputs = cases.map((c, k) => Array.from({ length: c.outputs ?? 1 }, (_, i) => `y${k}_${i}`));
  const bytes = modelBytes({
    nodes: cases.map((c, k) => ({ ...node(c.op, named[k]?.map((n) => n.name) ?? [], outputs[k] ?? [], c.attrs), domain: c.domain ?? "" })),
    inputs: Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, { type: elementType(t.dtype), dims: t.shape }])),
    outputs: outputs.flat(),
    initializers: Object.fromEntries(stored),
    opset: Math.max(...cases.map(opsetOf)),
  });
  return { bytes, feeds };
}

function opsetOf(c: NodeCase): number {
  return c.opset ?? 21;
}

function text(dtype: ScalarDType, shape: readonly number[], values: readonly (number | bigint)[]): string {
  const shown = values.map((v) => (typeof v === "bigint" || Number.isInteger(v) ? String(v) : Number.isFinite(v) ? rounded(v) : String(v)));
  return `${dtype}[${shape.join(", ")}] ${shown.join(" ")}`.trimEnd();
}

/** To 4 digits, and what is next to nothing as nothing. */
function rounded(v: number): string {
  return Math.abs(v) < 2e-6 ? "0" : Number(v.toPrecision(4)).toString();
}

function outcome(tensors: readonly Tensor[]): Outcome {
  return tensors.map((t) => text(t.dtype, t.shape, Array.from({ length: t.shape.reduce((a, b) => a * b, 1) }, (_, i) => getElement(t, i))));
}

async function byOnnxruntime(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Outcome> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4, graphOptimizationLevel: "disabled", intraOpNumThreads: 1 });
  try {
    const given = Object.fromEntries(Object.entries(feeds).map(([k, t]) => [k, new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape)]));
    const results = await session.run(given);
    return outcome(session.outputNames.flatMap((name) => {
      const t = results[name];
      return t === undefined ? [] : [{ dtype: t.type as ScalarDType, shape: t.dims, data: t.data as Tensor["data"] }];
    }));
  } finally {
    await session.release();
  }
}

function tensorsOf(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensorsOf);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

function byInterpreter(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Outcome {
  return outcome(tensorsOf(interpretRelax(interpretable(importOnnx(bytes)), Object.values(feeds))));
}

async function byWasm(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Outcome> {
  const model = await (await compile(importOnnx(bytes))).load();
  const results = outcome(Object.values(model.runSync(feeds)));
  model.dispose();
  return results;
}

/** As many nodes as are compiled in one model: many take less time than each alone, too many more. */
const TOGETHER = 24;

function groups(cases: readonly NodeCase[]): readonly (readonly NodeCase[])[] {
  return [...new Set(cases.map(opsetOf))].flatMap((opset) => {
    const own = cases.filter((c) => opsetOf(c) === opset);
    return Array.from({ length: Math.ceil(own.length / TOGETHER) }, (_, k) => own.slice(k * TOGETHER, (k + 1) * TOGETHER));
  });
}

/** Runs nodes three ways, some of one operator set in a model; gives what came of each. @throws Error if onnxruntime refuses one. */
export async function runNodes(cases: readonly NodeCase[]): Promise<readonly Outcomes[]> {
  const results = new Map<NodeCase, Outcomes>();
  for (const group of groups(cases)) {
    const { bytes, feeds } = modelOf(group);
    const [theirs, interpreted, compiled] = [await byOnnxruntime(bytes, feeds), byInterpreter(bytes, feeds), await byWasm(bytes, feeds)];
    let at = 0;
    for (const c of group) {
      const own = (all: Outcome): Outcome => all.slice(at, at + (c.outputs ?? 1));
      results.set(c, { theirs: own(theirs), interpreted: own(interpreted), compiled: own(compiled) });
      at += c.outputs ?? 1;
    }
  }
  return cases.flatMap((c) => results.get(c) ?? []);
}

/** Runs one node three ways. */
export async function runNode(c: NodeCase): Promise<Outcomes> {
  const [only] = await runNodes([c]);
  if (only === undefined) throw new Error("internal: a node without an outcome");
  return only;
}
