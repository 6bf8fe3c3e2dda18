import { sequential } from "@verticil/ir-core";
import { axisSeparator, floorDiv, floorMod, tir, type IndexFunction, type PrimFunc } from "@verticil/tir";
import { parseFunction } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { relax } from "../script/relax-script.ts";
import { alterOpImpl, type OpReplacement } from "./alter-op-impl.ts";
import { deadCodeElimination } from "./dead-code-elimination.ts";
import { expectPass } from "./testing/expect-pass.ts";

/** A program of tensors of 8, or of 2 rows of 4, that doubles them. */
const flat = (name: string, value: string): string => `
@T.prim_func(private=True)
def ${name}(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    T.func_attr({"operator_name": "my.double"})
    for i in range(8):
        with T.block("b"):
            v = T.axis.spatial(8, i)
            B[v] = ${value}
`;
const rows = (name: string, rows: number): string => `
@T.prim_func(private=True)
def ${name}(A: T.Buffer((${rows}, 4), "float32"), B: T.Buffer((${rows}, 4), "float32")):
    T.func_attr({"operator_name": "my.double"})
    for i, j in T.grid(${rows}, 4):
        with T.block("b"):
            v, w = T.axis.remap("SS", [i, j])
            B[v, w] = A[v, w] + A[v, w]
`;
const func = (text: string): PrimFunc => parseFunction(text.trim(), { dialects: [tir, relax] }) as PrimFunc;
const byFour: IndexFunction = (i) => [floorDiv(i, 4), floorMod(i, 4)];
const pass = (replacement: OpReplacement): ReturnType<typeof sequential> => sequential("alter", [alterOpImpl(new Map([["my.double", replacement]])), deadCodeElimination()]);

const main = (size: number, body: string): string => `
@R.function
def main(x: R.Tensor((${size},), "float32")) -> R.Tensor((${size},), "float32"):
    cls = Module
    with R.dataflow():
${body.replace(/^(?=.)/gm, "        ")}
        R.output(y)
    return y
`;
const called = main(8, `y = R.call_tir(cls.double, (x,), out_sinfo=R.Tensor((8,), "float32"))`);

it("a program is replaced by one that takes the same layouts", () =>
  expectPass(
    pass({ func: func(flat("other", "A[v] + A[v]")) }),
    flat("double", "A[v] * T.float32(2)") + called,
    flat("my_double_replacement", "A[v] + A[v]") + called.replace("cls.double", "cls.my_double_replacement"),
  ));

it("operands are laid out as the replacement wants them, and results as they were", () =>
  expectPass(
    pass({ func: func(rows("other", 2)), bufferTransforms: [byFour, byFour] }),
    flat("double", "A[v] * T.float32(2)") + called,
    rows("my_double_replacement", 2) +
      main(8, `a = R.layout_transform(x, index_map=lambda i: (i // 4, i % 4))
b = R.call_tir(cls.my_double_replacement, (a,), out_sinfo=R.Tensor((2, 4), "float32"))
y = R.layout_transform(b, index_map=lambda i, j: (i * 4 + j,))`),
  ));

it("each of several results is laid out before the next one is taken", () => {
  const both = (name: string, shape: string): string => `
@T.prim_func(private=True)
def ${name}(A: T.Buffer(${shape}, "float32"), B: T.Buffer(${shape}, "float32"), C: T.Buffer(${shape}, "float32")):
    T.func_attr({"operator_name": "my.double"})
    T.evaluate(0)
`;
  const graph = (body: string): string => `
@R.function
def main(x: R.Tensor((8,), "float32")) -> R.Tuple(R.Tensor((8,), "float32"), R.Tensor((8,), "float32")):
    cls = Module
    with R.dataflow():
${body.replace(/^(?=.)/gm, "        ")}
        R.output(y)
    return y
`;
  expectPass(
    pass({ func: func(both("other", "(2, 4)")), bufferTransforms: [byFour, byFour, byFour] }),
    both("double", "(8,)") + graph(`y = R.call_tir(cls.double, (x,), out_sinfo=[R.Tensor((8,), "float32"), R.Tensor((8,), "float32")])`),
    both("my_double_replacement", "(2, 4)") +
      graph(`a = R.layout_transform(x, index_map=lambda i: (i // 4, i % 4))
b = R.call_tir(cls.my_double_replacement, (a,), out_sinfo=[R.Tensor((2, 4), "float32"), R.Tensor((2, 4), "float32")])
c = b[0]
d = R.layout_transform(c, index_map=lambda i, j: (i * 4 + j,))
e = b[1]
f = R.layout_transform(e, index_map=lambda i, j: (i * 4 + j,))
y = (d, f)`),
  );
});

it("groups of axes are said of the changes of layout", () =>
  expectPass(
    pass({ func: func(rows("other", 2)), bufferTransforms: [(i) => [floorDiv(i, 4), axisSeparator, floorMod(i, 4)], null], inputAxisSeparators: [[0], []] }),
    flat("double", "A[v] * T.float32(2)") + called,
    rows("my_double_replacement", 2) +
      main(8, `a = R.layout_transform(x, index_map=lambda i: (i // 4, i % 4), axis_separators=[1], input_axis_separators=[0])
y = R.call_tir(cls.my_double_replacement, (a,), out_sinfo=R.Tensor((8,), "float32"))`),
  ));

it("what a layout pads is cut off again", () =>
  expectPass(
    pass({ func: func(rows("other", 2)), bufferTransforms: [byFour, byFour] }),
    `${flat("double", "A[v] * T.float32(2)").replaceAll("8", "6")}${main(6, `y = R.call_tir(cls.double, (x,), out_sinfo=R.Tensor((6,), "float32"))`)}`,
    `${rows("my_double_replacement", 2)}
@T.prim_func(private=True)
def remove_pad(var_input: T.handle, var_output: T.handle):
    T.func_attr({"operator_name": "remove_pad", "tir.noalias": True})
    p0 = T.int64()
    A = T.match_buffer(var_input, (p0,))
    i0 = T.int64()
    B = T.match_buffer(var_output, (i0,))
    for ax0 in range(i0):
        with T.block("output"):
            v = T.axis.spatial(i0, ax0)
            B[v] = A[v]
${main(6, `a = R.layout_transform(x, index_map=lambda i: (i // 4, i % 4))
b = R.call_tir(cls.my_double_replacement, (a,), out_sinfo=R.Tensor((2, 4), "float32"))
c = R.layout_transform(b, index_map=lambda i, j: (i * 4 + j,))
y = R.call_tir(cls.remove_pad, (c,), out_sinfo=R.Tensor((6,), "float32"))`)}`,
  ));

it("a replacement of other parameters is refused, and so are maps for some buffers", () => {
  const before = flat("double", "A[v] * T.float32(2)") + called;
  const three = func(`
@T.prim_func(private=True)
def other(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32"), C: T.Buffer((8,), "float32")):
    T.evaluate(0)
`);
  expect(() => expectPass(pass({ func: three }), before, before)).toThrow("The replacement of `my.double` takes 3 parameters, not 2.");
  expect(() => expectPass(pass({ func: func(rows("other", 2)), bufferTransforms: [byFour] }), before, before)).toThrow("`my.double` has 1 maps for 2 buffers.");
});
