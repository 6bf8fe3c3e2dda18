import type { Tensor } from "@verticil/runtime-ffi";
import type { Dialect, FieldTable } from "../field-table.ts";
import { irDialect, makeFloatImm, makeGlobalVar, makeIntImm, makeIRModule, type BaseFunc, type FloatImm, type GlobalVar, type IntImm, type IRModule } from "../ir.ts";
import type { AttrMap, Node } from "../node.ts";

/** A small language with every role and category, for the tests of the generic machinery. */
export interface ToyVar extends Node {
  readonly kind: "toy.Var";
  readonly name: string;
  /** What a function parameter's type may mention: variables that it binds along. */
  readonly size: ToyExpr | undefined;
}
export interface ToyAdd extends Node {
  readonly kind: "toy.Add";
  readonly a: ToyExpr;
  readonly b: ToyExpr;
}
export interface ToyLet extends Node {
  readonly kind: "toy.Let";
  readonly bind: ToyVar;
  readonly value: ToyExpr;
  readonly body: ToyExpr;
}
export interface ToyBuffer extends Node {
  readonly kind: "toy.Buffer";
  readonly data: ToyVar;
  readonly shape: readonly ToyExpr[];
  readonly name: string;
}
export interface ToyLoad extends Node {
  readonly kind: "toy.Load";
  readonly buffer: ToyBuffer;
  readonly index: ToyExpr;
}
export interface ToyCall extends Node {
  readonly kind: "toy.Call";
  readonly callee: GlobalVar;
  readonly args: readonly ToyExpr[];
  readonly attrs: AttrMap;
}
export interface ToyConst extends Node {
  readonly kind: "toy.Const";
  readonly data: Tensor;
}
export interface ToyFunc extends BaseFunc {
  readonly kind: "toy.Func";
  readonly params: readonly ToyVar[];
  readonly bufferMap: ReadonlyMap<ToyVar, ToyBuffer>;
  readonly body: ToyExpr;
  readonly tags: readonly string[];
}

export type ToyExpr = ToyVar | ToyAdd | ToyLet | ToyLoad | ToyCall | ToyConst | IntImm | FloatImm;
type ToyNode = Exclude<ToyExpr, IntImm | FloatImm> | ToyBuffer | ToyFunc;

const toyFields: FieldTable<ToyNode> = {
  "toy.Var": { category: "var", typeKey: "toy.Var", fields: { name: "ignore", size: "child" } },
  "toy.Add": { category: "tree", typeKey: "toy.Add", fields: { a: "child", b: "child" } },
  "toy.Let": { category: "tree", typeKey: "toy.Let", fields: { value: "child", bind: "def-nonrecursive", body: "child" } },
  "toy.Buffer": { category: "tree", typeKey: "toy.Buffer", shared: true, fields: { data: "def", shape: "defs", name: "ignore" } },
  "toy.Load": { category: "tree", typeKey: "toy.Load", fields: { buffer: "child", index: "child" } },
  "toy.Call": { category: "tree", typeKey: "toy.Call", fields: { callee: "child", args: "children", attrs: "data" } },
  "toy.Const": { category: "tree", typeKey: "toy.Const", fields: { data: "tensor" } },
  "toy.Func": {
    category: "tree",
    typeKey: "toy.Func",
    fields: { params: "defs", bufferMap: "def-map", body: "child", attrs: "data", tags: "attr" },
  },
};

export const toyDialect: Dialect = { name: "toy", kinds: toyFields };

export const toyDialects: readonly Dialect[] = [irDialect, toyDialect];

export const v = (name: string, size?: ToyExpr): ToyVar => ({ kind: "toy.Var", name, size });
export const int = (value: number | bigint): IntImm => makeIntImm(value);
export const float = (value: number): FloatImm => makeFloatImm(value, "float64");
export const add = (a: ToyExpr, b: ToyExpr): ToyAdd => ({ kind: "toy.Add", a, b });
export const let_ = (bind: ToyVar, value: ToyExpr, body: ToyExpr): ToyLet => ({ kind: "toy.Let", bind, value, body });
export const buffer = (name: string, shape: readonly ToyExpr[], data: ToyVar = v(name)): ToyBuffer => ({ kind: "toy.Buffer", data, shape, name });
export const load = (b: ToyBuffer, index: ToyExpr): ToyLoad => ({ kind: "toy.Load", buffer: b, index });
export const call = (callee: GlobalVar, args: readonly ToyExpr[], attrs: AttrMap = {}): ToyCall => ({ kind: "toy.Call", callee, args, attrs });
export const constTensor = (data: Tensor): ToyConst => ({ kind: "toy.Const", data });

export function func(params: readonly ToyVar[], body: ToyExpr, opts: Partial<Pick<ToyFunc, "bufferMap" | "attrs" | "tags">> = {}): ToyFunc {
  return { kind: "toy.Func", params, bufferMap: opts.bufferMap ?? new Map(), body, attrs: opts.attrs ?? {}, tags: opts.tags ?? [] };
}

/** A module of functions by name. */
export function toyModule(functions: Readonly<Record<string, BaseFunc>>, attrs: AttrMap = {}): IRModule {
  return makeIRModule(new Map(Object.entries(functions).map(([name, f]) => [makeGlobalVar(name), f])), { attrs });
}
