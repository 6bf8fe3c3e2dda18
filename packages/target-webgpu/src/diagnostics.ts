/** What the code generator says about a program that has no WGSL. */
export const webgpuDiagnostics = {
  "unsupported-expression": {
    severity: "error",
    message: (p: { readonly what: string; readonly help: string }): string => `WGSL has nothing for ${p.what}.`,
    help: (p: { readonly help: string }): string => p.help,
  },
  "unsupported-type": {
    severity: "error",
    message: (p: { readonly dtype: string }): string => `WGSL does not compute with ${p.dtype}.`,
    help: "Convert the tensor to float32 or int32 first. Indices in int64 are narrowed where their range is known to fit.",
  },
  "unsupported-storage": {
    severity: "error",
    message: (p: { readonly buffer: string; readonly dtype: string }): string => `A WebGPU buffer cannot hold \`${p.buffer}\`, which is ${p.dtype}.`,
    help: "Convert the tensor to float32 or int32 first.",
  },
  "missing-feature": {
    severity: "error",
    message: (p: { readonly what: string; readonly feature: string }): string => `${p.what} needs the WebGPU feature \`${p.feature}\`, which the target does not list.`,
    help: "Add it to the target's `features`, or convert the tensor to float32.",
  },
  "too-many-buffers": {
    severity: "error",
    message: (p: { readonly kernel: string; readonly count: number; readonly limit: number }): string =>
      `\`${p.kernel}\` needs ${p.count} buffers at once; the target binds at most ${p.limit} (\`maxStorageBuffersPerShaderStage\`).`,
    help: "Split the operator, or compile for a device with a higher limit.",
  },
  "binding-too-large": {
    severity: "error",
    message: (p: { readonly what: string; readonly bytes: number; readonly limit: number }): string =>
      `${p.what} takes ${p.bytes} bytes; the target binds at most ${p.limit} at once (\`maxStorageBufferBindingSize\`).`,
    help: "Split the tensor, or compile for a device with a higher limit.",
  },
  "workgroup-too-large": {
    severity: "error",
    message: (p: { readonly kernel: string; readonly size: string; readonly limit: string }): string =>
      `\`${p.kernel}\` has workgroups of ${p.size} threads; the target allows ${p.limit}.`,
    help: "Bind fewer iterations to `threadIdx`.",
  },
  "grid-too-large": {
    severity: "error",
    message: (p: { readonly kernel: string; readonly size: string; readonly limit: number }): string =>
      `\`${p.kernel}\` runs on a grid of ${p.size} workgroups; the target allows ${p.limit} a dimension (\`maxComputeWorkgroupsPerDimension\`).`,
    help: "Bind loops to `blockIdx.y`, or let each thread do more.",
  },
  "too-much-shared-memory": {
    severity: "error",
    message: (p: { readonly kernel: string; readonly bytes: number; readonly limit: number }): string =>
      `The threads of a workgroup of \`${p.kernel}\` share ${p.bytes} bytes; the target has ${p.limit} (\`maxComputeWorkgroupStorageSize\`).`,
    help: "Use smaller tiles.",
  },
  "dynamic-grid": {
    severity: "error",
    message: (p: { readonly kernel: string }): string => `The grid of \`${p.kernel}\` is not known at compile time.`,
    help: "Fix symbolic dimensions with `dims`.",
  },
  "host-code": {
    severity: "error",
    message: (p: { readonly what: string }): string => `${p.what} would have to run between kernels, where only calls are possible.`,
    help: "Compile the function for another target.",
  },
  "overlapping-arguments": {
    severity: "error",
    message: (p: { readonly kernel: string }): string => `\`${p.kernel}\` is given memory twice that overlaps, but is not the same.`,
    help: "Copy one of the tensors first.",
  },
} as const;
