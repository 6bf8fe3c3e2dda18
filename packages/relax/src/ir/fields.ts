import type { FieldTable, IrNode } from "@verticil/ir-core";
import type { AnyBindingBlock, Binding, Expr } from "./expr.ts";
import type { DeviceMesh, StructInfo } from "./struct-info.ts";

/** Every node that the dialect adds to those of ir-core and tir. */
export type RelaxNode = Exclude<Expr, IrNode> | Binding | AnyBindingBlock | StructInfo | DeviceMesh;

/**
 * What the nodes of the graph IR are made of. The struct info of a variable is part of it (parameters bind the
 * symbolic variables in theirs); that of other expressions is derived, and not compared.
 */
export const relaxFields: FieldTable<RelaxNode> = {
  "relax.Var": { category: "var", typeKey: "relax.expr.Var", fields: { name: "ignore", structInfo: "child" } },
  "relax.DataflowVar": {
    category: "var",
    typeKey: "relax.expr.DataflowVar",
    fields: { name: "ignore", structInfo: "child" },
  },
  "relax.Constant": {
    category: "tree",
    typeKey: "relax.expr.Constant",
    fields: { data: "tensor", structInfo: "ignore" },
  },
  "relax.Tuple": { category: "tree", typeKey: "relax.expr.Tuple", fields: { fields: "children", structInfo: "ignore" } },
  "relax.TupleGetItem": {
    category: "tree",
    typeKey: "relax.expr.TupleGetItem",
    fields: { tuple: "child", index: "attr", structInfo: "ignore" },
  },
  "relax.ShapeExpr": {
    category: "tree",
    typeKey: "relax.expr.ShapeExpr",
    fields: { values: "children", structInfo: "ignore" },
  },
  "relax.PrimValue": {
    category: "tree",
    typeKey: "relax.expr.PrimValue",
    fields: { value: "child", structInfo: "ignore" },
  },
  "relax.StringImm": {
    category: "tree",
    typeKey: "relax.expr.StringImm",
    fields: { value: "attr", structInfo: "ignore" },
  },
  "relax.DataTypeImm": {
    category: "tree",
    typeKey: "relax.expr.DataTypeImm",
    fields: { value: "attr", structInfo: "ignore" },
  },
  "relax.Call": {
    category: "tree",
    typeKey: "relax.expr.Call",
    fields: { op: "child", args: "children", attrs: "data", sinfoArgs: "children", structInfo: "ignore" },
  },
  "relax.If": {
    category: "tree",
    typeKey: "relax.expr.If",
    fields: { cond: "child", trueBranch: "child", falseBranch: "child", structInfo: "ignore" },
  },
  "relax.SeqExpr": {
    category: "tree",
    typeKey: "relax.expr.SeqExpr",
    fields: { blocks: "children", body: "child", structInfo: "ignore" },
  },
  "relax.VarBinding": {
    category: "tree",
    typeKey: "relax.expr.VarBinding",
    // A function that calls itself mentions its variable.
    fields: { var: "def-nonrecursive", value: "child" },
  },
  "relax.MatchCast": {
    category: "tree",
    typeKey: "relax.expr.MatchCast",
    fields: { value: "child", structInfo: "def", var: "def-nonrecursive" },
  },
  "relax.BindingBlock": { category: "tree", typeKey: "relax.expr.BindingBlock", fields: { bindings: "children" } },
  "relax.DataflowBlock": { category: "tree", typeKey: "relax.expr.DataflowBlock", fields: { bindings: "children" } },
  "relax.Function": {
    category: "tree",
    typeKey: "relax.expr.Function",
    fields: {
      params: "defs",
      retStructInfo: "child",
      isPure: "attr",
      body: "child",
      attrs: "data",
      structInfo: "ignore",
    },
  },
  "relax.ExternFunc": {
    category: "tree",
    typeKey: "relax.expr.ExternFunc",
    fields: { globalSymbol: "attr", attrs: "data", structInfo: "ignore" },
  },
  "relax.ObjectStructInfo": { category: "tree", typeKey: "relax.ObjectStructInfo", fields: {} },
  "relax.PrimStructInfo": {
    category: "tree",
    typeKey: "relax.PrimStructInfo",
    fields: { dtype: "attr", value: "child" },
  },
  "relax.ShapeStructInfo": {
    category: "tree",
    typeKey: "relax.ShapeStructInfo",
    fields: { values: "children", ndim: "attr" },
  },
  "relax.TensorStructInfo": {
    category: "tree",
    typeKey: "relax.TensorStructInfo",
    fields: { shape: "child", dtype: "attr", vdevice: "child", ndim: "attr" },
  },
  "relax.TupleStructInfo": { category: "tree", typeKey: "relax.TupleStructInfo", fields: { fields: "children" } },
  "relax.FuncStructInfo": {
    category: "tree",
    typeKey: "relax.FuncStructInfo",
    fields: { params: "defs", ret: "child", purity: "attr", deriveFunc: "attr" },
  },
  "relax.DTensorStructInfo": {
    category: "tree",
    typeKey: "relax.DTensorStructInfo",
    fields: { deviceMesh: "child", placement: "attr", tensorInfo: "child" },
  },
  "relax.distributed.DeviceMesh": {
    category: "const-tree",
    typeKey: "relax.distributed.DeviceMesh",
    fields: { shape: "attr", deviceIds: "attr" },
  },
};
