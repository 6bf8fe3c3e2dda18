import * as te from "@verticil/te";
import type { DocTable, TableRow } from "./table.ts";

const LEGALIZE = "packages/relax/src/op/legalize";

/** Why an operator is not there. */
const reasons: ReadonlyMap<string, string> = new Map([
  ["lstm", "a graph: the importer unrolls it, and loops of the graph are `scan`'s"],
  ["correlation", "of optical flow networks alone; no operator of Relax or ONNX is it"],
  ["bitserial_conv2d", "for 1- and 2-bit weights, which no target here stores"],
]);

/** Rows `upstream=ours`, or a name that is the same here but for its case; `-` where there is nothing. */
function rows(test: string, names: string): readonly TableRow[] {
  return names.split(/\s+/).filter((n) => n !== "").map((entry) => {
    const [upstream = "", given, mentions] = entry.split("=");
    const camel = upstream.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());
    const ours = given === undefined ? camel : given === "-" ? undefined : given;
    if (ours !== undefined && !(ours.split(".")[0] === "binaryOps" ? (ours.split(".")[1] ?? "") in te.binaryOps : ours in te)) {
      throw new Error(`\`te\` has no \`${ours}\`, which the table names for \`${upstream}\`.`);
    }
    return { upstream, ours, test: ours === undefined ? undefined : { file: test, mentions: mentions ?? upstream }, reason: reasons.get(upstream) };
  });
}

const binary = (names: string): readonly TableRow[] =>
  rows(`${LEGALIZE}/elementwise.test.ts`, names.split(" ").map((n) => `${n}=binaryOps.${n}`).join(" "));

/** topi's operators against upstream's list. */
export const topiTable: DocTable = {
  file: "docs/topi.md",
  title: "The operators of topi",
  intro: "Upstream's names (v0.20), what they are in `@verticil/te`, and a test. Operators of several layouts or dimensions are one function here, which takes the layout.",
  groups: [
    {
      name: "Broadcast",
      rows: [
        ...binary("add subtract multiply divide floor_divide mod floor_mod maximum minimum power left_shift right_shift greater less equal not_equal greater_equal less_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor"),
        ...rows(`${LEGALIZE}/elementwise.test.ts`, "broadcast_to logical_not bitwise_not where"),
      ],
    },
    {
      name: "Element-wise and math",
      rows: rows(
        `${LEGALIZE}/elementwise.test.ts`,
        "negative exp erf tanh tan cos cosh sin sinh acos acosh asin asinh atan atanh floor ceil sign trunc abs isnan isfinite isinf round log sqrt rsqrt sigmoid clip cast=cast=astype",
      ).concat(rows("packages/te/src/topi/approximate.test.ts", "log2 log10 fast_exp fast_tanh fast_erf fixed_point_multiply reinterpret identity ceil_log2")),
    },
    {
      name: "Reductions, scans, sorting, searching",
      rows: [
        ...rows(`${LEGALIZE}/nn-rules.test.ts`, 'sum=sumOf max=maxOf min=minOf="min" prod=prodOf all=all=max any=any=max argmax argmin'),
        ...rows(`${LEGALIZE}/search-rules.test.ts`, "cumsum cumprod sort argsort topk searchsorted=topk=bucketize"),
        ...rows(`${LEGALIZE}/shape-ops.test.ts`, "collapse_sum=collapseSum=collapse_sum_to"),
      ],
    },
    {
      name: "Transformations, gather and scatter",
      rows: [
        ...rows(
          `${LEGALIZE}/shape-ops.test.ts`,
          "expand_dims transpose=transpose=permute_dims flip reverse_sequence strided_slice dynamic_strided_slice=dynamicStridedSlice=strided_slice reshape squeeze concatenate=concatenate=concat stack split arange repeat tile full eye trilu=trilu=triu meshgrid=compute=meshgrid",
        ),
        ...rows(`${LEGALIZE}/shape-ops.test.ts`, "take gather=gather=gather_elements gather_nd one_hot"),
        ...rows(`${LEGALIZE}/search-rules.test.ts`, "scatter_elements scatter_nd"),
        ...rows("packages/te/src/topi/space.test.ts", "depth_to_space space_to_depth=spaceToDepth space_to_batch_nd batch_to_space_nd dilate"),
        ...rows("packages/te/src/topi/rearrange.test.ts", "tensordot layout_transform sequence_mask sparse_to_dense matrix_set_diag sliding_window strided_set expand_like"),
      ],
    },
    {
      name: "Linear algebra",
      rows: rows(`${LEGALIZE}/shape-ops.test.ts`, "matmul=matmul=matmul batch_matmul=matmul=matmul dense=matmul=matmul einsum=einsum=einsum"),
    },
    {
      name: "Neural networks",
      rows: [
        ...rows(
          `${LEGALIZE}/nn-rules.test.ts`,
          "conv1d=conv=conv1d conv2d=conv=conv2d conv3d=conv=conv3d group_conv2d=conv=groups depthwise_conv2d=conv=depthwise conv2d_transpose=convTranspose=conv2d_transpose pool2d=maxPool=max_pool2d batch_norm layer_norm group_norm instance_norm rms_norm softmax log_softmax pad mirror_pad=padMode=pad",
        ),
        ...rows(`${LEGALIZE}/search-rules.test.ts`, "nll_loss"),
        ...rows(`${LEGALIZE}/elementwise.test.ts`, "relu leaky_relu=leakyRelu=leakyrelu softplus prelu"),
        ...rows("packages/te/src/topi/window-dims.test.ts", "conv1d_transpose=convTranspose conv3d_transpose=convTranspose pool1d=maxPool pool3d=maxPool adaptive_pool=adaptiveAvgPool"),
        ...rows("packages/te/src/topi/winograd.test.ts", "conv2d_winograd=conv2dWinograd=conv2dWinograd"),
        ...rows("packages/te/src/topi/winograd-scheme.test.ts", "winograd_transform_matrices=winogradMatrices=winogradMatrices"),
        ...rows("packages/te/src/topi/winograd-nhwc.test.ts", "conv2d_winograd_nhwc_without_weight_transform=conv2dWinogradNhwcWithoutWeightTransform=conv2dWinogradNhwcWithoutWeightTransform"),
        ...rows(`${LEGALIZE}/nn-rules.test.ts`, "pool_grad=maxPoolGrad=max_pool2d"),
        ...rows("packages/te/src/topi/window-ops.test.ts", "lrn deformable_conv2d=deformableConv2d=deformable_conv2d"),
        ...rows("packages/te/src/topi/rearrange.test.ts", "fifo_buffer upsampling simulated_quantize simulated_dequantize"),
        ...rows("", "lstm=- correlation=- bitserial_conv2d=-"),
      ],
    },
    {
      name: "Images and detection",
      rows: [
        ...rows(`${LEGALIZE}/nn-rules.test.ts`, "resize2d=resize2d=resize2d resize3d=resize3d=resize3d grid_sample=gridSample=grid_sample affine_grid=affineGrid=affine_grid"),
        ...rows(`${LEGALIZE}/search-rules.test.ts`, "non_max_suppression=nonMaxSuppression=non_max_suppression all_class_non_max_suppression=allClassNms get_valid_counts=getValidCounts=get_valid_counts roi_align=roiAlign=roi_align roi_pool=roiPool=roi_pool multibox_transform_loc=multiboxTransformLoc"),
        ...rows("packages/te/src/topi/window-ops.test.ts", "resize1d crop_and_resize dilation2d"),
      ],
    },
  ],
};
