import { lanesOf } from "@verticil/runtime-ffi";
import type { Buffer, PrimExpr } from "@verticil/tir";
import type { FuncContext } from "./context.ts";
import { toScalars } from "./lanes.ts";
import { unsupported } from "./unsupported.ts";
import { addLinear, constantLinear, linearOf, mulLinear, sameTerms, scaleLinear, termLinear, type Linear } from "./linear.ts";

/** The number of each scalar element that an access touches, in lane order. */
export type Elements = readonly Linear[];

/** Which scalars of a buffer's memory `indices` mean: row-major by shape unless the buffer has strides. */
export function elementsOf(cx: FuncContext, buffer: Buffer, indices: readonly PrimExpr[]): Elements {
  if (lanesOf(buffer.dtype) < 1 || indices.some((e) => lanesOf(e.dtype) < 1)) {
    return unsupported("a vector of a length that the hardware decides", "Give the vector a fixed number of lanes.", indices[0]?.span);
  }
  const strides = stridesOf(cx, buffer);
  const lanes = indices.reduce((most, e) => Math.max(most, lanesOf(e.dtype)), 1);
  let sums: Linear[] = new Array<Linear>(lanes).fill(buffer.elemOffset === undefined ? constantLinear(0) : linearOf(cx, buffer.elemOffset));
  for (const [d, index] of indices.entries()) {
    const stride = strides[d] ?? constantLinear(1);
    const perLane = laneLinears(cx, index);
    sums = sums.map((sum, lane) => {
      const at = perLane[perLane.length === 1 ? 0 : lane] ?? constantLinear(0);
      return addLinear(sum, mulLinear(cx.graph, at, stride));
    });
  }
  const elementLanes = lanesOf(buffer.dtype);
  if (elementLanes === 1) return sums;
  return sums.flatMap((sum) => Array.from({ length: elementLanes }, (_, k) => addLinear(scaleLinear(sum, elementLanes), constantLinear(k))));
}

function stridesOf(cx: FuncContext, buffer: Buffer): readonly Linear[] {
  if (buffer.strides.length > 0) return buffer.strides.map((s) => linearOf(cx, s));
  const strides: Linear[] = [];
  let stride = constantLinear(1);
  for (let d = buffer.shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    const extent = buffer.shape[d];
    if (d > 0 && extent !== undefined) stride = mulLinear(cx.graph, stride, linearOf(cx, extent));
  }
  return strides;
}

/** Each lane of an index. */
function laneLinears(cx: FuncContext, e: PrimExpr): readonly Linear[] {
  if (lanesOf(e.dtype) === 1) return [linearOf(cx, e)];
  switch (e.kind) {
    case "tir.Ramp": {
      const base = linearOf(cx, e.base);
      const stride = linearOf(cx, e.stride);
      return Array.from({ length: e.lanes }, (_, k) => addLinear(base, scaleLinear(stride, k)));
    }
    case "tir.Broadcast": {
      const value = linearOf(cx, e.value);
      return new Array<Linear>(e.lanes).fill(value);
    }
    case "tir.Add":
    case "tir.Sub": {
      const [a, b] = [laneLinears(cx, e.a), laneLinears(cx, e.b)];
      return a.map((x, k) => addLinear(x, b[k] ?? x, e.kind === "tir.Add" ? 1 : -1));
    }
    case "tir.Mul": {
      const [a, b] = [laneLinears(cx, e.a), laneLinears(cx, e.b)];
      return a.map((x, k) => mulLinear(cx.graph, x, b[k] ?? x));
    }
    default:
      return toScalars(cx.graph, cx.expr(e)).map((v) => termLinear(v.type === "i64" ? cx.graph.op("i32.wrap_i64", [v]) : v));
  }
}

/** The common distance of neighbours: 1 for contiguous elements, 0 for one element in all lanes; undefined if they vary. */
export function strideOf(elements: Elements): number | undefined {
  const [first, second] = elements;
  if (first === undefined || second === undefined) return undefined;
  const stride = second.constant - first.constant;
  const regular = elements.every((e, k) => sameTerms(e, first) && e.constant - first.constant === k * stride);
  return regular ? stride : undefined;
}
