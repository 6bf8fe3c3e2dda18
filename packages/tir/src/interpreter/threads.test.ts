import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { interpretOn } from "../transform/testing/interpret-on.ts";

const input = tensorFrom(Array.from({ length: 8 }, (_, i) => i * i), [8], "float32");

test("threads see what others wrote to shared memory before a barrier", () => {
  const reversed = interpretOn(
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    data = T.allocate([8], "float32", "shared")
    S = T.Buffer((8,), data=data, scope="shared")
    own = T.allocate([1], "float32", "local")
    L = T.Buffer((1,), data=own, scope="local")
    for k in range(2):
        L[0] = A[t] + T.Cast("float32", k)
        S[t] = L[0]
        T.tvm_storage_sync("shared")
        B[t] = S[7 - t] - L[0]
        T.tvm_storage_sync("shared")
`,
    [input],
  );
  expect([...reversed]).toEqual(Array.from({ length: 8 }, (_, i) => (7 - i) ** 2 - i * i));
});

test("a barrier that some threads do not reach is reported where it stands", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    if t < 4:
        T.tvm_storage_sync("shared")
    B[t] = A[t]
`;
  expect(() => interpretOn(script, [input])).toThrow(/A barrier is reached by some threads of a group only[^]*:6:9/);
});

test("shuffles pass values along the lanes of a warp", () => {
  const shifted = interpretOn(
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    B[t] = T.tvm_warp_shuffle_down(T.tvm_warp_activemask(), A[t], 1, 4, 8)
`,
    [input],
  );
  expect([...shifted]).toEqual([1, 4, 9, 9, 25, 36, 49, 49]);
});
