import { contextEntry, defaultWasmTarget, irDialect, passContext, runPass, sequential, type IRModule } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { describe, expect, it } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { legalizeTable } from "../op/legalize/index.ts";
import { relax } from "../script/relax-script.ts";
import { annotateTIROpPattern } from "./annotate-tir-op-pattern.ts";
import { fuseOps, fuseOpsMaxDepth, type FuseOpsOptions } from "./fuse-ops.ts";
import { legalizeOps, legalizeTableKey } from "./legalize-ops.ts";

const dialects = [tir, relax];

/** How many calls `main` is left with, and how many each fused function has; equal functions are one. */
function fused(text: string, opts: FuseOpsOptions = {}, config: Readonly<Record<string, number>> = {}): { readonly calls: number; readonly sizes: readonly number[] } {
  const ctx = passContext({
    target: defaultWasmTarget,
    dialects: [irDialect, ...dialects],
    entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)],
    configOptions: [fuseOpsMaxDepth],
    config,
  });
  const module: IRModule = runPass(sequential("fuse", [legalizeOps(), annotateTIROpPattern(), fuseOps(opts)]), parse(text, { dialects }), ctx);
  const graphs = [...module.functions.values()].filter((f) => f.kind === "relax.Function");
  const isFused = (f: (typeof graphs)[number]): boolean => f.attrs["Primitive"] !== undefined;
  return { calls: graphs.filter((f) => !isFused(f)).map(callsOf)[0] ?? 0, sizes: graphs.filter(isFused).map(callsOf) };
}

function callsOf(func: unknown): number {
  const { body } = func as { readonly body: { readonly blocks: readonly { readonly bindings: readonly { readonly value: { readonly kind: string } }[] }[] } };
  return body.blocks.flatMap((b) => b.bindings).filter((b) => b.value.kind === "relax.Call").length;
}

const chain = (n: number): string => `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
        with R.dataflow():
            v0 = R.exp(x)
${Array.from({ length: n - 1 }, (_, i) => `            v${i + 1} = R.${i % 2 === 0 ? "negative" : "exp"}(v${i})\n`).join("")}            R.output(v${n - 1})
        return v${n - 1}
`;

const sum = (n: number): string => `
@I.ir_module
class Module:
    @R.function
    def main(${Array.from({ length: n + 1 }, (_, i) => `x${i}: R.Tensor((4,), "float32")`).join(", ")}) -> R.Tensor((4,), "float32"):
        with R.dataflow():
            v0 = R.add(x0, x1)
${Array.from({ length: n - 1 }, (_, i) => `            v${i + 1} = R.add(v${i}, x${i + 2})\n`).join("")}            R.output(v${n - 1})
        return v${n - 1}
`;

describe("fusion", () => {
  it("ends a function at 256 values, and goes on with another", () => {
    const { calls, sizes } = fused(chain(300));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256);
    expect(calls).toBe(2);
  });

  it.each([
    ["its own option", { maxDepth: 8 }, {}],
    ["the option of the context", {}, { "relax.FuseOps.max_depth": 8 }],
  ])("ends a function where %s says", (_, opts, config) => {
    const { calls, sizes } = fused(chain(32), opts, config);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
    expect(calls).toBe(4);
  });

  it("gives no function more buffers than it may have", () => {
    expect(fused(sum(12))).toEqual({ calls: 1, sizes: [12] });
    // A chain of n additions reads n + 1 tensors and writes one.
    expect(Math.max(...fused(sum(12), { maxFunctionArgs: 6 }).sizes)).toBeLessThanOrEqual(4);
  });
});
