import type { IRModule } from "@verticil/ir-core";
import { forEachBinding, isRelaxFunction, opNameOf, staticShapeOf, structInfoOf, type Call, type Expr } from "@verticil/relax";

/**
 * The floating-point work of the convolutions and matrix products of a graph: a multiplication and an addition each
 * count as one. Everything else is left out, as is what has no static shape.
 */
export function estimateFlops(module: IRModule): number {
  let total = 0;
  for (const func of module.functions.values()) {
    if (isRelaxFunction(func)) forEachBinding(func.body, (b) => (total += callFlops(b.value)));
  }
  return total;
}

function callFlops(value: Expr): number {
  const name = opNameOf(value);
  const out = staticShapeOf(structInfoOf(value));
  if (name === undefined || out === undefined) return 0;
  const operand = (i: number): readonly number[] | undefined => {
    const arg = (value as Call).args[i];
    return arg === undefined ? undefined : staticShapeOf(structInfoOf(arg));
  };
  const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  if (name === "relax.nn.conv2d" || name === "relax.nn.conv1d" || name === "relax.nn.conv3d") {
    const weight = operand(1);
    const layout = String((value as Call).attrs["kernel_layout"]);
    const filters = weight?.[layout.indexOf("O")];
    return weight === undefined || filters === undefined ? 0 : (2 * product(out) * product(weight)) / filters;
  }
  if (name === "relax.matmul") {
    const inner = operand(0)?.at(-1);
    return inner === undefined ? 0 : 2 * product(out) * inner;
  }
  return 0;
}
