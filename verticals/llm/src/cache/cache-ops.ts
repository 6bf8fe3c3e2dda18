import { makeOp } from "@verticil/ir-core";
import {
  makeCall,
  makeExternFunc,
  makeObjectStructInfo,
  makePrimValue,
  makeTensorStructInfo,
  makeTupleStructInfo,
  shapeOf,
  structInfoOf,
  type Call,
  type Dim,
  type Expr,
  type InferStructInfo,
  type LegalizeRule,
  type LegalizeTable,
  type OpDef,
  type StructInfo,
} from "@verticil/relax";
import { PAGE_TOKENS } from "./kv-cache.ts";

/** The dimensions of a shape argument. @throws TypeError if it is none, or they are not known. */
function dimsAt(call: Call, i: number): readonly Dim[] {
  const arg = call.args[i];
  const dims = arg && (arg.kind === "relax.ShapeExpr" ? arg.values : shapeOf(structInfoOf(arg)));
  if (dims === undefined) throw new TypeError(`Argument ${i} of a cache operator is a shape whose dimensions are known.`);
  return dims;
}

const positions: InferStructInfo = (call) => makeTensorStructInfo(dimsAt(call, 1), "int32");

const view: InferStructInfo = (call) => {
  const pages = dimsAt(call, 1);
  const [heads, headDim] = [Number(call.attrs["heads"]), Number(call.attrs["head_dim"])];
  return makeTupleStructInfo([
    makeTensorStructInfo([...pages, heads, headDim, PAGE_TOKENS], "float32"),
    makeTensorStructInfo([...pages, PAGE_TOKENS, heads, headDim], "float32"),
  ]);
};

const object: InferStructInfo = () => makeObjectStructInfo();

const cacheArg = { cache: "any" } as const;

/**
 * The operators on a cache of keys and values. They are pure for the graph: `kv_append` writes in place but hands the
 * cache on, so that what reads it afterwards takes its result and keeps the order.
 */
export const cacheOps: readonly OpDef[] = [
  {
    name: "llm.kv_create",
    args: ["capacity"],
    argKinds: { capacity: "shape" },
    attrs: { layers: { type: "int" }, heads: { type: "int" }, head_dim: { type: "int" } },
    pure: true,
    inferStructInfo: object,
  },
  { name: "llm.kv_positions", args: ["cache", "tokens"], argKinds: { ...cacheArg, tokens: "shape" }, attrs: {}, pure: true, inferStructInfo: positions },
  { name: "llm.kv_append", args: ["cache", "keys", "values"], argKinds: cacheArg, attrs: { layer: { type: "int" } }, pure: true, inferStructInfo: object },
  {
    name: "llm.kv_view",
    args: ["cache", "pages"],
    argKinds: { ...cacheArg, pages: "shape" },
    attrs: { layer: { type: "int" }, heads: { type: "int" }, head_dim: { type: "int" } },
    pure: true,
    inferStructInfo: view,
  },
];

/** A call of the runtime function of the operator's name, with the attributes that follow its arguments. */
function toPacked(op: "call_pure_packed" | "call_inplace_packed", attrs: readonly string[]): LegalizeRule {
  return (call) => {
    const name = call.op.kind === "ir.Op" ? call.op.name : "";
    const args: readonly Expr[] = [makeExternFunc(name), ...call.args, ...attrs.map((a) => makePrimValue(Number(call.attrs[a])))];
    const result: StructInfo = call.structInfo ?? makeObjectStructInfo();
    return makeCall(makeOp(`relax.${op}`), args, {
      attrs: op === "call_inplace_packed" ? { inplace_indices: [0] } : {},
      sinfoArgs: [result],
      structInfo: result,
      span: call.span,
    });
  };
}

/** How the cache operators become calls of `kvCacheFunctions`. */
export const cacheLegalization: LegalizeTable = new Map<string, LegalizeRule>([
  ["llm.kv_create", toPacked("call_pure_packed", ["layers", "heads", "head_dim"])],
  ["llm.kv_positions", toPacked("call_pure_packed", [])],
  ["llm.kv_append", toPacked("call_inplace_packed", ["layer"])],
  ["llm.kv_view", toPacked("call_pure_packed", ["layer"])],
]);
