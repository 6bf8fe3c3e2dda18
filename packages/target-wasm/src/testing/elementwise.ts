import { at } from "@verticil/ir-core";
import { lanesOf, scalarOf, type DType } from "@verticil/runtime-ffi";
import { makeBuffer, makeBufferLoad, makeBufferStore, makeFor, makePrimFunc, makeRamp, makeVar, mul, toExpr, type Buffer, type PrimExpr, type PrimFunc, type Var } from "@verticil/tir";

/**
 * `out[i] = f(ins[i]…)` over `count` elements, `lanes` at a time. The data types of inputs and output are scalars; `f`
 * sees vectors if there are lanes.
 */
export function elementwise(
  inputs: readonly DType[],
  count: number,
  lanes: number,
  f: (...xs: readonly PrimExpr[]) => PrimExpr,
): PrimFunc {
  const ins = inputs.map((dtype, i) => makeBuffer(`in${i}`, [count], dtype));
  const i = makeVar("i");
  const index = lanes === 1 ? i : makeRamp(mul(i, lanes), toExpr(1), lanes);
  const value = f(...ins.map((b) => makeBufferLoad(b, [index])));
  if (lanesOf(value.dtype) !== lanes) throw new Error(`the result has ${lanesOf(value.dtype)} lanes`);
  const out = makeBuffer("out", [count], scalarOf(value.dtype));
  const body = makeFor(i, toExpr(0), toExpr(count / lanes), makeBufferStore(out, value, [index]));
  const buffers: readonly Buffer[] = [...ins, out];
  const params = buffers.map((b) => makeVar(b.name, "handle"));
  return makePrimFunc(params, body, { bufferMap: new Map(buffers.map((b, k): [Var, Buffer] => [at(params, k), b])) });
}
