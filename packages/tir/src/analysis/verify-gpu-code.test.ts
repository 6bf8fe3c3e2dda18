import { expect, test } from "vitest";
import { diagnose } from "./testing/diagnose.ts";
import { verifyGpuCode, type GpuConstraints } from "./verify-gpu-code.ts";

const kernel = `
@T.prim_func
def main(A: T.Buffer((1024,), "float32")):
    b = T.launch_thread("blockIdx.x", 4)
    t = T.launch_thread("threadIdx.x", 16)
    u = T.launch_thread("threadIdx.y", 16)
    data = T.allocate([256], "float32", "shared")
    S = T.Buffer((256,), data=data, scope="shared")
    S[t * 16 + u] = A[b * 256 + t * 16 + u]
`;
const check = (limits: GpuConstraints): readonly string[] => diagnose(kernel, (f, d) => verifyGpuCode(f, limits, d));

test("what a kernel uses is held against each limit", () => {
  expect(check({ maxThreadsPerBlock: 256, maxSharedMemoryPerBlock: 1024, maxThreadX: 16, maxKernels: 1 })).toEqual([]);
  expect(check({ maxThreadsPerBlock: 255 })).toEqual(["gpu-limit @4"]);
  expect(check({ maxSharedMemoryPerBlock: 1023 })).toEqual(["gpu-limit @4"]);
  expect(check({ maxThreadY: 8 })).toEqual(["gpu-limit @6"]);
});
