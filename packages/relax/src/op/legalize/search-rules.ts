import * as te from "@verticil/te";
import { cast, constant, floorDiv, le, lt, sub, type PrimExpr } from "@verticil/tir";
import { makeOp } from "@verticil/ir-core";
import { makeCall, makeConstant, makeExternFunc, shapeOf } from "../../ir/make.ts";
import { tensorFrom } from "@verticil/runtime-ffi";
import type { Call } from "../../ir/expr.ts";
import type { StructInfo } from "../../ir/struct-info.ts";
import {
  boolAttr,
  dtypeAttr,
  floatAttr,
  intAttr,
  intsAttr,
  optFloatAttr,
  optIntAttr,
  optIntsAttr,
  stringAttr,
} from "../attrs-of.ts";
import type { LegalizeRule } from "../legalize-rule.ts";
import { arg, infoOf, nth, of1, of2, of3, scalarConst, viaTe, whenKnown } from "./rule-parts.ts";
import { tupleFields } from "./shape-ops.ts";

const sortOptions = (call: Call): te.SortOptions => ({ axis: intAttr(call, "axis"), descending: boolAttr(call, "descending") });

const topk: LegalizeRule = viaTe("topk", 1, (call) =>
  of1((x) => {
    const o = { axis: intAttr(call, "axis"), descending: boolAttr(call, "largest") };
    const axis = o.axis < 0 ? o.axis + x.ndim : o.axis;
    const k = intAttr(call, "k");
    const size = k > 0 ? constant(k, "int64") : (x.shape[axis] ?? constant(1, "int64"));
    const { values, indices } = te.topk(x, size, o, dtypeAttr(call, "dtype") ?? "int32");
    const type = stringAttr(call, "ret_type");
    return type === "values" ? values : type === "indices" ? indices : [values, indices];
  }),
);

const scan = (name: string, f: (x: te.Tensor, o: te.ScanOptions) => te.Tensor): LegalizeRule =>
  viaTe(name, 1, (call) =>
    of1((x) => f(x, { axis: optIntAttr(call, "axis"), dtype: dtypeAttr(call, "dtype"), exclusive: boolAttr(call, "exclusive") })),
  );

/** The middle element of the sorted axis, the lower of two; with its position where one axis is given. */
const median: LegalizeRule = viaTe("median", 1, (call) =>
  of1((x) => {
    const axes = optIntsAttr(call, "axis");
    const flat = axes === undefined ? te.reshape(x, [te.productOf(x.shape)]) : x;
    const axis = axes?.[0] ?? 0;
    const a = axis < 0 ? axis + flat.ndim : axis;
    const order = te.argsort(flat, { axis: a, descending: false }, "int64");
    const n = flat.shape[a] ?? constant(1, "int64");
    const middle = floorDiv(sub(n, 1), 2);
    const keep = boolAttr(call, "keepdims");
    const wide = axes === undefined && keep ? x.ndim : 0;
    const shape: readonly te.Index[] = wide > 0 ? x.shape.map((): te.Index => 1) : flat.shape.flatMap((d, i): readonly te.Index[] => (i !== a ? [d] : keep ? [1] : []));
    const full = (cell: readonly PrimExpr[]): readonly PrimExpr[] => {
      const rest = wide > 0 ? [] : keep ? cell.filter((_, i) => i !== a) : cell;
      return [...rest.slice(0, a), middle, ...rest.slice(a)];
    };
    const position = te.compute(shape, (...i) => order.at(...full(i)), "median_index", { axes: "ax" });
    const values = te.compute(
      shape,
      (...i) => flat.at(...full(i).map((v, d) => (d === a ? position.at(...i) : v))),
      "median",
      { axes: "ax" },
    );
    return axes?.length === 1 ? [values, position] : values;
  }),
);

/** How many boundaries lie before a value. */
const bucketize: LegalizeRule = viaTe("bucketize", 2, (call) =>
  of2((x, boundaries) => {
    const dtype = boolAttr(call, "out_int32") ? "int32" : "int64";
    const k = te.reduceAxis(boundaries.shape[0] ?? 1, "k");
    return te.compute(
      x.shape,
      (...i) => {
        const before = boolAttr(call, "right") ? le(boundaries.at(k.var), x.at(...i)) : lt(boundaries.at(k.var), x.at(...i));
        return te.sum(cast(dtype, before), k);
      },
      "bucketize",
    );
  }),
);

function reductionOf(call: Call): te.ScatterReduction {
  const reduction = stringAttr(call, "reduction");
  if (reduction === "update" || reduction === "add" || reduction === "mul" || reduction === "mean" || reduction === "min" || reduction === "max") return reduction;
  throw new RangeError(`There is no scatter reduction \`${reduction}\`.`);
}

const indexPut: LegalizeRule = whenKnown((call, bb) => {
  const indices = tupleFields(arg(call, 1), bb);
  return bb.callTe(
    (...t) => te.indexPut(nth(t, 0), t.slice(2), nth(t, 1), boolAttr(call, "accumulate")),
    [arg(call, 0), arg(call, 2), ...indices],
    { name: "index_put" },
  );
});

const sliceScatter: LegalizeRule = whenKnown((call, bb) => {
  const start = scalarConst(call.args[2]);
  const step = scalarConst(call.args[4]);
  if (start === undefined || step === undefined) return undefined;
  return bb.callTe(of2((x, src) => te.sliceScatter(x, src, start, step, intAttr(call, "axis"))), [arg(call, 0), arg(call, 1)], { name: "slice_scatter" });
});

function attentionOptions(call: Call): te.AttentionOptions {
  const mask = call.attrs["causal_mask"];
  if (mask !== null && mask !== undefined && mask !== "TopLeft" && mask !== "BottomRight") throw new RangeError(`There is no causal mask \`${String(mask)}\`.`);
  return { scale: optFloatAttr(call, "scale"), causalMask: mask ?? undefined, windowSize: optIntAttr(call, "window_size") };
}

/** How long the longest sequences are is not asked: the program goes over all keys. */
const attentionVarLen: LegalizeRule = whenKnown((call, bb) =>
  bb.callTe((...t) => te.attentionVarLen(nth(t, 0), nth(t, 1), nth(t, 2), nth(t, 3), nth(t, 4), attentionOptions(call)), call.args.slice(0, 5), { name: "attention_var_len" }),
);

const nllLoss: LegalizeRule = whenKnown((call, bb) => {
  const reduction = stringAttr(call, "reduction");
  if (reduction !== "none" && reduction !== "mean" && reduction !== "sum") throw new RangeError(`There is no loss reduction \`${reduction}\`.`);
  return bb.callTe((...t) => te.nllLoss(nth(t, 0), nth(t, 1), t[2], reduction, intAttr(call, "ignore_index")), call.args, { name: "nll_loss" });
});

/** Minus the sum of products, by sample if there are several. */
const crossEntropy: LegalizeRule = viaTe("cross_entropy_with_logits", 2, () =>
  of2((x, y) => {
    const total = te.sumOf(te.multiply(x, y), undefined, false);
    const count = x.ndim > 1 ? cast(x.dtype, x.shape[0] ?? constant(1, "int64")) : constant(1, x.dtype);
    const zero = constant(0, x.dtype);
    return te.compute([], () => ({ kind: "tir.Div", dtype: x.dtype, a: sub(zero, total.at()), b: count }), "T_divide");
  }),
);

/** Scale and zero point that are known scalars go into the program. */
function quantization(name: string, f: typeof te.quantize): LegalizeRule {
  return whenKnown((call, bb) => {
    const dtype = dtypeAttr(call, "out_dtype");
    if (dtype === undefined) return undefined;
    const known = [scalarConst(call.args[1]), scalarConst(call.args[2])];
    const operands = [arg(call, 0), ...known.flatMap((k, i) => (k === undefined ? [arg(call, i + 1)] : []))];
    return bb.callTe(
      (...t) => {
        const rest = t.slice(1);
        const scale = known[0] ?? rest.shift() ?? nth(t, 1);
        const zero = known[1] ?? rest.shift() ?? nth(t, 2);
        return f(nth(t, 0), scale, zero, intAttr(call, "axis"), dtype);
      },
      operands,
      { name },
    );
  });
}

const allClassNms: LegalizeRule = whenKnown((call, bb) => {
  if (stringAttr(call, "output_format") !== "onnx") return undefined;
  return bb.callTe(
    (...t) => te.allClassNms(nth(t, 0), nth(t, 1), nth(t, 2), nth(t, 3), nth(t, 4)),
    call.args.slice(0, 5),
    { name: "all_class_non_max_suppression" },
  );
});

const nonMaxSuppression: LegalizeRule = whenKnown((call, bb) => {
  if (floatAttr(call, "soft_nms_sigma") > 0) return undefined;
  const o: te.NmsOptions = {
    maxOutputSize: intAttr(call, "max_output_size"),
    iouThreshold: floatAttr(call, "iou_threshold"),
    forceSuppress: boolAttr(call, "force_suppress"),
    topK: intAttr(call, "top_k"),
    coordStart: intAttr(call, "coord_start"),
    scoreIndex: intAttr(call, "score_index"),
    idIndex: intAttr(call, "id_index"),
    returnIndices: boolAttr(call, "return_indices"),
    invalidToBottom: boolAttr(call, "invalid_to_bottom"),
  };
  const single = infoKind(call.structInfo) === "relax.TensorStructInfo";
  return bb.callTe(
    of3((x, count, indices) => {
      const results = te.nonMaxSuppression(x, count, indices, o);
      return single ? nth(results, 0) : results;
    }),
    call.args.slice(0, 3),
    { name: "non_max_suppression" },
  );
});

function infoKind(info: StructInfo | undefined): string | undefined {
  return info?.kind;
}

const multibox: LegalizeRule = viaTe("multibox_transform_loc", 3, (call) => {
  const variances = call.attrs["variances"];
  const numbers = Array.isArray(variances) ? variances.map((v) => (typeof v === "number" ? v : typeof v === "object" && v !== null && "value" in v ? Number(v.value) : 1)) : [1, 1, 1, 1];
  const o = { clip: boolAttr(call, "clip"), threshold: floatAttr(call, "threshold"), variances: numbers, keepBackground: boolAttr(call, "keep_background") };
  return of3((classes, locations, anchors) => te.multiboxTransformLoc(classes, locations, anchors, o));
});

const roiAlign: LegalizeRule = viaTe("roi_align", 2, (call) => {
  const mode = stringAttr(call, "mode");
  if (mode !== "avg" && mode !== "max" && mode !== "max_share") throw new RangeError(`There is no pooling mode \`${mode}\`.`);
  const o: te.RoiAlignOptions = {
    pooledSize: intsAttr(call, "pooled_size"),
    spatialScale: floatAttr(call, "spatial_scale"),
    sampleRatio: intAttr(call, "sample_ratio"),
    aligned: boolAttr(call, "aligned"),
    layout: stringAttr(call, "layout"),
    mode,
  };
  return of2((x, rois) => te.roiAlign(x, rois, o));
});

/** The number of elements: a constant, or the product of the sizes that the tensor comes with. */
const size: LegalizeRule = (call, bb) => {
  const dims = shapeOf(infoOf(call.args[0]));
  if (dims === undefined) return undefined;
  const total = te.productOf(dims);
  if (total.kind === "ir.IntImm") return makeConstant(tensorFrom([total.value], [], "int64"));
  return bb.callTe(of1((x) => te.compute([], () => te.productOf(x.shape), "T_size")), [arg(call, 0)], { name: "size" });
};

const takeBackward: LegalizeRule = viaTe("take_backward", 3, (call) =>
  of3((grad, x, indices) => {
    const axis = optIntAttr(call, "axis") ?? 0;
    const a = axis < 0 ? axis + x.ndim : axis;
    // Each cell of the input gathers the gradients of all reads of it.
    const axes = indices.shape.map((d, i) => te.reduceAxis(d, `k${i}`));
    return te.compute(
      x.shape,
      (...i) => {
        const ks = axes.map((k) => k.var);
        const own = i[a] ?? constant(0, "int64");
        const hit: PrimExpr = { kind: "tir.EQ", dtype: "bool", a: cast("int64", indices.at(...ks)), b: own };
        const value = grad.at(...i.slice(0, a), ...ks, ...i.slice(a + 1));
        return te.sum({ kind: "tir.Select", dtype: value.dtype, condition: hit, trueValue: value, falseValue: constant(0, x.dtype) }, axes);
      },
      "take_backward",
    );
  }),
);

/** Results whose sizes depend on data are computed by a function of the runtime (upstream's `relax.run.*`). */
const viaRuntime =
  (name: string): LegalizeRule =>
  (call) =>
    makeCall(makeOp("relax.call_pure_packed"), [makeExternFunc(`relax.run.${name}`), ...call.args], {
      sinfoArgs: call.structInfo === undefined ? [] : [call.structInfo],
      structInfo: call.structInfo,
      span: call.span,
    });

const identity: LegalizeRule = (call) => call.args[0];

/** Sorts, scans, scatters, losses, attention, quantization, and the operators of detection models. */
export const searchRules: Readonly<Record<string, LegalizeRule>> = {
  sort: viaTe("sort", 1, (call) => of1((x) => te.sort(x, sortOptions(call)))),
  argsort: viaTe("argsort", 1, (call) => of1((x) => te.argsort(x, sortOptions(call), dtypeAttr(call, "dtype") ?? "int32"))),
  topk,
  cumsum: scan("cumsum", te.cumsum),
  cumprod: scan("cumprod", te.cumprod),
  median,
  bucketize,
  scatter_elements: viaTe("scatter_elements", 3, (call) =>
    of3((x, i, u) => te.scatterElements(x, i, u, intAttr(call, "axis"), reductionOf(call))),
  ),
  scatter_nd: viaTe("scatter_nd", 3, (call) => of3((x, i, u) => te.scatterNd(x, i, u, reductionOf(call)))),
  index_put: indexPut,
  slice_scatter: sliceScatter,
  "nn.attention": viaTe("attention", 3, (call) => of3((q, k, v) => te.attention(q, k, v, undefined, attentionOptions(call)))),
  "nn.attention_var_len": attentionVarLen,
  "nn.attention_bias": viaTe("attention_bias", 4, (call) => (...t) =>
    te.attention(nth(t, 0), nth(t, 1), nth(t, 2), nth(t, 3), attentionOptions(call)),
  ),
  "nn.nll_loss": nllLoss,
  "nn.cross_entropy_with_logits": crossEntropy,
  quantize: quantization("quantize", te.quantize),
  dequantize: quantization("dequantize", te.dequantize),
  "vision.all_class_non_max_suppression": allClassNms,
  "vision.get_valid_counts": viaTe("get_valid_counts", 1, (call) =>
    of1((x) => te.getValidCounts(x, floatAttr(call, "score_threshold"), intAttr(call, "id_index"), intAttr(call, "score_index"))),
  ),
  "vision.non_max_suppression": nonMaxSuppression,
  "vision.multibox_transform_loc": multibox,
  "vision.roi_align": roiAlign,
  "vision.roi_pool": viaTe("roi_pool", 2, (call) =>
    of2((x, rois) => te.roiPool(x, rois, intsAttr(call, "pooled_size"), floatAttr(call, "spatial_scale"), stringAttr(call, "layout"))),
  ),
  size,
  nonzero: viaRuntime("nonzero"),
  unique: viaRuntime("unique"),
  "grad.no_grad": identity,
  "grad.start_checkpoint": identity,
  "grad.end_checkpoint": identity,
  "grad.take_backward": takeBackward,
};
