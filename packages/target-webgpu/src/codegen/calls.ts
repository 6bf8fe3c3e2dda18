import { isFloat, lanesOf, parseDType, scalarOf } from "@verticil/runtime-ffi";
import { asInt, visitExpr, type Call, type PrimExpr } from "@verticil/tir";
import { components, helper, laneByLane } from "./lane-ops.ts";
import { once, unsupported, type KernelContext } from "./kernel-context.ts";
import { computeScalar, wgslTypeOf } from "./wgsl-type.ts";

/** Functions that WGSL has under another name or the same, lane by lane. */
const BUILTINS: Readonly<Record<string, string>> = {
  exp: "exp",
  exp2: "exp2",
  log: "log",
  log2: "log2",
  sqrt: "sqrt",
  rsqrt: "inverseSqrt",
  sin: "sin",
  cos: "cos",
  tan: "tan",
  sinh: "sinh",
  cosh: "cosh",
  asin: "asin",
  acos: "acos",
  atan: "atan",
  atan2: "atan2",
  asinh: "asinh",
  acosh: "acosh",
  atanh: "atanh",
  floor: "floor",
  ceil: "ceil",
  trunc: "trunc",
  nearbyint: "round",
  fabs: "abs",
  abs: "abs",
  fma: "fma",
  clz: "countLeadingZeros",
  popcount: "countOneBits",
};

/** Functions that are declared with the kernel. */
const HELPERS: Readonly<Record<string, string>> = {
  pow: "power",
  erf: "error_function",
  log1p: "log_one_plus",
  round: "round_half_away",
};

const BITWISE: Readonly<Record<string, string>> = { bitwise_and: "&", bitwise_or: "|", bitwise_xor: "^" };

/** The WGSL of a call of a builtin. */
export function callExpr(cx: KernelContext, e: Call): string {
  if (e.op.kind === "ir.GlobalVar") return unsupported(cx, `a call of \`${e.op.name}\``, "Inline the function.", e.span);
  const name = e.op.name.replace(/^tir\./, "");
  const args = (): readonly string[] => e.args.map((a) => cx.expr(a));
  const builtin = BUILTINS[name];
  if (builtin !== undefined) return `${builtin}(${args().join(", ")})`;
  const declared = HELPERS[name];
  if (declared !== undefined) return laneByLane(cx, e, args(), (scalars) => helper(cx, declared, scalars));
  const symbol = BITWISE[name];
  if (symbol !== undefined) {
    const [a = "0", b = "0"] = args();
    const logical = computeScalar(e.dtype) === "bool" && symbol === "^" ? "!=" : symbol;
    return `(${a}) ${logical} (${b})`;
  }
  return special(cx, e, name);
}

function special(cx: KernelContext, e: Call, name: string): string {
  const arg = (i: number): PrimExpr => e.args[i] ?? e;
  const value = (i: number): string => cx.expr(arg(i));
  const type = wgslTypeOf(e.dtype) ?? "";
  const splat = (text: string): string => (lanesOf(e.dtype) === 1 ? text : `${type}(${text})`);
  const number = (text: string): string => splat(`${text}${computeScalar(e.dtype) === "f16" ? "h" : "f"}`);
  switch (name) {
    case "likely":
    case "tvm_thread_invariant":
    case "ignore_loop_partition":
      return value(0);
    case "if_then_else":
      return ifThenElse(cx, e);
    case "sigmoid":
      return `${number("1")} / (${number("1")} + exp(-(${value(0)})))`;
    case "tanh":
      // Beyond this it is 1 in single precision, and some drivers overflow.
      return `tanh(clamp(${value(0)}, ${number("-10")}, ${number("10")}))`;
    case "exp10":
      return `exp2((${value(0)}) * ${number("3.321928094887362")})`;
    case "log10":
      return `log(${value(0)}) * ${number("0.4342944819032518")}`;
    case "fmod":
      return `(${value(0)}) % (${value(1)})`;
    case "hypot": {
      const [a, b] = [once(cx, "a", value(0)), once(cx, "b", value(1))];
      return `sqrt(${a} * ${a} + ${b} * ${b})`;
    }
    case "ldexp":
      return isFloat(arg(1).dtype) ? `(${value(0)}) * exp2(${value(1)})` : `(${value(0)}) * exp2(${type}(${value(1)}))`;
    case "bitwise_not":
      return computeScalar(e.dtype) === "bool" ? `!(${value(0)})` : `~(${value(0)})`;
    case "shift_left":
      return `(${value(0)}) << ${unsigned(e)}(${value(1)})`;
    case "shift_right":
      return `(${value(0)}) >> ${unsigned(e)}(${value(1)})`;
    case "reinterpret":
      return reinterpret(cx, e);
    case "copysign":
    case "isnan":
    case "isinf":
    case "isfinite":
      return bits(cx, e, name);
    case "infinity":
      return splat(helper(cx, "infinity", []));
    case "large_uint_imm": {
      const low = asInt(arg(0));
      return low !== undefined && asInt(arg(1)) === 0 && computeScalar(e.dtype) === "u32" ? `${low}u` : unsupported(cx, "a 64-bit constant", "Use 32-bit integers.", e.span);
    }
    case "vectorlow":
    case "vectorhigh":
    case "vectorcombine":
      return halves(cx, e, name);
    default:
      return unsupported(cx, `\`${e.op.name}\` of ${e.dtype}`, "Lower it to arithmetic.", e.span);
  }
}

function unsigned(e: Call): string {
  return lanesOf(e.dtype) === 1 ? "u32" : `vec${lanesOf(e.dtype)}<u32>`;
}

function reinterpret(cx: KernelContext, e: Call): string {
  const [source] = e.args;
  const type = wgslTypeOf(e.dtype);
  const same = source !== undefined && parseDType(scalarOf(source.dtype)).bits === 32 && parseDType(scalarOf(e.dtype)).bits === 32;
  if (!same || type === undefined) return unsupported(cx, `\`reinterpret\` of ${source?.dtype ?? "nothing"} as ${e.dtype}`, "Only 32-bit types can be looked at as one another.", e.span);
  return `bitcast<${type}>(${cx.expr(source)})`;
}

/** Questions about the bits of a float: compilers of shaders take it that there is no infinity and no NaN. */
function bits(cx: KernelContext, e: Call, name: string): string {
  const [a, b] = e.args;
  if (a === undefined || computeScalar(a.dtype) !== "f32") return unsupported(cx, `\`${e.op.name}\` of ${a?.dtype ?? "nothing"}`, "Convert it to float32 first.", e.span);
  const type = lanesOf(a.dtype) === 1 ? "u32" : `vec${lanesOf(a.dtype)}<u32>`;
  const splat = (text: string): string => (lanesOf(a.dtype) === 1 ? text : `${type}(${text})`);
  const magnitude = `(bitcast<${type}>(${cx.expr(a)}) & ${splat("0x7fffffffu")})`;
  if (name === "isnan") return `${magnitude} > ${splat("0x7f800000u")}`;
  if (name === "isinf") return `${magnitude} == ${splat("0x7f800000u")}`;
  if (name === "isfinite") return `${magnitude} < ${splat("0x7f800000u")}`;
  const sign = `(bitcast<${type}>(${b === undefined ? "0" : cx.expr(b)}) & ${splat("0x80000000u")})`;
  return `bitcast<${wgslTypeOf(e.dtype) ?? ""}>(${magnitude} | ${sign})`;
}

function halves(cx: KernelContext, e: Call, name: string): string {
  const scalars = e.args.flatMap((a) => {
    const lanes = lanesOf(a.dtype);
    const v = once(cx, "lanes", cx.expr(a));
    return lanes === 1 ? [v] : components.slice(0, lanes).map((c) => `${v}.${c}`);
  });
  const lanes = lanesOf(e.dtype);
  const picked = name === "vectorhigh" ? scalars.slice(-lanes) : scalars.slice(0, lanes);
  return lanes === 1 ? (picked[0] ?? "0") : `${wgslTypeOf(e.dtype) ?? ""}(${picked.join(", ")})`;
}

/**
 * Cheap values are both computed: reading outside of a buffer is harmless in WGSL, and neighbouring threads would take
 * both ways anyhow. Others go into branches.
 */
function ifThenElse(cx: KernelContext, e: Call): string {
  const [condition, yes, no] = e.args;
  if (condition === undefined || yes === undefined || no === undefined) return unsupported(cx, "an incomplete `if_then_else`", "It takes three arguments.", e.span);
  if (lanesOf(condition.dtype) > 1 || (isCheap(yes) && isCheap(no))) return `select(${cx.expr(no)}, ${cx.expr(yes)}, ${cx.expr(condition)})`;
  const test = cx.expr(condition);
  const name = cx.names.fresh("t", "chosen");
  cx.code.line(`var ${name}: ${wgslTypeOf(e.dtype) ?? ""};`);
  cx.code.block(`if (${test})`, () => cx.code.line(`${name} = ${cx.expr(yes)};`), "} else {");
  cx.code.continue(() => cx.code.line(`${name} = ${cx.expr(no)};`));
  return name;
}

function isCheap(e: PrimExpr): boolean {
  let loads = 0;
  let size = 0;
  visitExpr(e, (x) => {
    if (x.kind === "tir.BufferLoad") {
      loads++;
      return "skip";
    }
    size += x.kind === "tir.Call" ? 8 : 1;
    return undefined;
  });
  return loads <= 1 && size <= 8;
}
