import { arithBinaryNames, compareNames } from "./binary.ts";
import { arithUnaryNames, floatUnaryNames } from "./unary.ts";

/**
 * How an operator goes with float16 (upstream's `TMixedPrecisionPolicy`). `always`: its operands are brought to float16;
 * `follow`: it computes in float16 if all operands are float16 already; `never`: it keeps the types that it had.
 */
export type MixedPrecisionPolicy = "always" | "follow" | "never";

/** Policies by the operator's full name; an operator that is not there is `never`. */
export type MixedPrecisionTable = ReadonlyMap<string, MixedPrecisionPolicy>;

const always = ["nn.conv1d", "nn.conv2d", "nn.conv3d", "nn.attention", "nn.attention_bias", "nn.attention_var_len", "matmul"];

const pools = [1, 2, 3].flatMap((n) => [`nn.max_pool${n}d`, `nn.avg_pool${n}d`, `nn.adaptive_avg_pool${n}d`]);

const follow = [
  ...arithUnaryNames,
  ...floatUnaryNames,
  "bitwise_not",
  "logical_not",
  "isfinite",
  "isinf",
  "isnan",
  ...arithBinaryNames,
  ...compareNames,
  "ewise_fma",
  ...["relu", "gelu", "gelu_tanh", "selu", "silu", "layer_norm", "group_norm", "rms_norm", "dropout"].map((n) => `nn.${n}`),
  ...pools,
  "image.resize2d",
  "astype",
  "full",
  "full_like",
  "ones",
  "zeros",
  "eye",
  "arange",
  "strided_slice",
  "broadcast_to",
  "concat",
  "expand_dims",
  "flatten",
  "layout_transform",
  "permute_dims",
  "reshape",
  "split",
  "squeeze",
];

/** The policies of upstream's operators; what `ToMixedPrecision` uses unless told. */
export const mixedPrecisionTable: MixedPrecisionTable = new Map<string, MixedPrecisionPolicy>([
  ...always.map((name): [string, MixedPrecisionPolicy] => [`relax.${name}`, "always"]),
  ...follow.map((name): [string, MixedPrecisionPolicy] => [`relax.${name}`, "follow"]),
]);
