import { contextEntry, defaultWasmTarget, defaultWebgpuTarget, irDialect, passContext, runPass, type IRModule, type Target } from "@verticil/ir-core";
import { isTensor, randomTensor, type Any, type Tensor } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { describe, expect, it } from "vitest";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts } from "../ir/call-target.ts";
import { makeConstant, makeTensorStructInfo, makeVar } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { legalizeTable } from "../op/legalize/index.ts";
import { relax } from "../script/relax-script.ts";
import { interpretRelax } from "../vm/interpret-relax.ts";
import { legalizeOps, legalizeTableKey } from "./legalize-ops.ts";
import { winogradConv2D, winogradPaybackRuns } from "./winograd-conv2d.ts";

interface Case {
  readonly size?: number;
  readonly channels?: readonly [number, number];
  readonly strides?: readonly number[];
  readonly groups?: number;
}

/** A convolution of a constant weight, then `relu`. */
function convolution({ size = 9, channels: [ci, co] = [16, 16], strides = [1, 1], groups = 1 }: Case = {}): IRModule {
  const bb = new BlockBuilder({ ops: relaxOps });
  const x = makeVar("x", makeTensorStructInfo([1, size, size, ci], "float32"));
  const weight = randomTensor({ shape: [3, 3, ci / groups, co], dtype: "float32" }, 1);
  bb.function("main", [x], () =>
    bb.dataflow(() => {
      const attrs = { strides, padding: [1, 1, 1, 1], dilation: [1, 1], groups, data_layout: "NHWC", kernel_layout: "HWIO", out_layout: "NHWC" };
      return bb.emitOutput(bb.callOp("relax.nn.relu", [bb.emitOp("relax.nn.conv2d", [x, makeConstant(weight)], attrs)]));
    }),
  );
  return bb.finalize();
}

function run(module: IRModule, config: Readonly<Record<string, number>> = {}, target: Target = defaultWasmTarget): IRModule {
  const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)];
  const ctx = passContext({ target, dialects: [irDialect, tir, relax], entries, configOptions: [winogradPaybackRuns], config });
  return runPass(winogradConv2D(), module, ctx);
}

/** The programs that `main` calls, and its operators. */
function calls(module: IRModule): readonly string[] {
  const main = [...module.functions.values()].find(isRelaxFunction)!;
  if (main.body.kind !== "relax.SeqExpr") return [];
  return main.body.blocks.flatMap((b) => b.bindings).map(({ value }) => {
    const op = value.kind === "relax.Call" && value.op.kind === "ir.Op" ? value.op.name : value.kind;
    return callTirParts(value)?.callee.name ?? op;
  });
}

function numbers(module: IRModule, input: Tensor): readonly number[] {
  const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)];
  const legal = runPass(legalizeOps(), module, passContext({ dialects: [irDialect, tir, relax], entries }));
  const out: Any = interpretRelax(legal, [input]);
  return isTensor(out) ? Array.from(out.data, Number) : [];
}

describe("WinogradConv2D", () => {
  it("makes three programs of a convolution with enough channels, what follows stays", () => {
    expect(calls(run(convolution({ size: 32 })))).toEqual(["winograd_data_pack", "winograd_bgemm", "conv2d_winograd", "relax.nn.relu"]);
  });

  it("gives the numbers of the direct convolution", () => {
    const module = convolution({ size: 12 });
    const fast = run(module, { "relax.WinogradConv2D.payback_runs": 100 });
    expect(fast).not.toBe(module);
    const input = randomTensor({ shape: [1, 12, 12, 16], dtype: "float32" }, 2);
    const expected = numbers(module, input);
    numbers(fast, input).forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 4));
  });

  it.each<[string, Case]>([
    ["strides", { strides: [2, 2] }],
    ["groups", { groups: 4 }],
    ["channels that are no whole vectors", { channels: [18, 18] }],
    ["few channels", { channels: [4, 4] }],
  ])("leaves a convolution with %s", (_, c) => {
    const module = convolution(c);
    expect(run(module)).toBe(module);
  });

  it("leaves every convolution for WebGPU", () => {
    const module = convolution({ size: 32 });
    expect(run(module, {}, defaultWebgpuTarget)).toBe(module);
  });

  it("leaves every convolution where no run may pay for larger weights", () => {
    const module = convolution({ size: 32 });
    expect(run(module, { "relax.WinogradConv2D.payback_runs": 0 })).toBe(module);
  });
});
