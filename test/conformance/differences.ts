import type { Difference } from "./report.ts";

/** Why replays of upstream's TensorIR tests do not end as upstream's do. */
export const tirDifferences: readonly Difference[] = [
  ["tir-schedule/test_tir_schedule_annotate_buffer_access::", "a region read at an index computed in floating point is written as that index here, as the whole dimension upstream"],
  ["tir-schedule/test_tir_schedule_cache_index::test_basic_cache_index", "upstream gives a buffer of two dimensions one stride"],
  ["tir-schedule/test_tir_schedule_split_fuse::test_sve_split_over_scalable_loop", "that factors of `vscale` reach an extent is proved from the values it has on processors with SVE"],
  ["tir-schedule/test_tir_schedule_transform_layout::TestTransformLayoutWithVar", "the condition of the padding is simplified further here"],
  ["tir-schedule/test_tir_schedule_transform_layout::TestPadValueMayNotReferenceOtherBuffer", "the test makes a buffer in Python, which no schedule script can"],
  ["tir-transform/test_transform_default_gpu_schedule::test_broadcast_to_symbolic", "a product of symbolic sizes has its factors in another order"],
];

/** Why rows of upstream's arithmetic tests are not equal here. */
export const arithDifferences: readonly Difference[] = [
  ["canonical_simplify::test_split_index_simplify", "a sign stays in the numerator: `(x * -1) % 2`"],
  ["canonical_simplify::test_floormod_simplify", "a sign stays in the numerator: `(x * -1) % 2`"],
  ["canonical_simplify::test_complex_cases", "another form of the same value"],
  ["canonical_simplify::test_simplify_le", "a comparison is written another way round: `x < z * 7` for `x - z * 7 < 0`"],
  ["const_int_bound::TestDataType", "a size variable is bounded by its type here, by nothing upstream"],
  ["const_int_bound::TestCastBound", "a negative value wraps around in a cast to an unsigned type; bounds are not followed through floats"],
  ["const_int_bound::TestBoundsUsingReciprocals", "bounds of differences of products by reciprocals are not derived"],
  ["detect_cse::", "takes statements apart, which `CommonSubexprElimTIR` does by itself"],
  ["detect_linear_equation::test_basic", "-1 as uint32 is 2^32 - 1"],
  ["iter_affine_map::test_split", "a variable of one value is replaced by it"],
  ["modular_set::test_cast", "arithmetic of 8 bits wraps around: `x * 3` is no multiple of 3"],
  ["modular_set::test_mod", "more is known here: the remainder of a known residue is a number"],
  ["rewrite_simplify::TestVector[10]", "x + 0.0 is not x for -0.0"],
  ["rewrite_simplify::TestVector[19]", "x * 0.0 is not 0.0 for infinities, NaN and negative values"],
  ["rewrite_simplify::TestVector[21]", "upstream's rule for truncated division of ramps does not hold for negative values"],
  ["rewrite_simplify::TestVector[23]", "upstream's rule for truncated division of ramps does not hold for negative values"],
  ["rewrite_simplify::TestVector[26]", "upstream's rule for truncated remainders of ramps does not hold for negative values"],
  ["rewrite_simplify::TestVector[27]", "upstream's rule for truncated remainders of ramps does not hold for negative values"],
  ["rewrite_simplify::TestVector[29]", "upstream's rule for truncated remainders of ramps does not hold for negative values"],
  ["rewrite_simplify::TestVector", "simplified further here: a common factor leaves the remainder"],
  ["rewrite_simplify::TestSubIndex", "simplified further here, to a number"],
  ["rewrite_simplify::TestFloormodIndex", "simplified further here: a common factor leaves the remainder"],
  ["rewrite_simplify::TestDivZero", "a division by zero is left as it is, and reported where it is evaluated"],
  ["rewrite_simplify::TestSubBufferload", "x - x is not 0 for infinities and NaN"],
  ["simplify::test_can_prove_self_identity", "a float is not equal to itself where it is NaN"],
  ["simplify::test_simplify_vscale_comparison_without_sve_target", "the test reads what was logged"],
  ["solve_linear_equations::test_empty_var_to_solve", "the reader of the tests does not compare systems of constraints"],
  ["solve_linear_inequality::test_multi_equal", "conditions that are not linear in all variables are kept as they are, not as `e <= 0`"],
  ["solve_linear_inequality::test_unbound_var_range", "a range in a parameter is kept"],
];
