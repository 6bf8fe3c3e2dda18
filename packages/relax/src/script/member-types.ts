import { isInt, isList, type CallArgs, type ScriptValue, type Site } from "@verticil/tvmscript";
import {
  makeDTensorStructInfo,
  makeFuncStructInfo,
  makeObjectStructInfo,
  makePrimStructInfo,
  makeShapeStructInfo,
  makeTensorStructInfo,
  makeTupleStructInfo,
} from "../ir/make.ts";
import type { StructInfo, TensorStructInfo } from "../ir/struct-info.ts";
import { isAbsent } from "./argument.ts";
import { toDim, toPrim, toRelax, toScalarDType, toStructInfo, toStructInfos, toVDevice } from "./convert.ts";
import { toDeviceMesh } from "./convert-mesh.ts";
import type { Member } from "./member-calls.ts";

function tensorInfo(a: CallArgs, site: Site): TensorStructInfo {
  return tensorOf(a, a.get(2, "vdevice"), a.get(3, "ndim"), site);
}

function tensorOf(a: CallArgs, device: ScriptValue, ndim: ScriptValue, site: Site): TensorStructInfo {
  let shape = a.get(0, "shape");
  let dtype = a.get(1, "dtype");
  // `R.Tensor("float32")`: a lone string is a data type.
  if (typeof shape === "string" && dtype === undefined) {
    dtype = shape;
    shape = undefined;
  }
  const type = isAbsent(dtype) || dtype === "" ? undefined : toScalarDType(dtype, site);
  const vdevice = toVDevice(device, site);
  if (isAbsent(shape)) return makeTensorStructInfo(isInt(ndim) ? Number(ndim) : -1, type, vdevice);
  if (isList(shape)) return makeTensorStructInfo(shape.map((d) => toDim(d, site)), type, vdevice);
  return makeTensorStructInfo(toRelax(shape, site), type, vdevice);
}

function shapeInfo(a: CallArgs, site: Site): ScriptValue {
  const values = a.get(0, "values");
  const ndim = a.get(1, "ndim");
  if (isAbsent(values)) return makeShapeStructInfo(isInt(ndim) ? Number(ndim) : -1);
  return isList(values) ? makeShapeStructInfo(values.map((d) => toDim(d, site))) : site.fail("A shape is a list of dimensions.");
}

function primInfo(a: CallArgs, site: Site): ScriptValue {
  const value = a.keywords.get("value");
  if (isAbsent(value)) return makePrimStructInfo(toScalarDType(a.need(0, "dtype", site), site));
  const expr = toPrim(value, site);
  return makePrimStructInfo(toScalarDType(expr.dtype, site), expr);
}

function callable(a: CallArgs, site: Site): ScriptValue {
  const params = a.get(0, "params");
  const ret = a.get(1, "ret");
  const purity = a.get(2, "purity");
  const derive = a.get(3, "derive_func");
  const result = isAbsent(ret) ? makeObjectStructInfo() : toStructInfo(ret, site);
  return makeFuncStructInfo(isAbsent(params) ? undefined : toStructInfos(params, site), result, {
    // Without parameters nothing is known of it, and it is taken to have side effects.
    purity: isAbsent(purity) ? !isAbsent(params) : purity === true,
    ...(typeof derive === "string" ? { deriveFunc: derive } : {}),
  });
}

/** `R.DTensor(shape, dtype, device_mesh, placement, ndim)`. */
function dTensorInfo(a: CallArgs, site: Site): ScriptValue {
  const tensor = tensorOf(a, undefined, a.get(4, "ndim"), site);
  const mesh = toDeviceMesh(a.get(2, "device_mesh"), site);
  const placement = a.get(3, "placement");
  return makeDTensorStructInfo(tensor, mesh, typeof placement === "string" ? placement : site.fail("A placement is a string."));
}

/** What the name stands for where it is not called: the type of which nothing more is known. */
export const typeMembers: Readonly<Record<string, readonly [Member, StructInfo]>> = {
  Tensor: [tensorInfo, makeTensorStructInfo(-1)],
  Shape: [shapeInfo, makeShapeStructInfo(-1)],
  Object: [() => makeObjectStructInfo(), makeObjectStructInfo()],
  Tuple: [
    (a, site) => {
      const [first] = a.args;
      const list = a.args.length === 1 && isList(first) ? first : a.args;
      return makeTupleStructInfo(list.map((x) => toStructInfo(x, site)));
    },
    makeTupleStructInfo([]),
  ],
  Callable: [callable, makeFuncStructInfo(undefined, makeObjectStructInfo(), { purity: false })],
  Prim: [primInfo, makeObjectStructInfo()],
  DTensor: [dTensorInfo, makeTensorStructInfo(-1)],
};

