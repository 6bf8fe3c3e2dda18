import type { NodeContext } from "../node-context.ts";
import type { Known } from "../known.ts";
import { isSmall } from "../known.ts";
import { knownValue, type Output } from "../value.ts";
import { arithmeticFolds } from "./arithmetic.ts";
import { layoutFolds } from "./layout.ts";

/** Computes a node on known inputs; undefined where it cannot. */
export type Fold = (ctx: NodeContext, inputs: readonly Known[]) => Known | readonly Known[] | undefined;

const folds: ReadonlyMap<string, Fold> = new Map([...Object.entries(arithmeticFolds), ...Object.entries(layoutFolds)]);

/**
 * The outputs of a node all of whose inputs are known while importing, undefined if it has to run: the shape
 * arithmetic between `Shape` and `Reshape` disappears here.
 */
export function foldNode(ctx: NodeContext): readonly Output[] | undefined {
  if ((ctx.node.domain ?? "") !== "" && ctx.node.domain !== "ai.onnx") return undefined;
  const fold = folds.get(ctx.op);
  if (fold === undefined || ctx.inputCount === 0) return undefined;
  const inputs: Known[] = [];
  for (let i = 0; i < ctx.inputCount; i++) {
    const known = ctx.known(i);
    // An input that is left out in the middle is the converters' business.
    if (known === undefined) return undefined;
    inputs.push(known);
  }
  const result = fold(ctx, inputs);
  if (result === undefined) return undefined;
  const list: readonly Known[] = "elems" in result ? [result] : result;
  if (!list.every((k) => isSmall(k.elems.length))) return undefined;
  return list.map((k) => knownValue({ ...k, elems: k.elems.map((e) => ctx.simplify(e)) }));
}
