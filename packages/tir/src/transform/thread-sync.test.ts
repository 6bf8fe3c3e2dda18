import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";
import { threadSync } from "./thread-sync.ts";

const kernel = (body: string): string => `
@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
    t = T.launch_thread("threadIdx.x", 8)
    data = T.allocate([8], "float32", "shared")
    S = T.Buffer((8,), data=data, scope="shared")
${body.replaceAll(/^/gm, "    ")}
`;
const sync = `T.tvm_storage_sync("shared")`;

test("a read of what another thread wrote waits for it", () => {
  expectPass(threadSync("shared"), kernel("S[t] = A[t]\nB[t] = S[7 - t]"), kernel(`S[t] = A[t]\n${sync}\nB[t] = S[7 - t]`));
});

test("a thread's own element needs no barrier", () => {
  expectPass(threadSync("shared"), kernel("S[t] = A[t]\nB[t] = S[t]"));
});

test("in a loop the next write waits for the reads before it", () => {
  const loop = (first: string, second: string): string => `for k in range(4):\n${first}    S[t] = A[t] + T.Cast("float32", k)\n${second}    B[t] = S[7 - t]`;
  expectPass(threadSync("shared"), kernel(loop("", "")), kernel(loop(`    ${sync}\n`, `    ${sync}\n`)));
});

test("what barriers are put in computes what it should", () => {
  const module = runOn(threadSync("shared"), kernel("S[t] = A[t]\nB[t] = S[(t + 3) % 8]"));
  const input = tensorFrom([0, 1, 2, 3, 4, 5, 6, 7], [8], "float32");
  expect([...interpretOn(module, [input])]).toEqual([3, 4, 5, 6, 7, 0, 1, 2]);
});

test("a barrier under a condition is refused", () => {
  expect(() => runOn(threadSync("shared"), kernel("if t < 4:\n    S[t] = A[t]\n    B[t] = S[3 - t]"))).toThrow("would have to stand under a condition");
});
