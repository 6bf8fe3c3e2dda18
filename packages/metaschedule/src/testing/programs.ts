import type { PrimFunc } from "@verticil/tir";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";

/** A product of square matrices, the epilogue of which is a ReLU if told. */
export function product(n: number, opts: { readonly relu?: boolean } = {}): PrimFunc {
  const out = opts.relu === true ? "P" : "C";
  return funcOf(`
@T.prim_func
def main(A: T.Buffer((${n}, ${n}), "float32"), B: T.Buffer((${n}, ${n}), "float32"), C: T.Buffer((${n}, ${n}), "float32")):
    ${opts.relu === true ? `P = T.alloc_buffer((${n}, ${n}))` : "T.evaluate(0)"}
    for i, j, k in T.grid(${n}, ${n}, ${n}):
        with T.block("product"):
            vi, vj, vk = T.axis.remap("SSR", [i, j, k])
            with T.init():
                ${out}[vi, vj] = T.float32(0)
            ${out}[vi, vj] = ${out}[vi, vj] + A[vi, vk] * B[vk, vj]
${opts.relu === true ? `
    for i, j in T.grid(${n}, ${n}):
        with T.block("relu"):
            vi, vj = T.axis.remap("SS", [i, j])
            C[vi, vj] = T.max(P[vi, vj], T.float32(0))
` : ""}`.replace("    T.evaluate(0)\n", ""));
}

/** A padded 3×3 convolution of an image with channels last, with a bias. */
export function convolution(size: number, inChannels: number, outChannels: number): PrimFunc {
  const n = size;
  return funcOf(`
@T.prim_func
def main(x: T.Buffer((1, ${n}, ${n}, ${inChannels}), "float32"), w: T.Buffer((3, 3, ${inChannels}, ${outChannels}), "float32"), b: T.Buffer((${outChannels},), "float32"), y: T.Buffer((1, ${n}, ${n}, ${outChannels}), "float32")):
    p = T.alloc_buffer((1, ${n + 2}, ${n + 2}, ${inChannels}))
    c = T.alloc_buffer((1, ${n}, ${n}, ${outChannels}))
    for i0, i1, i2, i3 in T.grid(1, ${n + 2}, ${n + 2}, ${inChannels}):
        with T.block("pad"):
            n, h, l, k = T.axis.remap("SSSS", [i0, i1, i2, i3])
            p[n, h, l, k] = T.if_then_else(1 <= h and h < ${n + 1} and 1 <= l and l < ${n + 1}, x[n, h - 1, l - 1, k], T.float32(0))
    for i0, i1, i2, i3, i4, i5, i6 in T.grid(1, ${n}, ${n}, ${outChannels}, 3, 3, ${inChannels}):
        with T.block("conv"):
            n, h, l, o, u, v, k = T.axis.remap("SSSSRRR", [i0, i1, i2, i3, i4, i5, i6])
            with T.init():
                c[n, h, l, o] = T.float32(0)
            c[n, h, l, o] = c[n, h, l, o] + p[n, h + u, l + v, k] * w[u, v, k, o]
    for i0, i1, i2, i3 in T.grid(1, ${n}, ${n}, ${outChannels}):
        with T.block("bias"):
            n, h, l, o = T.axis.remap("SSSS", [i0, i1, i2, i3])
            y[n, h, l, o] = c[n, h, l, o] + b[o]
`);
}

/** A 1×1 convolution of an image with an odd side, whose pixels are one run of memory. */
export function pointwise(size: number, inChannels: number, outChannels: number): PrimFunc {
  const n = size;
  return funcOf(`
@T.prim_func
def main(x: T.Buffer((1, ${n}, ${n}, ${inChannels}), "float32"), w: T.Buffer((${inChannels}, ${outChannels}), "float32"), y: T.Buffer((1, ${n}, ${n}, ${outChannels}), "float32")):
    for i0, i1, i2, i3, i4 in T.grid(1, ${n}, ${n}, ${outChannels}, ${inChannels}):
        with T.block("conv"):
            n, h, l, o, k = T.axis.remap("SSSSR", [i0, i1, i2, i3, i4])
            with T.init():
                y[n, h, l, o] = T.float32(0)
            y[n, h, l, o] = y[n, h, l, o] + x[n, h, l, k] * w[k, o]
`);
}

function funcOf(text: string): PrimFunc {
  const [func] = parse(`from tvm.script import tir as T\n${text}`, { dialects: [tir] }).functions.values();
  if (func?.kind !== "tir.PrimFunc") throw new Error("internal: the text is no PrimFunc");
  return func as PrimFunc;
}
