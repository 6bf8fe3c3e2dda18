import { elementCount, tensorBytes, zeros, type Tensor } from "@verticil/runtime-ffi";
import { asInt, usesVar, type IndexMap, type PrimExpr, type Var } from "@verticil/tir";

/**
 * A tensor in the layout of an index map: element `i` moves to `indexMap(i)`, what no element moves to is zero.
 *
 * @throws RangeError if a final index depends on several initial ones, or is made of more than `//`, `%`, `+` and `*`.
 */
export function packTensor(t: Tensor, map: IndexMap): Tensor {
  const tables = map.initialIndices.map((v, d) => indexTable(map, v, t.shape[d] ?? 1));
  const shape = map.finalIndices.map((_, k) => tables.reduce((most, table) => Math.max(most, ...table.map((at) => at[k] ?? 0)), 0) + 1);
  const strides = shape.map((_, k) => elementCount(shape.slice(k + 1)));
  // Each initial index moves an element by a distance of its own.
  const distances = tables.map((table) => table.map((at) => at.reduce((sum, x, k) => sum + x * (strides[k] ?? 0), 0)));
  const out = zeros(t.dtype, shape);
  const from = tensorBytes(t);
  const bytes = from.byteLength / Math.max(1, elementCount(t.shape));
  const move = (View: ElementView): void => scatter(new View(from.slice().buffer), new View(tensorBytes(out).buffer), distances);
  if (bytes === 8) move(BigUint64Array);
  else if (bytes === 4) move(Uint32Array);
  else if (bytes === 2) move(Uint16Array);
  else move(Uint8Array);
  return out;
}

type ElementView = new (buffer: ArrayBufferLike) => { readonly length: number; [i: number]: number | bigint };

/** Moves elements in order to the sums of their indices' distances. */
function scatter(from: InstanceType<ElementView>, to: InstanceType<ElementView>, distances: readonly (readonly number[])[]): void {
  let next = 0;
  const walk = (d: number, base: number): void => {
    const own = distances[d] ?? [0];
    if (d < distances.length - 1) for (const distance of own) walk(d + 1, base + distance);
    else for (const distance of own) to[base + distance] = from[next++] ?? 0;
  };
  if (from.length > 0) walk(0, 0);
}

/** What each value of an initial index adds to the final indices. */
function indexTable(map: IndexMap, v: Var, extent: number): readonly (readonly number[])[] {
  for (const e of map.finalIndices) {
    if (map.initialIndices.filter((x) => usesVar(e, x)).length > 1) throw new RangeError("A final index depends on several initial ones.");
  }
  return Array.from({ length: extent }, (_, value) => map.finalIndices.map((e) => (usesVar(e, v) ? evaluate(e, v, value) : 0)));
}

function evaluate(e: PrimExpr, v: Var, value: number): number {
  const constant = asInt(e);
  if (constant !== undefined) return constant;
  if (e === v) return value;
  switch (e.kind) {
    case "tir.Add":
      return evaluate(e.a, v, value) + evaluate(e.b, v, value);
    case "tir.Mul":
      return evaluate(e.a, v, value) * evaluate(e.b, v, value);
    case "tir.FloorDiv":
      return Math.floor(evaluate(e.a, v, value) / evaluate(e.b, v, value));
    case "tir.FloorMod": {
      const divisor = evaluate(e.b, v, value);
      return ((evaluate(e.a, v, value) % divisor) + divisor) % divisor;
    }
    default:
      throw new RangeError(`\`${e.kind}\` in an index map is not evaluated.`);
  }
}
