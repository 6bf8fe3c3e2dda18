import { expect, it } from "vitest";
import { splitLayoutRewritePreproc } from "./split-layout-rewrite-preproc.ts";
import { expectPass } from "./testing/expect-pass.ts";

const buffer = (name: string): string => `${name}: T.Buffer((8, 8), "float32")`;
const packed = (name: string): string => `${name}: T.Buffer((2, 2, 4, 4), "float32")`;
const tensor = 'R.Tensor((8, 8), "float32")';

/** The loop that packs `W`, in a program. */
const pack = (w: string, mark: boolean, read = `${w}[vi, vj]`): string => `
    for i, j in T.grid(8, 8):
        with T.block("${w}_packed"):
            vi, vj = T.axis.remap("SS", [i, j])
${mark ? '            T.block_attr({"meta_schedule.layout_rewrite_preproc": T.bool(True)})\n' : ""}            ${w}_packed[vi // 4, vj // 4, vi % 4, vj % 4] = ${read}`;

const add = (terms: string): string => `
    for i, j in T.grid(8, 8):
        with T.block("Out"):
            vi, vj = T.axis.remap("SS", [i, j])
            Out[vi, vj] = ${terms}`;
const at = "[vi // 4, vj // 4, vi % 4, vj % 4]";

const main = (params: string, body: string): string => `
@R.function
def main(${params}) -> ${tensor}:
    cls = Module
    with R.dataflow():
${body.replace(/^(?=.)/gm, "        ")}
        R.output(gv)
    return gv
`;

it("the packing of a weight becomes a program of its own", () =>
  expectPass(
    splitLayoutRewritePreproc(),
    `
@T.prim_func(private=True)
def f(${buffer("X")}, ${buffer("W")}, ${buffer("Out")}):
    T.func_attr({"layout_free_buffers": [1], "tir.noalias": T.bool(True)})
    W_packed = T.alloc_buffer((2, 2, 4, 4))${pack("W", true)}${add(`X[vi, vj] + W_packed${at}`)}
${main(`x: ${tensor}, w: ${tensor}`, `gv = R.call_tir(cls.f, (x, w), out_sinfo=${tensor})`)}`,
    `
@T.prim_func(private=True)
def f_prepacked(${buffer("X")}, ${packed("W_packed")}, ${buffer("Out")}):
    T.func_attr({"tir.noalias": T.bool(True)})${add(`X[vi, vj] + W_packed${at}`)}

@T.prim_func(private=True)
def f_weight_prepack(${buffer("W")}, ${packed("W_packed")}):
    T.func_attr({"tir.noalias": T.bool(True)})${pack("W", false)}
${main(`x: ${tensor}, w: ${tensor}`, `p = R.call_tir(cls.f_weight_prepack, (w,), out_sinfo=R.Tensor((2, 2, 4, 4), "float32"))\nq = R.call_tir(cls.f_prepacked, (x, p), out_sinfo=${tensor})\ngv = q`)}`,
  ));

it("several weights are packed by one program", () =>
  expectPass(
    splitLayoutRewritePreproc(),
    `
@T.prim_func(private=True)
def f(${buffer("V")}, ${buffer("W")}, ${buffer("Out")}):
    V_packed = T.alloc_buffer((2, 2, 4, 4))
    W_packed = T.alloc_buffer((2, 2, 4, 4))${pack("V", true)}${pack("W", true)}${add(`V_packed${at} + W_packed${at}`)}
${main(`v: ${tensor}, w: ${tensor}`, `gv = R.call_tir(cls.f, (v, w), out_sinfo=${tensor})`)}`,
    `
@T.prim_func(private=True)
def f_prepacked(${packed("V_packed")}, ${packed("W_packed")}, ${buffer("Out")}):${add(`V_packed${at} + W_packed${at}`)}

@T.prim_func(private=True)
def f_weight_prepack(${buffer("V")}, ${buffer("W")}, ${packed("V_packed")}, ${packed("W_packed")}):${pack("V", false)}${pack("W", false)}
${main(`v: ${tensor}, w: ${tensor}`, `p = R.call_tir(cls.f_weight_prepack, (v, w), out_sinfo=[R.Tensor((2, 2, 4, 4), "float32"), R.Tensor((2, 2, 4, 4), "float32")])\na = p[0]\nb = p[1]\nq = R.call_tir(cls.f_prepacked, (a, b), out_sinfo=${tensor})\ngv = q`)}`,
  ));

it("packing of what is computed is refused", () => {
  const text = `
@T.prim_func(private=True)
def f(${buffer("X")}, ${buffer("Out")}):
    W = T.alloc_buffer((8, 8))
    W_packed = T.alloc_buffer((2, 2, 4, 4))${pack("W", true)}${add(`X[vi, vj] + W_packed${at}`)}
${main(`x: ${tensor}`, `gv = R.call_tir(cls.f, (x,), out_sinfo=${tensor})`)}`;
  expect(() => expectPass(splitLayoutRewritePreproc(), text, text)).toThrow("does not lay out one parameter anew");
});
