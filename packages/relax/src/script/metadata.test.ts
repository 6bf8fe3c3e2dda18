import { firstMismatch } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { relax } from "./relax-script.ts";

const dialects = [tir, relax];

// What upstream's writer makes of `R.const` of [1, 2] (v0.20): the magic number of a stored tensor, the device, the
// rank, the type float32, the shape, the size in bytes, the bytes.
const TENSOR = "P6G0lvBAXt0AAAAAAAAAAAEAAAAAAAAAAQAAAAIgAQACAAAAAAAAAAgAAAAAAAAAAACAPwAAAEA=";

/** The same with 2^32 more elements than there are bytes for. */
const HUGE = Buffer.from(Buffer.from(TENSOR, "base64").map((b, i) => (i === 36 ? 1 : b))).toString("base64");

const JSON_TEXT = `{
  "root": 1, 
  "nodes": [
    {
      "type_key": ""
    }, 
    {
      "type_key": "Map", 
      "keys": [
        "relax.expr.Constant"
      ], 
      "data": [2]
    }, 
    {
      "type_key": "Array", 
      "data": [3]
    }, 
    {
      "type_key": "relax.expr.Constant", 
      "attrs": {
        "_checked_type_": "10", 
        "data": "0", 
        "span": "0", 
        "struct_info_": "4"
      }
    }, 
    {
      "type_key": "relax.TensorStructInfo", 
      "attrs": {
        "dtype": "float32", 
        "ndim": "1", 
        "shape": "5", 
        "span": "0", 
        "vdevice": "0"
      }
    }, 
    {
      "type_key": "relax.expr.ShapeExpr", 
      "attrs": {
        "_checked_type_": "9", 
        "span": "0", 
        "struct_info_": "8", 
        "values": "6"
      }
    }, 
    {
      "type_key": "Array", 
      "data": [7]
    }, 
    {
      "type_key": "IntImm", 
      "attrs": {
        "dtype": "int64", 
        "span": "0", 
        "value": "2"
      }
    }, 
    {
      "type_key": "relax.ShapeStructInfo", 
      "attrs": {
        "ndim": "1", 
        "span": "0", 
        "values": "6"
      }
    }, 
    {
      "type_key": "relax.ShapeType", 
      "attrs": {
        "ndim": "1", 
        "span": "0"
      }
    }, 
    {
      "type_key": "relax.DynTensorType", 
      "attrs": {
        "dtype": "float32", 
        "ndim": "1", 
        "span": "0"
      }
    }
  ], 
  "b64ndarrays": [
    "${TENSOR}"
  ], 
  "attrs": {"tvm_version": "0.20.0"}
}`;

const program = (json: string): string => `metadata = tvm.ir.load_json("""${json.replaceAll('"', '\\"')}""")
# from tvm.script import ir as I
# from tvm.script import relax as R

@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((2,), dtype="float32")) -> R.Tensor((2,), dtype="float32"):
        with R.dataflow():
            y: R.Tensor((2,), dtype="float32") = R.add(x, metadata["relax.expr.Constant"][0])
            R.output(y)
        return y`;

test("metadata is upstream's JSON, read and printed byte for byte", () => {
  const module = parse(program(JSON_TEXT), { dialects });
  expect(print(module, { dialects, showMeta: true })).toBe(program(JSON_TEXT));
});

test("texts of several lines, tensors, and constants that share one tensor come back", () => {
  const text = `from tvm.script import ir as I, relax as R, tir as T
@I.ir_module
class Module:
    I.module_attrs({"note": "one\\ntwo \\u00e9"})
    @T.prim_func
    def f(A: T.Buffer((300,), "int32")):
        p = T.allocate_const([${Array.from({ length: 300 }, (_, i) => i).join(", ")}], "int32", [300])
        q = T.Buffer((300,), "int32", data=p)
        T.evaluate(T.call_extern("int32", "say", "a\\nb"))
        for i in range(300):
            A[i] = q[i]
    @R.function
    def main(x: R.Object) -> R.Object:
        y = R.str("c\\nd")
        return y
`;
  const module = parse(text, { dialects });
  const printed = print(module, { dialects, showMeta: true });
  for (const key of ["runtime.String", "runtime.NDArray", "tir.StringImm"]) expect(printed).toContain(`metadata["${key}"][0]`);
  expect(firstMismatch(module, parse(printed, { dialects }), { dialects })?.path).toBeUndefined();
});

test.each([
  ["no JSON", "{"],
  ["no graph", "[]"],
  ["another type of object", `{"root": 1, "nodes": [{"type_key": ""}, {"type_key": "Map", "keys": ["a"], "data": [2]}, {"type_key": "Array", "data": [3]}, {"type_key": "Foo"}]}`],
  ["an object that is part of itself", `{"root": 1, "nodes": [{"type_key": ""}, {"type_key": "Array", "data": [1]}]}`],
  ["a tensor that is cut off", JSON_TEXT.replace(TENSOR, TENSOR.slice(0, 56))],
  ["a tensor that is too large", JSON_TEXT.replace(TENSOR, HUGE)],
])("metadata with %s is reported at its place", (_, json) => {
  try {
    parse(program(json), { dialects });
    expect.unreachable();
  } catch (e) {
    expect(String(e)).toMatch(/The metadata cannot be read: .+\n.*<script>:1:/);
  }
});
