import { completeTable, definePass, makeFloatImm, mapFunctions, rewrite, type Node, type Pass } from "@verticil/ir-core";
import { add, constant, max, min, mul, type PrimExpr } from "@verticil/tir";
import { compute, createPrimFunc, placeholder, type Tensor } from "@verticil/te";
import { isFilter, type Filter, type Scale, type Signal, type WaveExpr } from "./nodes.ts";

/** Merges factors of factors and drops factors of 1, by the generic rewriter. */
export function simplifyWave(): Pass {
  return definePass("SimplifyWave", (module, ctx) => {
    const table = completeTable(ctx.dialects);
    return mapFunctions(module, (func) => (isFilter(func) ? (rewrite(table, func, simpler) as Filter) : func));
  });
}

function simpler(node: Node): Node | undefined {
  if (node.kind !== "wave.Scale") return undefined;
  const scale = node as Scale;
  if (scale.factor.value === 1) return scale.value;
  if (scale.value.kind !== "wave.Scale") return undefined;
  const merged: Scale = { ...scale, factor: makeFloatImm(scale.factor.value * scale.value.factor.value), value: scale.value.value };
  return merged;
}

/** Makes a tensor program of each filter: its parameters are the signals and the result. */
export function lowerWave(): Pass {
  return definePass("LowerWave", (module) => mapFunctions(module, (func) => (isFilter(func) ? lowerFilter(func) : func)));
}

function lowerFilter(func: Filter): ReturnType<typeof createPrimFunc> {
  const inputs = new Map<Signal, Tensor>(func.params.map((s) => [s, placeholder([s.length], "float32", s.name)]));
  const length = func.params[0]?.length ?? 0;
  const out = compute([length], (i) => lowerExpr(func.body, i, inputs), "out");
  const lowered = createPrimFunc([...inputs.values(), out]);
  return { ...lowered, attrs: { ...lowered.attrs, ...func.attrs } };
}

function lowerExpr(e: WaveExpr, i: PrimExpr, inputs: ReadonlyMap<Signal, Tensor>): PrimExpr {
  switch (e.kind) {
    case "wave.Tap": {
      const last = constant(e.signal.length - 1, i.dtype);
      const at = max(constant(0, i.dtype), min(last, add(i, constant(e.offset, i.dtype))));
      const tensor = inputs.get(e.signal);
      if (tensor === undefined) throw new Error("A filter reads a signal that is not its parameter.");
      return tensor.at(at);
    }
    case "wave.Scale":
      return mul(e.factor, lowerExpr(e.value, i, inputs));
    case "wave.Mix":
      return add(lowerExpr(e.a, i, inputs), lowerExpr(e.b, i, inputs));
  }
}
