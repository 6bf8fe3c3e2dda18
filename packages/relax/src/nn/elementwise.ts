import { tensorOp, type Operand } from "./ops.ts";
import type { Tensor } from "./value.ts";

// Functions of each element, and of the elements at one place of several tensors, by the names of upstream's `nn.op`.

/** `eˣ`. */
export function exp(x: Tensor): Tensor {
  return tensorOp("relax.exp", [x], {}, "exp");
}

/** `-x`. */
export function negative(x: Tensor): Tensor {
  return tensorOp("relax.negative", [x], {}, "neg");
}

/** `1 / (1 + e⁻ˣ)`. */
export function sigmoid(x: Tensor): Tensor {
  return tensorOp("relax.sigmoid", [x], {}, "sigmoid");
}

/** `ln(1 + e^(βx)) / β`; `x` itself where `βx` is above the threshold. */
export function softplus(x: Tensor, beta = 1, threshold = 20): Tensor {
  return tensorOp("relax.nn.softplus", [x], { beta, threshold }, "softplus");
}

export function sqrt(x: Tensor): Tensor {
  return tensorOp("relax.sqrt", [x], {}, "sqrt");
}

/** `x²`. */
export function square(x: Tensor): Tensor {
  return tensorOp("relax.square", [x], {}, "square");
}

export function tanh(x: Tensor): Tensor {
  return tensorOp("relax.tanh", [x], {}, "tanh");
}

export function maximum(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.maximum", [a, b], {}, "maximum");
}

export function minimum(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.minimum", [a, b], {}, "minimum");
}

/** Booleans: `a < b`. */
export function less(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.less", [a, b], {}, "less");
}

/** Booleans: `a ≤ b`. */
export function lessEqual(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.less_equal", [a, b], {}, "less_equal");
}

/** Booleans: `a > b`. */
export function greater(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.greater", [a, b], {}, "greater");
}

/** Booleans: `a ≥ b`. */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.greater_equal", [a, b], {}, "greater_equal");
}

/** Booleans: `a = b`. */
export function equal(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.equal", [a, b], {}, "equal");
}

/** Booleans: `a ≠ b`. */
export function notEqual(a: Operand, b: Operand): Tensor {
  return tensorOp("relax.not_equal", [a, b], {}, "not_equal");
}

/** `a` where the condition holds, `b` elsewhere. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const truth = condition.dtype === "bool" ? condition : tensorOp("relax.astype", [condition], { dtype: "bool" });
  return tensorOp("relax.where", [truth, a, b], {}, "where");
}
