/** A picture: 8 bits a channel, red, green, blue, row by row. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `width * height * 3` values. */
  readonly data: Uint8Array;
}

/**
 * A picture resized by bilinear interpolation with pixel centres at .5, as OpenCV's `INTER_LINEAR` does: no smoothing
 * when it shrinks.
 * @returns floats in [0, 255], `width * height * 3`.
 */
export function resizeBilinear(image: RgbImage, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height * 3);
  const xs = sampling(image.width, width);
  const ys = sampling(image.height, height);
  for (let y = 0; y < height; y++) {
    const y0 = (ys.low[y] ?? 0) * image.width;
    const y1 = (ys.high[y] ?? 0) * image.width;
    const fy = ys.fraction[y] ?? 0;
    for (let x = 0; x < width; x++) {
      const x0 = xs.low[x] ?? 0;
      const x1 = xs.high[x] ?? 0;
      const fx = xs.fraction[x] ?? 0;
      for (let c = 0; c < 3; c++) {
        const a = image.data[(y0 + x0) * 3 + c] ?? 0;
        const b = image.data[(y0 + x1) * 3 + c] ?? 0;
        const d = image.data[(y1 + x0) * 3 + c] ?? 0;
        const e = image.data[(y1 + x1) * 3 + c] ?? 0;
        const top = a + (b - a) * fx;
        const bottom = d + (e - d) * fx;
        out[(y * width + x) * 3 + c] = top + (bottom - top) * fy;
      }
    }
  }
  return out;
}

interface Sampling {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly fraction: Float32Array;
}

function sampling(from: number, to: number): Sampling {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const fraction = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, Math.min(from - 1, ((i + 0.5) * from) / to - 0.5));
    low[i] = Math.floor(at);
    high[i] = Math.min(from - 1, Math.floor(at) + 1);
    fraction[i] = at - Math.floor(at);
  }
  return { low, high, fraction };
}
