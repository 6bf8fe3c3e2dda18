import { contextEntry, irDialect, passContext, runPass, type IRModule } from "@verticil/ir-core";
import { isTensor, randomTensor, type Any, type Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { layoutTable } from "../op/layout-table.ts";
import { legalizeTable } from "../op/legalize/index.ts";
import { relax } from "../script/relax-script.ts";
import { interpretRelax } from "../vm/interpret-relax.ts";
import { convertLayout, layoutTableKey } from "./convert-layout.ts";
import { legalizeOps, legalizeTableKey } from "./legalize-ops.ts";
import { expectPass } from "./testing/expect-pass.ts";

const NHWC = convertLayout({ "relax.nn.conv2d": ["NHWC", "HWIO"] });
const TILED = convertLayout({ "relax.nn.conv2d": ["NCHW4c", "OIHW4o"] });

function main(params: string, body: string, results = "y"): string {
  const lines = body.trim().split("\n").map((l) => `        ${l.trim()}`).join("\n");
  return `@R.function\ndef main(${params}):\n    with R.dataflow():\n${lines}\n        R.output(${results})\n    return ${results}`;
}

const f32 = (...dims: readonly (number | string)[]): string => `R.Tensor((${dims.join(", ")},), "float32")`;

test("what follows a convolution is stored as the convolution is, to the end", () => {
  const args = `x: ${f32(1, 4, 6, 6)}, w: ${f32(8, 4, 3, 3)}`;
  expectPass(
    NHWC,
    main(args, `a = R.nn.conv2d(x, w)\nb = R.nn.relu(a)\ny = R.add(b, b)`),
    main(
      args,
      `p = R.permute_dims(x, axes=[0, 2, 3, 1])
       q = R.permute_dims(w, axes=[2, 3, 1, 0])
       a = R.nn.conv2d(p, q, data_layout="NHWC", kernel_layout="HWIO")
       b = R.nn.relu(a)
       c = R.add(b, b)
       y = R.permute_dims(c, axes=[0, 3, 1, 2])`,
    ),
  );
});

test("channels in tiles: data, weights, and what is added a channel", () => {
  const args = `x: ${f32(1, 8, 6, 6)}, w: ${f32(4, 8, 3, 3)}, bias: ${f32(4, 1, 1)}`;
  expectPass(
    TILED,
    main(args, `a = R.nn.conv2d(x, w)\ny = R.add(a, bias)`),
    main(
      args,
      `p = R.layout_transform(x, index_map=T.index_map(lambda n, c, h, w: (n, c // 4, h, w, c % 4), index_dtype="int32"))
       q = R.layout_transform(w, index_map=T.index_map(lambda o, i, h, w: (o // 4, i, h, w, o % 4), index_dtype="int32"))
       a = R.nn.conv2d(p, q, data_layout="NCHW4c", kernel_layout="OIHW4o")
       r = R.layout_transform(bias, index_map=T.index_map(lambda c, h, w: (c // 4, h, w, c % 4), index_dtype="int32"))
       b = R.add(a, r)
       y = R.layout_transform(b, index_map=T.index_map(lambda n, c, h, w, i: (n, c * 4 + i, h, w), index_dtype="int32"))`,
    ),
  );
});

test("channels that are no whole tiles stay as they are", () => {
  for (const [ci, co] of [["6", 4], ["8", 6], ['"n"', 4]] as const) {
    const text = main(`x: ${f32(1, ci, 6, 6)}, w: ${f32(co, ci, 3, 3)}`, "y = R.nn.conv2d(x, w)");
    expectPass(TILED, text, text);
  }
});

test("what broadcasts along tiled channels brings them back", () => {
  const args = `x: ${f32(1, 4, 6, 6)}, w: ${f32(4, 4, 3, 3)}, mask: ${f32(1, 1, 4, 4)}`;
  expectPass(
    TILED,
    main(args, `a = R.nn.conv2d(x, w)\ny = R.multiply(a, mask)`),
    main(
      args,
      `p = R.layout_transform(x, index_map=T.index_map(lambda n, c, h, w: (n, c // 4, h, w, c % 4), index_dtype="int32"))
       q = R.layout_transform(w, index_map=T.index_map(lambda o, i, h, w: (o // 4, i, h, w, o % 4), index_dtype="int32"))
       a = R.nn.conv2d(p, q, data_layout="NCHW4c", kernel_layout="OIHW4o")
       b = R.layout_transform(a, index_map=T.index_map(lambda n, c, h, w, i: (n, c * 4 + i, h, w), index_dtype="int32"))
       y = R.multiply(b, mask)`,
    ),
  );
});

function numbers(module: IRModule, inputs: readonly Tensor[]): readonly number[] {
  const out: Any = interpretRelax(module, inputs);
  return isTensor(out) ? Array.from(out.data, Number) : [];
}

const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(layoutTableKey, layoutTable)];

/** Expects the same numbers in other layouts. */
function expectSame(desired: readonly string[], shapes: readonly (readonly number[])[], body: string): void {
  const ctx = passContext({ dialects: [irDialect, tir, relax], entries });
  const params = shapes.map((s, i) => `t${i}: ${f32(...s)}`).join(", ");
  const module = parse(`@I.ir_module\nclass Module:\n${main(params, body).replace(/^(?=.)/gm, "    ")}`, { dialects: [tir, relax] }) as IRModule;
  const inputs = shapes.map((shape, i) => randomTensor({ shape, dtype: "float32" }, i));
  const converted = runPass(convertLayout({ "relax.nn.conv2d": desired }), module, ctx);
  expect(converted).not.toBe(module);
  const [got, expected] = [converted, module].map((m) => numbers(runPass(legalizeOps(), m, ctx), inputs));
  expect(got).toHaveLength(expected?.length ?? -1);
  got?.forEach((v, i) => expect(v).toBeCloseTo(expected?.[i] ?? NaN, 4));
}

const layouts = [["NHWC", "HWIO"], ["NCHW4c", "OIHW4o"], ["NCHW4c", "OIHW4i4o"], ["NHWC4c", "OHWI4o"], ["N2nHWC4c", "OHWI2i4o"], ["NCHW8c", "OIHW", "NCHW4c"]];

test.each(layouts.map((l) => [l]))("a convolution with strides, borders and dilation in %s", (desired) => {
  expectSame(desired, [[2, 8, 7, 7], [8, 8, 3, 3], [8, 1, 1]], "a = R.nn.conv2d(t0, t1, strides=[2, 1], padding=[1, 0, 1, 2], dilation=[1, 2])\nb = R.add(a, t2)\ny = R.nn.relu(b)");
});

test.each([1, 2, 8])("a convolution of channels in tiles in %i groups", (groups) => {
  expectSame(["NCHW4c", "OIHW4o"], [[1, 8, 5, 5], [8, 8 / groups, 3, 3]], `y = R.nn.conv2d(t0, t1, padding=[1, 1, 1, 1], groups=${groups})`);
});

test.each([
  ["y = R.nn.max_pool2d(a, pool_size=[2, 2], strides=[2, 2])"],
  ["y = R.nn.avg_pool2d(a, pool_size=[3, 3], padding=[1, 1, 1, 1])"],
  ["y = R.nn.adaptive_avg_pool2d(a, output_size=[1, 1])"],
  ['y = R.image.resize2d(a, R.shape([8, 8]), method="linear")'],
  ["y = R.concat([a, t0, a], axis=1)"],
  ["y = R.concat([a, a], axis=-2)"],
  ["y = R.mean(a, axis=[1, 2])"],
  ["y = R.nn.softmax(a, axis=1)"],
  ["y = R.permute_dims(a, axes=[3, 1, 0, 2])"],
  ["y = R.nn.pad(a, pad_width=[0, 0, 1, 0, 0, 1, 0, 0])"],
  ["y = R.strided_slice(a, axes=[1], begin=[1], end=[3])"],
])("after channels in tiles: %s", (last) => {
  expectSame(["NCHW4c", "OIHW4o"], [[1, 4, 5, 5], [4, 4, 1, 1]], `a = R.nn.conv2d(t0, t1)\n${last}`);
});
