/** A product of matrices or a convolution of an image, whose second operand is a constant. */
export type KernelCase =
  | { readonly kind: "matmul"; readonly name: string; readonly rows: number; readonly inner: number; readonly columns: number }
  | {
      readonly kind: "conv";
      readonly name: string;
      readonly size: number;
      readonly inChannels: number;
      readonly outChannels: number;
      readonly kernel: number;
      readonly depthwise: boolean;
    };

function matmul(name: string, rows: number, inner: number, columns: number): KernelCase {
  return { kind: "matmul", name, rows, inner, columns };
}

function conv(name: string, kernel: number, inChannels: number, outChannels: number, size: number, depthwise = false): KernelCase {
  return { kind: "conv", name, kernel, inChannels, outChannels, size, depthwise };
}

/** The kernels that networks spend their time in. */
export const kernelCases: readonly KernelCase[] = [
  matmul("matmul 256", 256, 256, 256),
  matmul("matmul 512", 512, 512, 512),
  matmul("matmul 1024", 1024, 1024, 1024),
  matmul("gemv 2048", 1, 2048, 2048),
  conv("conv 3×3 64@56", 3, 64, 64, 56),
  conv("conv 3×3 256@20", 3, 256, 256, 20),
  conv("conv 1×1 96→576@14", 1, 96, 576, 14),
  conv("depthwise 3×3 192@28", 3, 192, 192, 28, true),
];

/** Floating-point operations of a case, a multiplication and an addition each. */
export function flopsOf(c: KernelCase): number {
  if (c.kind === "matmul") return 2 * c.rows * c.inner * c.columns;
  return 2 * c.size ** 2 * c.outChannels * c.kernel ** 2 * (c.depthwise ? 1 : c.inChannels);
}

/** The shapes of the two operands: images as NHWC, kernels as HWIO, matrices row by row. */
export function shapesOf(c: KernelCase): { readonly x: readonly number[]; readonly w: readonly number[]; readonly y: readonly number[] } {
  if (c.kind === "matmul") return { x: [c.rows, c.inner], w: [c.inner, c.columns], y: [c.rows, c.columns] };
  return {
    x: [1, c.size, c.size, c.inChannels],
    w: [c.kernel, c.kernel, c.depthwise ? 1 : c.inChannels, c.outChannels],
    y: [1, c.size, c.size, c.outChannels],
  };
}
