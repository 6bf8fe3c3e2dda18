/** Functions that kernels call where WGSL has no builtin, by name; a kernel declares those it uses. */
export const helperFunctions: ReadonlyMap<string, string> = new Map([
  [
    "floor_div",
    `fn floor_div(a: i32, b: i32) -> i32 {
  let q = a / b;
  return select(q, q - 1i, (a % b != 0i) && ((a < 0i) != (b < 0i)));
}`,
  ],
  [
    "floor_mod",
    `fn floor_mod(a: i32, b: i32) -> i32 {
  let r = a % b;
  return select(r, r + b, (r != 0i) && ((r < 0i) != (b < 0i)));
}`,
  ],
  [
    // Through a variable: a constant of this value would be an error.
    "infinity",
    `fn infinity() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}`,
  ],
  [
    "not_a_number",
    `fn not_a_number() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}`,
  ],
  [
    // WGSL leaves negative bases out. Integral exponents keep the sign that an odd one gives.
    "power",
    `fn power(a: f32, b: f32) -> f32 {
  if (b == 0f) { return 1f; }
  if (a == 0f) { return select(1f / a, 0f, b > 0f); }
  let whole = floor(b) == b;
  let magnitude = pow(abs(a), b);
  if (a > 0f) { return magnitude; }
  if (!whole) { return bitcast<f32>(bitcast<u32>(a) | 0x7fc00000u); }
  return select(magnitude, -magnitude, abs(b - 2f * floor(b / 2f)) == 1f);
}`,
  ],
  [
    // Abramowitz and Stegun 7.1.26: within 1.5e-7.
    "error_function",
    `fn error_function(x: f32) -> f32 {
  let t = 1f / (1f + 0.3275911f * abs(x));
  let y = 1f - (((((1.061405429f * t - 1.453152027f) * t) + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t * exp(-x * x);
  return select(-y, y, x >= 0f);
}`,
  ],
  [
    // Beyond this it is 1 in single precision, and some drivers overflow.
    "hyperbolic_tangent",
    `fn hyperbolic_tangent(x: f32) -> f32 {
  return tanh(clamp(x, -10f, 10f));
}`,
  ],
  [
    // Small arguments lose their digits in \`1 + x\`; what is lost there is put back.
    "log_one_plus",
    `fn log_one_plus(x: f32) -> f32 {
  let u = 1f + x;
  return select(log(u) * (x / (u - 1f)), x, u == 1f);
}`,
  ],
  [
    "round_half_away",
    `fn round_half_away(x: f32) -> f32 {
  return sign(x) * floor(abs(x) + 0.5f);
}`,
  ],
]);
