import type { GradientTable } from "../gradient-rule.ts";
import { elementwiseGradients } from "./elementwise-gradients.ts";
import { nnGradients } from "./nn-gradients.ts";
import { shapeGradients } from "./shape-gradients.ts";

/** The gradients of the operators, by full name; what `Gradient` uses unless told. */
export const gradientTable: GradientTable = new Map(
  [elementwiseGradients, shapeGradients, nnGradients].flatMap((rules) => Object.entries(rules).map(([name, rule]) => [`relax.${name}`, rule])),
);
