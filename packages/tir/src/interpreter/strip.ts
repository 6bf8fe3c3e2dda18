import { at } from "@verticil/ir-core";
import { isFloat, lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { AnyVar, BinaryExpr, BufferLoad, Call, Cast, PrimExpr } from "../ir/expr.ts";
import { maxFloat, minFloat } from "../ir/float-extrema.ts";
import { usesVar } from "../ir/free-vars.ts";
import { constantCode, intBinary, type Code, type NumberCode } from "./code.ts";
import type { IndexCell } from "./cells.ts";
import { compileExpr, geometryOf } from "./expr.ts";
import { binaryMath, unaryMath } from "./math.ts";
import type { Words } from "./memory.ts";
import { decodeBfloat, decodeHalf, floorDivNumber, floorModNumber, rounding, truncating, truncDivNumber, wrapping } from "./scalar.ts";
import { smallFloatOf } from "./small-float.ts";
import type { Scope, View } from "./scope.ts";

/** How many values of the loop variable are computed at a time. */
export const stripLength = 256;

/** The lanes that count; all if undefined. What is computed in the others is never used, and must not fail. */
export type Mask = Uint8Array | undefined;

/** The values of an expression for consecutive values of the strip's variable: one for all, or one a lane in `out`. */
export type Strip =
  | { readonly kind: "uniform"; readonly run: () => number }
  | { readonly kind: "lanes"; readonly out: Float64Array; readonly fill: (n: number, mask: Mask) => void };

/** Thrown where a strip meets something that only the plain closures say precisely: the strip is run by them instead. */
export class Bail extends Error {}

/** The variable that strips run along. Its cell holds the first value of the strip. */
export interface Axis {
  readonly cell: IndexCell;
  /** The variables whose values change along the strip. */
  readonly dependents: ReadonlySet<AnyVar>;
}

/** Elements of a buffer along a strip: consecutive ones are `step` apart, all of them inside of the buffer. */
export interface AffinePlace {
  readonly view: View;
  readonly run: () => number;
  readonly step: number;
  readonly code: NumberCode;
}

/** The place of an access whose indices are sums of loop variables that stay in bounds; undefined for others. */
export function affinePlace(scope: Scope, axis: Axis, access: Pick<BufferLoad, "buffer" | "indices">): AffinePlace | undefined {
  const { buffer, indices } = access;
  const geometry = geometryOf(scope, buffer);
  if (geometry === undefined || lanesOf(buffer.dtype) !== 1 || indices.some((e) => lanesOf(e.dtype) !== 1)) return undefined;
  let sum: Code = constantCode(0);
  for (const [k, e] of indices.entries()) {
    const code = compileExpr(scope, e);
    if (code.wide || code.linear === undefined || code.lo < 0 || code.hi >= at(geometry.shape, k)) return undefined;
    sum = intBinary("tir.Add", "int64", sum, intBinary("tir.Mul", "int64", code, constantCode(at(geometry.strides, k))));
  }
  if (sum.wide || sum.linear === undefined) return undefined;
  return { view: scope.view(buffer), run: sum.run, step: stepOf(sum, axis.cell), code: sum };
}

/** By how much a sum of variables grows with one of them. */
export function stepOf(code: NumberCode, cell: IndexCell): number {
  return code.linear?.terms.find(([c]) => c === cell)?.[1] ?? 0;
}

/** An expression as a strip; undefined where it has no such form. */
export function compileStrip(scope: Scope, axis: Axis, e: PrimExpr): Strip | undefined {
  if (lanesOf(e.dtype) !== 1 || e.dtype === "handle") return undefined;
  if (!usesVar(e, (v) => axis.dependents.has(v))) {
    const code = compileExpr(scope, e);
    return code.wide ? undefined : { kind: "uniform", run: code.run };
  }
  if (!isFloat(e.dtype) && e.kind !== "tir.BufferLoad") {
    const code = compileExpr(scope, e);
    if (code.wide) return undefined;
    if (code.linear !== undefined) return ramp(code, axis);
    // Beyond 32 bits doubles are exact only where the bounds say so.
    if (parseDType(e.dtype).bits === 64 && !(code.lo >= Number.MIN_SAFE_INTEGER && code.hi <= Number.MAX_SAFE_INTEGER)) return undefined;
  }
  switch (e.kind) {
    case "tir.Add":
    case "tir.Sub":
    case "tir.Mul":
    case "tir.Div":
    case "tir.Mod":
    case "tir.FloorDiv":
    case "tir.FloorMod":
    case "tir.Min":
    case "tir.Max":
    case "tir.EQ":
    case "tir.NE":
    case "tir.LT":
    case "tir.LE":
    case "tir.GT":
    case "tir.GE":
      return binaryStrip(scope, axis, e);
    case "tir.And":
    case "tir.Or":
      return logicStrip(scope, axis, e);
    case "tir.Not":
      return mapStrip(compileStrip(scope, axis, e.a), (x) => (x === 0 ? 1 : 0));
    case "tir.Select":
      return chooseStrip(scope, axis, e.condition, e.trueValue, e.falseValue);
    case "tir.Cast":
      return castStrip(scope, axis, e);
    case "tir.BufferLoad":
      return loadStrip(scope, axis, e);
    case "tir.Call":
      return callStrip(scope, axis, e);
    default:
      return undefined;
  }
}

function lanes(fill: (n: number, mask: Mask, out: Float64Array) => void): Strip {
  const out = new Float64Array(stripLength);
  return { kind: "lanes", out, fill: (n, mask) => fill(n, mask, out) };
}

function ramp(code: NumberCode, axis: Axis): Strip {
  const step = stepOf(code, axis.cell);
  const { run } = code;
  return lanes((n, _mask, out) => {
    let value = run();
    for (let i = 0; i < n; i++) {
      out[i] = value;
      value += step;
    }
  });
}

/** The strip's lanes; a uniform one spread out. */
export function spread(s: Strip): Extract<Strip, { kind: "lanes" }> {
  if (s.kind === "lanes") return s;
  const { run } = s;
  const out = new Float64Array(stripLength);
  return { kind: "lanes", out, fill: (n) => void out.fill(run(), 0, n) };
}

function mapStrip(a: Strip | undefined, f: (x: number) => number): Strip | undefined {
  if (a === undefined) return undefined;
  const x = spread(a);
  return lanes((n, mask, out) => {
    x.fill(n, mask);
    const from = x.out;
    for (let i = 0; i < n; i++) out[i] = f(from[i] ?? 0);
  });
}

/** An operation lane by lane. Each call has loops of its own, so that an engine compiles them for one operation. */
function zip(a: Strip | undefined, b: Strip | undefined, f: (x: number, y: number) => number): Strip | undefined {
  if (a === undefined || b === undefined) return undefined;
  const x = spread(a);
  const y = spread(b);
  return lanes((n, mask, out) => {
    x.fill(n, mask);
    y.fill(n, mask);
    for (let i = 0; i < n; i++) out[i] = f(x.out[i] ?? 0, y.out[i] ?? 0);
  });
}

function zipFloat32(kind: BinaryExpr["kind"], a: Strip, b: Strip): Strip | undefined {
  const x = spread(a);
  const y = spread(b);
  const p = x.out;
  const q = y.out;
  const both = (n: number, mask: Mask): void => {
    x.fill(n, mask);
    y.fill(n, mask);
  };
  switch (kind) {
    case "tir.Add":
      return lanes((n, mask, out) => {
        both(n, mask);
        for (let i = 0; i < n; i++) out[i] = Math.fround((p[i] ?? 0) + (q[i] ?? 0));
      });
    case "tir.Sub":
      return lanes((n, mask, out) => {
        both(n, mask);
        for (let i = 0; i < n; i++) out[i] = Math.fround((p[i] ?? 0) - (q[i] ?? 0));
      });
    case "tir.Mul":
      return lanes((n, mask, out) => {
        both(n, mask);
        for (let i = 0; i < n; i++) out[i] = Math.fround((p[i] ?? 0) * (q[i] ?? 0));
      });
    default:
      return undefined;
  }
}

function checked(f: (a: number, b: number) => number): (a: number, b: number) => number {
  return (a, b) => {
    if (b === 0) throw new Bail();
    return f(a, b);
  };
}

const compares: { readonly [kind: string]: ((a: number, b: number) => number) | undefined } = {
  "tir.EQ": (a, b) => (a === b ? 1 : 0),
  "tir.NE": (a, b) => (a !== b ? 1 : 0),
  "tir.LT": (a, b) => (a < b ? 1 : 0),
  "tir.LE": (a, b) => (a <= b ? 1 : 0),
  "tir.GT": (a, b) => (a > b ? 1 : 0),
  "tir.GE": (a, b) => (a >= b ? 1 : 0),
};

const floats: { readonly [kind: string]: ((a: number, b: number) => number) | undefined } = {
  "tir.Add": (a, b) => a + b,
  "tir.Sub": (a, b) => a - b,
  "tir.Mul": (a, b) => a * b,
  "tir.Div": (a, b) => a / b,
  "tir.Mod": (a, b) => a % b,
  "tir.FloorDiv": (a, b) => Math.floor(a / b),
  "tir.FloorMod": (a, b) => a - Math.floor(a / b) * b,
  "tir.Min": minFloat,
  "tir.Max": maxFloat,
};

const integers: { readonly [kind: string]: ((a: number, b: number) => number) | undefined } = {
  "tir.Add": (a, b) => a + b,
  "tir.Sub": (a, b) => a - b,
  "tir.Mul": (a, b) => a * b,
  "tir.Div": checked(truncDivNumber),
  "tir.Mod": checked((a, b) => a % b),
  "tir.FloorDiv": checked(floorDivNumber),
  "tir.FloorMod": checked(floorModNumber),
  "tir.Min": (a, b) => (a < b ? a : b),
  "tir.Max": (a, b) => (a > b ? a : b),
};

function binaryStrip(scope: Scope, axis: Axis, e: BinaryExpr): Strip | undefined {
  const a = compileStrip(scope, axis, e.a);
  const b = a && compileStrip(scope, axis, e.b);
  if (a === undefined || b === undefined) return undefined;
  const compare = compares[e.kind];
  if (compare !== undefined) return zip(a, b, compare);
  if (isFloat(e.dtype)) {
    const { scalar } = parseDType(e.dtype);
    const f = floats[e.kind];
    if (f === undefined) return undefined;
    // A minimum is one of its operands: nothing to round.
    if (e.kind === "tir.Min" || e.kind === "tir.Max" || scalar === "float64") return zip(a, b, f);
    if (scalar === "float32") return zipFloat32(e.kind, a, b) ?? zip(a, b, (x, y) => Math.fround(f(x, y)));
    const round = rounding(e.dtype);
    return zip(a, b, (x, y) => round(f(x, y)));
  }
  const f = integers[e.kind];
  const { bits } = parseDType(e.dtype);
  if (f === undefined) return undefined;
  if (bits === 64) return zip(a, b, f);
  const wrap = wrapping(e.dtype);
  // A product of two 32-bit values is not exact in a double.
  if (e.kind === "tir.Mul") return zip(a, b, (x, y) => wrap(Math.imul(x, y)));
  return zip(a, b, (x, y) => wrap(f(x, y)));
}

/** The second operand counts only where the first does not decide. */
function logicStrip(scope: Scope, axis: Axis, e: Extract<BinaryExpr, { kind: "tir.And" | "tir.Or" }>): Strip | undefined {
  const a = compileStrip(scope, axis, e.a);
  const b = a && compileStrip(scope, axis, e.b);
  if (a === undefined || b === undefined) return undefined;
  const x = spread(a);
  const y = spread(b);
  const open = e.kind === "tir.And" ? 1 : 0;
  const inner = new Uint8Array(stripLength);
  return lanes((n, mask, out) => {
    x.fill(n, mask);
    for (let i = 0; i < n; i++) inner[i] = (mask === undefined || mask[i] === 1) && (x.out[i] !== 0 ? 1 : 0) === open ? 1 : 0;
    y.fill(n, inner);
    for (let i = 0; i < n; i++) out[i] = inner[i] === 1 ? (y.out[i] !== 0 ? 1 : 0) : 1 - open;
  });
}

function chooseStrip(scope: Scope, axis: Axis, condition: PrimExpr, t: PrimExpr, f: PrimExpr): Strip | undefined {
  const c = compileStrip(scope, axis, condition);
  const yes = c && compileStrip(scope, axis, t);
  const no = yes && compileStrip(scope, axis, f);
  if (c === undefined || yes === undefined || no === undefined) return undefined;
  const x = spread(yes);
  const y = spread(no);
  if (c.kind === "uniform") {
    return lanes((n, mask, out) => {
      const taken = c.run() !== 0 ? x : y;
      taken.fill(n, mask);
      for (let i = 0; i < n; i++) out[i] = taken.out[i] ?? 0;
    });
  }
  const left = new Uint8Array(stripLength);
  const right = new Uint8Array(stripLength);
  return lanes((n, mask, out) => {
    c.fill(n, mask);
    let some = 0;
    let others = 0;
    for (let i = 0; i < n; i++) {
      const counts = mask === undefined || mask[i] === 1;
      const holds = c.out[i] !== 0;
      some += left[i] = counts && holds ? 1 : 0;
      others += right[i] = counts && !holds ? 1 : 0;
    }
    // A side that no lane takes is not evaluated.
    if (some > 0) x.fill(n, others === 0 ? mask : left);
    if (others > 0) y.fill(n, some === 0 ? mask : right);
    for (let i = 0; i < n; i++) out[i] = (left[i] === 1 ? x.out[i] : y.out[i]) ?? 0;
  });
}

function castStrip(scope: Scope, axis: Axis, e: Cast): Strip | undefined {
  const from = scalarOf(e.value.dtype);
  const to = scalarOf(e.dtype);
  const value = compileStrip(scope, axis, e.value);
  if (value === undefined || from === to) return value;
  const { bits, code } = parseDType(to);
  if (isFloat(to)) {
    const round = rounding(to);
    // Adding zero turns the -0 that integer arithmetic in doubles may leave into 0.
    return isFloat(from) ? mapStrip(value, round) : mapStrip(value, (x) => round(x + 0));
  }
  if (code === "bool") return mapStrip(value, (x) => (x === 0 ? 0 : 1));
  if (bits === 64) return isFloat(from) || code === "uint" ? undefined : value;
  if (isFloat(from)) {
    const truncate = truncating(to);
    return mapStrip(value, (x) => Number(truncate(x)));
  }
  return parseDType(from).bits === 64 ? undefined : mapStrip(value, wrapping(to));
}

function callStrip(scope: Scope, axis: Axis, e: Call): Strip | undefined {
  if (e.op.kind !== "ir.Op") return undefined;
  const { name } = e.op;
  const [a, b, c] = e.args;
  if (name === "tir.if_then_else" && a && b && c) return chooseStrip(scope, axis, a, b, c);
  if (name === "tir.likely" && a) return compileStrip(scope, axis, a);
  if (!isFloat(e.dtype) || a === undefined || !isFloat(a.dtype)) return undefined;
  const round = rounding(e.dtype);
  const unary = Object.hasOwn(unaryMath, name) ? unaryMath[name] : undefined;
  if (unary !== undefined) return mapStrip(compileStrip(scope, axis, a), (x) => round(unary(x)));
  const binary = Object.hasOwn(binaryMath, name) ? binaryMath[name] : undefined;
  if (binary === undefined || b === undefined) return undefined;
  return zip(compileStrip(scope, axis, a), compileStrip(scope, axis, b), (x, y) => round(binary(x, y)));
}

/** How an element is read from the words behind it; undefined for types that are more than one word. */
function decoder(dtype: DType): ((word: number) => number) | undefined {
  const scalar = scalarOf(dtype);
  switch (scalar) {
    case "float16":
      return decodeHalf;
    case "bfloat16":
      return decodeBfloat;
    case "int64":
    case "uint64":
    case "handle":
    case "void":
      return undefined;
    case "float8_e4m3fn":
    case "float8_e5m2":
    case "float8_e4m3fnuz":
    case "float8_e5m2fnuz":
    case "float4_e2m1fn":
      return smallFloatOf(scalar)?.decode;
    case "int4":
    case "uint4":
    case "uint1":
      return undefined;
    default:
      return (word) => word;
  }
}

function loadStrip(scope: Scope, axis: Axis, e: BufferLoad): Strip | undefined {
  const decode = decoder(e.buffer.dtype);
  if (decode === undefined || e.predicate !== undefined) return undefined;
  const plain = /^(float(32|64)|u?int(8|16|32)|bool)$/.test(scalarOf(e.buffer.dtype));
  const affine = affinePlace(scope, axis, e);
  if (affine !== undefined) {
    const { view, run, step } = affine;
    return lanes((n, _mask, out) => {
      const { words } = view;
      const from = run();
      const last = from + step * (n - 1);
      if (from < 0 || from >= words.length || last < 0 || last >= words.length) throw new Bail();
      if (plain) copyWords(words, from, step, n, out);
      else for (let i = 0, p = from; i < n; i++, p += step) out[i] = decode(words[p] ?? 0);
    });
  }
  return gatherStrip(scope, axis, e, decode);
}

function copyWords(words: Words, from: number, step: number, n: number, out: Float64Array): void {
  if (step === 1) for (let i = 0; i < n; i++) out[i] = words[from + i] ?? 0;
  else for (let i = 0, p = from; i < n; i++, p += step) out[i] = words[p] ?? 0;
}

/** Indices that are computed lane by lane, each checked against its dimension. */
function gatherStrip(scope: Scope, axis: Axis, e: BufferLoad, decode: (word: number) => number): Strip | undefined {
  const geometry = geometryOf(scope, e.buffer);
  if (geometry === undefined || lanesOf(e.buffer.dtype) !== 1) return undefined;
  const indices: Extract<Strip, { kind: "lanes" }>[] = [];
  for (const index of e.indices) {
    const strip = compileStrip(scope, axis, index);
    if (strip === undefined) return undefined;
    indices.push(spread(strip));
  }
  const view = scope.view(e.buffer);
  const places = new Float64Array(stripLength);
  return lanes((n, mask, out) => {
    places.fill(0, 0, n);
    for (let k = 0; k < indices.length; k++) {
      const index = at(indices, k);
      const extent = at(geometry.shape, k);
      const stride = at(geometry.strides, k);
      index.fill(n, mask);
      for (let i = 0; i < n; i++) {
        const x = index.out[i] ?? 0;
        if (mask !== undefined && mask[i] !== 1) continue;
        if (!(x >= 0 && x < extent)) throw new Bail();
        places[i] = (places[i] ?? 0) + x * stride;
      }
    }
    const { words } = view;
    for (let i = 0; i < n; i++) {
      if (mask !== undefined && mask[i] !== 1) continue;
      const place = places[i] ?? 0;
      if (place >= words.length) throw new Bail();
      out[i] = decode(words[place] ?? 0);
    }
  });
}
