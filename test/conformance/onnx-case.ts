import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, compileContext, graphPhase } from "@verticil/compiler";
import { DiagnosticError, lookupFunc, sequential, throwIfErrors, type IRModule } from "@verticil/ir-core";
import { describeOnnx, importOnnx, readOnnxTensor } from "@verticil/onnx";
import { deadCodeElimination, interpretRelax, isRelaxFunction, legalizeOps, type RelaxValue } from "@verticil/relax";
import { getElement, type Tensor } from "@verticil/runtime-ffi";
import { infiniteIdentities } from "@verticil/tir";

/** Where a case runs. */
export type OnnxTarget = "interp" | "wasm";

/** What came of one case. `fixedInputs`: integer inputs whose values had to be known at compile time. */
export interface OnnxOutcome {
  /** What is wrong; undefined if nothing is. */
  readonly failure: string | undefined;
  readonly fixedInputs: number;
}

interface DataSet {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
}

/** Runs `model.onnx` of a folder on each `test_data_set_*` beside it, as ONNX's backend tests are laid out. */
export async function runOnnxCase(folder: string, target: OnnxTarget): Promise<OnnxOutcome> {
  let fixedInputs = 0;
  try {
    const bytes = readFileSync(join(folder, "model.onnx"));
    for (const set of dataSets(folder)) {
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

function dataSets(folder: string): readonly DataSet[] {
  const sets = readdirSync(folder).filter((name) => name.startsWith("test_data_set_"));
  return sets.map((name) => {
    const read = (prefix: string): readonly Tensor[] => {
      const found: Tensor[] = [];
      for (let i = 0; existsSync(join(folder, name, `${prefix}_${i}.pb`)); i++) {
        found.push(readOnnxTensor(readFileSync(join(folder, name, `${prefix}_${i}.pb`))));
      }
      return found;
    };
    return { inputs: read("input"), outputs: read("output") };
  });
}

async function runSet(bytes: Uint8Array, set: DataSet, target: OnnxTarget): Promise<{ readonly actual: readonly Tensor[]; readonly fixed: number }> {
  const names = describeOnnx(bytes).inputs.map((i) => i.name);
  const given = names.flatMap((name, i): [string, Tensor][] => {
    const t = set.inputs[i];
    return t === undefined ? [] : [[name, t]];
  });
  const shapes = Object.fromEntries(given.map(([name, t]) => [name, t.shape]));
  // First with nothing known but shapes; then with the values of what decides shapes.
  const integers = given.filter(([, t]) => /^u?int/.test(t.dtype) && t.shape.length <= 1);
  for (const constants of [[], integers, given]) {
    // Sizes of results may hang on values: where they are not the expected ones, the values are given next.
    const isLast = constants === given;
    try {
      const module = importOnnx(bytes, { shapes, constants: Object.fromEntries(constants) });
      const fixed = new Set(constants.map(([name]) => name));
      const inputs = given.filter(([name]) => !fixed.has(name));
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
  const ctx = compileContext();
  const legal = sequential("interpretable", [graphPhase(), legalizeOps(), infiniteIdentities(), deadCodeElimination()]).run(module, ctx);
  throwIfErrors(ctx.diagnostics);
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
  if (actual.length < expected.length) return `${actual.length} outputs instead of ${expected.length}`;
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
