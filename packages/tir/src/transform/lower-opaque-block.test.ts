import { expect, test } from "vitest";
import { lowerOpaqueBlock } from "./lower-opaque-block.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";

test("a predicate becomes a condition inside of what the block allocates", () => {
  expectPass(
    lowerOpaqueBlock(),
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    for i in range(16):
        with T.block(""):
            T.where(i < 8)
            T.reads()
            T.writes(A[i])
            B = T.alloc_buffer((1,), "float32")
            B[0] = T.float32(1)
            A[i] = B[0]
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    for i in range(16):
        B = T.decl_buffer((1,), "float32")
        if i < 8:
            B[0] = T.float32(1)
            A[i] = B[0]
`,
  );
});

test("thread loops become attributes of the loop's own variable, unit loops go, other annotations stay", () => {
  expectPass(
    lowerOpaqueBlock(),
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    for t in T.thread_binding(8, thread="threadIdx.x"):
        for u in range(1):
            for k in T.serial(4, annotations={"keep": 1}):
                with T.block(""):
                    T.reads()
                    T.writes(A[t])
                    A[t + u] = T.float32(1)
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    for k in T.serial(4, annotations={"keep": 1}):
        A[T.Add(t, 0)] = T.float32(1)
`,
  );
});

test("pragmas become attributes, the first by name outermost", () => {
  expectPass(
    lowerOpaqueBlock(),
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    with T.block(""):
        T.reads()
        T.writes(A[0])
        T.block_attr({"pragma_b": 2, "pragma_a": "x", "other": 3})
        A[0] = T.float32(1)
`,
    `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    T.attr(0, "pragma_a", "x")
    T.attr(0, "pragma_b", 2)
    A[0] = T.float32(1)
`,
  );
});

test("a block with variables is refused", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((8,), "float32")):
    for i in range(8):
        with T.block(""):
            v = T.axis.spatial(8, i)
            A[v] = T.float32(1)
`;
  expect(() => runOn(lowerOpaqueBlock(), script)).toThrow("Run `ConvertBlocksToOpaque` first");
});
