import { asInt } from "../../ir/ops.ts";
import type { For } from "../../ir/stmt.ts";
import type { RandomEngine } from "../random-engine.ts";
import { refuse } from "../schedule-error.ts";

/** The number of a candidate, drawn by weight, or the one decided. */
export function sampleCategorical(random: RandomEngine, candidates: readonly number[], probs: readonly number[], decision?: number): number {
  if (candidates.length !== probs.length || candidates.length === 0) refuse(`there are ${candidates.length} candidates and ${probs.length} probabilities`);
  if (decision !== undefined) {
    if (!Number.isInteger(decision) || decision < 0 || decision >= candidates.length) refuse(`the decision ${decision} is not one of ${candidates.length} candidates`);
    return decision;
  }
  const total = probs.reduce((a, b) => a + b, 0);
  if (!(total > 0) || probs.some((p) => !(p >= 0))) refuse("the probabilities are not positive");
  let left = random.fraction() * total;
  for (const [i, p] of probs.entries()) {
    left -= p;
    if (left < 0) return i;
  }
  return probs.findLastIndex((p) => p > 0);
}

/** Factors whose product is the extent of the loop; `[-1, 1, …]` if it is not constant. */
export function samplePerfectTile(random: RandomEngine, loop: For, n: number, maxInnermost: number, decision?: readonly number[]): readonly number[] {
  const extent = extentOf(loop, n);
  if (extent === undefined) return open(n);
  if (decision !== undefined) return fitTo(extent, decision);
  return draw(random, extent, n, maxInnermost === -1 ? () => true : (tile) => (tile[n - 1] ?? 1) <= maxInnermost);
}

/** As `samplePerfectTile`; the product of the factors from `position` on is a multiple of `inner`. */
export function samplePartitionedTile(random: RandomEngine, loop: For, n: number, position: number, inner: number, decision?: readonly number[]): readonly number[] {
  const extent = extentOf(loop, n);
  if (!Number.isInteger(inner) || inner < 1) refuse(`the factor ${inner} is not positive`);
  if (!Number.isInteger(position) || position < 0 || position > n) refuse(`position ${position} is not between 0 and ${n}`);
  if (extent === undefined || extent % inner !== 0) return open(n);
  const product = (tile: readonly number[]): number => tile.slice(position).reduce((a, b) => a * b, 1);
  if (decision === undefined) return draw(random, extent, n, position === 0 && inner === 1 ? () => true : (tile) => product(tile) % inner === 0);
  if (product(decision) % inner === 0) return fitTo(extent, decision);
  const tile = Array.from({ length: n }, () => 1);
  tile[0] = extent / inner;
  tile[position] = (position === 0 ? extent / inner : 1) * inner;
  return tile;
}

function extentOf(loop: For, n: number): number | undefined {
  if (!Number.isInteger(n) || n < 1 || n > 64) refuse(`a loop cannot be tiled into ${n} parts`, loop, "Ask for 1 to 64.");
  const extent = asInt(loop.extent);
  if (extent !== undefined && extent < 1) refuse(`loop \`${loop.loopVar.name}\` has no iterations`, loop);
  return extent;
}

function open(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => (i === 0 ? -1 : 1));
}

/** A decision made for another extent: from the inside out, a factor that does not divide what is left takes all of it. */
function fitTo(extent: number, decision: readonly number[]): readonly number[] {
  const tile = [...decision];
  let left = extent;
  for (let i = tile.length - 1; i > 0; i--) {
    const f = tile[i] ?? 1;
    if (!Number.isInteger(f) || f < 1 || left % f !== 0) tile[i] = left;
    left /= tile[i] ?? 1;
  }
  tile[0] = left;
  return tile;
}

/** Prime factors are dealt out uniformly over all tilings, until one is accepted. */
function draw(random: RandomEngine, extent: number, n: number, accept: (tile: readonly number[]) => boolean): readonly number[] {
  const primes = factorize(extent);
  for (let attempt = 0; attempt < 10000; attempt++) {
    const tile = Array.from({ length: n }, () => 1);
    for (const [prime, power] of primes) deal(random, tile, prime, power);
    if (accept(tile)) return tile;
  }
  // Nothing acceptable is likely: all iterations outside always is, or there is none.
  const outer = Array.from({ length: n }, (_, i) => (i === 0 ? extent : 1));
  return accept(outer) ? outer : refuse(`no tiling of ${extent} iterations into ${n} meets the condition`);
}

/** `power` equal balls into as many boxes as there are factors: stars and bars, each way as likely. */
function deal(random: RandomEngine, tile: number[], prime: number, power: number): void {
  const bars = choose(random, power + tile.length - 1, tile.length - 1);
  let last = -1;
  [...bars, power + tile.length - 1].forEach((bar, i) => {
    tile[i] = (tile[i] ?? 1) * prime ** (bar - last - 1);
    last = bar;
  });
}

/** `k` of the numbers below `n`, in order. */
function choose(random: RandomEngine, n: number, k: number): readonly number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < k; i++) {
    const j = random.int(i, n);
    const [a, b] = [order[i] ?? 0, order[j] ?? 0];
    order[i] = b;
    order[j] = a;
  }
  return order.slice(0, k).sort((a, b) => a - b);
}

function factorize(n: number): readonly (readonly [prime: number, power: number])[] {
  const out: (readonly [number, number])[] = [];
  let left = n;
  for (let p = 2; p * p <= left; p++) {
    let power = 0;
    for (; left % p === 0; left /= p) power++;
    if (power > 0) out.push([p, power]);
  }
  if (left > 1) out.push([left, 1]);
  return out;
}
