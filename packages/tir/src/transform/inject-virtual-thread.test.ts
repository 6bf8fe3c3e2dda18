import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { injectVirtualThread } from "./inject-virtual-thread.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";

test("a statement without loops is copied, memory that differs gets a part for each thread", () => {
  expectPass(
    injectVirtualThread(),
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    v = T.launch_thread("vthread.x", 2)
    x = T.allocate([4], "float32", "local")
    x_1 = T.Buffer((4,), data=x, scope="local")
    x_1[0] = A[v * 4]
    B[v * 4] = x_1[0]
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    x = T.allocate([8], "float32", "local")
    x_1 = T.Buffer((8,), data=x, scope="local")
    x_1[T.Mul(0, 4)] = A[T.Mul(0, 4)]
    x_1[T.Mul(1, 4)] = A[T.Mul(1, 4)]
    B[T.Mul(0, 4)] = x_1[T.Mul(0, 4)]
    B[T.Mul(1, 4)] = x_1[T.Mul(1, 4)]
`,
  );
});

test("what all threads do alike is done once", () => {
  expectPass(
    injectVirtualThread(),
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    v = T.launch_thread("vthread.x", 2)
    A[0] = T.float32(1)
    for i in range(4):
        B[i] = A[0]
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    A[0] = T.float32(1)
    for i in range(4):
        B[i] = A[0]
`,
  );
});

for (const threads of [2, 3, 16]) {
  test(`${threads} virtual threads compute what real ones do`, () => {
    const n = threads * 4;
    const script = `
@T.prim_func
def main(A: T.Buffer((${n},), "float32"), B: T.Buffer((${n},), "float32")):
    v = T.launch_thread("vthread.y", ${threads})
    x = T.allocate([4], "float32", "local")
    x_1 = T.Buffer((4,), data=x, scope="local")
    y = T.allocate([4], "float32", "local")
    y_1 = T.Buffer((4,), data=y, scope="local")
    for i in range(4):
        y_1[i] = T.float32(i)
    for i in range(4):
        x_1[i] = A[v * 4 + i] + y_1[i]
    if v > 0:
        x_1[0] = T.float32(-1)
    for i in range(v + 1):
        x_1[i % 4] = x_1[i % 4] * T.float32(2)
    for i in range(4):
        B[v * 4 + i] = x_1[3 - i]
`;
    const input = tensorFrom(Array.from({ length: n }, (_, i) => i * i), [n], "float32");
    const after = runOn(injectVirtualThread(), script);
    expect([...interpretOn(after, [input])]).toEqual([...interpretOn(script, [input])]);
  });
}

test("a variable number of virtual threads is refused", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), n: T.int32):
    v = T.launch_thread("vthread.x", n)
    A[v] = T.float32(1)
`;
  expect(() => runOn(injectVirtualThread(), script)).toThrow("is not a constant");
});
