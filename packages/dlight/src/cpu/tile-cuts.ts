/** A run of iterations that is tiled by one size: `length` is a multiple of `tile`. */
export interface Cut {
  readonly start: number;
  readonly length: number;
  readonly tile: number;
}

/**
 * An extent cut into runs of full tiles, so that no tile needs a guard: tiles of 4 first, the rest in tiles of 3, or 5 where 3 do not fit.
 * With 8 channels these keep 8 to 10 accumulators and at most 13 vectors alive; only 1, 2, and 3 stand for themselves.
 */
export function cutPixels(extent: number): readonly Cut[] {
  for (const other of [3, 5]) {
    for (let count = 0; count <= 3; count++) {
      const fours = extent - other * count;
      if (fours < 0 || fours % 4 !== 0) continue;
      return runs([
        [fours, 4],
        [other * count, other],
      ]);
    }
  }
  return runs([[extent, extent]]);
}

/** As `cutPixels` where a tile has few accumulators a pixel: the widest tile up to `widest` that divides, or the widest and a rest. */
export function cutWide(extent: number, widest: number): readonly Cut[] {
  for (let tile = widest; tile > widest / 2; tile--) if (extent % tile === 0) return runs([[extent, tile]]);
  const rest = extent % widest;
  return runs([
    [extent - rest, widest],
    [rest, rest],
  ]);
}

/** Channels cut into tiles of `widest` lanes (a multiple of 4), then of 4, then what is left one by one. */
export function cutChannels(extent: number, widest: number): readonly Cut[] {
  const wide = extent - (extent % widest);
  const fours = (extent - wide) - ((extent - wide) % 4);
  const rest = extent - wide - fours;
  return runs([
    [wide, widest],
    [fours, 4],
    [rest, rest],
  ]);
}

function runs(parts: readonly (readonly [length: number, tile: number])[]): readonly Cut[] {
  let start = 0;
  return parts.flatMap(([length, tile]) => {
    if (length === 0) return [];
    const cut = { start, length, tile };
    start += length;
    return [cut];
  });
}
