import { compile } from "@verticil/compiler";
import { importOnnx, type ImportOptions } from "@verticil/onnx";
import { interpretRelax, type RelaxValue } from "@verticil/relax";
import { getElement, tensorFrom, type Tensor } from "@verticil/runtime-ffi";
import type { onnx } from "onnx-proto";
import ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { FLOAT, FLOAT16, graphOf, INT64, modelBytes, node, type TestTensor, type TestType } from "../../packages/onnx/src/testing/onnx-model.ts";
import { interpretable } from "../interpretable.ts";

// Models of float16: kept, they give what onnxruntime gives; widened, what it makes of the same model in float32.

type Half = "float16" | "float32";
type Feeds = Readonly<Record<string, Tensor>>;

interface Model {
  readonly what: string;
  /** The model in one of the two types, and what it is run with. */
  readonly build: (t: Half) => readonly [bytes: Uint8Array, feeds: Feeds];
}

const type = (t: Half): number => (t === "float16" ? FLOAT16 : FLOAT);
const list = (t: Half, values: readonly number[], shape: readonly number[] = [values.length]): Tensor => tensorFrom(values, shape, t);
const stored = (t: Half, values: readonly number[], shape?: readonly number[]): TestTensor => {
  const { shape: dims, data } = list(t, values, shape);
  return { dims, type: type(t), raw: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
};
const of = (t: Half, dims: readonly (number | string)[]): TestType => ({ type: type(t), dims });
const branch = (n: onnx.INodeProto): onnx.IGraphProto => graphOf({ nodes: [n], outputs: ["b"] });
const bool: TestType = { type: 9, dims: [] };
const int: TestType = { type: INT64, dims: [] };

const models: readonly Model[] = [
  { what: "a weight", build: (t) => [modelBytes({ nodes: [node("Add", ["x", "w"], ["y"])], inputs: { x: of(t, [3]) }, outputs: ["y"], initializers: { w: stored(t, [1, 2, 3]) } }), { x: list(t, [0.25, 1000, 60000]) }] },
  { what: "a constant of a node", build: (t) => [modelBytes({ nodes: [node("Constant", [], ["w"], { value: { tensor: stored(t, [1, 2, 3]) } }), node("Mul", ["x", "w"], ["y"])], inputs: { x: of(t, [3]) }, outputs: ["y"] }), { x: list(t, [0.25, 2, 3]) }] },
  { what: "products that leave the range in between", build: (t) => [modelBytes({ nodes: [node("Mul", ["x", "x"], ["h"]), node("Mul", ["h", "w"], ["y"])], inputs: { x: of(t, [3]) }, outputs: ["y"], initializers: { w: stored(t, [0.5, 2 ** -10, 2 ** -7]) } }), { x: list(t, [0.5, 1000, 300]) }] },
  { what: "to whole numbers and back", build: (t) => [modelBytes({ nodes: [node("Cast", ["x"], ["h"], { to: INT64 }), node("Cast", ["h"], ["y"], { to: type(t) })], inputs: { x: of(t, [4]) }, outputs: ["y"] }), { x: list(t, [0.9, -1.9, 2048, 100]) }] },
  { what: "sizes that are open", build: (t) => [modelBytes({ nodes: [node("Softmax", ["x"], ["y"])], inputs: { x: of(t, ["n", 3]) }, outputs: ["y"] }), { x: list(t, [1, 2, 3, 4, 6, 5], [2, 3]) }] },
  {
    what: "one of two branches",
    build: (t) => [
      modelBytes({ nodes: [node("ReduceSum", ["x"], ["s"], { keepdims: 0 }), node("Greater", ["s", "z"], ["c"]), node("If", ["c"], ["y"], { then_branch: { graph: branch(node("Exp", ["x"], ["b"])) }, else_branch: { graph: branch(node("Neg", ["x"], ["b"])) } })], inputs: { x: of(t, [3]) }, outputs: ["y"], initializers: { z: stored(t, [0], []) } }),
      { x: list(t, [0.5, 1, 2]) },
    ],
  },
  {
    what: "a loop's state",
    build: (t) => {
      const body = graphOf({ nodes: [node("Add", ["p", "p"], ["q"]), node("Identity", ["going"], ["on"])], inputs: { i: int, going: bool, p: of(t, [2]) }, outputs: ["on", "q"] });
      return [modelBytes({ nodes: [node("Loop", ["k", "", "x"], ["h"], { body: { graph: body } }), node("Mul", ["h", "x"], ["y"])], inputs: { k: int, x: of(t, [2]) }, outputs: ["y"] }), { k: tensorFrom([3n], [], "int64"), x: list(t, [1, 2]) }];
    },
  },
  { what: "positions that depend on it", build: (t) => [modelBytes({ nodes: [node("NonZero", ["x"], ["n"]), node("Transpose", ["n"], ["m"]), node("GatherND", ["x", "m"], ["g"]), node("Mul", ["g", "g"], ["y"])], inputs: { x: of(t, [4]) }, outputs: ["y"] }), { x: list(t, [2, 0, 2, 3]) }] },
  { what: "parts put together", build: (t) => [modelBytes({ nodes: [node("Split", ["x"], ["a", "b"], { axis: 0 }), node("Concat", ["b", "a"], ["y"], { axis: 0 })], inputs: { x: of(t, [4]) }, outputs: ["y"] }), { x: list(t, [2, 0, 2, 3]) }] },
];

const shown = (t: Tensor): readonly (string | number)[] => [t.dtype, ...t.shape, ...Array.from({ length: t.data.length }, (_, i) => Number(Number(getElement(t, i)).toPrecision(4)))];

async function theirs(bytes: Uint8Array, feeds: Feeds): Promise<readonly (string | number)[]> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([k, t]) => [k, new ort.Tensor(t.dtype as "float32", t.data as Float32Array, t.shape)])));
  const y = results["y"];
  if (y === undefined || (y.type !== "float16" && y.type !== "float32")) throw new Error("onnxruntime gave another type");
  const data = y.data as Float32Array | Uint16Array;
  return shown({ dtype: y.type, shape: y.dims, data: y.type === "float16" ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data });
}

function first(value: RelaxValue): Tensor {
  if (typeof value !== "object" || !("dtype" in value)) throw new Error("one tensor is expected");
  return value;
}

async function ours(bytes: Uint8Array, feeds: Feeds, options: ImportOptions = {}): Promise<readonly (readonly (string | number)[])[]> {
  const interpreted = first(interpretRelax(interpretable(importOnnx(bytes, options)), Object.values(feeds)));
  const model = await (await compile(importOnnx(bytes, options), { target: "wasm" })).load();
  const { y } = await model.run(feeds);
  model.dispose();
  return [interpreted, ...(y === undefined ? [] : [y])].map(shown);
}

describe.each(models)("$what", ({ build }) => {
  test("kept", async () => {
    const [bytes, feeds] = build("float16");
    const expected = await theirs(bytes, feeds);
    expect(expected[0]).toBe("float16");
    expect(await ours(bytes, feeds)).toEqual([expected, expected]);
  });

  test("widened", async () => {
    const [plain, feeds] = build("float32");
    const expected = await theirs(plain, feeds);
    expect(await ours(build("float16")[0], feeds, { float16: "widen" })).toEqual([expected, expected]);
  });
});

const cast = modelBytes({ nodes: [node("Cast", ["x"], ["h"], { to: FLOAT16 }), node("Cast", ["h"], ["y"], { to: FLOAT })], inputs: { x: [4] }, outputs: ["y"] });
const numbers = { x: list("float32", [0.1, 70000, 1e-9, -3.14159]) };

test("what is cast to float16 is rounded, and may leave its range", async () => {
  const expected = await theirs(cast, numbers);
  expect(await ours(cast, numbers)).toEqual([expected, expected]);
});

test("it is not where float16 is widened", async () => {
  expect(await ours(cast, numbers, { float16: "widen" })).toEqual([shown(numbers.x), shown(numbers.x)]);
});

test("an input that is given a value is widened too", async () => {
  const [bytes] = models[0]?.build("float16") ?? [];
  const module = importOnnx(bytes ?? new Uint8Array(), { float16: "widen", constants: { x: list("float16", [1, 2, 3]) } });
  expect(shown(first(interpretRelax(interpretable(module), [])))).toEqual(["float32", 3, 2, 4, 6]);
});
