import { at, definePass, type Pass } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { dtypeAttr } from "../op/attrs-of.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { isCallTo, opNameOf } from "../ir/call-target.ts";
import type { Call, Expr } from "../ir/expr.ts";
import { makeConstant, makeTuple } from "../ir/make.ts";
import { rewriteModule, type RuleContext } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { integerProduct } from "./integer-product.ts";
import { dequantizedValue, isByte, isPerTensor, parametersOf, valueOf, type Quantization, type QuantizedValue } from "./quantized-value.ts";
import { requantize } from "./requantize.ts";

/**
 * Runs a graph of `quantize` and `dequantize` on the integers themselves (the task of Relay's
 * `FakeQuantizationToInteger`): convolutions and products with constant weights add up integers and scale the sums once;
 * what only moves elements, or picks the largest, does so with integers; what is quantized as it was before is the same
 * integers. The sums are exact; a result may differ from the float graph's by one step of its scale where rounding of
 * floats had decided. Changes nothing for WebGPU, which has no 16-bit integers.
 */
export function fakeQuantizationToInteger(): Pass {
  return definePass("FakeQuantizationToInteger", (module, ctx) => {
    if (ctx.target.kind === "webgpu") return module;
    return rewriteModule(
      module,
      () => new BlockBuilder({ ops: ctx.get(opRegistryKey), module }),
      () => (value, rule) => (value.kind === "relax.Call" ? rewritten(value, rule) : undefined),
    );
  });
}

function rewritten(call: Call, ctx: RuleContext): Expr | undefined {
  const name = opNameOf(call);
  if (name === undefined) return undefined;
  if (name === "relax.quantize") return sameIntegers(call, ctx) ?? joined(call, ctx) ?? requantize(call, ctx);
  return MOVING.has(name) ? moved(call, ctx) : integerProduct(call, ctx);
}

/** Results are elements of the first operand, each the same number as before; a larger number is a larger integer. */
const MOVING: ReadonlySet<string> = new Set([
  "relax.reshape", "relax.permute_dims", "relax.squeeze", "relax.expand_dims", "relax.flatten", "relax.strided_slice",
  "relax.broadcast_to", "relax.flip", "relax.tile", "relax.repeat", "relax.nn.max_pool1d", "relax.nn.max_pool2d", "relax.nn.max_pool3d",
]);

/** The operator on the integers, dequantized afterwards. */
function moved(call: Call, ctx: RuleContext): Expr | undefined {
  const [x, ...rest] = call.args;
  const q = x && dequantizedValue(x, ctx);
  if (q === undefined || !isByte(q.dtype) || !isPerTensor(q) || q.data.kind === "relax.Constant" || at(q.scale, 0) <= 0) return undefined;
  const data = ctx.bb.emit(ctx.bb.callOp(opNameOf(call) ?? "", [q.data, ...rest], call.attrs));
  return dequantize(data, q, ctx);
}

function dequantize(data: Expr, q: Quantization, ctx: RuleContext): Expr {
  const scale = makeConstant(tensorFrom(q.scale, [], "float32"));
  const zero = makeConstant(tensorFrom(q.zero, [], q.dtype));
  return ctx.bb.callOp("relax.dequantize", [data, scale, zero], { out_dtype: "float32", axis: -1 });
}

/** `quantize` of what the same parameters dequantized: rounding finds the integer again. */
function sameIntegers(call: Call, ctx: RuleContext): Expr | undefined {
  const target = targetOf(call, ctx);
  const [x] = call.args;
  const q = target && x && dequantizedValue(x, ctx);
  return q && isSame(q, target) ? q.data : undefined;
}

function targetOf(call: Call, ctx: RuleContext): Quantization | undefined {
  const dtype = dtypeAttr(call, "out_dtype");
  const q = dtype && isByte(dtype) ? parametersOf(call, dtype, ctx) : undefined;
  return q && isPerTensor(q) ? q : undefined;
}

function isSame(a: Quantization, b: Quantization): boolean {
  return a.dtype === b.dtype && isPerTensor(a) && a.scale[0] === b.scale[0] && a.zero[0] === b.zero[0];
}

/** `quantize` of joined tensors joins what each of them is quantized to. */
function joined(call: Call, ctx: RuleContext): Expr | undefined {
  const target = targetOf(call, ctx);
  const [x, ...parameters] = call.args;
  const value = x && valueOf(x, ctx);
  if (target === undefined || value === undefined || !isCallTo(value, "relax.concat")) return undefined;
  const [tuple] = value.args;
  const parts = tuple && valueOf(tuple, ctx);
  if (parts?.kind !== "relax.Tuple") return undefined;
  const values = parts.fields.map((f) => dequantizedValue(f, ctx));
  if (values.some((v) => v === undefined)) return undefined;
  const fields = parts.fields.map((f, i) => {
    const v: QuantizedValue | undefined = values[i];
    return v !== undefined && isSame(v, target) ? v.data : ctx.bb.emit(ctx.bb.callOp("relax.quantize", [f, ...parameters], call.attrs));
  });
  return ctx.bb.callOp("relax.concat", [makeTuple(fields)], value.attrs);
}
