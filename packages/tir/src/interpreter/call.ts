import { at, type Span } from "@verticil/ir-core";
import { isFloat, lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { Call, PrimExpr } from "../ir/expr.ts";
import { addressOf, elementRun } from "./access.ts";
import { constantCode, numberRun, valueCode, type Code } from "./code.ts";
import { raise } from "./errors.ts";
import { choose, compileExpr, compileNumber, compileTest, geometryOf, reinterpretCode } from "./expr.ts";
import { binaryMath, nextAfter, unaryMath } from "./math.ts";
import { strideBytes, type Pointer } from "./memory.ts";
import { integerRange, rounding, wrap64, wrapping, type Scalar } from "./scalar.ts";
import type { Argument, Scope } from "./scope.ts";

/** Thrown by `tir.ret` to leave the function. */
export class Return {
  readonly value: Scalar;

  constructor(value: Scalar) {
    this.value = value;
  }
}

/** Compiles one lane of a call. */
export function callCode(scope: Scope, e: Call, lane: number): Code {
  if (e.op.kind === "ir.GlobalVar") return functionCall(scope, e);
  const name = e.op.name;
  const arg = (i: number): Code => compileExpr(scope, at(e.args, i), lanesOf(at(e.args, i).dtype) === 1 ? 0 : lane);
  const unary = Object.hasOwn(unaryMath, name) ? unaryMath[name] : undefined;
  if (unary !== undefined) return roundTo(e.dtype, numberOf(arg(0), e.span), unary);
  const binary = Object.hasOwn(binaryMath, name) ? binaryMath[name] : undefined;
  if (binary !== undefined) {
    const x = numberOf(arg(0), e.span);
    const y = numberOf(arg(1), e.span);
    const round = rounding(e.dtype);
    return fit(e.dtype, () => round(binary(x(), y())));
  }
  switch (name) {
    case "tir.if_then_else":
      return choose(compileTest(scope, at(e.args, 0), lanesOf(at(e.args, 0).dtype) === 1 ? 0 : lane), arg(1), arg(2));
    case "tir.likely":
    case "tir.tvm_thread_invariant":
      return arg(0);
    case "tir.reinterpret":
      return reinterpretCode(scope, e, lane);
    case "tir.infinity":
      return valueCode(() => Infinity);
    case "tir.undef":
      return isFloat(e.dtype) ? valueCode(() => NaN) : constantCode(0);
    case "tir.tvm_warp_activemask":
      return constantCode(2 ** 32 - 1);
    case "tir.vscale":
      return constantCode(1);
    case "tir.large_uint_imm": {
      const low = arg(0).run;
      const high = arg(1).run;
      const run = (): Scalar => wrap64((BigInt(high()) << 32n) | BigInt.asUintN(32, BigInt(low())), true);
      return { wide: true, run, lo: 0, hi: 2 ** 64 };
    }
    case "tir.fma": {
      const [x, y, z] = [0, 1, 2].map((i) => numberOf(arg(i), e.span));
      const round = rounding(e.dtype);
      return valueCode(() => round((x?.() ?? 0) * (y?.() ?? 0) + (z?.() ?? 0)));
    }
    case "tir.nextafter": {
      const x = numberOf(arg(0), e.span);
      const y = numberOf(arg(1), e.span);
      const single = scalarOf(e.dtype) === "float32";
      return valueCode(() => nextAfter(x(), y(), single));
    }
    case "tir.abs": {
      const { run } = arg(0);
      return fit(e.dtype, () => {
        const v = run();
        return v < 0 ? -v : v;
      });
    }
    case "tir.bitwise_and":
      return bitwise(e.dtype, arg(0), arg(1), (a, b) => a & b, (a, b) => a & b);
    case "tir.bitwise_or":
      return bitwise(e.dtype, arg(0), arg(1), (a, b) => a | b, (a, b) => a | b);
    case "tir.bitwise_xor":
      return bitwise(e.dtype, arg(0), arg(1), (a, b) => a ^ b, (a, b) => a ^ b);
    case "tir.shift_left":
      return bitwise(e.dtype, arg(0), arg(1), (a, b) => a << b, (a, b) => a << b);
    case "tir.shift_right": {
      const unsigned = parseDType(e.dtype).code === "uint";
      return bitwise(e.dtype, arg(0), arg(1), unsigned ? (a, b) => a >>> b : (a, b) => a >> b, (a, b) => a >> b);
    }
    case "tir.bitwise_not":
      return bitwise(e.dtype, arg(0), constantCode(0), (a) => ~a, (a) => ~a);
    case "tir.popcount": {
      const bits = parseDType(at(e.args, 0).dtype).bits;
      const { run } = arg(0);
      return fit(e.dtype, () => ones(BigInt.asUintN(bits, BigInt(run()))));
    }
    case "tir.clz": {
      const bits = parseDType(at(e.args, 0).dtype).bits;
      const { run } = arg(0);
      return fit(e.dtype, () => {
        const v = BigInt.asUintN(bits, BigInt(run()));
        return v === 0n ? bits : bits - v.toString(2).length;
      });
    }
    case "tir.dp4a":
      return dotProduct(scope, e);
    case "tir.dp2a":
      return pairProduct(scope, e, lane);
    case "tir.q_multiply_shift":
      return multiplyShift(e, [0, 1, 2, 3].map(arg));
    case "tir.vectorlow":
      return compileExpr(scope, at(e.args, 0), lane);
    case "tir.vectorhigh":
      return compileExpr(scope, at(e.args, 0), lane + lanesOf(e.dtype));
    case "tir.vectorcombine": {
      const half = lanesOf(at(e.args, 0).dtype);
      return lane < half ? compileExpr(scope, at(e.args, 0), lane) : compileExpr(scope, at(e.args, 1), lane - half);
    }
    case "tir.ret": {
      const { run } = arg(0);
      return valueCode(() => {
        throw new Return(run());
      });
    }
    case "tir.assume": {
      const test = compileTest(scope, at(e.args, 0));
      return valueCode(() => (test() ? 0 : raise("assertion-failed", { message: "what is assumed does not hold" }, e.span)));
    }
    case "tir.isnullptr": {
      const pointer = compilePointer(scope, at(e.args, 0));
      return valueCode(() => (pointer() === undefined ? 1 : 0), 0, 1);
    }
    case "tir.tvm_storage_sync":
    case "tir.start_profile_intrinsic":
    case "tir.end_profile_intrinsic":
      return constantCode(0);
    case "tir.call_extern":
    case "tir.call_pure_extern":
    case "tir.tvm_call_packed":
    case "tir.tvm_call_cpacked":
      return externCall(scope, e);
    default:
      return raise("cannot-interpret", { what: `\`${name}\`` }, e.span);
  }
}

function numberOf(code: Code, span: Span | undefined): () => number {
  return numberRun(code, "A number", span);
}

function roundTo(dtype: DType, x: () => number, f: (x: number) => number): Code {
  const { scalar } = parseDType(dtype);
  if (scalar === "float32") return valueCode(() => Math.fround(f(x())));
  const round = rounding(dtype);
  return fit(dtype, () => round(f(x())));
}

/** A computed value as a code of `dtype`, wrapped if it is an integer. */
function fit(dtype: DType, run: () => Scalar): Code {
  const { scalar, code, bits } = parseDType(dtype);
  if (isFloat(scalar)) return valueCode(run as () => number);
  const [lo, hi] = integerRange(scalar);
  if (bits === 64) return { wide: true, run: () => wrap64(BigInt(run()), code === "uint"), lo, hi };
  const wrap = wrapping(scalar);
  return valueCode(() => wrap(Number(run())), lo, hi);
}

function bitwise(
  dtype: DType,
  a: Code,
  b: Code,
  small: (a: number, b: number) => number,
  big: (a: bigint, b: bigint) => bigint,
): Code {
  const { scalar, code, bits } = parseDType(dtype);
  const [lo, hi] = integerRange(scalar);
  const x = a.run;
  const y = b.run;
  if (bits === 64) return { wide: true, run: () => wrap64(big(BigInt(x()), BigInt(y())), code === "uint"), lo, hi };
  const wrap = wrapping(scalar);
  return valueCode(() => wrap(small(Number(x()), Number(y()))), lo, hi);
}

function ones(v: bigint): number {
  let count = 0;
  for (let rest = v; rest !== 0n; rest &= rest - 1n) count++;
  return count;
}

function dotProduct(scope: Scope, e: Call): Code {
  const lanes = [0, 1, 2, 3];
  const x = lanes.map((l) => numberOf(compileExpr(scope, at(e.args, 0), l), e.span));
  const y = lanes.map((l) => numberOf(compileExpr(scope, at(e.args, 1), l), e.span));
  const base = numberOf(compileExpr(scope, at(e.args, 2)), e.span);
  return fit(e.dtype, () => lanes.reduce((sum, l) => sum + at(x, l)() * at(y, l)(), base()));
}

/** A lane plus the products of the two lanes that belong to it. */
function pairProduct(scope: Scope, e: Call, lane: number): Code {
  const [x0, x1, y0, y1] = [0, 1].flatMap((operand) => [0, 1].map((l) => numberOf(compileExpr(scope, at(e.args, operand), 2 * lane + l), e.span)));
  const base = numberOf(compileExpr(scope, at(e.args, 2), lane), e.span);
  if (x0 === undefined || x1 === undefined || y0 === undefined || y1 === undefined) throw new TypeError("internal: a product without operands");
  return fit(e.dtype, () => base() + x0() * y0() + x1() * y1());
}

/** Fixed-point product `x · y · 2^-q · 2^s`, rounded half up. */
function multiplyShift(e: Call, args: readonly Code[]): Code {
  const [x, y, q, s] = args.map((c) => c.run);
  return fit(e.dtype, () => {
    const product = BigInt(x?.() ?? 0) * BigInt(y?.() ?? 0);
    const shift = BigInt(q?.() ?? 0) - BigInt(s?.() ?? 0);
    return wrap64(shift > 0n ? (product + (1n << (shift - 1n))) >> shift : product << -shift, false);
  });
}

function functionCall(scope: Scope, e: Call): Code {
  if (e.op.kind !== "ir.GlobalVar") throw new TypeError("internal: not a call of a function");
  const call = scope.callee(e.op, e.span);
  const args = e.args.map((a) => compileArgument(scope, a));
  return fit(e.dtype === "void" || e.dtype === "handle" ? "int32" : e.dtype, () => call(args.map((a) => a())) ?? 0);
}

function compileArgument(scope: Scope, a: PrimExpr): () => Argument {
  if (a.dtype !== "handle") return compileExpr(scope, a).run;
  const pointer = compilePointer(scope, a);
  return () => pointer() ?? raise("cannot-interpret", { what: "A null pointer as an argument" }, a.span);
}

function externCall(scope: Scope, e: Call): Code {
  const callee = at(e.args, 0);
  const name = callee.kind === "tir.StringImm" ? callee.value : "";
  const extern = scope.options.externs?.get(name);
  if (extern === undefined) return raise("cannot-interpret", { what: `A call of the external function \`${name}\`` }, e.span);
  const args = e.args.slice(1).map((a): (() => Scalar | Pointer | string) => {
    if (a.kind === "tir.StringImm") return () => a.value;
    return compileArgument(scope, a);
  });
  return fit(e.dtype === "void" || e.dtype === "handle" ? "int32" : e.dtype, () => extern(...args.map((a) => a())) ?? 0);
}

/** Compiles an expression of type `handle`; undefined is the null pointer. */
export function compilePointer(scope: Scope, e: PrimExpr): () => Pointer | undefined {
  if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") {
    const cell = scope.pointer(e, e.span);
    return () => cell.value ?? raise("undefined-variable", { name: e.name }, e.span);
  }
  if (e.kind === "tir.Cast") return compilePointer(scope, e.value);
  if (e.kind === "tir.Let") return compilePointer(scope, e.body);
  if (e.kind === "tir.Call" && e.op.kind === "ir.Op") {
    switch (e.op.name) {
      case "tir.address_of": {
        const load = at(e.args, 0);
        if (load.kind !== "tir.BufferLoad") break;
        const view = scope.view(load.buffer);
        const place = elementRun(view, geometryOf(scope, load.buffer), load.indices, 0, (i, l) => compileExpr(scope, i, l), e.span);
        return addressOf(view, place);
      }
      case "tir.handle_add_byte_offset": {
        const base = compilePointer(scope, at(e.args, 0));
        const by = compileNumber(scope, at(e.args, 1), "A byte offset");
        return () => movePointer(base(), by());
      }
      case "tir.tvm_access_ptr": {
        const base = compilePointer(scope, at(e.args, 1));
        const by = compileNumber(scope, at(e.args, 2), "An offset");
        const bytes = strideBytes(at(e.args, 0).dtype) * lanesOf(at(e.args, 0).dtype);
        return () => movePointer(base(), by() * bytes);
      }
      case "tir.if_then_else": {
        const test = compileTest(scope, at(e.args, 0));
        const a = compilePointer(scope, at(e.args, 1));
        const b = compilePointer(scope, at(e.args, 2));
        return () => (test() ? a() : b());
      }
      case "tir.reinterpret": {
        const inner = at(e.args, 0);
        if (inner.kind === "ir.IntImm" && inner.value === 0) return () => undefined;
        return compilePointer(scope, inner);
      }
      default:
        break;
    }
  }
  return raise("cannot-interpret", { what: `\`${e.kind}\` as a pointer` }, e.span);
}

function movePointer(p: Pointer | undefined, bytes: number): Pointer | undefined {
  return p && { memory: p.memory, byteOffset: p.byteOffset + bytes };
}
