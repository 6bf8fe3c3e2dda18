import { isNode, makeOp } from "@verticil/ir-core";
import { isInt, isList, ScriptFloat, ScriptFunction, type Operators, type ScriptValue, type Site } from "@verticil/tvmscript";
import type { Expr } from "../ir/expr.ts";
import { makeCall, makeConstant, makeTuple, makeTupleGetItem } from "../ir/make.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { argument } from "./argument.ts";
import { isExpr, isStructInfo, toRelax, toScalarDType, toTensor } from "./convert.ts";
import { InspectValue } from "./values.ts";

const BINARY: Readonly<Record<string, string>> = {
  "+": "relax.add",
  "-": "relax.subtract",
  "*": "relax.multiply",
  "/": "relax.divide",
  "//": "relax.floor_divide",
  "%": "relax.mod",
  "**": "relax.power",
  "<": "relax.less",
  "<=": "relax.less_equal",
  ">": "relax.greater",
  ">=": "relax.greater_equal",
};

/** An operand; a plain number is a constant of the other side's type. */
function operand(v: ScriptValue, other: ScriptValue, site: Site): Expr {
  if (isExpr(v)) return v;
  const info = isExpr(other) ? structInfoOf(other) : undefined;
  const dtype = info?.kind === "relax.TensorStructInfo" ? info.dtype : undefined;
  if (isInt(v) || v instanceof ScriptFloat) return makeConstant(toTensor(v, dtype, site), site.span);
  return toRelax(v, site);
}

function inspect(name: string, args: readonly Expr[], site: Site): ScriptValue {
  return makeCall(makeOp(`relax.inspect.${name}`), args, { span: site.span });
}

const DTYPE_PARTS: Readonly<Record<string, string>> = { type_code: "tensor_dtype_code", code: "tensor_dtype_code", bits: "tensor_dtype_bits", lanes: "tensor_dtype_lanes" };
const TENSOR_PARTS: Readonly<Record<string, string>> = { ndim: "tensor_ndim", byte_offset: "tensor_byte_offset", elem_offset: "tensor_elem_offset" };

/** `x.shape`, `x.dtype`, `x.ndim`, …: what is asked of the tensor at run time; `x.struct_info`: what is known of it here. */
function exprAttribute(value: Expr, name: string, site: Site): ScriptValue | undefined {
  if (name === "struct_info" || name === "struct_info_") return structInfoOf(value);
  if (name === "shape" || name === "strides" || name === "dtype") return new InspectValue(value, name);
  if (name === "astype") {
    return new ScriptFunction("astype", (a, at) => makeCall(makeOp("relax.astype"), [value], { attrs: { dtype: toScalarDType(a.need(0, "dtype", at), at) }, span: at.span }));
  }
  const part = TENSOR_PARTS[name];
  return part === undefined ? undefined : inspect(part, [value], site);
}

/** The parts of struct info that scripts name. */
function infoAttribute(info: StructInfo, name: string): ScriptValue | undefined {
  if (name === "ndim" && "ndim" in info) return info.ndim;
  if (name === "dtype" && "dtype" in info) return info.dtype;
  if (name === "shape" && info.kind === "relax.TensorStructInfo") return info.shape;
  if (name === "values" && info.kind === "relax.ShapeStructInfo") return info.values;
  return name === "fields" && info.kind === "relax.TupleStructInfo" ? info.fields : undefined;
}

/** What Python's operators mean for the values of graph functions. */
export const relaxOperators: Operators = {
  binary(op, a, b, site) {
    const name = BINARY[op];
    if (name === undefined || (!isExpr(a) && !isExpr(b))) return undefined;
    return makeCall(makeOp(name), [operand(a, b, site), operand(b, a, site)], { span: site.span });
  },
  unary(op, a, site) {
    return op === "-" && isExpr(a) ? makeCall(makeOp("relax.negative"), [a], { span: site.span }) : undefined;
  },
  attribute(value, name, site) {
    if (value instanceof InspectValue) {
      const part = value.part === "dtype" ? DTYPE_PARTS[name] : undefined;
      return part === undefined ? undefined : inspect(part, [value.tensor], site);
    }
    if (isStructInfo(value)) return infoAttribute(value, name);
    return isExpr(value) ? exprAttribute(value, name, site) : undefined;
  },
  subscript(value, indices, site) {
    const [index] = indices;
    if (value instanceof InspectValue && value.part !== "dtype" && indices.length === 1) {
      return inspect(value.part === "shape" ? "tensor_shape_i" : "tensor_stride_i", [value.tensor, argument(index, "prim", site)], site);
    }
    // A shape that is known is asked for its dimension here.
    if (isExpr(value) && value.kind === "relax.ShapeExpr" && indices.length === 1 && isInt(index)) return value.values[Number(index)];
    if (isList(value) && value.length > 0 && value.every(isExpr) && isInt(index)) {
      return index >= 0 && index < value.length ? makeTupleGetItem(makeTuple(value), Number(index), site.span) : undefined;
    }
    if (!isExpr(value) || indices.length !== 1) return undefined;
    if (!isInt(index)) return site.fail("A tuple is indexed by a plain integer.");
    return makeTupleGetItem(value, Number(index), site.span);
  },
  call(callee, args, keywords, site) {
    if (!isNode(callee)) return undefined;
    const isGlobal = callee.kind === "ir.GlobalVar";
    if (!isGlobal && callee.kind !== "relax.Var" && callee.kind !== "relax.DataflowVar") return undefined;
    if (keywords.size > 0) return site.fail("A graph function takes no arguments by name.");
    if (!isExpr(callee)) return undefined;
    return makeCall(callee, args.map((a) => toRelax(a, site)), { span: site.span });
  },
};
