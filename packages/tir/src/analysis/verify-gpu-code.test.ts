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

test("local memory, vectors, virtual threads and the number of kernels have limits too", () => {
  const two = `
@T.prim_func
def main(A: T.Buffer((1024,), "float32")):
    with T.launch_thread("blockIdx.x", 4) as b:
        v = T.launch_thread("vthread", 2)
        t = T.launch_thread("threadIdx.x", 8)
        data = T.allocate([64], "float32", "local")
        L = T.Buffer((64,), data=data, scope="local")
        L[T.Ramp(0, 1, 4)] = A[T.Ramp(b * 64 + v * 32 + t * 4, 1, 4)]
    with T.launch_thread("blockIdx.x", 4) as c:
        A[c] = T.float32(0)
`;
  const of = (limits: GpuConstraints): readonly string[] => diagnose(two, (f, d) => verifyGpuCode(f, limits, d));
  expect(of({ maxLocalMemoryPerBlock: 256, maxVectorBytes: 16, maxVthread: 2, maxKernels: 2, maxThreadsPerBlock: 16 })).toEqual([]);
  expect(of({ maxLocalMemoryPerBlock: 255 })).toEqual(["gpu-limit @4"]);
  expect(of({ maxVectorBytes: 8 })).toEqual(["gpu-limit @9", "gpu-limit @9"]);
  expect(of({ maxVthread: 1 })).toEqual(["gpu-limit @5"]);
  expect(of({ maxKernels: 1 })).toEqual(["gpu-limit @10"]);
  expect(of({ maxThreadsPerBlock: 15 })).toEqual(["gpu-limit @4"]);
});
