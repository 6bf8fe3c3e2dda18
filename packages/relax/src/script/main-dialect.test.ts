import { firstMismatch } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, parseFunction, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { relax } from "./relax-script.ts";

// Texts in the form that main's own printer (0.27) gives them.

const dialects = [tir, relax];
const main = { dialects, spelling: "main" } as const;

/** A program that prints as it is, and whose text reads as the same program. */
function expectStable(text: string, opts: { readonly usePep695?: boolean } = {}): void {
  const module = parse(text, main);
  const printed = print(module, { ...main, ...opts, showMeta: true });
  expect(printed).toBe(text);
  expect(firstMismatch(module, parse(printed, main), { dialects })?.path).toBeUndefined();
}

const functions = (f: string, g: string, dim: string): string => `@I.ir_module
class Module:
    @R.function
    def f${f}(x: R.Tensor((n, 4), dtype="float32"), y: R.Tensor((${dim}, m), dtype="float32"), s: R.Shape([m])) -> R.Tensor((n, 4), dtype="float32"):
        return x

    @R.function
    def g${g}(x: R.Tensor((n, 4), dtype="float32")) -> R.Tensor((n * 2, 4), dtype="float32"):
        z: R.Tensor((n * 2, 4), dtype="float32") = R.concat((x, x), axis=0)
        return z`;

const imports = "# from tvm.script import ir as I\n# from tvm.script import relax as R\n";

test("dimensions are declared above the functions; what is computed from them is a string", () => {
  const text = functions("", "", '"n * 2"').replace("-> R.Tensor((n * 2, 4)", '-> R.Tensor(("n * 2", 4)');
  expectStable(`# from typing import TypeVar\n${imports}\nm = TypeVar("m")\nn = TypeVar("n")\n${text}`);
});

test("dimensions as type parameters", () => {
  expectStable(`from __future__ import annotations\n\n${imports}\n${functions("[m, n]", "[n]", "n * 2")}`, { usePep695: true });
});

test("a type parameter is a whole number", () => {
  const f = (bound: string): string => `@R.function(private=True)\ndef f[n${bound}](x: R.Tensor((n, n * 2), "float32")) -> R.Object:\n    return x`;
  expect(firstMismatch(parseFunction(f(""), main), parseFunction(f(": int"), main), { dialects })?.path).toBeUndefined();
  expect(() => parseFunction(f(": str"), main)).toThrow(/is a whole number/);
});

test("scalars stand bare", () => {
  expectStable(`${imports.replace("# from tvm.script import relax", "# from tvm.script import tirx as T\n# from tvm.tirx.layout import Axis\n# from tvm.script import relax")}
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((4,), dtype="float32")) -> R.Tensor((4,), dtype="float32"):
        y: R.Tensor((4,), dtype="float32") = R.clip(x, 0, T.float64("inf"))
        return y`);
});

test("a function of the runtime has its type, where it is known; a scalar that is given back stands bare", () => {
  expectStable(`${imports}
@I.ir_module
class Module:
    other = R.ExternFunc("other")
    typed = R.ExternFunc("typed", R.Callable((R.Any,), R.Tensor(dtype="float32", ndim=2), True))
    @R.function
    def main(x: R.Any) -> R.Tensor(dtype="float32", ndim=2):
        cls = Module
        y: R.Tensor(dtype="float32", ndim=2) = cls.typed(x)
        return y`);
  const f = parseFunction("@R.function\ndef f() -> R.Any:\n    return 1", main);
  expect(print(f, main)).toMatch(/\n {4}return 1$/);
  expect(print(f, { dialects })).toMatch(/\n {4}return R\.prim_value\(1\)$/);
});

test("an assertion may be the last statement", () => {
  const text = `# from tvm.script import tirx as T
# from tvm.tirx.layout import Axis

@T.prim_func(s_tir=True)
def f(x: T.int32):
    assert x > 0, ("RuntimeError", ["not positive"])`;
  expect(print(parseFunction(text, main), main)).toBe(text);
});

test("metadata is a graph as tvm-ffi lays it out", () => {
  const f = parseFunction('@T.prim_func(s_tir=True)\ndef g():\n    T.evaluate(T.call_extern("int32", "f", "a\\nb"))', main);
  const text = print(f, { ...main, showMeta: true });
  // What upstream's `tvm.ir.save_json` makes of it, but for the version.
  const graph = {
    root_index: 6,
    nodes: [
      { type: "ffi.String", data: "ir.StringImm" },
      { type: "None" },
      { type: "ir.StringType", data: { span: 1 } },
      { type: "ffi.String", data: "a\nb" },
      { type: "ir.StringImm", data: { span: 1, ty: 2, value: 3 } },
      { type: "ffi.Array", data: [4] },
      { type: "ffi.Map", data: [0, 5] },
    ],
    metadata: { tvm_version: "0.27.0" },
  };
  const escaped = JSON.stringify(graph, undefined, 2).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  expect(text).toBe(`metadata = tvm.ir.load_json("""${escaped}""")
# from tvm.script import tirx as T
# from tvm.tirx.layout import Axis

@T.prim_func(s_tir=True)
def g():
    T.call_extern("int32", "f", metadata["ir.StringImm"][0])`);
  expect(firstMismatch(f, parseFunction(text, main), { dialects })?.path).toBeUndefined();
});

test("constants of graphs are among main's metadata", () => {
  const text = '@R.function\ndef main(x: R.Tensor((2,), dtype="float32")) -> R.Tensor((2,), dtype="float32"):\n    y: R.Tensor((2,), dtype="float32") = R.add(x, R.const([1.0, 2.0], "float32"))\n    return y';
  const f = parseFunction(text, main);
  const printed = print(f, { ...main, showMeta: true });
  expect(printed).toContain('R.add(x, metadata["ir.GenericConst"][0])');
  expect(firstMismatch(f, parseFunction(printed, main), { dialects })?.path).toBeUndefined();
});

test.each([
  ['{"root_index": 9, "nodes": []}', /There is no node/],
  ['{"root_index": 0, "nodes": [{"type": "ffi.Array", "data": [0]}]}', /part of themselves/],
  ['{"root_index": 0, "nodes": [{"type": "other.Thing", "data": {}}]}', /No dialect reads/],
  ['{"root_index": 0, "nodes": [{"type": "int", "data": 1}]}', /Its root is no object/],
])("what is wrong with a graph is said: %s", (json, message) => {
  const text = `metadata = tvm.ir.load_json("""${json.replaceAll('"', '\\"')}""")\n@T.prim_func\ndef f():\n    T.evaluate(0)`;
  expect(() => parseFunction(text, main)).toThrow(message);
});
