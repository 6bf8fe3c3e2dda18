import { definePass, type Pass } from "@verticil/ir-core";
import { divide, fastErf, fastExp, fastTanh, maxOf, subtract, sumOf, type Tensor } from "@verticil/te";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTe } from "../ir/call-te.ts";
import { opNameOf } from "../ir/call-target.ts";
import { shapeOf } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { TeFunction } from "../op/legalize-rule.ts";

const approximations: ReadonlyMap<string, { readonly name: string; readonly fn: (x: Tensor) => Tensor }> = new Map([
  ["relax.exp", { name: "fast_exp", fn: fastExp }],
  ["relax.erf", { name: "fast_erf", fn: fastErf }],
  ["relax.tanh", { name: "fast_tanh", fn: fastTanh }],
]);

/** Upstream's `FastMathTransform`: `exp`, `erf`, `tanh` and `softmax` become tensor programs that are right to about 6 digits, and fast. */
export function fastMathTransform(): Pass {
  return definePass("FastMathTransform", (module, ctx) =>
    rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, { bb }) => {
        const op = opNameOf(value);
        const [x] = value.kind === "relax.Call" ? value.args : [];
        if (op === undefined || value.kind !== "relax.Call" || x === undefined) return undefined;
        const info = structInfoOf(x);
        const isKnown = info?.kind === "relax.TensorStructInfo" && shapeOf(info) !== undefined && info.dtype?.startsWith("float") === true;
        if (!isKnown) return undefined;
        const axis = Number(value.attrs["axis"] ?? -1);
        if (op === "relax.nn.softmax") return callTe(bb, unary((t) => fastSoftmax(t, axis)), [x], { name: "fast_softmax" });
        const rule = approximations.get(op);
        return rule === undefined ? undefined : callTe(bb, unary(rule.fn), [x], { name: rule.name });
      },
    ),
  );
}

function unary(f: (x: Tensor) => Tensor): TeFunction {
  return (x) => {
    if (x === undefined) throw new TypeError("internal: the function has an operand");
    return f(x);
  };
}

function fastSoftmax(x: Tensor, axis: number): Tensor {
  const raised = fastExp(subtract(x, maxOf(x, [axis], true)));
  return divide(raised, sumOf(raised, [axis], true));
}
