import { at } from "@verticil/ir-core";
import { makeTensorStructInfo, shapeOf, structInfoOf, type Call, type InferStructInfo, type LegalizeRule, type LegalizeTable, type OpDef, type TensorStructInfo } from "@verticil/relax";
import { compute, reduceAxis, sum, type Tensor as TeTensor } from "@verticil/te";
import { add, asInt, cast, constant, floorDiv, mul, type PrimExpr } from "@verticil/tir";

function tensorAt(call: Call, i: number): TensorStructInfo {
  const arg = call.args[i];
  const info = arg && structInfoOf(arg);
  if (info?.kind !== "relax.TensorStructInfo") throw new TypeError(`Argument ${i} of a quantized operator is a tensor.`);
  return info;
}

function dims(info: TensorStructInfo, ndim: number, what: string): readonly PrimExpr[] | undefined {
  if (info.ndim >= 0 && info.ndim !== ndim) throw new RangeError(`The ${what} have ${info.ndim} dimensions, not ${ndim}.`);
  return shapeOf(info);
}

/** @throws RangeError if the scales do not have one value for each group of a row. */
function checkScales(values: TensorStructInfo, scales: TensorStructInfo, group: number): void {
  const v = shapeOf(values);
  const s = shapeOf(scales);
  const [width, count] = [v && asInt(at(v, v.length - 1)), s && asInt(at(s, s.length - 1))];
  if (width !== undefined && count !== undefined && width !== count * group) {
    throw new RangeError(`Rows of ${width} integers in groups of ${group} have ${width / group} scales, not ${count}.`);
  }
}

const dequantize: InferStructInfo = (call) => {
  const [values, scales] = [tensorAt(call, 0), tensorAt(call, 1)];
  checkScales(values, scales, Number(call.attrs["group"]));
  return { ...values, dtype: "float32" };
};

const quantizedMatmul: InferStructInfo = (call) => {
  const x = tensorAt(call, 0);
  const values = dims(tensorAt(call, 1), 2, "quantized weights");
  checkScales(tensorAt(call, 1), tensorAt(call, 2), Number(call.attrs["group"]));
  const own = shapeOf(x);
  if (own === undefined || values === undefined) return makeTensorStructInfo(x.ndim, "float32");
  return makeTensorStructInfo([...own.slice(0, -1), at(values, 0)], "float32");
};

const group = { group: { type: "int", default: 32 } } as const;

/**
 * Operators on quantized weights. `llm.dequantize` gives the floats that integers and scales stand for;
 * `llm.quantized_matmul`, `x · dequantize(values, scales)ᵀ`, is what `fuseDequantizeMatmul` makes of the two.
 */
export const quantizedOps: readonly OpDef[] = [
  { name: "llm.dequantize", args: ["values", "scales"], attrs: group, pure: true, inferStructInfo: dequantize },
  { name: "llm.quantized_matmul", args: ["x", "values", "scales"], attrs: group, pure: true, inferStructInfo: quantizedMatmul },
];

function third(tensors: readonly TeTensor[], i: number): TeTensor {
  return at(tensors, i);
}

const dequantizeRule: LegalizeRule = (call, bb) => {
  const size = Number(call.attrs["group"]);
  return bb.callTe(
    (...t) => {
      const [values, scales] = [third(t, 0), third(t, 1)];
      return compute(values.shape, (...i) => mul(cast("float32", values.at(...i)), scales.at(...i.slice(0, -1), floorDiv(at(i, i.length - 1), size))), "dequantize", { tag: "injective" });
    },
    call.args,
    { name: "dequantize" },
  );
};

/** Within a group all integers share a scale: the products of a group are summed first, then scaled once. */
const quantizedMatmulRule: LegalizeRule = (call, bb) => {
  const size = Number(call.attrs["group"]);
  return bb.callTe(
    (...t) => {
      const [x, values, scales] = [third(t, 0), third(t, 1), third(t, 2)];
      const outer = reduceAxis(at(scales.shape, 1), "kg");
      const inner = reduceAxis(size, "kk");
      return compute(
        [...x.shape.slice(0, -1), at(values.shape, 0)],
        (...i) => {
          const column = at(i, i.length - 1);
          const k = add(mul(outer.var, constant(size, "int64")), inner.var);
          return sum(mul(x.at(...i.slice(0, -1), k), mul(cast("float32", values.at(column, k)), scales.at(column, outer.var))), [outer, inner]);
        },
        "quantized_matmul",
      );
    },
    call.args,
    { name: "quantized_matmul" },
  );
};

/** How the quantized operators become tensor programs. */
export const quantizedLegalization: LegalizeTable = new Map<string, LegalizeRule>([
  ["llm.dequantize", dequantizeRule],
  ["llm.quantized_matmul", quantizedMatmulRule],
]);
