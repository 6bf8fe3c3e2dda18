import { at, DiagnosticError } from "@verticil/ir-core";
import { isFloat, lanesOf, parseDType, scalarOf, type DType } from "@verticil/runtime-ffi";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { maxFloat, minFloat } from "../ir/float-extrema.ts";
import { asInt, constant, isConstInt } from "../ir/ops.ts";
import type { BufferStore, For, Stmt } from "../ir/stmt.ts";
import { collectBuffers, usesVar } from "../ir/free-vars.ts";
import { substitute } from "../ir/substitute.ts";
import { forEachExprChild } from "../ir/visit.ts";
import { sideEffect } from "../analysis/side-effect.ts";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import { compareTest } from "./code.ts";
import type { IndexCell } from "./cells.ts";
import { compileExpr, geometryOf } from "./expr.ts";
import { strideBytes } from "./memory.ts";
import { encodeBfloat, encodeHalf, rounding } from "./scalar.ts";
import { smallFloatOf } from "./small-float.ts";
import type { Scope, View } from "./scope.ts";
import { affinePlace, Bail, compileStrip, spread, stepOf, stripLength, type AffinePlace, type Axis, type Strip } from "./strip.ts";

/** Shorter loops are not worth a strip. */
const MIN_EXTENT = 4;

interface Loop {
  readonly v: AnyVar;
  readonly cell: IndexCell;
  readonly min: number;
  readonly extent: number;
}

/** What a nest of loops does, in terms of the loops: one store, and for a reduction the store before it. */
interface Body {
  readonly store: BufferStore;
  readonly init: BufferStore | undefined;
  /** The values of the reduction variables, with what they start at. */
  readonly reduced: readonly { readonly value: PrimExpr; readonly min: PrimExpr }[];
}

/**
 * A nest of loops around one store, run strip by strip: the innermost work is done for up to 256 values of one loop
 * variable at a time in plain loops over arrays, instead of a closure an element. The loop that strips run along may
 * move inwards where no two of its iterations touch the same element, so that each element's own history, and with it
 * every rounding, stays as it was. Whatever a strip cannot say precisely (an error, an overlap of buffers) is left to
 * `plain`, the closures for one element. Undefined for what has no such form.
 */
export function compileNest(scope: Scope, s: For, compilePlain: (s: Stmt) => () => void): (() => void) | undefined {
  if (scope.options.strips === false || scope.options.checkUninitialized === true) return undefined;
  const loops: Loop[] = [];
  let inner: Stmt = s;
  const chain: For[] = [];
  while (inner.kind === "tir.For" && inner.forKind !== "thread_binding") {
    chain.push(inner);
    inner = inner.body;
  }
  const body = bodyOf(inner);
  if (body === undefined) return undefined;
  for (const loop of chain) {
    const min = asInt(loop.min);
    const extent = asInt(loop.extent);
    if (min === undefined || extent === undefined || extent < 1) return undefined;
    const cell = scope.bindIndex(loop.loopVar, min, min + extent - 1);
    loops.push({ v: loop.loopVar, cell, min, extent });
  }
  const plain = compilePlain(inner);
  return stripsAlong(scope, loops, body, plain);
}

function bodyOf(s: Stmt): Body | undefined {
  if (s.kind === "tir.BufferStore") return { store: s, init: undefined, reduced: [] };
  if (s.kind !== "tir.BlockRealize" || !isConstInt(s.predicate, 1)) return undefined;
  const { block } = s;
  if (block.allocBuffers.length > 0 || block.matchBuffers.length > 0 || block.body.kind !== "tir.BufferStore") return undefined;
  const { init } = block;
  if (init !== undefined && init.kind !== "tir.BufferStore") return undefined;
  const values = new Map<AnyVar, PrimExpr>(block.iterVars.map((iv, i) => [iv.var, at(s.iterValues, i)]));
  const inLoops = (x: BufferStore): BufferStore | undefined => {
    const y = substitute(x, values);
    return y.kind === "tir.BufferStore" ? y : undefined;
  };
  const store = inLoops(block.body);
  const start = init && inLoops(init);
  if (store === undefined || (init !== undefined && start === undefined)) return undefined;
  const reduced = block.iterVars.flatMap((iv, i) => {
    if (iv.iterType !== "kCommReduce") return [];
    return [{ value: at(s.iterValues, i), min: iv.dom ? substitute(iv.dom.min, values) : constant(0, iv.var.dtype) }];
  });
  return { store, init: start, reduced };
}

function axisOf(loop: Loop): Axis {
  return { cell: loop.cell, dependents: new Set([loop.v]) };
}

function stripsAlong(scope: Scope, loops: readonly Loop[], body: Body, plain: () => void): (() => void) | undefined {
  const { store } = body;
  if (store.predicate !== undefined || lanesOf(store.value.dtype) !== 1) return undefined;
  // What has effects happens as often, and in the order, that the program says.
  if (![store.value, ...store.indices, ...(body.init ? [body.init.value] : [])].every((e) => ["pure", "read"].includes(sideEffect(e)))) return undefined;
  const innermost = at(loops, -1);
  const candidates = loops.filter((l) => l.extent >= MIN_EXTENT).toSorted((a, b) => Math.min(b.extent, 64) - Math.min(a.extent, 64) || loops.indexOf(b) - loops.indexOf(a));
  for (const loop of candidates) {
    const axis = axisOf(loop);
    const place = affinePlace(scope, axis, store);
    if (place === undefined) return undefined;
    if (place.step !== 0 && (loop === innermost || isSeparate(place, loop, loops))) {
      const run = elementwise(scope, axis, body, place, plain);
      if (run === undefined) return undefined;
      const others = loops.filter((l) => l !== loop);
      const reducing = trailingReduction(scope, others, body, place);
      const whole = reducing.length === 0 ? undefined : wholeReduction(scope, axis, body, place, reducing, run);
      const outer = whole === undefined ? others : others.slice(0, others.length - reducing.length);
      return overLoops(outer, loop, whole ?? run, exactly(loops, plain), aliasGuard(scope, body));
    }
  }
  if (innermost.extent < MIN_EXTENT) return undefined;
  const axis = axisOf(innermost);
  const place = affinePlace(scope, axis, store);
  const run = place?.step === 0 ? folding(scope, axis, body, place, plain) : undefined;
  return run && overLoops(loops.slice(0, -1), innermost, run, exactly(loops, plain), aliasGuard(scope, body));
}

/** All loops in their order, one element at a time. */
function exactly(loops: readonly Loop[], plain: () => void): () => void {
  return loops.toReversed().reduce((inner, loop) => looping(loop, inner), plain);
}

/** The innermost loops, at most three, that all go into one element and start a reduction only at their beginning. */
function trailingReduction(scope: Scope, others: readonly Loop[], body: Body, place: AffinePlace): readonly Loop[] {
  const reduced = body.reduced.map((r) => compileExpr(scope, r.value)).filter((code) => !code.wide);
  const out: Loop[] = [];
  for (const loop of others.toReversed().slice(0, 3)) {
    if (stepOf(place.code, loop.cell) !== 0 || !reduced.some((code) => stepOf(code, loop.cell) > 0)) break;
    out.unshift(loop);
  }
  return out;
}

/** True if two iterations that differ in `loop` never store to one element, whatever the other loops do. */
function isSeparate(place: AffinePlace, loop: Loop, loops: readonly Loop[]): boolean {
  const step = Math.abs(place.step);
  let small = 0;
  for (const [cell, factor] of place.code.linear?.terms ?? []) {
    if (cell === loop.cell) continue;
    const extent = loops.find((l) => l.cell === cell)?.extent;
    // A variable from outside of the nest is the same for all of its iterations.
    if (extent === undefined) continue;
    const f = Math.abs(factor);
    if (f < step) small += f * (extent - 1);
    else if (f % (step * loop.extent) !== 0) return false;
  }
  return small < step;
}

/** Runs the outer loops in their order, and `along` innermost in strips; `exact` instead if buffers may overlap. */
function overLoops(
  outer: readonly Loop[],
  along: Loop,
  strip: (n: number) => void,
  exact: () => void,
  mayOverlap: () => boolean,
): () => void {
  let body = (): void => {
    for (let from = 0; from < along.extent; from += stripLength) {
      along.cell.value = along.min + from;
      strip(Math.min(stripLength, along.extent - from));
    }
  };
  for (const loop of outer.toReversed()) body = looping(loop, body);
  return () => (mayOverlap() ? exact() : body());
}

function looping({ cell, min, extent }: Loop, body: () => void): () => void {
  const end = min + extent;
  return () => {
    for (let i = min; i < end; i++) {
      cell.value = i;
      body();
    }
  };
}

/** The bytes of a view that its buffer covers. */
function bytesOf(scope: Scope, view: View): readonly [from: number, to: number] {
  const geometry = geometryOf(scope, view.buffer);
  const pointer = view.pointer;
  if (geometry === undefined || pointer === undefined) return [0, Infinity];
  const from = pointer.memory.start + pointer.byteOffset;
  const elements = geometry.shape.reduce((last, d, i) => last + (d - 1) * at(geometry.strides, i), 1);
  return [from, from + elements * strideBytes(view.buffer.dtype)];
}

/** Says whether a buffer that is read shares memory with the one that is written. */
function aliasGuard(scope: Scope, body: Body): () => boolean {
  const written = scope.view(body.store.buffer);
  const others = [...collectBuffers(body.store), ...(body.init ? collectBuffers(body.init) : [])]
    .filter((b) => b !== body.store.buffer)
    .map((b) => scope.view(b));
  return () => {
    if (written.pointer === undefined) return true;
    const [from, to] = bytesOf(scope, written);
    return others.some((view) => {
      if (view.pointer?.memory.buffer !== written.pointer?.memory.buffer) return false;
      const [a, b] = bytesOf(scope, view);
      return a < to && from < b;
    });
  };
}

/** True if every load of the stored buffer in `e` is of the element that is stored. */
function readsOwnElement(e: PrimExpr, store: BufferStore): boolean {
  if (e.kind === "tir.BufferLoad" && e.buffer === store.buffer) return isOwn(e, store);
  let own = true;
  const visit = (x: PrimExpr): void => {
    if (x.kind === "tir.BufferLoad" && x.buffer === store.buffer) {
      if (!isOwn(x, store)) own = false;
      return;
    }
    forEachExprChild(x, visit);
  };
  visit(e);
  return own;
}

function isOwn(e: PrimExpr, store: BufferStore): boolean {
  return (
    e.kind === "tir.BufferLoad" &&
    e.buffer === store.buffer &&
    e.predicate === undefined &&
    e.indices.length === store.indices.length &&
    e.indices.every((x, i) => exprDeepEqual(x, at(store.indices, i)))
  );
}

/** The test of a reduction's first iteration, for the value that the cells hold. */
function firstTest(scope: Scope, body: Body): () => boolean {
  return body.reduced
    .map((r) => compareTest("tir.EQ", compileExpr(scope, r.value), compileExpr(scope, r.min)))
    .reduce<() => boolean>((rest, first) => () => first() && rest(), () => true);
}

/** How a value becomes the words of a buffer; undefined for types that are more than a word. */
function encoder(dtype: DType): ((x: number) => number) | undefined {
  const { scalar, code } = parseDType(dtype);
  if (scalar === "float16") return encodeHalf;
  if (scalar === "bfloat16") return encodeBfloat;
  if (code === "bool") return (x) => (x === 0 ? 0 : 1);
  const small = smallFloatOf(scalar);
  if (small !== undefined) return small.encode;
  return /^(float(32|64)|u?int(8|16|32))$/.test(scalar) ? (x) => x : undefined;
}

/** Runs a strip; what fails in it is run again element by element, which says what is wrong or gets it right. */
function orPlain(axis: Axis, strip: (n: number) => void, plain: () => void): (n: number) => void {
  return (n) => {
    const from = axis.cell.value;
    try {
      strip(n);
    } catch (error) {
      if (!(error instanceof Bail || error instanceof DiagnosticError)) throw error;
      for (let i = 0; i < n; i++) {
        axis.cell.value = from + i;
        plain();
      }
      axis.cell.value = from;
    }
  };
}

/** Each lane stores to an element of its own. */
function elementwise(scope: Scope, axis: Axis, body: Body, place: AffinePlace, plain: () => void): ((n: number) => void) | undefined {
  const { store, init } = body;
  const encode = encoder(store.buffer.dtype);
  if (encode === undefined || !readsOwnElement(store.value, store)) return undefined;
  // A reduction along the strip would store to one element.
  if (body.reduced.some((r) => usesVar(r.value, (v) => axis.dependents.has(v)))) return undefined;
  const accumulate = multiplyAdd(scope, axis, store, place, []);
  const value = compileStrip(scope, axis, store.value);
  if (value === undefined) return undefined;
  const write = writer(place, spread(value), encode);
  const update = accumulate ?? write;
  if (init === undefined) return orPlain(axis, update, plain);
  if (!isOwnStore(init, store)) return undefined;
  const start = compileStrip(scope, axis, init.value);
  if (start === undefined || !readsOwnElement(init.value, store) || collectBuffers(init.value).includes(store.buffer)) return undefined;
  const isFirst = firstTest(scope, body);
  const writeStart = writer(place, spread(start), encode);
  return orPlain(
    axis,
    (n) => {
      // Both may fail only before anything is stored, or when running them again does no harm.
      if (isFirst()) writeStart(n);
      update(n);
    },
    plain,
  );
}

function isOwnStore(init: BufferStore, store: BufferStore): boolean {
  return init.buffer === store.buffer && init.predicate === undefined && init.indices.every((x, i) => exprDeepEqual(x, at(store.indices, i)));
}

function writer(place: AffinePlace, value: Extract<Strip, { kind: "lanes" }>, encode: (x: number) => number): (n: number) => void {
  const { view, run, step } = place;
  return (n) => {
    value.fill(n, undefined);
    const { words } = view;
    const from = run();
    const last = from + step * (n - 1);
    if (from < 0 || from >= words.length || last < 0 || last >= words.length) throw new Bail();
    const { out } = value;
    for (let i = 0, p = from; i < n; i++, p += step) words[p] = encode(out[i] ?? 0);
  };
}

/** `c = c + x * y` in float32 with elements at regular places: what convolutions and matrix products are made of. */
function multiplyAdd(scope: Scope, axis: Axis, store: BufferStore, place: AffinePlace, inner: readonly Loop[]): ((n: number) => void) | undefined {
  const { value } = store;
  if (value.dtype !== "float32" || value.kind !== "tir.Add" || !isOwn(value.a, store)) return undefined;
  const product = value.b;
  if (product.kind !== "tir.Mul") return undefined;
  const [a, b] = [operand(scope, axis, product.a), operand(scope, axis, product.b)];
  if (a === undefined || b === undefined) return undefined;
  const [sc, sx, sy] = [place.step, a.step, b.step];
  const [l0, l1, l2] = [0, 1, 2].map((i) => {
    const loop = inner[i];
    return loop === undefined ? { extent: 1, x: 0, y: 0 } : { extent: loop.extent, x: stepOf(a.code, loop.cell), y: stepOf(b.code, loop.cell) };
  });
  if (l0 === undefined || l1 === undefined || l2 === undefined) return undefined;
  return (n) => {
    const c = place.view.words;
    const x = a.view.words;
    const y = b.view.words;
    const [pc, px, py] = [place.run(), a.run(), b.run()];
    const xSteps = [sx * (n - 1), l0.x * (l0.extent - 1), l1.x * (l1.extent - 1), l2.x * (l2.extent - 1)];
    const ySteps = [sy * (n - 1), l0.y * (l0.extent - 1), l1.y * (l1.extent - 1), l2.y * (l2.extent - 1)];
    if (!(inside(c, pc, sc, n) && covers(x, px, xSteps) && covers(y, py, ySteps))) throw new Bail();
    if (!(c instanceof Float32Array && x instanceof Float32Array && y instanceof Float32Array)) throw new Bail();
    for (let i = 0; i < l0.extent; i++) {
      for (let j = 0; j < l1.extent; j++) {
        let qx = px + i * l0.x + j * l1.x;
        let qy = py + i * l0.y + j * l1.y;
        for (let k = 0; k < l2.extent; k++) {
          if (sy === 0) scaleAdd(c, pc, sc, x, qx, sx, y[qy] ?? 0, n);
          else if (sx === 0) scaleAdd(c, pc, sc, y, qy, sy, x[qx] ?? 0, n);
          else multiplyAddLanes(c, pc, sc, x, qx, sx, y, qy, sy, n);
          qx += l2.x;
          qy += l2.y;
        }
      }
    }
  };
}

/** The multiply-adds of several reduction loops for one strip; what it cannot do, strip by strip. */
function wholeReduction(
  scope: Scope,
  axis: Axis,
  body: Body,
  place: AffinePlace,
  reducing: readonly Loop[],
  strip: (n: number) => void,
): ((n: number) => void) | undefined {
  const { store, init } = body;
  const run = multiplyAdd(scope, axis, store, place, reducing);
  if (run === undefined) return undefined;
  const start = init && isOwnStore(init, store) ? compileStrip(scope, axis, init.value) : undefined;
  if (init !== undefined && start === undefined) return undefined;
  const encode = encoder(store.buffer.dtype);
  if (encode === undefined) return undefined;
  const writeStart = start && writer(place, spread(start), encode);
  const isFirst = firstTest(scope, body);
  let step = 0;
  const one = reducing.toReversed().reduce<() => void>((inner, loop) => looping(loop, inner), () => strip(step));
  return (n) => {
    for (const loop of reducing) loop.cell.value = loop.min;
    const from = axis.cell.value;
    try {
      if (writeStart !== undefined && isFirst()) writeStart(n);
      run(n);
    } catch (error) {
      if (!(error instanceof Bail || error instanceof DiagnosticError)) throw error;
      step = n;
      axis.cell.value = from;
      one();
    }
  };
}

function multiplyAddLanes(c: Float32Array, pc: number, sc: number, x: Float32Array, px: number, sx: number, y: Float32Array, py: number, sy: number, n: number): void {
  for (let i = 0; i < n; i++) c[pc + i * sc] = Math.fround((c[pc + i * sc] ?? 0) + Math.fround((x[px + i * sx] ?? 0) * (y[py + i * sy] ?? 0)));
}

/** True if every element from `from` on, by any part of the steps, is in the words. */
function covers(words: { readonly length: number }, from: number, steps: readonly number[]): boolean {
  let low = from;
  let high = from;
  for (const step of steps) {
    if (step < 0) low += step;
    else high += step;
  }
  return low >= 0 && high < words.length;
}

function scaleAdd(c: Float32Array, pc: number, sc: number, x: Float32Array, px: number, sx: number, y: number, n: number): void {
  if (sc === 1 && sx === 1) for (let i = 0; i < n; i++) c[pc + i] = Math.fround((c[pc + i] ?? 0) + Math.fround((x[px + i] ?? 0) * y));
  else for (let i = 0; i < n; i++) c[pc + i * sc] = Math.fround((c[pc + i * sc] ?? 0) + Math.fround((x[px + i * sx] ?? 0) * y));
}

function inside(words: { readonly length: number }, from: number, step: number, n: number): boolean {
  const last = from + step * (n - 1);
  return from >= 0 && from < words.length && last >= 0 && last < words.length;
}

function operand(scope: Scope, axis: Axis, e: PrimExpr): AffinePlace | undefined {
  return e.kind === "tir.BufferLoad" && e.predicate === undefined && scalarOf(e.dtype) === "float32" ? affinePlace(scope, axis, e) : undefined;
}

function isGrowing(scope: Scope, axis: Axis, value: PrimExpr): boolean {
  const code = compileExpr(scope, value);
  return !code.wide && code.linear !== undefined && stepOf(code, axis.cell) > 0;
}

const folds: { readonly [kind: string]: ((a: number, b: number) => number) | undefined } = {
  "tir.Add": (a, b) => a + b,
  "tir.Mul": (a, b) => a * b,
  "tir.Min": minFloat,
  "tir.Max": maxFloat,
};

/** All lanes go into one element, in order. */
function folding(scope: Scope, axis: Axis, body: Body, place: AffinePlace, plain: () => void): ((n: number) => void) | undefined {
  const { store, init } = body;
  const { value } = store;
  const { dtype } = value;
  if (!("a" in value && "b" in value) || !isFloat(dtype) || !isOwn(value.a, store)) return undefined;
  const fold = folds[value.kind];
  const encode = encoder(store.buffer.dtype);
  if (fold === undefined || encode === undefined || collectBuffers(value.b).includes(store.buffer)) return undefined;
  // The reduction starts at the beginning of the strip or not at all, if what varies in the test only grows.
  const varying = body.reduced.filter((r) => usesVar(r.value, (v) => axis.dependents.has(v)));
  const along = varying.length > 0 && varying.every((r) => isGrowing(scope, axis, r.value));
  if (init !== undefined && (!along || !isOwnStore(init, store) || usesVar(init.value, (v) => axis.dependents.has(v)))) return undefined;
  if (!/^float(32|64)$/.test(scalarOf(dtype))) return undefined;
  const terms = compileStrip(scope, axis, value.b);
  const start = init && compileExpr(scope, init.value);
  if (terms === undefined || start?.wide === true || (init && collectBuffers(init.value).includes(store.buffer))) return undefined;
  const x = spread(terms);
  const round = rounding(dtype);
  const isFirst = init && firstTest(scope, body);
  return orPlain(
    axis,
    (n) => {
      x.fill(n, undefined);
      const { words } = place.view;
      const p = place.run();
      if (!inside(words, p, 0, 1)) throw new Bail();
      let sum = isFirst?.() === true && start !== undefined ? Number(start.run()) : (words[p] ?? 0);
      for (let i = 0; i < n; i++) sum = round(fold(sum, x.out[i] ?? 0));
      words[p] = sum;
    },
    plain,
  );
}
