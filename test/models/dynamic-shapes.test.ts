import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compile, scriptDialects } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { tensorFrom, zeros, randomTensor, type Model, type ModelValue, type Tensor } from "@verticil/runtime-ffi";
import { roundTripInstrument } from "@verticil/tvmscript";
import { fixture } from "../fixtures.ts";
import { deviations } from "./deviation.ts";
import { runReference } from "./reference.ts";

type Sizes = Readonly<Record<string, number>>;

/** A model whose sizes stay open: compiled once, run at five shapes. */
interface DynamicCase {
  readonly path: string | undefined;
  readonly sizes: readonly Sizes[];
  /** What goes into an input; random values unless told. */
  readonly input?: (value: ModelValue, shape: readonly number[], sizes: Sizes) => Tensor | undefined;
}

type Integer = ModelValue["dtype"];

const tokens = (limit: number, shape: readonly number[], dtype: Integer): Tensor =>
  tensorFrom(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7 + 3) % limit), shape, dtype);

/** Positions of new tokens after `past` ones. */
const positions = (past: number, shape: readonly number[], dtype: Integer): Tensor =>
  tensorFrom(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => past + (i % (shape[1] ?? 1))), shape, dtype);

const cases: readonly DynamicCase[] = [
  {
    path: fixture("models/stories260k/stories260K.onnx"),
    sizes: [
      { batch: 1, seq: 1, past: 0 },
      { batch: 1, seq: 7, past: 0 },
      { batch: 1, seq: 1, past: 7 },
      { batch: 2, seq: 5, past: 3 },
      { batch: 3, seq: 33, past: 1 },
    ],
    input: ({ name, dtype }, shape, { past = 0 }) => (name === "input_ids" ? tokens(512, shape, dtype) : name === "position_ids" ? positions(past, shape, dtype) : undefined),
  },
  {
    path: fixture("models/tiny-random-gpt2/past.onnx"),
    sizes: [
      { batch_size: 1, seq_len: 1, past_seq_len: 0, total_seq_len: 1 },
      { batch_size: 1, seq_len: 9, past_seq_len: 0, total_seq_len: 9 },
      { batch_size: 1, seq_len: 1, past_seq_len: 9, total_seq_len: 10 },
      { batch_size: 2, seq_len: 4, past_seq_len: 5, total_seq_len: 9 },
      { batch_size: 4, seq_len: 17, past_seq_len: 2, total_seq_len: 19 },
    ],
    input: ({ name, dtype }, shape, { past_seq_len: past = 0 }) => {
      if (name === "input_ids") return tokens(1000, shape, dtype);
      if (name === "position_ids") return positions(past, shape, dtype);
      return name === "attention_mask" ? tensorFrom(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 1), shape, dtype) : undefined;
    },
  },
  {
    path: fixture("models/yunet/yunet_n_dynamic.onnx"),
    sizes: [
      { batch: 1, height: 32, width: 32 },
      { batch: 1, height: 64, width: 96 },
      { batch: 2, height: 96, width: 32 },
      { batch: 1, height: 160, width: 128 },
      { batch: 1, height: 128, width: 224 },
    ],
    input: (value, shape) => scaled(randomTensor({ ...value, shape }, 7), 255),
  },
];

function scaled(t: Tensor, factor: number): Tensor {
  const out = zeros(t.dtype, t.shape);
  t.data.forEach((v, i) => (out.data[i] = (Number(v) * factor) as never));
  return out;
}

const TIMEOUT = 240_000;

describe.each(cases)("$path", ({ path, sizes, input }) => {
  describe.skipIf(path === undefined)(basename(path ?? "a model that is missing"), () => {
    const file = path ?? "";
    let model: Model;

    beforeAll(async () => {
      const executable = await compile(importOnnx(readFileSync(file)), { name: "model", instruments: [roundTripInstrument(scriptDialects)] });
      expect(executable.kind).toBe("vm");
      model = await executable.load();
    }, TIMEOUT);

    test.each(sizes)("gives onnxruntime's outputs at %o", async (at) => {
      const inputs = Object.fromEntries(
        model.inputs.map((v, i) => {
          const shape = v.shape.map((d) => (typeof d === "number" ? d : (at[d] ?? 1)));
          return [v.name, input?.(v, shape, at) ?? randomTensor({ ...v, shape }, i + 1)];
        }),
      );
      const expected = await runReference(file, inputs);
      const actual = await model.run(inputs);
      expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
      for (const [output, e] of Object.entries(expected)) {
        expect(deviations(actual[output], e, { absolute: 1e-4, relative: 1e-3 }).slice(0, 3), `output \`${output}\``).toEqual([]);
      }
    }, TIMEOUT);
  });
});
