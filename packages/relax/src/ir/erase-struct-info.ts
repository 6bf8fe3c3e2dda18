import type { PrimExpr } from "@verticil/tir";
import { makePrimStructInfo, makeShapeStructInfo, makeTensorStructInfo, makeTupleStructInfo } from "./make.ts";
import type { StructInfo } from "./struct-info.ts";

/** Struct info without the dimensions that are not known outside: ranks stand for them; upstream's `EraseToWellDefined`. */
export function eraseStructInfo(info: StructInfo, isKnown: (dim: PrimExpr) => boolean): StructInfo {
  switch (info.kind) {
    case "relax.PrimStructInfo":
      return info.value === undefined || isKnown(info.value) ? info : makePrimStructInfo(info.dtype);
    case "relax.ShapeStructInfo":
      return info.values === undefined || info.values.every(isKnown) ? info : makeShapeStructInfo(info.ndim);
    case "relax.TensorStructInfo": {
      const isClosed = info.shape === undefined || (info.shape.kind === "relax.ShapeExpr" && info.shape.values.every(isKnown));
      return isClosed ? info : makeTensorStructInfo(info.ndim, info.dtype, info.vdevice);
    }
    case "relax.TupleStructInfo": {
      const fields = info.fields.map((f) => eraseStructInfo(f, isKnown));
      return fields.every((f, i) => f === info.fields[i]) ? info : makeTupleStructInfo(fields);
    }
    case "relax.ObjectStructInfo":
    case "relax.FuncStructInfo":
    case "relax.DTensorStructInfo":
      return info;
  }
}
