// Every attribute of every operator refuses values of another type, and values that mean nothing, by its name.
import { makeVDevice, type AttrMap, type AttrValue } from "@verticil/ir-core";
import { makeIndexMap } from "@verticil/tir";
import { expect, test } from "vitest";
import { makeDeviceMesh } from "../ir/make.ts";
import { completeAttrs, type AttrType } from "../ir/op-def.ts";
import { relaxOps } from "./index.ts";

const mesh = makeDeviceMesh([2], [0, 1]);
const attrValues = [1, 0.5, "word", true, null, [1, 2], [0.5], mesh] as const;

/** Attributes without a default, where a value that is right does not follow from the type. */
const right: Readonly<Record<string, AttrValue>> = {
  dst_vdevice: makeVDevice({ kind: "llvm" }, 0, "global"),
  device_mesh: mesh,
  placement: "S[0]",
  index_map: makeIndexMap([], []),
  indices_or_sections: 2,
  pooled_size: [7, 7],
};

const rightOf: Readonly<Partial<Record<AttrType, AttrValue>>> = { int: 1, ints: [1], float: 1, string: "a", dtype: "float32" };

function required(op: string): AttrMap {
  const fields = Object.entries(relaxOps.get(op)?.attrs ?? {}).filter(([, f]) => f.default === undefined);
  return Object.fromEntries(fields.map(([name, f]) => [name, right[name] ?? rightOf[f.type] ?? null]));
}

function problem(op: string, name: string, value: AttrValue): string | undefined {
  const def = relaxOps.get(op);
  if (def === undefined) throw new RangeError(`No operator ${op}.`);
  try {
    completeAttrs(def, { ...required(op), [name]: value });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const isList = (v: AttrValue): boolean => Array.isArray(v);

/** True if a value is of an attribute's type: written down again here, so that the operators are not asked about themselves. */
const accepts: Readonly<Record<Exclude<AttrType, "any">, (v: AttrValue) => boolean>> = {
  int: (v) => v === 1,
  float: (v) => v === 1 || v === 0.5,
  bool: (v) => v === true,
  string: (v) => v === "word",
  dtype: () => false,
  // One number stands for a list of it.
  ints: (v) => v === 1 || (isList(v) && v !== attrValues[6]),
  "optional-ints": (v) => v === 1 || v === null || (isList(v) && v !== attrValues[6]),
  "optional-int": (v) => v === 1 || v === null,
  "float-constants": (v) => isList(v),
};

const attributes = [...relaxOps.values()].flatMap((def) => Object.entries(def.attrs).map(([name, field]) => ({ op: def.name, name, field })));

test("what is given beside the wrong values is right", () => {
  const problems = [...relaxOps.values()].map((def) => { try { completeAttrs(def, required(def.name)); return undefined; } catch (error) { return `${def.name}: ${(error as Error).message}`; } });
  expect(problems.filter((p) => p !== undefined)).toEqual([]);
});

test.each(attributes)("$op: `$name` is of its type", ({ op, name, field }) => {
  const { type } = field;
  if (type === "any") return expect(field.checks?.length ?? 0).toBeGreaterThan(0);
  // None stands for the default where there is one.
  const wrong = attrValues.filter((v) => !accepts[type](v) && !(v === null && field.default !== undefined));
  // Regions of images take one number for all sides, as upstream's do.
  for (const v of wrong.filter((w) => !(name === "roi" && (typeof w === "number" || w === null)))) {
    expect(problem(op, name, v), JSON.stringify(v)).toMatch(new RegExp(`\`${name}\`.*\`${op}\`|\`${op}\`.*\`${name}\``));
  }
});

const spatial = ["nn.conv2d", "nn.conv1d", "nn.conv3d", "nn.conv1d_transpose", "nn.conv2d_transpose", "nn.conv3d_transpose"];
const pools = [1, 2, 3].flatMap((n) => [`nn.max_pool${n}d`, `nn.avg_pool${n}d`]).concat("grad.max_pool2d_backward", "grad.avg_pool2d_backward");
const normalizations = ["nn.batch_norm", "nn.layer_norm", "nn.group_norm", "nn.instance_norm", "nn.rms_norm"];
const attentions = ["nn.attention", "nn.attention_bias", "nn.attention_var_len"];
const statistics = ["max", "mean", "min", "prod", "std", "sum", "variance", "median"];
const layouts: readonly AttrValue[] = ["NC", "NCHWDX", "nchw", "NCHW4", "NNCHW", "N C H W", ""];
const fiveNumbers = [1, 1, 1, 1, 1] as const;

/** Values of the right type that mean nothing. */
const meaningless: readonly (readonly [ops: readonly string[], attr: string, values: readonly AttrValue[]])[] = [
  [[...spatial, ...pools], "strides", [0, [-1], fiveNumbers, []]],
  [[...spatial, ...pools], "dilation", [0, [-1], fiveNumbers, []]],
  [[...spatial, ...pools], "padding", [-1, fiveNumbers, []]],
  [spatial, "groups", [0, -2]],
  [spatial, "data_layout", layouts],
  [spatial, "kernel_layout", layouts],
  [spatial, "out_layout", ["NC", "nchw"]],
  [pools, "pool_size", [0, [-2], fiveNumbers, []]],
  [pools, "layout", layouts],
  [["nn.conv1d_transpose", "nn.conv2d_transpose", "nn.conv3d_transpose"], "output_padding", [-1, fiveNumbers]],
  [[1, 2, 3].map((n) => `nn.adaptive_avg_pool${n}d`), "output_size", [0, -1, fiveNumbers]],
  [normalizations, "epsilon", [-1e-5]],
  [["nn.layer_norm", "nn.group_norm", "nn.instance_norm", "nn.rms_norm"], "axes", [[], [1, 1]]],
  [["nn.group_norm"], "num_groups", [0]],
  [["nn.batch_norm"], "momentum", [-0.1, 1.5]],
  [["nn.dropout"], "rate", [-0.1, 1.5]],
  [["nn.pad"], "pad_mode", ["edge", ""]],
  [["nn.pixel_shuffle"], "upscale_factor", [0]],
  [["nn.nll_loss", "grad.nll_loss_backward"], "reduction", ["average", ""]],
  [attentions, "scale", ["big", [1]]],
  [attentions, "causal_mask", ["Top", 1]],
  [attentions, "window_size", [0, 1.5, "wide"]],
  [["take", "grad.take_backward"], "mode", ["wrapped", ""]],
  [["scatter_elements", "scatter_nd"], "reduction", ["sum", ""]],
  [["gather_nd"], "batch_dims", [-1]],
  [["one_hot"], "depth", [0, -1]],
  [["repeat", "tile"], "repeats", [-1]],
  [["expand_dims", "squeeze", ...statistics], "axis", [[0, 0]]],
  [["permute_dims"], "axes", [[1, 1]]],
  [["split"], "indices_or_sections", [-1, 1.5, [1.5], "two"]],
  [["meshgrid"], "indexing", ["ji", 1]],
  [["layout_transform"], "index_map", [1, "map"]],
  [["layout_transform"], "pad_value", [1, "zero"]],
  [["layout_transform"], "axis_separators", [[-1], [2, 1]]],
  [["layout_transform"], "input_axis_separators", [[-1], [2, 1]]],
  [["topk"], "ret_type", ["all"]],
  [["image.resize2d", "image.resize3d"], "roi", [[0, 0]]],
  [["image.resize2d", "image.resize3d"], "layout", layouts],
  [["image.resize2d", "image.resize3d"], "method", ["bilinear", ""]],
  [["image.resize2d", "image.resize3d"], "coordinate_transformation_mode", ["half", ""]],
  [["image.resize2d", "image.resize3d"], "rounding_method", ["up"]],
  [["image.resize2d", "image.resize3d"], "cubic_exclude", [2, -1]],
  [["image.grid_sample"], "method", ["linear"]],
  [["image.grid_sample"], "padding_mode", ["zero"]],
  [["image.grid_sample", "vision.roi_align", "vision.roi_pool"], "layout", layouts],
  [["vision.roi_align", "vision.roi_pool"], "pooled_size", [0, [1, 1, 1]]],
  [["vision.roi_align", "vision.roi_pool"], "spatial_scale", [-1]],
  [["vision.roi_align"], "sample_ratio", [-2]],
  [["vision.roi_align"], "mode", ["mean"]],
  [["vision.all_class_non_max_suppression"], "output_format", ["torch"]],
  [["vision.get_valid_counts", "vision.non_max_suppression"], "id_index", [-2]],
  [["vision.get_valid_counts", "vision.non_max_suppression"], "score_index", [-1]],
  [["vision.non_max_suppression"], "max_output_size", [-2]],
  [["vision.non_max_suppression"], "iou_threshold", [-0.5, 2]],
  [["vision.non_max_suppression"], "top_k", [-2]],
  [["vision.non_max_suppression"], "coord_start", [-1]],
  [["vision.non_max_suppression"], "soft_nms_sigma", [-1]],
  [["vision.multibox_transform_loc"], "variances", [[1, 1], ["a", "b", "c", "d"], 1]],
  [["call_tir_inplace", "call_inplace_packed"], "inplace_indices", [[], [-2]]],
  [["call_tir_with_grad"], "te_grad_kwargs", [[1], "none"]],
  [["hint_on_device"], "dev_type", [0]],
  [["hint_on_device"], "dev_id", [-1]],
  [["to_vdevice"], "dst_vdevice", ["llvm", 0]],
  [["ccl.allreduce"], "op_type", ["mean"]],
  [["ccl.allgather", "ccl.scatter_from_worker0", "dist.redistribute_replica_to_shard"], "num_workers", [0]],
  [["ccl.scatter_from_worker0", "dist.redistribute_replica_to_shard"], "axis", [-1]],
  [["dist.annotate_sharding", "dist.redistribute"], "device_mesh", ["mesh", 1]],
];

test.each(meaningless.flatMap(([ops, name, values]) => ops.map((op) => ({ op: `relax.${op}`, name, values }))))("$op: `$name` means something", ({ op, name, values }) => {
  for (const v of values) expect(problem(op, name, v), JSON.stringify(v)).toMatch(new RegExp(`\`${name}\` of \`${op}\` must be`));
});

test("no check is left out of these tables", () => {
  const tried = new Set(meaningless.flatMap(([ops, name]) => ops.map((op) => `relax.${op} ${name}`)));
  const also = new Set([1, 2, 3].flatMap((n) => ["layout", "out_layout"].map((l) => `relax.nn.adaptive_avg_pool${n}d ${l}`)).concat(pools.map((p) => `relax.${p} out_layout`)));
  expect(attributes.filter((a) => a.field.checks !== undefined).map((a) => `${a.op} ${a.name}`).filter((key) => !tried.has(key) && !also.has(key))).toEqual([]);
});
