import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "@verticil/compiler";
import { DiagnosticError, lookupFunc, type IRModule } from "@verticil/ir-core";
import { describeOnnx, importOnnx, readOnnxValue, type GivenShape, type OnnxDescription, type OnnxValue } from "@verticil/onnx";
import { interpretRelax, isRelaxFunction, type RelaxValue } from "@verticil/relax";
import { getElement, type Tensor } from "@verticil/runtime-ffi";
import { interpretable } from "../interpretable.ts";

/** Where a case runs. */
export type OnnxTarget = "interp" | "wasm";

/** What came of one case. `fixedInputs`: integer inputs whose values had to be known at compile time. */
export interface OnnxOutcome {
  /** What is wrong; undefined if nothing is. */
  readonly failure: string | undefined;
  readonly fixedInputs: number;
}

/** A tensor, the tensors of a sequence, or undefined for an optional that holds nothing. */
type Datum = Tensor | readonly Tensor[] | undefined;

interface DataSet {
  readonly inputs: readonly Datum[];
  readonly outputs: readonly Tensor[];
}

/** Runs `model.onnx` of a folder on each `test_data_set_*` beside it, as ONNX's backend tests are laid out. */
export async function runOnnxCase(folder: string, target: OnnxTarget): Promise<OnnxOutcome> {
  let fixedInputs = 0;
  try {
    const bytes = readFileSync(join(folder, "model.onnx"));
    for (const set of dataSets(folder, describeOnnx(bytes))) {
      const { actual, fixed } = await runSet(bytes, set, target);
      fixedInputs = Math.max(fixedInputs, fixed);
      const wrong = compare(set.outputs, actual);
      if (wrong !== undefined) return { failure: wrong, fixedInputs };
    }
    return { failure: undefined, fixedInputs };
  } catch (error) {
    return { failure: reasonOf(error), fixedInputs };
  }
}

function dataSets(folder: string, model: OnnxDescription): readonly DataSet[] {
  const sets = readdirSync(folder).filter((name) => name.startsWith("test_data_set_"));
  return sets.map((name) => {
    const read = (prefix: string, values: readonly OnnxValue[]): readonly Datum[] => {
      const found: Datum[] = [];
      for (let i = 0; existsSync(join(folder, name, `${prefix}_${i}.pb`)); i++) {
        found.push(readOnnxValue(readFileSync(join(folder, name, `${prefix}_${i}.pb`)), values[i] ?? { form: "tensor", isOptional: false }));
      }
      return found;
    };
    return { inputs: read("input", model.inputs), outputs: read("output", model.outputs).flatMap(tensorsOf) };
  });
}

function tensorsOf(datum: Datum): readonly Tensor[] {
  if (datum === undefined) return [];
  return "dtype" in datum ? [datum] : datum;
}

/** What the import is told of an input. */
function shapeOfDatum(datum: Datum): GivenShape {
  if (datum === undefined) return null;
  return "dtype" in datum ? datum.shape : datum.map((t) => t.shape);
}

async function runSet(bytes: Uint8Array, set: DataSet, target: OnnxTarget): Promise<{ readonly actual: readonly Tensor[]; readonly fixed: number }> {
  const data = describeOnnx(bytes).inputs.slice(0, set.inputs.length).map(({ name }, i): [string, Datum] => [name, set.inputs[i]]);
  const given = data.flatMap(([name, d]): [string, Tensor][] => (d !== undefined && "dtype" in d ? [[name, d]] : []));
  const items = data.flatMap(([name, d]) => (d === undefined || "dtype" in d ? [] : d.map((t, i): [string, Tensor] => [`${name}.${i}`, t])));
  const shapes = Object.fromEntries(data.map(([name, d]) => [name, shapeOfDatum(d)]));
  // First with nothing known but shapes; then with the values of what decides shapes.
  const integers = given.filter(([, t]) => /^u?int/.test(t.dtype) && t.shape.length <= 1);
  for (const constants of [[], integers, given]) {
    // Sizes of results may hang on values: where they are not the expected ones, the values are given next.
    const isLast = constants === given;
    try {
      const module = importOnnx(bytes, { shapes, constants: Object.fromEntries(constants) });
      const fixed = new Set(constants.map(([name]) => name));
      const inputs = [...given.filter(([name]) => !fixed.has(name)), ...items];
      const actual = await run(module, inputs, target);
      if (isLast || set.outputs.every((o, i) => o.shape.join() === actual[i]?.shape.join())) return { actual, fixed: fixed.size };
    } catch (error) {
      if (isLast || !needsValue(error)) throw error;
    }
  }
  throw new Error("internal: no attempt was made");
}

/** True if an operator's result has a size that only values tell. */
function needsValue(error: unknown): boolean {
  if (error instanceof TypeError) return /`relax\.(nonzero|unique)`/.test(error.message);
  return error instanceof DiagnosticError && error.diagnostics.some((d) => d.code === "onnx/dynamic-argument");
}

function namesOf(module: IRModule, attr: string): readonly string[] {
  const names = lookupFunc(module, "main").attrs[attr];
  return Array.isArray(names) ? names.map(String) : [];
}

async function run(module: IRModule, inputs: readonly [string, Tensor][], target: OnnxTarget): Promise<readonly Tensor[]> {
  if (target === "wasm") {
    const executable = await compile(module, { target: "wasm" });
    const model = await executable.load();
    const outputs = model.runSync(Object.fromEntries(inputs));
    model.dispose();
    return model.outputs.flatMap((o) => outputs[o.name] ?? []);
  }
  const legal = interpretable(module);
  const byName = new Map(inputs);
  const main = lookupFunc(legal, "main");
  if (!isRelaxFunction(main)) throw new TypeError("`main` is no graph function.");
  const args = namesOf(legal, "input_names").map((name) => {
    const t = byName.get(name);
    if (t === undefined) throw new RangeError(`There is no data for the input \`${name}\`.`);
    return t;
  });
  return tensors(interpretRelax(legal, args));
}

function tensors(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

// The tolerances of ONNX's own runner; half precision gets what its spacing allows.
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;

/** What differs, or undefined. */
function compare(expected: readonly Tensor[], actual: readonly Tensor[]): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} outputs instead of ${expected.length}`;
  for (const [i, e] of expected.entries()) {
    const a = actual[i];
    if (a === undefined) return `output ${i} is missing`;
    if (a.dtype !== e.dtype) return `output ${i} is ${a.dtype} instead of ${e.dtype}`;
    if (a.shape.join() !== e.shape.join()) return `output ${i} has another shape`;
    const relative = e.dtype === "float16" ? 1e-2 : e.dtype === "bfloat16" ? 5e-2 : RELATIVE;
    for (let k = 0; k < e.data.length; k++) {
      const x = Number(getElement(e, k));
      const y = Number(getElement(a, k));
      const close = Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= ABSOLUTE + relative * Math.abs(x);
      if (!close) return `output ${i} has other values`;
    }
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  const first = error instanceof DiagnosticError ? error.diagnostics[0] : undefined;
  const text = first === undefined ? (error instanceof Error ? error.message : String(error)) : `${first.code}: ${first.message}`;
  // The node's own name would keep like faults apart.
  return (text.split("\n")[0] ?? "").replace(/It is used by .*$|^(onnx\/[a-z-]+: )`[^`]*` /, "$1").slice(0, 160);
}
