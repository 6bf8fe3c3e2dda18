import { tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import type { TestAttribute } from "../../packages/onnx/src/testing/onnx-model.ts";
import { drawn, floats } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// What recurrent layers are told and seldom are: activations with numbers of their own, limits, lengths, peepholes.

const HIDDEN = 3;
const gates = { RNN: 1, GRU: 3, LSTM: 4 } as const;
type Op = keyof typeof gates;

const quarter = (t: Tensor): Tensor => floats(Array.from({ length: t.data.length }, (_, i) => Number(t.data[i]) / 4), t.shape);
const lengths = (...values: readonly number[]): Tensor => tensorFrom(values, [values.length], "int32");
const state = (directions: number, seed: number): Tensor => quarter(drawn([directions, 2, HIDDEN], "float32", seed));

/** A layer of four steps and two rows; `more` are its inputs from the bias on. */
function layer(op: Op, what: string, attrs: Readonly<Record<string, TestAttribute>>, more: readonly (Tensor | undefined)[] = []): NamedCase {
  const directions = attrs["direction"] === "bidirectional" ? 2 : 1;
  const weights = [2, 3].map((seed) => quarter(drawn([directions, gates[op] * HIDDEN, HIDDEN], "float32", seed)));
  return { op, what, inputs: [quarter(drawn([4, 2, 3])), ...weights, ...more], outputs: op === "LSTM" ? 3 : 2, attrs: { hidden_size: HIDDEN, ...attrs }, opset: 14 };
}

const bias = (op: Op, directions = 1): Tensor => quarter(drawn([directions, 2 * gates[op] * HIDDEN], "float32", 5));
const strings = (...names: readonly string[]): TestAttribute => ({ strings: names });
const numbers = (...values: readonly number[]): TestAttribute => ({ floats: values });
const limit = (float: number): TestAttribute => ({ float });

const activations = [
  ...["Affine", "ScaledTanh", "HardSigmoid"].map((name) => layer("RNN", name, { activations: strings(name), activation_alpha: numbers(0.4), activation_beta: numbers(0.3) })),
  ...["LeakyRelu", "ThresholdedRelu", "Elu"].map((name) => layer("RNN", name, { activations: strings(name), activation_alpha: numbers(0.4) })),
  ...["Relu", "Tanh", "Sigmoid", "Softsign", "Softplus", "LeakyRelu", "HardSigmoid", "Elu"].map((name) => layer("RNN", `${name}, as it is`, { activations: strings(name) })),
  layer("LSTM", "numbers for the second and third activation", { activations: strings("Sigmoid", "LeakyRelu", "HardSigmoid"), activation_alpha: numbers(0.4, 0.3), activation_beta: numbers(0.6) }),
  layer("GRU", "numbers for some activations of both ways", {
    direction: "bidirectional", activations: strings("Sigmoid", "LeakyRelu", "HardSigmoid", "ScaledTanh"), activation_alpha: numbers(0.4, 0.3, 0.9), activation_beta: numbers(0.6, 0.8),
  }),
];

const every = (["RNN", "GRU", "LSTM"] as const).flatMap((op): readonly NamedCase[] => [
  layer(op, "a limit", { clip: limit(0.3) }),
  layer(op, "a limit, both ways, with biases", { clip: limit(0.25), direction: "bidirectional" }, [bias(op, 2)]),
  layer(op, "lengths, both ways", { direction: "bidirectional" }, [undefined, lengths(2, 4)]),
  layer(op, "a row of no length", {}, [undefined, lengths(0, 3)]),
  layer(op, "all rows short", {}, [undefined, lengths(2, 3)]),
  layer(op, "reverse, lengths and a state", { direction: "reverse" }, [bias(op), lengths(1, 3), state(1, 6), ...(op === "LSTM" ? [state(1, 7)] : [])]),
]);

const peepholes = quarter(drawn([1, 3 * HIDDEN], "float32", 8));

holdToOnnxruntime([
  ...activations,
  ...every,
  layer("GRU", "reset after the product", { linear_before_reset: 1 }, [bias("GRU")]),
  layer("GRU", "reset after the product, and a limit", { linear_before_reset: 1, clip: limit(0.2) }, [bias("GRU")]),
  layer("LSTM", "input and forget gate in one", { input_forget: 1 }),
  layer("LSTM", "peepholes and a limit", { clip: limit(0.5) }, [bias("LSTM"), undefined, state(1, 6), state(1, 7), peepholes]),
  layer("LSTM", "peepholes, input and forget gate in one", { input_forget: 1 }, [bias("LSTM"), undefined, undefined, undefined, peepholes]),
]);
