import * as te from "@verticil/te";
import { isNode, makeOp } from "@verticil/ir-core";
import { parseDType } from "@verticil/runtime-ffi";
import {
  cast,
  constant,
  eq,
  ifThenElse,
  isConst,
  isConstInt,
  makeRange,
  mapIndices,
  mapShape,
  nonSurjectiveInverse,
  select,
  sub,
  substitute,
  type IndexMap,
  type PrimExpr,
} from "@verticil/tir";
import type { Call, Expr, PrimValue } from "../../ir/expr.ts";
import { makeCall, makeExternFunc, makePrimValue, makeShapeExpr, makeTuple, shapeOf } from "../../ir/make.ts";
import { boolAttr, intAttr, intsAttr, stringAttr } from "../attrs-of.ts";
import type { LegalizeRule } from "../legalize-rule.ts";
import { arg, infoOf, nth, of1, of2, viaTe, whenKnown } from "./rule-parts.ts";

/** A call of a function of the runtime that fills the result. */
function dpsPacked(call: Call, name: string, args: readonly Expr[]): Expr | undefined {
  const info = call.structInfo;
  if (info === undefined) return undefined;
  return makeCall(makeOp("relax.call_dps_packed"), [makeExternFunc(name), makeTuple(args)], { sinfoArgs: [info], structInfo: info });
}

const flag = (value: boolean): Expr => makePrimValue(constant(value, "bool"));

const REDUCTIONS = ["sum", "prod", "min", "max", "avg"];

const allreduce: LegalizeRule = (call) => {
  const kind = REDUCTIONS.indexOf(stringAttr(call, "op_type"));
  if (kind < 0) throw new RangeError(`There is no reduction \`${stringAttr(call, "op_type")}\`; there are ${REDUCTIONS.join(", ")}.`);
  return dpsPacked(call, "runtime.disco.allreduce", [arg(call, 0), makeShapeExpr([kind]), flag(boolAttr(call, "in_group"))]);
};

const scatter: LegalizeRule = whenKnown((call, bb) => {
  const workers = intAttr(call, "num_workers");
  const rank = shapeOf(infoOf(call.args[0]))?.length ?? 0;
  const axis = intAttr(call, "axis") < 0 ? intAttr(call, "axis") + rank : intAttr(call, "axis");
  // Each worker's part must be one piece of memory: the axis is cut in two and the workers come first.
  const parts = bb.callTe(
    of1((x) => {
      const cut = x.shape.flatMap((d, i): readonly PrimExpr[] => (i === axis ? [constant(workers, "int64"), divided(d, workers)] : [d]));
      const wide = te.reshape(x, cut);
      return axis === 0 ? wide : te.transpose(wide, [axis, ...cut.keys()].filter((a, i) => i === 0 || a !== axis));
    }),
    [arg(call, 0)],
    { name: "scatter_parts" },
  );
  return dpsPacked(call, "runtime.disco.scatter_from_worker0", [bb.emit(parts), flag(false)]);
});

function divided(d: PrimExpr, by: number): PrimExpr {
  if (d.kind === "ir.IntImm" && Number(d.value) % by !== 0) throw new RangeError(`An axis of ${d.value} does not divide among ${by} workers.`);
  return d.kind === "ir.IntImm" ? constant(Number(d.value) / by, "int64") : { kind: "tir.FloorDiv", dtype: d.dtype, a: d, b: constant(by, "int64") };
}

const nllLossBackward: LegalizeRule = whenKnown((call, bb) => {
  const reduction = stringAttr(call, "reduction");
  const ignore = intAttr(call, "ignore_index");
  return bb.callTe(
    (...t) => {
      const [grad, predictions, targets] = [nth(t, 0), nth(t, 1), nth(t, 2)];
      const dtype = predictions.dtype;
      const target = (i: readonly PrimExpr[]): PrimExpr => cast("int64", targets.at(...i));
      const weight = (i: readonly PrimExpr[]): PrimExpr => {
        const skip = eq(target(i), constant(ignore, "int64"));
        const own = t[3] === undefined ? constant(1, dtype) : t[3].at(select(skip, constant(0, "int64"), target(i)));
        return select(skip, constant(0, dtype), own);
      };
      const axes = targets.shape.map((d, n) => te.reduceAxis(d, `k${n}`));
      const total = te.compute([], () => te.sum(weight(axes.map((k) => k.var)), axes), "weight_red");
      const batched = predictions.ndim > 1;
      return te.compute(
        predictions.shape,
        (...i) => {
          const cell = batched ? i.filter((_, d) => d !== 1) : [];
          const chosen = batched ? i[1] : i[0];
          const outer = reduction === "none" ? grad.at(...cell) : grad.at();
          const scale = reduction === "mean" ? { kind: "tir.Div", dtype, a: outer, b: total.at() } as const : outer;
          const value: PrimExpr = { kind: "tir.Mul", dtype, a: sub(constant(0, dtype), weight(cell)), b: scale };
          return select(eq(chosen ?? constant(0, "int64"), target(cell)), value, constant(0, dtype));
        },
        "pred_grad",
      );
    },
    call.args,
    { name: "nll_loss_backward" },
  );
});

const poolBackward = (kind: "max" | "avg"): LegalizeRule =>
  whenKnown((call, bb) => {
    if (intsAttr(call, "dilation").some((d) => d !== 1) || stringAttr(call, "out_layout") !== stringAttr(call, "layout")) return undefined;
    const o: te.PoolOptions = {
      kernel: intsAttr(call, "pool_size"),
      strides: intsAttr(call, "strides"),
      padding: intsAttr(call, "padding"),
      dilation: [1, 1],
      ceilMode: boolAttr(call, "ceil_mode"),
      countIncludePad: boolAttr(call, "count_include_pad"),
      layout: stringAttr(call, "layout"),
    };
    return bb.callTe(of2((g, x) => (kind === "max" ? te.maxPoolGrad(g, x, o) : te.avgPoolGrad(g, x, o))), [arg(call, 0), arg(call, 1)], {
      name: `${kind}_pool2d_backward`,
    });
  });

/** A property of a tensor that is known when compiling. */
function property(dtype: "int32" | "uint8" | "uint16" | "int64", value: (call: Call) => number | undefined): LegalizeRule {
  return (call) => {
    const known = value(call);
    return known === undefined ? undefined : makePrimValue(constant(known, dtype));
  };
}

const CODES: Readonly<Record<string, number>> = { int: 0, uint: 1, float: 2, handle: 3, bfloat: 4, bool: 6 };

const dtypeProperty = (name: "uint8" | "uint16", of: (dtype: string) => number | undefined): LegalizeRule =>
  property(name, (call) => {
    const info = infoOf(call.args[0]);
    return info?.kind === "relax.TensorStructInfo" && info.dtype !== undefined ? of(info.dtype) : undefined;
  });

const shapeI: LegalizeRule = (call) => {
  const axis = call.args[1];
  const dims = shapeOf(infoOf(call.args[0]));
  if (axis?.kind !== "relax.PrimValue" || !isConstInt(axis.value) || dims === undefined) return undefined;
  const size = dims[Number(axis.value.value)];
  if (size === undefined) throw new RangeError("`relax.inspect.tensor_shape_i` has no such axis.");
  return makePrimValue(size);
};

/** Reads each cell where the map took it from; what the map leaves over holds `pad_value`, or zero (upstream's `te_layout_transform`). */
const layoutTransform: LegalizeRule = whenKnown((call, bb) => {
  const node = call.attrs["index_map"];
  const from = shapeOf(infoOf(call.args[0]));
  if (!isNode(node) || node.kind !== "tir.IndexMap" || from === undefined) return undefined;
  const map = node as IndexMap;
  const { inverse, padding } = nonSurjectiveInverse(map, from.map((d) => makeRange(constant(0, d.dtype), d)));
  const program = of1((x) =>
    te.compute(
      mapShape(map, from),
      (...cell) => {
        const source = x.at(...mapIndices(inverse, cell));
        if (isConstInt(padding, 0)) return source;
        const own = new Map(inverse.initialIndices.map((v, i) => [v, cell[i] ?? v]));
        return ifThenElse(substitute(padding, own), cast(x.dtype, padValue(call)), source);
      },
      "te_layout_transform",
      { tag: "injective" },
    ),
  );
  return bb.callTe(program, [arg(call, 0)], { name: "te_layout_transform" });
});

function padValue(call: Call): PrimExpr {
  const given = call.attrs["pad_value"];
  if (typeof given === "number") return constant(given, "float64");
  if (!isNode(given)) return constant(0, "int32");
  const value = given.kind === "relax.PrimValue" ? (given as PrimValue).value : (given as PrimExpr);
  if (!isConst(value)) throw new TypeError("`relax.layout_transform` needs a constant `pad_value`.");
  return value;
}

/** At inference nothing is dropped: the data, and a mask of ones. */
const dropout: LegalizeRule = viaTe("dropout", 1, () =>
  of1((x) => [te.compute(x.shape, (...i) => x.at(...i), "T_identity"), te.full(x.shape, x.dtype, constant(1, x.dtype))]),
);

/** Draws the first class whose running probability reaches the number given for the sample. */
const multinomial: LegalizeRule = viaTe("multinomial_from_uniform", 3, (call) => (...t) => {
  const [prob, uniform, samples] = [nth(t, 0), nth(t, 1), nth(t, 2)];
  const info = call.structInfo;
  const dtype = info?.kind === "relax.TensorStructInfo" ? (info.dtype ?? "int64") : "int64";
  const running = te.cumsum(prob, { axis: 1, exclusive: false });
  const k = te.reduceAxis(prob.shape[1] ?? 1, "k");
  return te.compute(
    samples.shape,
    (i = constant(0, "int64"), j = constant(0, "int64")) => {
      const row = cast("int64", samples.at(i, j));
      const below: PrimExpr = { kind: "tir.LE", dtype: "bool", a: running.at(row, k.var), b: cast(prob.dtype, uniform.at(i, j)) };
      return te.sum(cast(dtype, below), k);
    },
    "multinomial",
  );
});

/** Collectives, gradients, properties and the rest. */
export const systemRules: Readonly<Record<string, LegalizeRule>> = {
  "ccl.allreduce": allreduce,
  "ccl.allgather": (call) => dpsPacked(call, "runtime.disco.allgather", [arg(call, 0), flag(boolAttr(call, "in_group"))]),
  "ccl.broadcast_from_worker0": (call) => dpsPacked(call, "runtime.disco.broadcast_from_worker0", [arg(call, 0), flag(false)]),
  "ccl.scatter_from_worker0": scatter,
  "grad.nll_loss_backward": nllLossBackward,
  "grad.max_pool2d_backward": poolBackward("max"),
  "grad.avg_pool2d_backward": poolBackward("avg"),
  "inspect.tensor_shape_i": shapeI,
  "inspect.tensor_ndim": property("int32", (call) => {
    const info = infoOf(call.args[0]);
    return info?.kind === "relax.TensorStructInfo" && info.ndim >= 0 ? info.ndim : undefined;
  }),
  "inspect.tensor_dtype_bits": dtypeProperty("uint8", (d) => parseDType(d).bits),
  "inspect.tensor_dtype_lanes": dtypeProperty("uint16", (d) => parseDType(d).lanes),
  "inspect.tensor_dtype_code": dtypeProperty("uint8", (d) => CODES[parseDType(d).code]),
  layout_transform: layoutTransform,
  "nn.dropout": dropout,
  multinomial_from_uniform: multinomial,
};
