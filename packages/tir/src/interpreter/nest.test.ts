import { elementCount, zeros, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { parseFunction } from "@verticil/tvmscript";
import fc from "fast-check";
import { expect, test } from "vitest";
import { asInt } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { tir } from "../script/tir-script.ts";
import { compileInterpreter } from "./interpret.ts";

/** A tensor with varied contents: every byte pattern that is a small number of the type. */
function sample(dtype: ScalarDType, shape: readonly number[], seed: number): Tensor {
  const t = zeros(dtype, shape);
  let state = seed;
  for (let i = 0; i < elementCount(shape); i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    t.data[i] = dtype.startsWith("float16") ? 0x3c00 + (state % 2048) : dtype.startsWith("float") ? (state % 4001) / 1000 - 2 : state % 23;
  }
  return t;
}

function argumentsOf(func: PrimFunc): Tensor[] {
  return [...func.bufferMap.values()].map((b, i) => sample(b.dtype as ScalarDType, b.shape.map((d) => asInt(d) ?? 1), i + 7));
}

/** Runs a program both ways on the same data; gives what each wrote, or the message that it stopped with. */
function bothWays(script: string): readonly [strips: unknown, plain: unknown] {
  const func = parseFunction(script, { dialects: [tir] }) as PrimFunc;
  const run = (strips: boolean): unknown => {
    const args = argumentsOf(func);
    try {
      compileInterpreter(func, { strips })(args);
    } catch (error) {
      return (error as Error).message;
    }
    return args.map((t) => [...new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)]);
  };
  return [run(true), run(false)];
}

function expectSame(script: string): void {
  const [strips, plain] = bothWays(script);
  expect(strips).toEqual(plain);
}

const programs: Readonly<Record<string, string>> = {
  "a reduction over two axes in one fused loop": `
@T.prim_func
def main(X: T.Buffer((5, 40), "float32"), Y: T.Buffer((1,), "float32")):
    for k in range(200):
        with T.block("sum"):
            vi = T.axis.reduce(5, k // 40)
            vj = T.axis.reduce(40, k % 40)
            with T.init():
                Y[0] = T.float32(0)
            Y[0] = Y[0] + X[vi, vj]
`,
  "a padded convolution": `
@T.prim_func
def main(X: T.Buffer((1, 3, 9, 9), "float32"), W: T.Buffer((4, 3, 3, 3), "float32"), Y: T.Buffer((1, 4, 5, 5), "float32")):
    P = T.alloc_buffer((1, 3, 11, 11), "float32")
    for n, c, h, w in T.grid(1, 3, 11, 11):
        with T.block("pad"):
            vn, vc, vh, vw = T.axis.remap("SSSS", [n, c, h, w])
            P[vn, vc, vh, vw] = T.if_then_else(1 <= vh and vh < 10 and 1 <= vw and vw < 10, X[vn, vc, vh - 1, vw - 1], T.float32(0))
    for n, f, h, w, c, kh, kw in T.grid(1, 4, 5, 5, 3, 3, 3):
        with T.block("conv"):
            vn, vf, vh, vw, vc, vkh, vkw = T.axis.remap("SSSSRRR", [n, f, h, w, c, kh, kw])
            with T.init():
                Y[vn, vf, vh, vw] = T.float32(0)
            Y[vn, vf, vh, vw] = Y[vn, vf, vh, vw] + P[vn, vc, vh * 2 + vkh, vw * 2 + vkw] * W[vf, vc, vkh, vkw]
`,
  "a sum into one element": `
@T.prim_func
def main(X: T.Buffer((7, 300), "float32"), Y: T.Buffer((7,), "float32")):
    for i, k in T.grid(7, 300):
        with T.block("sum"):
            vi, vk = T.axis.remap("SR", [i, k])
            with T.init():
                Y[vi] = T.float32(1)
            Y[vi] = Y[vi] + T.exp(X[vi, vk])
`,
  "a sum over fused loops": `
@T.prim_func
def main(X: T.Buffer((3, 10), "float32"), Y: T.Buffer((2, 5), "float32"), Z: T.Buffer((1,), "float32")):
    for k in range(30):
        with T.block("sum"):
            a = T.axis.reduce(3, k // 10)
            b = T.axis.reduce(10, k % 10)
            with T.init():
                Z[0] = T.float32(0)
            Z[0] = Z[0] + X[a, b]
    for k, i in T.grid(3, 10):
        with T.block("rows"):
            r = T.axis.spatial(2, i // 5)
            c = T.axis.spatial(5, i % 5)
            s = T.axis.reduce(3, k)
            with T.init():
                Y[r, c] = T.float32(0)
            Y[r, c] = Y[r, c] + X[s, r * 5 + c]
`,
  "a running sum, which no strip may reorder": `
@T.prim_func
def main(X: T.Buffer((64,), "float32"), Y: T.Buffer((65,), "float32")):
    for i in range(64):
        Y[i + 1] = Y[i] + X[i]
`,
  "elements that iterations share": `
@T.prim_func
def main(X: T.Buffer((8, 8), "float32"), Y: T.Buffer((15,), "float32")):
    for i, j in T.grid(8, 8):
        Y[i + j] = Y[i + j] * T.float32(0.5) + X[i, j]
`,
  "rows picked by an index tensor": `
@T.prim_func
def main(I: T.Buffer((6,), "int32"), X: T.Buffer((23, 5), "float32"), Y: T.Buffer((6, 5), "float32")):
    for i, j in T.grid(6, 5):
        Y[i, j] = X[I[i], j]
`,
  "half floats and conversions": `
@T.prim_func
def main(X: T.Buffer((40,), "float16"), B: T.Buffer((40,), "uint8"), Y: T.Buffer((40,), "float16"), Z: T.Buffer((40,), "int8")):
    for i in range(40):
        Y[i] = X[i] * X[39 - i] + T.Cast("float16", B[i])
    for i in range(40):
        Z[i] = T.Cast("int8", B[i] * B[i]) - T.int8(100)
`,
  "an index out of bounds": `
@T.prim_func
def main(X: T.Buffer((16,), "float32"), Y: T.Buffer((16,), "float32")):
    for i in range(16):
        Y[i] = X[i * 3 // 2]
`,
  "a division by zero in one lane": `
@T.prim_func
def main(X: T.Buffer((16,), "int32"), Y: T.Buffer((16,), "int32")):
    for i in range(16):
        Y[i] = 100 // (X[i] - 4)
`,
  "two views of one memory": `
@T.prim_func
def main(Y: T.Buffer((32,), "float32")):
    A = T.Buffer((31,), data=Y.data, elem_offset=1)
    for i in range(31):
        A[i] = Y[i] + T.float32(1)
`,
};

for (const [name, script] of Object.entries(programs)) test(`strips compute what single elements do: ${name}`, () => expectSame(script));

test("strips compute what single elements do, for random loops", () => {
  const index = fc.constantFrom("i", "j", "k", "11 - i", "i // 2", "(i * 3 + j) % 12", "T.max(i - j, 0)", "i + j", "k // 3 + 1");
  const leaf = fc.oneof(
    fc.tuple(index, index).map(([a, b]) => `A[${a}, ${b}]`),
    fc.tuple(index, index).map(([a, b]) => `B[${a}, ${b}]`),
    fc.constantFrom("T.float32(0.3)", "T.Cast(\"float32\", i * 5 - k)", "T.Cast(\"float32\", N[i, j])", "Y[@]"),
  );
  const expr = fc.letrec<{ e: string }>((tie) => ({
    e: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.tuple(fc.constantFrom("+", "-", "*"), tie("e"), tie("e")).map(([op, a, b]) => `(${a} ${op} ${b})`),
      fc.tuple(tie("e"), tie("e")).map(([a, b]) => `T.max(${a}, ${b})`),
      fc.tuple(fc.constantFrom("i < 5", "j + k < 9 and i > 2", "N[i, j] % 3 == 1", "not (k < 4)"), tie("e"), tie("e")).map(([c, a, b]) => `T.if_then_else(${c}, ${a}, ${b})`),
      tie("e").map((a) => `T.sqrt(T.fabs(${a}))`),
    ),
  })).e;
  const store = fc.constantFrom("i, j", "j, i", "i, k", "i, 0", "i // 2, j", "0, 0", "11 - i, j");
  const order = fc.constantFrom("i, j, k", "k, i, j", "j, k, i", "i, k, j");
  fc.assert(
    fc.property(store, order, expr, (to, loops, value) => {
      expectSame(`
@T.prim_func
def main(A: T.Buffer((12, 12), "float32"), B: T.Buffer((12, 12), "float32"), N: T.Buffer((12, 12), "int32"), Y: T.Buffer((12, 12), "float32")):
    for ${loops} in T.grid(12, 12, 12):
        Y[${to}] = ${value.replaceAll("@", to)}
`);
    }),
    { numRuns: 120, seed: 4 },
  );
});
