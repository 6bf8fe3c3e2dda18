import { makeIntImm, NO_SPAN, type AnyObjectForm, type ForeignObject, type IntImm, type ObjectForm } from "@verticil/ir-core";
import type { Constant } from "../ir/expr.ts";
import { makeConstant } from "../ir/make.ts";

const constantForm: ObjectForm<Constant> = {
  typeKey: "relax.expr.Constant",
  write: ({ data: { dtype, shape }, data }) => {
    const values = shape.map((d) => makeIntImm(d, "int64"));
    return {
      data: { tensor: data },
      struct_info_: {
        object: foreign("relax.TensorStructInfo", {
          shape: { object: shapeExpr(values) },
          dtype,
          vdevice: { object: undefined },
          ndim: shape.length,
          span: NO_SPAN,
        }),
      },
      _checked_type_: { object: foreign("relax.DynTensorType", { ndim: shape.length, dtype, span: NO_SPAN }) },
      span: NO_SPAN,
    };
  },
  main: {
    typeKey: "ir.GenericConst",
    write: ({ data }) => ({ span: NO_SPAN, value: { tensor: data } }),
    read: (a) => makeConstant(a.tensor("value")),
  },
  // Its struct info follows from the tensor.
  read: (a) => makeConstant(a.tensor("data")),
};

/** A shape, as upstream has it: with struct info and type of its own. */
function shapeExpr(values: readonly IntImm[]): ForeignObject {
  const ndim = values.length;
  return foreign("relax.expr.ShapeExpr", {
    values: { object: values },
    struct_info_: { object: foreign("relax.ShapeStructInfo", { values: { object: values }, ndim, span: NO_SPAN }) },
    _checked_type_: { object: foreign("relax.ShapeType", { ndim, span: NO_SPAN }) },
    span: NO_SPAN,
  });
}

function foreign(typeKey: string, attrs: ForeignObject["attrs"]): ForeignObject {
  return { typeKey, attrs };
}

/** How the nodes of graphs that metadata holds look in upstream's JSON. */
export const relaxObjectForms: Readonly<Record<string, AnyObjectForm>> = { "relax.Constant": constantForm };
