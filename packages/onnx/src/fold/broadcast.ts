/** The shape that shapes broadcast to, after numpy; undefined if they do not. */
export function broadcastShapes(shapes: readonly (readonly number[])[]): readonly number[] | undefined {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    let size = 1;
    for (const shape of shapes) {
      const d = shape[i - rank + shape.length] ?? 1;
      if (d === 1 || d === size) continue;
      if (size !== 1) return undefined;
      size = d;
    }
    out.push(size);
  }
  return out;
}

/** The product of dimensions. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** The position of each element in row-major order. */
export function* positions(shape: readonly number[]): Generator<readonly number[]> {
  const total = sizeOf(shape);
  for (let flat = 0; flat < total; flat++) {
    const index = new Array<number>(shape.length).fill(0);
    let rest = flat;
    for (let i = shape.length - 1; i >= 0; i--) {
      const d = shape[i] ?? 1;
      index[i] = rest % d;
      rest = Math.floor(rest / d);
    }
    yield index;
  }
}

/** Where a position is in row-major order; axes of size 1 are repeated, missing ones in front are left out. */
export function offsetOf(position: readonly number[], shape: readonly number[]): number {
  let offset = 0;
  for (const [i, d] of shape.entries()) {
    const p = position[i - shape.length + position.length] ?? 0;
    offset = offset * d + (d === 1 ? 0 : p);
  }
  return offset;
}
