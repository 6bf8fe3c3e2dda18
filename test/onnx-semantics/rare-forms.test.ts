import { tensorFrom } from "@verticil/runtime-ffi";
import { drawn, floats, whole } from "./drawn.ts";
import { holdToOnnxruntime, type NamedCase } from "./hold-to-onnxruntime.ts";

// Attributes that models seldom have, of operators that they often have.

const x = drawn([2, 3, 4]);
const positive = floats(Array.from({ length: 24 }, (_, i) => i + 1), [2, 3, 4]);

const reductions = ["ReduceSum", "ReduceMax", "ReduceL2", "ReduceLogSum"].flatMap((op) =>
  [0, 1].flatMap((noop_with_empty_axes) =>
    [0, 1].flatMap((keepdims): readonly NamedCase[] => {
      const data = op === "ReduceLogSum" ? positive : x;
      const what = `${noop_with_empty_axes === 1 ? "of nothing" : "of all"}${keepdims === 1 ? ", kept" : ""}`;
      const attrs = { noop_with_empty_axes, keepdims };
      return [
        { op, what: `${what}, empty axes`, inputs: [data, whole([])], stored: [1], attrs, opset: 18 },
        { op, what: `${what}, no axes`, inputs: [data], attrs, opset: 18 },
      ];
    }),
  ),
);

const ties = tensorFrom([1, 3, 3, 0, 0, 2, 5, 5, 5], [3, 3], "float32");
const searches = [0, 1].flatMap((keepdims) => [0, 1].flatMap((select_last_index) => ["ArgMax", "ArgMin"].map((op): NamedCase => ({ op, what: `kept ${keepdims}, last ${select_last_index}`, inputs: [ties], attrs: { axis: 1, keepdims, select_last_index } }))));
const sums = [0, 1].flatMap((exclusive) => [0, 1].map((reverse): NamedCase => ({ op: "CumSum", what: `exclusive ${exclusive}, reverse ${reverse}`, inputs: [drawn([2, 5]), whole([1], [])], stored: [1], attrs: { exclusive, reverse } })));

const scattered = ["none", "add", "mul", "max", "min"].flatMap((reduction): readonly NamedCase[] => [
  { op: "ScatterElements", what: reduction, inputs: [drawn([3, 3]), whole(reduction === "none" ? [0, 1, 2, 2, 0, 1] : [0, 1, 1, 2, 0, 1], [2, 3]), drawn([2, 3], "float32", 3)], attrs: { reduction, axis: 0 }, opset: 18 },
  { op: "ScatterND", what: reduction, inputs: [drawn([4, 3]), whole(reduction === "none" ? [1, 3, 0] : [1, 3, 1], [3, 1]), drawn([3, 3], "float32", 3)], attrs: { reduction }, opset: 18 },
]);

const equations: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "ij,jk->ik": [[2, 3], [3, 4]], "ij,jk": [[2, 3], [3, 4]], "bij,bjk->bik": [[2, 2, 3], [2, 3, 2]], "ii->i": [[3, 3]], "ii->": [[3, 3]], "ij->ji": [[2, 3]],
  "...ij,...jk->...ik": [[2, 2, 2, 3], [2, 2, 3, 2]], "i,j->ij": [[2], [3]], "ij,ij->": [[2, 3], [2, 3]], "ij->i": [[2, 3]], "bhqd,bhkd->bhqk": [[1, 2, 3, 4], [1, 2, 2, 4]],
};
const products = Object.entries(equations).map(([equation, shapes]): NamedCase => ({ op: "Einsum", what: equation, inputs: shapes.map((s, i) => drawn(s, "float32", i + 1)), attrs: { equation } }));

const pads = ["constant", "reflect", "edge", "wrap"].flatMap((mode) => [[1, 2, 2, 1], [0, -1, 1, -1], [-1, 1, 0, 2]].map((p): NamedCase => ({ op: "Pad", what: `${mode}, ${p}`, inputs: [drawn([4, 5]), whole(p)], stored: [1], attrs: { mode }, opset: 19 })));

const uniques = [0, 1].flatMap((sorted): readonly NamedCase[] => [
  { op: "Unique", what: `of all, sorted ${sorted}`, inputs: [floats([2, 1, 1, 3, 4, 3, 2])], outputs: 4, attrs: { sorted } },
  ...[0, 1].map((axis) => ({ op: "Unique", what: `axis ${axis}, sorted ${sorted}`, inputs: [floats([1, 0, 0, 1, 0, 0, 2, 3, 4], [3, 3])], outputs: 4, attrs: { sorted, axis } })),
]);

const boxes = [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101];
const flipped = [1, 1, 0, 0, 0, 0.1, 1, 1.1, 0, 0.9, 1, -0.1, 0, 10, 1, 11, 1, 10.1, 0, 11.1, 1, 101, 0, 100];
const suppression = (what: string, corners: readonly number[], centred: number): NamedCase => ({
  op: "NonMaxSuppression", what, inputs: [floats(corners, [1, 6, 4]), floats([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], [1, 1, 6]), whole([3]), floats([0.5]), floats([0.4])], attrs: { center_point_box: centred },
});

holdToOnnxruntime([
  ...reductions,
  ...searches,
  ...sums,
  ...scattered,
  ...products,
  ...pads,
  ...uniques,
  ...[0, 1].map((largest): NamedCase => ({ op: "TopK", what: `largest ${largest}, with ties`, inputs: [floats([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [2, 6]), whole([3])], stored: [1], outputs: 2, attrs: { largest } })),
  ...[0, 1].flatMap((detect_positive) => [0, 1].map((detect_negative): NamedCase => ({ op: "IsInf", what: `above ${detect_positive}, below ${detect_negative}`, inputs: [floats([1, Infinity, -Infinity, NaN])], attrs: { detect_positive, detect_negative } }))),
  suppression("corners", boxes, 0),
  suppression("corners in any order", flipped, 0),
  suppression("centres", boxes, 1),
]);
