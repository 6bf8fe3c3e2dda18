import type { FieldTable, IrNode, KindSpec } from "@verticil/ir-core";
import type { Buffer, BufferRegion, MatchBufferRegion } from "./buffer.ts";
import type { BinaryKind, BinaryExpr, CommReducer, IterVar, PrimExpr, Range } from "./expr.ts";
import type { IndexMap, PrimFunc, Stmt, TargetNode, TensorIntrin } from "./stmt.ts";

/** Every node that the dialect adds to ir-core's. */
export type TirNode =
  | Exclude<PrimExpr, IrNode>
  | Stmt
  | Buffer
  | BufferRegion
  | MatchBufferRegion
  | CommReducer
  | IterVar
  | Range
  | TargetNode
  | PrimFunc
  | IndexMap
  | TensorIntrin;

const binary = { dtype: "attr", a: "child", b: "child" } as const;

function binarySpecs(): { readonly [K in BinaryKind]: KindSpec<Extract<BinaryExpr, { readonly kind: K }>> } {
  const spec = <K extends string>(typeKey: K): { category: "tree"; typeKey: K; fields: typeof binary } => ({
    category: "tree",
    typeKey,
    fields: binary,
  });
  return {
    "tir.Add": spec("tir.Add"),
    "tir.Sub": spec("tir.Sub"),
    "tir.Mul": spec("tir.Mul"),
    "tir.Div": spec("tir.Div"),
    "tir.Mod": spec("tir.Mod"),
    "tir.FloorDiv": spec("tir.FloorDiv"),
    "tir.FloorMod": spec("tir.FloorMod"),
    "tir.Min": spec("tir.Min"),
    "tir.Max": spec("tir.Max"),
    "tir.EQ": spec("tir.EQ"),
    "tir.NE": spec("tir.NE"),
    "tir.LT": spec("tir.LT"),
    "tir.LE": spec("tir.LE"),
    "tir.GT": spec("tir.GT"),
    "tir.GE": spec("tir.GE"),
    "tir.And": spec("tir.And"),
    "tir.Or": spec("tir.Or"),
  };
}

/** What the nodes of TensorIR are made of, in evaluation order: what a binder does not scope over comes before it. */
export const tirFields: FieldTable<TirNode> = {
  ...binarySpecs(),
  "tir.Var": {
    category: "var",
    typeKey: "tir.Var",
    fields: { name: "ignore", dtype: "attr", typeAnnotation: "child" },
  },
  "tir.SizeVar": {
    category: "var",
    typeKey: "tir.SizeVar",
    fields: { name: "ignore", dtype: "attr", typeAnnotation: "child" },
  },
  "tir.StringImm": { category: "const-tree", typeKey: "tir.StringImm", fields: { dtype: "attr", value: "attr" } },
  "tir.Cast": { category: "tree", typeKey: "tir.Cast", fields: { dtype: "attr", value: "child" } },
  "tir.Not": { category: "tree", typeKey: "tir.Not", fields: { dtype: "attr", a: "child" } },
  "tir.Select": {
    category: "tree",
    typeKey: "tir.Select",
    fields: { dtype: "attr", condition: "child", trueValue: "child", falseValue: "child" },
  },
  "tir.BufferLoad": {
    category: "tree",
    typeKey: "tir.BufferLoad",
    fields: { dtype: "attr", buffer: "child", indices: "children", predicate: "child" },
  },
  "tir.ProducerLoad": {
    category: "tree",
    typeKey: "tir.ProducerLoad",
    fields: { dtype: "attr", producer: "child", indices: "children" },
  },
  "tir.Ramp": {
    category: "tree",
    typeKey: "tir.Ramp",
    fields: { dtype: "attr", base: "child", stride: "child", lanes: "attr" },
  },
  "tir.Broadcast": {
    category: "tree",
    typeKey: "tir.Broadcast",
    fields: { dtype: "attr", value: "child", lanes: "attr" },
  },
  "tir.Let": {
    category: "tree",
    typeKey: "tir.Let",
    fields: { dtype: "attr", value: "child", bind: "def", body: "child" },
  },
  "tir.Call": { category: "tree", typeKey: "tir.Call", fields: { dtype: "attr", op: "child", args: "children" } },
  "tir.Shuffle": {
    category: "tree",
    typeKey: "tir.Shuffle",
    fields: { dtype: "attr", vectors: "children", indices: "children" },
  },
  "tir.CommReducer": {
    category: "tree",
    typeKey: "tir.CommReducer",
    fields: { lhs: "defs", rhs: "defs", result: "children", identityElement: "children" },
  },
  "tir.Reduce": {
    category: "tree",
    typeKey: "tir.Reduce",
    fields: {
      dtype: "attr",
      combiner: "child",
      axis: "children",
      source: "children",
      init: "children",
      condition: "child",
      valueIndex: "attr",
    },
  },
  "tir.Range": { category: "tree", typeKey: "Range", fields: { min: "child", extent: "child" } },
  "tir.IterVar": {
    category: "tree",
    typeKey: "tir.IterVar",
    fields: { dom: "child", var: "def", iterType: "attr", threadTag: "attr" },
  },
  "tir.Buffer": {
    category: "tree",
    typeKey: "tir.Buffer",
    shared: true,
    fields: {
      data: "def",
      dtype: "attr",
      shape: "defs",
      strides: "defs",
      axisSeparators: "children",
      elemOffset: "def",
      name: "ignore",
      dataAlignment: "attr",
      offsetFactor: "attr",
      bufferType: "attr",
    },
  },
  "tir.BufferRegion": {
    category: "tree",
    typeKey: "tir.BufferRegion",
    fields: { buffer: "child", region: "children" },
  },
  "tir.MatchBufferRegion": {
    category: "tree",
    typeKey: "tir.MatchBufferRegion",
    fields: { source: "child", buffer: "def" },
  },
  "tir.LetStmt": {
    category: "tree",
    typeKey: "tir.LetStmt",
    fields: { value: "child", bind: "def", body: "child" },
  },
  "tir.Target": { category: "tree", typeKey: "Target", fields: { config: "data" } },
  "tir.AttrStmt": {
    category: "tree",
    typeKey: "tir.AttrStmt",
    fields: { node: "child", attrKey: "attr", value: "child", body: "child" },
  },
  "tir.AssertStmt": {
    category: "tree",
    typeKey: "tir.AssertStmt",
    fields: { condition: "child", message: "child", body: "child" },
  },
  "tir.BufferStore": {
    category: "tree",
    typeKey: "tir.BufferStore",
    fields: { buffer: "child", value: "child", indices: "children", predicate: "child" },
  },
  "tir.Allocate": {
    category: "tree",
    typeKey: "tir.Allocate",
    fields: {
      dtype: "attr",
      extents: "children",
      condition: "child",
      bufferVar: "def",
      body: "child",
      annotations: "data",
    },
  },
  "tir.AllocateConst": {
    category: "tree",
    typeKey: "tir.AllocateConst",
    fields: {
      dtype: "attr",
      extents: "children",
      data: "tensor",
      bufferVar: "def",
      body: "child",
      annotations: "data",
    },
  },
  "tir.DeclBuffer": { category: "tree", typeKey: "tir.DeclBuffer", fields: { buffer: "child", body: "child" } },
  "tir.BufferRealize": {
    category: "tree",
    typeKey: "tir.BufferRealize",
    fields: { buffer: "child", bounds: "children", condition: "child", body: "child" },
  },
  "tir.Prefetch": { category: "tree", typeKey: "tir.Prefetch", fields: { buffer: "child", bounds: "children" } },
  "tir.SeqStmt": { category: "tree", typeKey: "tir.SeqStmt", fields: { seq: "children" } },
  "tir.Evaluate": { category: "tree", typeKey: "tir.Evaluate", fields: { value: "child" } },
  "tir.IfThenElse": {
    category: "tree",
    typeKey: "tir.IfThenElse",
    fields: { condition: "child", thenCase: "child", elseCase: "child" },
  },
  "tir.For": {
    category: "tree",
    typeKey: "tir.For",
    fields: {
      min: "child",
      extent: "child",
      loopVar: "def",
      forKind: "attr",
      threadBinding: "child",
      annotations: "data",
      body: "child",
    },
  },
  "tir.While": { category: "tree", typeKey: "tir.While", fields: { condition: "child", body: "child" } },
  "tir.Block": {
    category: "tree",
    typeKey: "tir.Block",
    fields: {
      iterVars: "children",
      allocBuffers: "defs",
      matchBuffers: "children",
      reads: "children",
      writes: "children",
      name: "ignore",
      body: "child",
      init: "child",
      annotations: "data",
    },
  },
  "tir.BlockRealize": {
    category: "tree",
    typeKey: "tir.BlockRealize",
    fields: { iterValues: "children", predicate: "child", block: "child" },
  },
  "tir.PrimFunc": {
    category: "tree",
    typeKey: "tir.PrimFunc",
    fields: { params: "defs", bufferMap: "def-map", retType: "child", body: "child", attrs: "data" },
  },
  "tir.IndexMap": {
    category: "tree",
    typeKey: "tir.IndexMap",
    fields: { initialIndices: "defs", finalIndices: "children", inverse: "child" },
  },
  "tir.TensorIntrin": { category: "tree", typeKey: "tir.TensorIntrin", fields: { desc: "child", impl: "child" } },
};
