import type { Decision, Instruction, Trace } from "@verticil/tir";
import { decisionsOf } from "../search/decisions.ts";
import { MOST_EPILOGUE_VECTORS } from "./register-tiling.ts";

/**
 * Rows and vectors of register tiles that keep 6 to 12 accumulators, the likeliest first: those that fit 15 registers
 * together with the operands of one step, all of which V8 loads before it computes.
 */
const TILES: readonly (readonly [rows: number, vectors: number])[] = [
  [4, 2],
  [2, 4],
  [3, 3],
  [7, 1],
  [3, 2],
  [6, 1],
  [5, 2],
  [3, 4],
  [4, 3],
  [8, 1],
  [6, 2],
];
/** The same where the epilogue is apart: nothing else wants registers inside the tile, so that 12 accumulators fit. */
const TILES_APART: readonly (readonly [rows: number, vectors: number])[] = [
  [6, 2],
  [4, 2],
  [2, 4],
  [5, 2],
  [3, 3],
  [3, 4],
  [4, 3],
  [7, 1],
  [8, 1],
];
/** Lines of an outer axis that are done before the next ones are prepared, if the axis has such a divisor. */
const BAND = [8, 4, 13, 7, 10, 5, 6];
/** Places to prepare an operand (a padded copy of it): at once, put into the reduction, under the loop over bands. */
const AT_ONCE = -1;
const INLINE = -2;
const BAND_LOOP = 2;
/** Tiles along the last axis that come before their epilogue, where it is apart and follows block by block, at most. */
const MOST_TILES = 16;
/** Vectors that an epilogue takes at a time; all of a block's that are no multiple. */
const SIDE_BY_SIDE = 4;

/** Gives the schedules of a sketch that are measured before any that a search makes up. */
export type SeedGenerator = (sketch: Trace) => readonly Trace[];

/**
 * Decisions for a sketch of `registerTiling` that are known to be good on many machines: register tiles that fill the
 * registers without spilling, reductions that are not written out, the lanes walked for every tile of rows and the other
 * way round, and operands that are prepared at once, in the reduction itself, or a band of lines at a time. Sketches of
 * other rules have no seeds.
 */
export const registerTileSeeds: SeedGenerator = (sketch) => {
  const roles = rolesOf(sketch);
  if (roles.lane === undefined) return [];
  const out: Trace[] = [];
  const band = bandOf(roles);
  for (const [rows, vectors] of tilesFor(roles)) {
    const tile = { rows, vectors, lanesOutside: false };
    out.push(decide(sketch, roles, tile));
    if (roles.epilogue.length > 0) out.push(decide(sketch, roles, { ...tile, byBlock: true }));
    else if (roles.places.length > 0) out.push(decide(sketch, roles, { ...tile, place: INLINE }));
    else if (extentOf(roles.lane) > vectors) out.push(decide(sketch, roles, { ...tile, lanesOutside: true }));
    if (roles.epilogue.length === 0 && roles.places.length > 0 && band !== undefined) out.push(decide(sketch, roles, { ...tile, band, place: BAND_LOOP }));
  }
  return out;
};

interface Seed {
  readonly rows: number;
  readonly vectors: number;
  readonly lanesOutside: boolean;
  /** An epilogue of its own after a block of tiles, one vector at a time, instead of after the tiles of the same rows. */
  readonly byBlock?: boolean;
  readonly band?: number;
  readonly place?: number;
}

type Sampled = readonly [Instruction, Decision];

/** What the sampling instructions of a sketch decide, told from what they ask for. */
interface Roles {
  readonly lane: Sampled | undefined;
  readonly rows: Sampled | undefined;
  /** Blocks of rows; as many as there are rows, since a sketch has one row a tile. */
  readonly rowBlocks: Sampled | undefined;
  /** Blocks along the spatial axes. */
  readonly axes: readonly Sampled[];
  /** How much of each reduction loop is written out. */
  readonly reduction: readonly Sampled[];
  readonly places: readonly Sampled[];
  /** How many vectors an epilogue takes at a time that follows block by block. */
  readonly epilogue: readonly Sampled[];
}

function rolesOf(sketch: Trace): Roles {
  const all = decisionsOf(sketch);
  const tiles = (n: number, isInner: (most: number) => boolean): readonly Sampled[] =>
    all.filter(([inst]) => inst.kind === "SamplePerfectTile" && inst.attrs[0] === n && isInner(Number(inst.attrs[1])));
  const rows = all.find(([inst]) => inst.kind === "SampleCategorical");
  const axes = tiles(2, (most) => most === -1);
  return {
    lane: tiles(3, () => true)[0],
    rows,
    rowBlocks: rows && axes.find((axis) => all.indexOf(axis) > all.indexOf(rows)),
    axes,
    reduction: tiles(2, (most) => most !== -1 && most !== MOST_EPILOGUE_VECTORS),
    epilogue: tiles(2, (most) => most === MOST_EPILOGUE_VECTORS),
    places: all.filter(([inst]) => inst.kind === "SampleComputeLocation"),
  };
}

/** The tiles whose vectors the lanes can be divided into; without rows the vectors alone make the accumulators. */
function tilesFor({ lane, rows, epilogue }: Roles): readonly (readonly [number, number])[] {
  const extent = lane === undefined ? 1 : extentOf(lane);
  if (rows === undefined) return [8, 6, 4, 2, 1].filter((v) => extent % v === 0).map((v) => [1, v] as const);
  return (epilogue.length > 0 ? TILES_APART : TILES).filter(([, v]) => extent % v === 0);
}

function extentOf([, decision]: Sampled): number {
  return typeof decision === "number" ? 1 : decision.reduce((a, b) => a * b, 1);
}

function bandOf({ axes }: Roles): number | undefined {
  const [outer] = axes;
  return outer && BAND.find((n) => extentOf(outer) % n === 0 && extentOf(outer) > n);
}

function decide(sketch: Trace, roles: Roles, { rows, vectors, lanesOutside, byBlock = false, band, place = AT_ONCE }: Seed): Trace {
  const decisions: (readonly [Sampled | undefined, Decision])[] = [];
  const { lane } = roles;
  if (lane !== undefined) decisions.push([lane, lanesOutside ? [extentOf(lane) / vectors, 1, vectors] : [1, extentOf(lane) / vectors, vectors]]);
  if (roles.rows !== undefined) decisions.push([roles.rows, candidateOf(roles.rows, rows)]);
  roles.axes.forEach((axis, i) => {
    const extent = extentOf(axis);
    if (byBlock && axis === roles.rowBlocks) decisions.push([axis, blockOf(Math.ceil(extent / rows))]);
    else if (band === undefined) decisions.push([axis, [extent, 1]]);
    else decisions.push([axis, i === 0 ? [extent / band, band] : [1, extent]]);
  });
  for (const r of roles.reduction) decisions.push([r, [extentOf(r), 1]]);
  for (const p of roles.places) decisions.push([p, place]);
  for (const e of roles.epilogue) decisions.push([e, [extentOf(e), byBlock ? 1 : SIDE_BY_SIDE]]);
  return decisions.reduce((trace, [sampled, d]) => (sampled === undefined ? trace : trace.withDecision(sampled[0], d)), sketch);
}

/** Blocks of as many tiles as divide the axis, up to `MOST_TILES`. */
function blockOf(extent: number): readonly number[] {
  const tiles = Array.from({ length: MOST_TILES }, (_, i) => MOST_TILES - i).find((n) => extent % n === 0) ?? 1;
  return [extent / tiles, tiles];
}

/** The number of the candidate with a value. */
function candidateOf([inst, decision]: Sampled, value: number): Decision {
  const [candidates] = inst.attrs;
  const at = Array.isArray(candidates) ? candidates.indexOf(value) : -1;
  return at < 0 ? decision : at;
}
