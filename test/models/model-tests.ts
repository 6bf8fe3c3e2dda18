import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { compareTargets, compile, scriptDialects } from "@verticil/compiler";
import type { IRModule } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import { codeFile, isFixedValue, randomTensor, type Model, type Tensor, type FixedValue } from "@verticil/runtime-ffi";
import { roundTripInstrument } from "@verticil/tvmscript";
import { asFloat64 } from "./as-float64.ts";
import { deviations, type Tolerance } from "./deviation.ts";
import { runReference } from "./reference.ts";

/** A model to hold against onnxruntime. */
export interface ModelCase {
  /** The ONNX file; the tests are skipped where it is missing. */
  readonly path: string | undefined;
  readonly name?: string;
  /** A real input for the model's only input. */
  readonly real: (input: FixedValue) => Promise<Tensor>;
  /** What a result of the real input must show, beside agreeing with onnxruntime. */
  readonly shows?: (outputs: Readonly<Record<string, Tensor>>) => void;
  /** Random inputs are in [0, `range`): what the model is made for. */
  readonly range?: number;
  readonly tolerance?: Tolerance;
  /** Bytes that the code may take, gzipped. */
  readonly codeBudget?: number;
  /** Also hold every value of the graph against the interpreter, within this error; it is slow. */
  readonly interpreted?: number;
}

const TIMEOUT = 240_000;

/**
 * The tests of a model: it compiles with the program surviving its text form after every pass, the same input gives the
 * same bytes, and its outputs are onnxruntime's on random and real input.
 */
export function modelTests({ path, name, real, shows, range = 1, tolerance = { absolute: 1e-4, relative: 1e-3 }, codeBudget, interpreted }: ModelCase): void {
  describe.skipIf(path === undefined)(name ?? basename(path ?? "a model that is missing"), () => {
    const file = path ?? "";
    let module: IRModule;
    let model: Model;
    let code: Uint8Array;
    let exact: Model | undefined;

    beforeAll(async () => {
      module = importOnnx(readFileSync(file));
      const executable = await compile(module, { name: "model", instruments: [roundTripInstrument(scriptDialects)] });
      model = await executable.load();
      code = executable.files.get(codeFile(executable.manifest).path) as Uint8Array;
    }, TIMEOUT);

    const agrees = async (inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> => {
      const expected = await runReference(file, inputs);
      const actual = await model.run(inputs);
      expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
      const differs = Object.entries(expected).some(([output, e]) => deviations(actual[output], e, tolerance).length > 0);
      // onnxruntime sums in an order that depends on the processor, and can be farther from the truth than we are.
      const best = differs ? await inFloat64(inputs) : {};
      for (const [output, e] of Object.entries(expected)) {
        expect(deviations(actual[output], e, tolerance, best[output]).slice(0, 3), `output \`${output}\``).toEqual([]);
      }
      return actual;
    };

    /** What the model gives without rounding to 24 bits, by sums as they are written. */
    const inFloat64 = async (inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> => {
      exact ??= await loadFloat64(file);
      return exact.run(Object.fromEntries(Object.entries(inputs).map(([input, t]) => [input, widened(t)])));
    };

    const random = (seed: number): Record<string, Tensor> =>
      Object.fromEntries(model.inputs.map((spec, i) => [spec.name, scaled(randomTensor(spec, seed + i), range)]));

    test.each([1, 2])("gives onnxruntime's outputs on random input %i", async (seed) => {
      await agrees(random(seed));
    }, TIMEOUT);

    test("gives onnxruntime's outputs on real input, the second time as well", async () => {
      const [input] = model.inputs.filter(isFixedValue);
      if (input === undefined) throw new Error("The model has no input.");
      const inputs = { [input.name]: await real(input) };
      await agrees(inputs);
      const outputs = await agrees(inputs);
      shows?.(outputs);
    }, TIMEOUT);

    test.skipIf(codeBudget === undefined)("takes no more code than it may", () => {
      expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThan(codeBudget ?? 0);
    });

    test.skipIf(interpreted === undefined)("computes every value as the interpreter does", async () => {
      const { values, firstDivergence } = await compareTargets(module, random(3), ["interp", "wasm"], { tolerance: interpreted ?? 0 });
      expect(firstDivergence).toBeUndefined();
      expect(values.length).toBeGreaterThan(2);
    }, TIMEOUT);
  });
}

async function loadFloat64(file: string): Promise<Model> {
  const executable = await compile(importOnnx(asFloat64(readFileSync(file))), { name: "exact", config: { "relax.WinogradConv2D.payback_runs": 0 } });
  return executable.load();
}

function widened(t: Tensor): Tensor {
  return t.dtype === "float32" ? { ...t, dtype: "float64", data: Float64Array.from(t.data, Number) } : t;
}

function scaled(t: Tensor, range: number): Tensor {
  return t.data instanceof Float32Array ? { ...t, data: t.data.map((v) => v * range) } : t;
}
