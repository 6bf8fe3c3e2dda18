/**
 * A call of each operator that becomes a tensor program, with a size `n` that is only known when it runs. `<n, 4>` is a float32
 * input of that shape, `<n: int64>` one of another type; several results of a tuple are told apart by `fields`.
 */
export interface DynamicCall {
  readonly op: string;
  readonly text: string;
  readonly fields?: number;
}

const each = (ops: string, text: (op: string) => string): readonly DynamicCall[] => ops.split(" ").map((op) => ({ op, text: text(op) }));

const call = (op: string, args: string, fields?: number): DynamicCall => ({ op, text: `R.${op}(${args})`, ...(fields === undefined ? {} : { fields }) });

const one = 'R.const(1.0, "float32")';

/** The calls, in families that are compiled together. */
export const dynamicCalls: Readonly<Record<string, readonly DynamicCall[]>> = {
  unary: [
    ...each("abs ceil floor negative round sign square trunc acos asin asinh atan atanh cos cosh erf exp log rsqrt sigmoid sin sinh sqrt tan tanh", (op) => `R.${op}(<n, 4>)`),
    ...each("isfinite isinf isnan", (op) => `R.${op}(<n, 4>)`),
    call("acosh", `R.add(<n, 4>, ${one})`),
    call("bitwise_not", "<n, 4: int32>"),
    call("logical_not", "<n, 4: bool>"),
    call("clip", "<n, 4>, 0.25, 0.5"),
    call("astype", '<n, 4>, dtype="int32"'),
    call("size", "<n, 4>"),
    call("wrap_param", '<n, 4>, dtype="float32"'),
    ...each("grad.no_grad grad.start_checkpoint grad.end_checkpoint", (op) => `R.${op}(<n, 4>)`),
  ],
  binary: [
    ...each("add subtract multiply divide floor_divide mod floor_mod power maximum minimum log_add_exp atan2 equal not_equal greater greater_equal less less_equal", (op) => `R.${op}(<n, 4>, <4>)`),
    ...each("left_shift right_shift bitwise_and bitwise_or bitwise_xor", (op) => `R.${op}(<n, 4: int32>, <n, 1: int32>)`),
    ...each("logical_and logical_or logical_xor", (op) => `R.${op}(<n, 4: bool>, <4: bool>)`),
    call("ewise_fma", "<n, 4>, <n, 4>, <n, 4>"),
    call("where", "<n, 1: bool>, <n, 4>, <4>"),
  ],
  creation: [
    call("full", `R.shape([n, 2]), ${one}, dtype="float32"`),
    call("full_like", `<n, 2>, ${one}`),
    call("ones", 'R.shape([n, 2]), dtype="float32"'),
    call("zeros", 'R.shape([2, n]), dtype="int32"'),
    call("ones_like", "<n, 2>"),
    call("zeros_like", "<n, 2>"),
    call("eye", 'n, 4, 1, dtype="float32"'),
    call("eye_like", "<n, 4>, 0"),
    call("arange", '0, n, 1, dtype="int64"'),
    call("tril", "<2, n, 4>, 0"),
    call("triu", "<2, n, 4>, 1"),
    call("broadcast_to", "<1, 4>, R.shape([n, 4])"),
    call("hamming_window", 'n, 1, T.float32(0.54), T.float32(0.46), dtype="float32"'),
  ],
  shape: [
    call("concat", "(<n, 4>, <2, 4>, <n, 4>), axis=0"),
    call("stack", "(<n, 4>, <n, 4>), axis=1"),
    call("expand_dims", "<n, 4>, axis=[0, 2]"),
    call("flatten", "<n, 4>"),
    call("nn.batch_flatten", "<n, 2, 2>"),
    call("permute_dims", "<2, n, 4>, axes=[1, 2, 0]"),
    call("reshape", "<n, 4>, R.shape([2, n * 2])"),
    call("split", "<n, 4>, indices_or_sections=2, axis=1", 2),
    call("squeeze", "<1, n, 1>, axis=[0]"),
    call("repeat", "<n, 4>, repeats=2, axis=0"),
    call("tile", "<n, 4>, repeats=[2, 1]"),
    call("flip", "<n, 4>, axis=0"),
    call("reverse_sequence", "<n, 4>, <4: int64>, seq_axis=0, batch_axis=1"),
    call("meshgrid", '(<n>, <4>), indexing="ij"', 2),
    call("layout_transform", "<n, 4>, index_map=lambda i, j: (j, i)"),
    call("collapse_sum_to", "<n, 4>, R.shape([1, 4])"),
    call("collapse_sum_like", "<n, 4>, <1, 4>"),
    call("nn.pixel_shuffle", "<1, 4, n, 2>, upscale_factor=2"),
    call("nn.pad", "<n, 4>, pad_width=[1, 2, 0, 1]"),
  ],
  indexing: [
    call("take", "<n, 4>, <3: int64>, axis=0"),
    call("strided_slice", "<n, 4>, axes=[0, 1], begin=[1, 3], end=[9, 0], strides=[1, -1]"),
    call("gather_elements", "<n, 4>, <n, 2: int64>, axis=1"),
    call("gather_nd", "<n, 4>, <n, 1: int64>"),
    call("scatter_elements", '<n, 4>, <n, 2: int64>, <n, 2>, axis=1, reduction="add"'),
    call("scatter_nd", '<n, 4>, <n, 1: int64>, <n, 4>, reduction="add"'),
    call("slice_scatter", "<n, 4>, <n, 2>, 1, 3, 1, axis=1"),
    call("one_hot", "<n: int64>, R.prim_value(T.float32(2)), R.prim_value(T.float32(0)), depth=4, axis=-1"),
    call("index_tensor", "<n, 4>, (<2, n: int64>,)"),
    call("index_put", "<n, 4>, (<2: int64>,), <2, 4>, accumulate=True"),
    call("nonzero", "<n, 4: int32>"),
    call("unique", "<n: int32>, sorted=True, return_index=False, return_inverse=False, return_counts=False"),
    call("grad.take_backward", "<2, 4>, <n, 4>, <2: int64>, axis=0"),
  ],
  reduction: [
    ...each("max mean min prod std sum variance", (op) => `R.${op}(<n, 4>, axis=[1])`),
    call("median", "<4, n>, axis=[1]", 2),
    ...each("argmax argmin", (op) => `R.${op}(<4, n>, axis=1)`),
    ...each("cumsum cumprod", (op) => `R.${op}(<n, 4>, axis=0)`),
    call("sort", "<4, n>, axis=1"),
    call("argsort", '<4, n>, axis=1, dtype="int64"'),
    call("topk", '<4, n>, k=2, axis=1, dtype="int64"', 2),
    call("bucketize", "<n, 4>, <3>"),
  ],
  "linear algebra": [call("matmul", "<2, n, 4>, <4, n>"), call("einsum", '(<n, 4>, <4, 2>), subscripts="ij,jk->ik"'), call("outer", "<n>, <4>")],
  convolution: [
    call("nn.conv1d", "<1, 2, n>, <3, 2, 2>, padding=[1, 1]"),
    call("nn.conv2d", "<1, 2, n, 4>, <3, 2, 3, 3>, padding=[1, 1, 1, 1]"),
    call("nn.conv3d", "<1, 2, n, 2, 2>, <2, 2, 1, 1, 1>"),
    call("nn.conv1d_transpose", "<1, 2, n>, <2, 3, 2>, strides=[2]"),
    call("nn.conv2d_transpose", "<1, 2, n, 3>, <2, 2, 2, 2>, strides=[2, 2]"),
    call("nn.conv3d_transpose", "<1, 2, n, 2, 2>, <2, 2, 1, 1, 1>"),
  ],
  pooling: [
    ...["max", "avg"].flatMap((kind) => [
      call(`nn.${kind}_pool1d`, "<1, 2, n>, pool_size=[2], strides=[2], ceil_mode=True"),
      call(`nn.${kind}_pool2d`, "<1, 2, n, 4>, pool_size=[2, 2], padding=[1, 1, 1, 1]"),
      call(`nn.${kind}_pool3d`, "<1, 1, n, 2, 2>, pool_size=[2, 1, 1]"),
    ]),
    call("nn.adaptive_avg_pool1d", "<1, 2, n>, output_size=[2]"),
    call("nn.adaptive_avg_pool2d", "<1, 2, n, 4>, output_size=[2, 2]"),
    call("nn.adaptive_avg_pool3d", "<1, 1, n, 2, 2>, output_size=[2, 1, 2]"),
    call("grad.max_pool2d_backward", "<1, 1, n, 3>, <1, 1, n, 3>, pool_size=[1, 1]"),
    call("grad.avg_pool2d_backward", "<1, 1, n, 3>, <1, 1, n, 3>, pool_size=[1, 1]"),
  ],
  network: [
    ...each("nn.relu nn.gelu nn.gelu_tanh nn.selu nn.silu nn.leakyrelu nn.softplus nn.softmax nn.log_softmax", (op) => `R.${op}(<n, 4>)`),
    call("nn.prelu", "<n, 4>, <4>, axis=1"),
    call("nn.batch_norm", "<n, 4>, <4>, <4>, <4>, <4>, axis=1, training=False", 3),
    call("nn.layer_norm", "<n, 4>, <4>, <4>, axes=[-1]"),
    call("nn.group_norm", "<n, 4, 2>, <4>, <4>, num_groups=2, channel_axis=1, axes=[2]"),
    call("nn.instance_norm", "<n, 4, 2>, <4>, <4>, channel_axis=1, axes=[2]"),
    call("nn.rms_norm", "<n, 4>, <4>, axes=[-1]"),
    call("nn.dropout", "<n, 4>", 2),
    call("nn.cross_entropy_with_logits", "<n, 4>, <n, 4>"),
    call("nn.nll_loss", '<n, 4>, <n: int64>, <4>, reduction="mean"'),
    call("grad.nll_loss_backward", '<>, <n, 4>, <n: int64>, <4>, reduction="mean"'),
    call("nn.attention", "<1, n, 2, 4>, <1, 5, 2, 4>, <1, 5, 2, 4>"),
    call("nn.attention_bias", "<1, n, 2, 4>, <1, 5, 2, 4>, <1, 5, 2, 4>, <1, 2, n, 5>"),
    call("quantize", '<n, 4>, <4>, <4: int8>, out_dtype="int8", axis=1'),
    call("dequantize", '<n, 4: int8>, <4>, <4: int8>, out_dtype="float32", axis=1'),
  ],
  images: [
    call("image.resize2d", '<1, 1, n, 4>, R.shape([n * 2, 6]), method="linear"'),
    call("image.resize3d", '<1, 1, n, 2, 2>, R.shape([n * 2, 2, 3]), method="nearest_neighbor"'),
    call("image.grid_sample", "<1, 1, n, 4>, <1, 2, 2, n>"),
    call("image.affine_grid", "<1, 2, 3>, R.shape([n, 2])"),
    call("vision.roi_align", "<1, 1, 4, 4>, <n, 5>, pooled_size=[2, 2], spatial_scale=1.0"),
    call("vision.roi_pool", "<1, 1, 4, 4>, <n, 5>, pooled_size=[2, 2], spatial_scale=1.0"),
    call("vision.all_class_non_max_suppression", '<1, n, 4>, <1, 2, n>, R.const(2, "int64"), R.const(0.5, "float32"), R.const(0.0, "float32")', 2),
    call("vision.non_max_suppression", "<1, n, 6>, <1: int32>, <1, n: int32>", 2),
    call("vision.get_valid_counts", "<1, n, 6>, score_threshold=0.5", 3),
    call("vision.multibox_transform_loc", "<1, 3, n>, <1, n * 4>, <1, n, 4>", 2),
  ],
};
