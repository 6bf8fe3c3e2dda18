import { parse } from "@verticil/tvmscript";
import { tir, type PrimFunc } from "@verticil/tir";
import { expect, test } from "vitest";
import * as nn from "./index.ts";
import { traced } from "./testing/traced.ts";

const x = nn.spec.tensor(["n", 8]);

test.each<[string, (x: nn.Tensor) => nn.Tensor]>([
  ["exp", nn.exp],
  ["negative", nn.negative],
  ["sigmoid", nn.sigmoid],
  ["nn.softplus", (t) => nn.softplus(t, 2)],
  ["sqrt", nn.sqrt],
  ["square", nn.square],
  ["tanh", nn.tanh],
  ["maximum", (t) => nn.maximum(t, 0)],
  ["minimum", (t) => nn.minimum(1, t)],
  ["less", (t) => nn.less(t, 0)],
  ["less_equal", (t) => nn.lessEqual(t, 0)],
  ["greater", (t) => nn.greater(t, 0)],
  ["greater_equal", (t) => nn.greaterEqual(t, 0)],
  ["equal", (t) => nn.equal(t, t)],
  ["not_equal", (t) => nn.notEqual(t, t)],
  ["nn.gelu_tanh", (t) => nn.gelu(t, "tanh")],
  ["cumsum", (t) => nn.cumsum(t, 1)],
  ["sort", (t) => nn.sort(t)],
  ["argsort", (t) => nn.argsort(t, 0, true)],
  ["triu", (t) => nn.triu(t, 1)],
  ["ccl.allreduce", (t) => nn.cclAllreduce(t, "max")],
  ["ccl.broadcast_from_worker0", nn.cclBroadcastFromWorker0],
])("%s keeps the shape", (name, f) => expect(traced([x], f)).toEqual({ ops: [name], shape: "n,8" }));

test.each<[string, string, (x: nn.Tensor) => nn.Tensor]>([
  ["expand_dims", "n,1,8", (t) => nn.unsqueeze(t, 1)],
  ["concat", "n,16", (t) => nn.concat([t, t], -1)],
  ["split", "n,4", (t) => nn.chunk(t, 2, 1)[1]!],
  ["repeat", "n,24", (t) => nn.repeat(t, 3, 1)],
  ["permute_dims", "8,n", (t) => nn.permute(t, [1, 0])],
  ["nn.pad", "n,11", (t) => nn.pad(t, [0, 0, 1, 2])],
  ["builtin.alloc_tensor", "3,4", (t) => nn.empty(t, [3, 4])],
  ["sum", "n", (t) => nn.sum(t, 1)],
  ["mean", "n,1", (t) => nn.mean(t, [1], true)],
  ["max", "", (t) => nn.max(t)],
  ["min", "8", (t) => nn.min(t, 0)],
  ["topk", "n,3", (t) => nn.topk(t, 3)[1]],
  ["full", "2,3", (t) => nn.full(t, [2, 3], 7)],
  ["zeros", "n,2", (t) => nn.zeros(t, [nn.sizeOf(t, 0), 2])],
  ["ones", "4", (t) => nn.ones(t, [4], "int32")],
])("%s gives [%s]", (name, shape, f) => expect(traced([x], f)).toEqual({ ops: [name], shape }));

test("squeeze and broadcastTo undo and repeat a dimension of size 1", () => {
  const column = nn.spec.tensor(["n", 1]);
  expect(traced([column], (t) => nn.squeeze(t))).toEqual({ ops: ["squeeze"], shape: "n" });
  expect(traced([column], (t) => nn.broadcastTo(t, [nn.sizeOf(t, 0), 5]))).toEqual({ ops: ["broadcast_to"], shape: "n,5" });
});

test("a condition that is no boolean becomes one", () => {
  expect(traced([x], (t) => nn.where(nn.greater(t, 0), t, t)).ops).toEqual(["greater", "where"]);
  expect(traced([x], (t) => nn.where(t, t, t)).ops).toEqual(["astype", "where"]);
});

test("convolutions add a bias a channel", () => {
  const [line, image, volume] = [nn.spec.tensor([1, 4, 9]), nn.spec.tensor([1, 4, 9, 9]), nn.spec.tensor([1, 4, 9, 9, 9])];
  const layer = (ndim: number): readonly string[] => [`nn.conv${ndim}d`, "reshape", "add"];
  const w = (...kernel: readonly number[]): nn.ArgSpec => nn.spec.tensor([6, 2, ...kernel]);
  const bias = nn.spec.tensor([6]);
  const opts = { stride: 2, padding: 1, groups: 2 };
  expect(traced([line, w(3), bias], (t, k, b) => nn.conv1d(t!, k!, b, opts))).toEqual({ ops: layer(1), shape: "1,6,5" });
  expect(traced([image, w(3, 3), bias], (t, k, b) => nn.conv2d(t!, k!, b, opts))).toEqual({ ops: layer(2), shape: "1,6,5,5" });
  expect(traced([volume, w(3, 3, 3), bias], (t, k, b) => nn.conv3d(t!, k!, b, opts))).toEqual({ ops: layer(3), shape: "1,6,5,5,5" });
  const turned = nn.spec.tensor([4, 6, 3]);
  expect(traced([line, turned], (t, k) => nn.conv1dTranspose(t!, k!, undefined, { stride: 2, outputPadding: 1 }))).toEqual({ ops: ["nn.conv1d_transpose"], shape: "1,6,20" });
});

test("images are resized to a size or by a factor", () => {
  const image = nn.spec.tensor([1, 3, 4, 6]);
  expect(traced([image], (t) => nn.interpolate(t, { scaleFactor: 2 })).shape).toBe("1,3,8,12");
  expect(traced([image], (t) => nn.interpolate(t, { size: [5, 7], mode: "bilinear" })).shape).toBe("1,3,5,7");
  expect(() => traced([image], (t) => nn.interpolate(t, {}))).toThrow("`size` or a `scaleFactor`");
  expect(() => traced([nn.spec.tensor([1, 3, "h", 6])], (t) => nn.interpolate(t, { scaleFactor: 2 }))).toThrow("give `size` instead");
});

test("groups are normalized with weights, or with ones and zeros", () => {
  const image = nn.spec.tensor([1, 6, 4, 4]);
  expect(traced([image], (t) => nn.groupNorm(t, 3))).toEqual({ ops: ["nn.group_norm"], shape: "1,6,4,4" });
  expect(() => new nn.GroupNorm(4, 6)).toThrow("6 channels do not fall into 4 groups");
});

test("what all workers gather is as long as they are many", () => {
  expect(traced([nn.spec.tensor([3, 4])], (t) => nn.cclAllgather(t, 2))).toEqual({ ops: ["ccl.allgather"], shape: "6,4" });
});

test("a tensor program and a function of the host are called with what they write to", () => {
  const twice = parse(
    `
@T.prim_func
def twice(x: T.Buffer((4,), "float32"), y: T.Buffer((4,), "float32")):
    for i in range(4):
        y[i] = x[i] * T.float32(2)
`,
    { dialects: [tir] },
  );
  const func = [...twice.functions.values()][0] as PrimFunc;
  const four = nn.spec.tensor([4]);
  expect(traced([four], (t) => nn.tensorIrOp(func, "twice", [t], [{ shape: [4], dtype: "float32" }])[0]!)).toEqual({ ops: ["call_tir"], shape: "4" });
  expect(traced([four], (t) => nn.tensorIrInplaceOp(func, "twice", [t, t], [1], [{ shape: [4], dtype: "float32" }])[0]!)).toEqual({ ops: ["call_tir_inplace"], shape: "4" });
  expect(traced([x], (t) => nn.extern("host.two", [t], [{ shape: [2], dtype: "float32" }, { shape: [3], dtype: "int32" }])[1]!)).toEqual({ ops: ["call_dps_packed"], shape: "3" });
});
