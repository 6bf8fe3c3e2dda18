import { at } from "@verticil/ir-core";
import { zeros, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { Analyzer, asInt, constant, substitute, type IndexMap, type PrimExpr } from "@verticil/tir";

/** A tensor in the layout of an index map, element by element through the simplifier: slow, and nothing else than the map says. */
export function packTensorForTest(t: Tensor, map: IndexMap): Tensor {
  const analyzer = new Analyzer();
  const places = Array.from({ length: t.data.length }, (_, flat) => {
    const values = new Map<PrimExpr, PrimExpr>();
    let rest = flat;
    for (let d = t.shape.length - 1; d >= 0; d--) {
      const v = at(map.initialIndices, d);
      const extent = at(t.shape, d);
      values.set(v, constant(rest % extent, v.dtype));
      rest = Math.floor(rest / extent);
    }
    return map.finalIndices.map((e) => asInt(analyzer.simplify(substitute(e, (v) => values.get(v)))) ?? 0);
  });
  const shape = map.finalIndices.map((_, d) => Math.max(...places.map((p) => at(p, d))) + 1);
  const out = zeros(t.dtype as ScalarDType, shape);
  const [from, to] = [t.data as Float32Array, out.data as Float32Array];
  places.forEach((place, i) => (to[place.reduce((flat, x, d) => flat * at(shape, d) + x, 0)] = from[i] ?? 0));
  return out;
}
