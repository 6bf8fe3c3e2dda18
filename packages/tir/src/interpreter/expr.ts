import { assertNever, at } from "@verticil/ir-core";
import { dtypeBytes, isFloat, isInteger, lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { Call, Cast, PrimExpr } from "../ir/expr.ts";
import { asInt } from "../ir/ops.ts";
import { elementRun, loadCode, staticGeometry } from "./access.ts";
import {
  arithCode,
  compareTest,
  constantCode,
  intBinary,
  numberRun,
  valueCode,
  type Code,
  type NumberCode,
} from "./code.ts";
import { raise } from "./errors.ts";
import {
  decodeBfloat,
  decodeHalf,
  encodeBfloat,
  encodeHalf,
  integerRange,
  rounding,
  truncating,
  wrap64,
  wrapping,
  type Scalar,
} from "./scalar.ts";
import type { Scope } from "./scope.ts";

/**
 * Compiles one lane of an expression to a closure. Vectors never exist as values: an expression with four lanes is
 * four closures. That is exact because expressions have no effects.
 */
export function compileExpr(scope: Scope, e: PrimExpr, lane = 0): Code {
  switch (e.kind) {
    case "tir.Var":
    case "tir.SizeVar": {
      if (e.dtype === "handle") return raise("cannot-interpret", { what: `The pointer \`${e.name}\` as a number` }, e.span);
      return scope.variable(e, lane, e.span);
    }
    case "ir.IntImm":
      return constantCode(e.value);
    case "ir.FloatImm": {
      const value = rounding(e.dtype)(e.value);
      return valueCode(() => value);
    }
    case "tir.StringImm":
      return raise("cannot-interpret", { what: `The string "${e.value}" as a number` }, e.span);
    case "tir.Cast":
      return castCode(e, compileExpr(scope, e.value, lane));
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
    case "tir.Div":
    case "tir.Mod":
    case "tir.FloorDiv":
    case "tir.FloorMod":
    case "tir.Min":
    case "tir.Max":
      return arithCode(e.kind, scalarOf(e.dtype), compileExpr(scope, e.a, lane), compileExpr(scope, e.b, lane), e.span);
    case "tir.EQ":
    case "tir.NE":
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE":
    case "tir.And":
    case "tir.Or":
    case "tir.Not": {
      const test = compileTest(scope, e, lane);
      return valueCode(() => (test() ? 1 : 0), 0, 1);
    }
    case "tir.Select":
      return choose(
        compileTest(scope, e.condition, lanesOf(e.condition.dtype) === 1 ? 0 : lane),
        compileExpr(scope, e.trueValue, lane),
        compileExpr(scope, e.falseValue, lane),
      );
    case "tir.BufferLoad": {
      const view = scope.view(e.buffer);
      const place = elementRun(view, geometryOf(scope, e.buffer), e.indices, lane, (i, l) => compileExpr(scope, i, l), e.span);
      const load = loadCode(scope, view, place, e.span);
      if (e.predicate === undefined) return load;
      const test = compileTest(scope, e.predicate, lanesOf(e.predicate.dtype) === 1 ? 0 : lane);
      return choose(test, load, constantCode(0));
    }
    case "tir.Ramp": {
      const inner = lanesOf(e.base.dtype);
      const base = compileExpr(scope, e.base, lane % inner);
      const stride = compileExpr(scope, e.stride, lane % inner);
      const dtype = scalarOf(e.dtype);
      const step = intBinary("tir.Mul", dtype, stride, constantCode(Math.floor(lane / inner)));
      return intBinary("tir.Add", dtype, base, step);
    }
    case "tir.Broadcast":
      return compileExpr(scope, e.value, lane % lanesOf(e.value.dtype));
    case "tir.Let": {
      const bind = compileBinding(scope, e.bind, e.value);
      const body = compileExpr(scope, e.body, lane);
      return sequence(bind, body);
    }
    case "tir.Call":
      return scope.call(scope, e, lane);
    case "tir.Shuffle": {
      let pick = asInt(at(e.indices, lane)) ?? raise("cannot-interpret", { what: "A shuffle with indices that vary" }, e.span);
      for (const v of e.vectors) {
        const n = lanesOf(v.dtype);
        if (pick < n) return compileExpr(scope, v, pick);
        pick -= n;
      }
      return raise("cannot-interpret", { what: "A shuffle index outside of its vectors" }, e.span);
    }
    case "tir.ProducerLoad":
    case "tir.Reduce":
      return raise("cannot-interpret", { what: `\`${e.kind}\`, which te lowers,` }, e.span);
    default:
      return assertNever(e);
  }
}

/** The geometry that a buffer's accesses may rely on: none if its strides come from the place it is matched to. */
export function geometryOf(scope: Scope, b: Parameters<Scope["view"]>[0]): ReturnType<typeof staticGeometry> {
  return scope.matched.has(b) ? undefined : staticGeometry(b);
}

/** Compiles a condition. Only the operands that decide it are evaluated. */
export function compileTest(scope: Scope, e: PrimExpr, lane = 0): () => boolean {
  switch (e.kind) {
    case "tir.And": {
      const a = compileTest(scope, e.a, lane);
      const b = compileTest(scope, e.b, lane);
      return () => a() && b();
    }
    case "tir.Or": {
      const a = compileTest(scope, e.a, lane);
      const b = compileTest(scope, e.b, lane);
      return () => a() || b();
    }
    case "tir.Not": {
      const a = compileTest(scope, e.a, lane);
      return () => !a();
    }
    case "tir.EQ":
    case "tir.NE":
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE":
      return compareTest(e.kind, compileExpr(scope, e.a, lane), compileExpr(scope, e.b, lane));
    case "ir.IntImm": {
      const value = e.value !== 0;
      return () => value;
    }
    default: {
      const { run } = compileExpr(scope, e, lane);
      return () => run() !== 0;
    }
  }
}

/** One of two values; the other is not evaluated. */
export function choose(test: () => boolean, a: Code, b: Code): Code {
  const lo = Math.min(a.lo, b.lo);
  const hi = Math.max(a.hi, b.hi);
  if (a.wide || b.wide) {
    const x = a.run;
    const y = b.run;
    return { wide: true, run: () => (test() ? x() : y()), lo, hi };
  }
  const x = a.run;
  const y = b.run;
  return valueCode(() => (test() ? x() : y()), lo, hi);
}

/** `code` after `first`. */
export function sequence(first: () => void, code: Code): Code {
  if (code.wide) {
    const { run } = code;
    return { ...code, run: () => (first(), run()) };
  }
  const { run } = code;
  return valueCode(() => (first(), run()), code.lo, code.hi);
}

/** Does nothing; recognised where closures are put in order. */
export const nothing = (): void => {};

/** Declares `v` and compiles its assignment. A sum of loop variables is not stored: it stands for itself. */
export function compileBinding(scope: Scope, v: Extract<PrimExpr, { kind: "tir.Var" }>, value: PrimExpr): () => void {
  const runs = compileLanes(scope, value);
  const [only] = runs;
  if (only !== undefined && !only.wide && only.linear !== undefined) {
    scope.bindCode(v, only);
    return nothing;
  }
  if (runs.length === 1 && only !== undefined && !only.wide && (isInteger(v.dtype) || v.dtype === "bool")) {
    const cell = scope.bindIndex(v, only.lo, only.hi);
    const { run } = only;
    return () => {
      cell.value = run();
    };
  }
  const cells = scope.bindScalars(v);
  return () => {
    const values = runs.map((c) => c.run());
    cells.forEach((cell, i) => {
      cell.value = at(values, i);
    });
  };
}

function castCode(e: Cast, value: Code): Code {
  const from = scalarOf(e.value.dtype);
  const to = scalarOf(e.dtype);
  if (from === to) return value;
  return isFloat(to) ? castToFloat(to, value) : castToInteger(from, to, value);
}

function castToFloat(to: DType, value: Code): NumberCode {
  const round = rounding(to);
  if (value.wide) {
    const { run } = value;
    return valueCode(() => round(Number(run())));
  }
  const { run } = value;
  // Adding zero turns the -0 that integer arithmetic in doubles may leave into 0.
  return value.lo === -Infinity ? valueCode(() => round(run())) : valueCode(() => round(run() + 0));
}

function castToInteger(from: DType, to: DType, value: Code): Code {
  const { code, bits } = parseDType(to);
  const { run } = value;
  if (code === "bool") return valueCode(() => (run() === 0 ? 0 : 1), 0, 1);
  const [least, most] = integerRange(to);
  const narrow = bits <= 32;
  if (isFloat(from)) {
    const truncate = truncating(to);
    const cast = (): Scalar => truncate(Number(run()));
    return narrow ? valueCode(cast as () => number, least, most) : { wide: true, run: cast, lo: least, hi: most };
  }
  if (!value.wide && value.lo >= Math.max(least, -Number.MAX_SAFE_INTEGER) && value.hi <= Math.min(most, Number.MAX_SAFE_INTEGER)) {
    return value;
  }
  if (!narrow) {
    return { wide: true, run: () => wrap64(BigInt(run()), code === "uint"), lo: least, hi: most };
  }
  const wrap = wrapping(to);
  const wrapScalar = (): number => {
    const v = run();
    return typeof v === "number" ? wrap(v) : wrap(Number(BigInt.asIntN(32, v)));
  };
  return valueCode(wrapScalar, least, most);
}

/** All lanes of an expression. */
export function compileLanes(scope: Scope, e: PrimExpr): readonly Code[] {
  const lanes = lanesOf(e.dtype);
  if (lanes < 1) return raise("cannot-interpret", { what: `A vector \`${e.dtype}\`, whose length the hardware decides,` }, e.span);
  return Array.from({ length: lanes }, (_, lane) => compileExpr(scope, e, lane));
}

/** The value of a scalar expression that must be a number, such as an extent. */
export function compileNumber(scope: Scope, e: PrimExpr, what: string): () => number {
  return numberRun(compileExpr(scope, e), what, e.span);
}

/** The bits of one value read as another type; lanes are split or joined where the widths differ. */
export function reinterpretCode(scope: Scope, e: Call, lane: number): Code {
  const source = at(e.args, 0);
  const from = scalarOf(source.dtype);
  const to = scalarOf(e.dtype);
  if (from === to) return compileExpr(scope, source, lane);
  const lanes = compileLanes(scope, source);
  const width = dtypeBytes(from);
  const bytes = new DataView(new ArrayBuffer(width * lanes.length));
  const put = setter(bytes, from);
  const get = getter(bytes, to);
  const size = dtypeBytes(to);
  const first = Math.floor((lane * size) / width);
  const last = Math.floor(((lane + 1) * size - 1) / width);
  const run = (): Scalar => {
    for (let i = first; i <= last; i++) put(i * width, at(lanes, i).run());
    return get(lane * size);
  };
  if (/^u?int64/.test(to)) return { wide: true, run, lo: integerRange(to)[0], hi: integerRange(to)[1] };
  return isFloat(to) ? valueCode(run as () => number) : valueCode(run as () => number, ...integerRange(to));
}

function setter(view: DataView, dtype: DType): (at: number, value: Scalar) => void {
  const round = rounding(dtype);
  switch (dtype) {
    case "float32":
      return (i, v) => view.setFloat32(i, Number(v), true);
    case "float64":
      return (i, v) => view.setFloat64(i, Number(v), true);
    case "float16":
      return (i, v) => view.setUint16(i, encodeHalf(round(Number(v))), true);
    case "bfloat16":
      return (i, v) => view.setUint16(i, encodeBfloat(round(Number(v))), true);
    case "int64":
    case "uint64":
      return (i, v) => view.setBigUint64(i, BigInt.asUintN(64, BigInt(v)), true);
    default: {
      const size = dtypeBytes(dtype);
      if (size === 1) return (i, v) => view.setUint8(i, Number(v) & 0xff);
      if (size === 2) return (i, v) => view.setUint16(i, Number(v) & 0xffff, true);
      return (i, v) => view.setUint32(i, Number(v) >>> 0, true);
    }
  }
}

function getter(view: DataView, dtype: DType): (at: number) => Scalar {
  switch (dtype) {
    case "float32":
      return (i) => view.getFloat32(i, true);
    case "float64":
      return (i) => view.getFloat64(i, true);
    case "float16":
      return (i) => decodeHalf(view.getUint16(i, true));
    case "bfloat16":
      return (i) => decodeBfloat(view.getUint16(i, true));
    case "int64":
      return (i) => wrap64(view.getBigInt64(i, true), false);
    case "uint64":
      return (i) => wrap64(view.getBigUint64(i, true), true);
    case "int32":
      return (i) => view.getInt32(i, true);
    case "uint32":
      return (i) => view.getUint32(i, true);
    case "int16":
      return (i) => view.getInt16(i, true);
    case "uint16":
      return (i) => view.getUint16(i, true);
    case "int8":
      return (i) => view.getInt8(i);
    default:
      return (i) => view.getUint8(i);
  }
}
