import { DiagnosticError, type Diagnostic } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { opNameOf } from "../ir/call-target.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { relax } from "./relax-script.ts";
import { functionOf, moduleOf, textOf, valuesOf } from "./testing/script.ts";

/** The values that the lines bind in a function of `x`, a (4, 8) float32 tensor, as text. */
function values(lines: string, params = 'x: R.Tensor((4, 8), "float32")'): readonly string[] {
  const body = lines.split("\n").map((l) => `    ${l}`).join("\n");
  return valuesOf(functionOf(`@R.function\ndef main(${params}):\n${body}\n    return x\n`)).map((v) => textOf(v));
}

function errorsOf(script: string): readonly Diagnostic[] {
  try {
    parse(script, { dialects: [tir, relax], checkWellFormed: true });
  } catch (e) {
    if (e instanceof DiagnosticError) return e.diagnostics;
    throw e;
  }
  return [];
}

const messages = (script: string): readonly string[] => errorsOf(script).map((d) => d.message);

test.each<readonly [string, string]>([
  ["R.nn.pad(x, [0, 0, 1, 1], 'reflect', 1.5)", 'R.nn.pad(x, pad_width=[0, 0, 1, 1], pad_value=1.5, pad_mode="reflect")'],
  ["R.quantize(x, R.const(1.0), R.const(0, 'int8'), 1, 'int8')", 'R.quantize(x, R.const(1.0, "float32"), R.const(0, "int8"), out_dtype="int8", axis=1)'],
  ["R.sort(x=x, axis=0)", "R.sort(x, axis=0, descending=False)"],
  ["R.print(x, 1)", 'R.print(x, R.prim_value(1), format=R.str(""))'],
  ["R.assert_op(R.const(True), [x, x], format='f')", 'R.assert_op(R.const(True, "bool"), x, x, format=R.str("f"))'],
  ["R.memory.view(x, dtype='int32')", 'R.memory.view(x, R.tuple(), R.dtype("int32"), R.tuple())'],
  ["R.hint_on_device(x, R.device('metal:1'))", "R.hint_on_device(x, R.device(dev_type=8, dev_id=1))"],
  ["R.hint_on_device(x, tvm.cuda(2))", "R.hint_on_device(x, R.device(dev_type=2, dev_id=2))"],
  ["R.nn.attention(x4, x4, x4, scale=0.5)", "R.nn.attention(x4, x4, x4, scale=0.5, causal_mask=None, window_size=None)"],
  ["R.nn.attention(x4, x4, x4, x4)", "R.nn.attention_bias(x4, x4, x4, x4, scale=None, causal_mask=None, window_size=None)"],
  ["relax.op.nn.relu(x)", "R.nn.relu(x)"],
  ["relax.const(2)", 'R.const(2, "int32")'],
  ["R.call_dps_packed('f', x, R.Tensor((1,)))", 'R.call_dps_packed("f", (x,), out_sinfo=R.Tensor((1,)))'],
  ["R.call_builtin_with_ctx('f', (x,), sinfo_args=R.Object)", 'R.call_builtin_with_ctx("f", (x,), sinfo_args=(R.Object,))'],
])("%s is read as %s", (script, expected) => {
  const params = 'x: R.Tensor((4, 8), "float32"), x4: R.Tensor((1, 2, 3, 4), "float32")';
  const [first] = valuesOf(functionOf(`@R.function\ndef main(${params}):\n    y = ${script}\n    return x\n`));
  const text = first === undefined ? "" : textOf(first);
  expect(text).toBe(expected.replaceAll(/\b(x4?)\b/g, "$1"));
});

test("a tensor's shape, type and place are asked for at run time", () => {
  expect(values("a = x.shape[1]\nb = x.dtype.bits\nc = x.strides[0]\nd = x.ndim\ne = x.byte_offset")).toEqual([
    "R.inspect.tensor_shape_i(x, R.prim_value(1))",
    "R.inspect.tensor_dtype_bits(x)",
    "R.inspect.tensor_stride_i(x, R.prim_value(0))",
    "R.inspect.tensor_ndim(x)",
    "R.inspect.tensor_byte_offset(x)",
  ]);
});

test("what is known of a value can be named", () => {
  expect(values('y = R.call_packed("f", x, sinfo_args=x.struct_info)')).toEqual(['R.call_packed("f", x, sinfo_args=(R.Tensor((4, 8), dtype="float32"),))']);
});

test("operators of Python are operators of the graph; a number takes the tensor's type", () => {
  expect(values("a = x + x\nb = -(x / 2)\nc = x.astype('int8')\nd = 3 < x")).toEqual([
    "R.add(x, x)",
    'R.divide(x, R.const(2.0, "float32"))',
    "R.negative(lv)",
    'R.astype(x, dtype="int8")',
    'R.less(R.const(3.0, "float32"), x)',
  ]);
});

test("plain values bound to a name: numbers are constants, types and texts are names for the reader", () => {
  expect(values('a = 1\nb = 2.5\nc = True\ninfo = R.Tensor((2,), "int8")\ndtype = "int8"\nd = R.zeros((2,), dtype)')).toEqual([
    'R.const(1, "int32")',
    'R.const(2.5, "float32")',
    'R.const(True, "bool")',
    'R.zeros(R.shape([2]), dtype="int8")',
  ]);
});

test("strings of a signature are dimensions, declared or not", () => {
  const main = functionOf(`
@R.function
def main(x: R.Tensor(("n", "m"), "float32"), s: R.Shape(["n * 2 + m"])) -> R.Tensor(("n",)):
    n = T.int64(is_size_var=True)
    return x
`);
  const info = main.params[0]?.structInfo;
  const dims = info?.kind === "relax.TensorStructInfo" && info.shape?.kind === "relax.ShapeExpr" ? info.shape.values : [];
  expect(dims.map((d) => d.kind)).toEqual(["tir.SizeVar", "tir.Var"]);
  expect(textOf(main)).toContain('s: R.Shape(["n * 2 + m"])');
});

test("a function that calls itself is known inside by its signature", () => {
  const main = functionOf(`
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    @R.function
    def loop(s: R.Tensor(("k",), "float32")) -> R.Tensor(("k",), "float32"):
        r = loop(s)
        return r

    y = loop(x)
    return y
`);
  const [loop, call] = valuesOf(main);
  expect(loop?.kind).toBe("relax.Function");
  expect(call?.kind === "relax.Call" && structInfoOf(call)).toMatchObject({ kind: "relax.TensorStructInfo", ndim: 1 });
  const inner = loop?.kind === "relax.Function" ? valuesOf(loop)[0] : undefined;
  const outer = main.body.kind === "relax.SeqExpr" ? main.body.blocks[0]?.bindings[0]?.var : undefined;
  expect(inner?.kind === "relax.Call" && inner.op).toBe(outer);
});

test("functions of a module call each other in any order; what a callee says less of is not known to the caller", () => {
  const module = moduleOf(`
@I.ir_module
class M:
    @R.function
    def main(x: R.Tensor((4, 8), "float32"), u: R.Tensor(ndim=2, dtype="float32")) -> R.Object:
        a = M.helper(x)
        b = M.helper(u)
        return (a, b)

    @R.function(private=True)
    def helper(x: R.Tensor(("n", "m"), "float32")) -> R.Tensor(("m", "n"), "float32"):
        return R.permute_dims(x)
`);
  const text = textOf(module);
  expect(text).toContain('a: R.Tensor((8, 4), dtype="float32") = cls.helper(x)');
  expect(text).toContain('b: R.Tensor(dtype="float32", ndim=2) = cls.helper(u)');
});

test("a matrix product with a bias is written as linear", () => {
  const calls = valuesOf(functionOf('@R.function\ndef main(x: R.Tensor((2, 3), "float32"), w: R.Tensor((4, 3), "float32"), b: R.Tensor((4,), "float32")):\n    return R.linear(x, w, b)\n'));
  expect(calls.map(opNameOf)).toEqual(["relax.permute_dims", "relax.matmul", "relax.add"]);
});

test("main's names are read and written on request", () => {
  const script = `
@R.function
def main(x: R.Any) -> R.Any:
    R.func_attr({"relax.force_pure": True})
    y = R.call_dps_packed("f", (x,), out_ty=R.Tensor((2,), "float32"))
    z = R.call_packed("g", y, ty_args=y.ty)
    return z
`;
  const module = parse(script, { dialects: [tir, relax], spelling: "main" });
  expect(textOf(module)).toContain('z: R.Tensor((2,), dtype="float32") = R.call_packed("g", y, sinfo_args=(R.Tensor((2,), dtype="float32"),))');
  expect(textOf(module, { spelling: "main" })).toContain('y = R.call_dps_packed("f", (x,), out_ty=R.Tensor((2,), dtype="float32"))');
});

test.each<readonly [string, string, string]>([
  ["an operator that takes no such argument", "y = R.exp(x, x)", "`relax.exp` takes 1 arguments at most."],
  ["an argument given twice", "y = R.sort(x, data=x)", "`relax.sort` is given `data` twice."],
  ["an attribute that does not exist", "y = R.sum(x, axes=1)", "`relax.sum` has no attribute `axes`; it has axis, keepdims."],
  ["operands that do not fit", 'y = R.add(x, R.zeros((3, 8), "float32"))', "`relax.add` cannot broadcast dimensions 4 and 3."],
  ["a symbolic variable under another name", 'n = T.Var("m", "int64")', "The symbolic variable `m` cannot be called `n`."],
  ["an `if` without the same last name", "if flag:\n        y = x\n    else:\n        z = x", "Both branches of an `if` end by binding the same name."],
  ["a loop", "for i in range(3):\n        y = x", "This program needs Python to run it: a loop cannot be evaluated here."],
  ["a device that the module does not list", 'y = R.to_vdevice(x, "cuda:1")', "The module has no device `cuda:1`."],
  ["a mesh that the module does not list", 'y = R.dist.annotate_sharding(x, "mesh[0]", "R")', "The module has no device mesh `mesh[0]`."],
  ["a kernel inside a graph function", "@T.prim_func\n    def k():\n        T.evaluate(0)", "Only graph functions can stand inside a graph function."],
])("%s is reported where it stands", (_, line, message) => {
  const script = `@R.function\ndef main(x: R.Tensor((4, 8), "float32"), flag: R.Tensor((), "bool")):\n    ${line}\n    return x\n`;
  const [first] = errorsOf(script);
  expect(first?.message).toBe(message);
  const at = first?.span === undefined ? -1 : first.span.source.position(first.span.start).line;
  expect(at).toBeGreaterThan(2);
});

test("several errors are found in one run, and what they spoil is not reported again", () => {
  expect(messages(`
@R.function
def main(x: R.Tensor((4, 8), "float32")):
    a = R.exq(x)
    b = R.add(a, x)
    c = R.reshape(x, (5, 5))
    return unknown
`)).toEqual(["There is no `R.exq`.", expect.stringContaining("relax.reshape"), "`unknown` is not defined here."]);
});

test("a program that is read but not well-formed is reported on request, unless it says that it knows", () => {
  const script = (decorator: string): string => `
@I.ir_module${decorator}
class M:
    @R.function
    def main(x: R.Object) -> R.Object:
        R.print(x, format="")
        return x
`;
  expect(messages(script(""))).toEqual(["The function `main` is said to be pure, but its call of `relax.print` has effects."]);
  expect(messages(script("(check_well_formed=False)"))).toEqual([]);
});

test("plain integers of a graph function are int64, also where an operator has nothing else", () => {
  const text = "T.FloorDiv(32, 4)";
  expect(values(`y = R.strided_slice(x, [0], [0], [${text}])`)[0]).toContain(text);
  const [y] = valuesOf(functionOf(`@R.function\ndef main():\n    y = R.prim_value(${text})\n    return y\n`));
  expect(y?.kind === "relax.PrimValue" && y.value.dtype).toBe("int64");
});

const rewriter = (pattern: string, replacement: string): string => `@R.rewriter\nclass Rewriter:\n${pattern}\n${replacement}`;
const member = (name: string, params: string, decorator = "R.function"): string => `    @${decorator}\n    def ${name}(${params}):\n        ${decorator === "R.function" ? "return R.tuple()" : "T.evaluate(0)"}`;

test.each([
  ["no pattern", rewriter("", member("replacement", "")), "no function `pattern`"],
  ["no replacement", rewriter(member("pattern", ""), ""), "no function `replacement`"],
  ["a pattern of another dialect", rewriter(member("pattern", "", "T.prim_func"), member("replacement", "")), "`pattern` must be a graph function"],
  ["other parameters", rewriter(member("pattern", "A: R.Tensor([32])"), member("replacement", "A: R.Tensor([16])")), "the same parameters"],
  ["a third public function", rewriter(member("pattern", ""), `${member("replacement", "")}\n${member("more", "")}`), "`more` is not private"],
])("a module that says how to rewrite: %s", (_, script, message) => {
  const [error] = errorsOf(script);
  expect(error?.message).toContain(message);
  expect(error?.span && script.slice(error.span.start, error.span.end)).toBe("@R.rewriter");
});

test("what a branch gives is called after the variable that the `if` binds", () => {
  const text = `@R.function(private=True)
def main(c: R.Tensor((), dtype="bool"), x: R.Tensor((4, 8), dtype="float32")) -> R.Tensor((4, 8), dtype="float32"):
    if c:
        y_then: R.Tensor((4, 8), dtype="float32") = R.exp(x)
        y: R.Tensor((4, 8), dtype="float32") = y_then
    else:
        y_else: R.Tensor((4, 8), dtype="float32") = R.tanh(x)
        y: R.Tensor((4, 8), dtype="float32") = y_else
    return y`;
  const short = text.replaceAll(/( {8}y)_(then|else)(.*)\n.*/g, "$1$3");
  for (const script of [text, short]) expect(textOf(functionOf(script))).toContain(text);
});

test("an operator's flags that are left out are off, whatever comes after them", () => {
  const text = "R.unique(x, R.prim_value(True), R.prim_value(False), R.prim_value(False), R.prim_value(False), R.prim_value(-1))";
  const [y] = valuesOf(functionOf("@R.function\ndef main(x: R.Tensor((4, 8), 'float32')):\n    y = R.unique(x, axis=-1)\n    return y\n"));
  expect(y && textOf(y)).toContain(text);
  expect(y && textOf(structInfoOf(y) ?? y)).toContain('R.Tensor(dtype="float32", ndim=2)');
});
