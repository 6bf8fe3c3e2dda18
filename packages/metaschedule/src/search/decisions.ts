import type { Decision, Instruction, RandomEngine, Trace } from "@verticil/tir";

/** The location that means: put into what reads it. */
const INLINE = -2;
/** Loops around a tile that a block may be computed under: further in it would be made anew for every element. */
const OUTER_LOOPS = 7;

/** The sampling instructions of a trace with what they decided, post-processing left out. */
export function decisionsOf(trace: Trace): readonly (readonly [Instruction, Decision])[] {
  const kept = trace.withoutPostproc();
  return kept.insts.flatMap((inst) => {
    const d = kept.getDecision(inst);
    return d === undefined ? [] : [[inst, d] as const];
  });
}

/**
 * Another decision for one sampling instruction of a trace (upstream's `MutateTileSize`, `MutateUnroll`,
 * `MutateComputeLocation`): a factor of a tile moved to another level, another candidate, another place.
 */
export function mutateDecision(trace: Trace, random: RandomEngine): Trace {
  const all = decisionsOf(trace).filter(([inst]) => inst.kind !== "SampleCategorical" || candidatesOf(inst) > 1);
  const picked = all[all.length === 0 ? 0 : random.int(0, all.length)];
  if (picked === undefined) return trace.withoutPostproc();
  const [inst, decision] = picked;
  return trace.withDecision(inst, otherDecision(inst, decision, random), { removePostproc: true });
}

function otherDecision(inst: Instruction, decision: Decision, random: RandomEngine): Decision {
  if (typeof decision !== "number") return moveFactor(decision, random);
  if (inst.kind === "SampleComputeLocation") return otherThan(decision, INLINE, OUTER_LOOPS, random);
  return otherThan(decision, 0, candidatesOf(inst), random);
}

/** A number from `from` up to `to`, the end not included, and not the one that it was. */
function otherThan(decision: number, from: number, to: number, random: RandomEngine): number {
  const step = random.int(from, to - 1);
  return step >= decision ? step + 1 : step;
}

function candidatesOf(inst: Instruction): number {
  const [candidates] = inst.attrs;
  return Array.isArray(candidates) ? candidates.length : 0;
}

/** A prime factor of one level moved to another. */
function moveFactor(tile: readonly number[], random: RandomEngine): readonly number[] {
  const from = tile.flatMap((f, i) => (f > 1 ? [i] : []));
  const source = from[from.length === 0 ? 0 : random.int(0, from.length)];
  if (source === undefined || tile.length < 2) return tile;
  const target = (source + 1 + random.int(0, tile.length - 1)) % tile.length;
  const primes = primeFactors(tile[source] ?? 1);
  // Often the whole factor: a level is either there or not.
  const moved = random.fraction() < 0.3 ? (tile[source] ?? 1) : (primes[random.int(0, primes.length)] ?? 1);
  return tile.map((f, i) => (i === source ? f / moved : i === target ? f * moved : f));
}

function primeFactors(n: number): readonly number[] {
  const out: number[] = [];
  for (let p = 2; p * p <= n; p++) for (; n % p === 0; n /= p) out.push(p);
  return n > 1 ? [...out, n] : out;
}

/**
 * A fresh decision. Uniform factors would spread an axis over all levels, which is rarely good: the innermost factor is
 * drawn first, and what is left goes to one level more often than not.
 */
export function freshDecision(inst: Instruction, previous: Decision | undefined, random: RandomEngine): Decision | undefined {
  if (inst.kind === "SampleComputeLocation") return random.fraction() < 0.6 ? random.int(INLINE, 0) : random.int(0, OUTER_LOOPS);
  if (inst.kind !== "SamplePerfectTile" || !Array.isArray(previous)) return undefined;
  const extent = (previous as readonly number[]).reduce((a, b) => a * b, 1);
  const [n, most] = inst.attrs.map((a) => (typeof a === "number" ? a : undefined));
  if (n === undefined || most === undefined || extent < 1) return undefined;
  const inner = most === -1 ? 1 : drawDivisor(extent, most, n === 2, random);
  const levels = most === -1 ? n : n - 1;
  const outer = Array.from({ length: levels }, () => 1);
  if (random.fraction() < 0.7) outer[random.int(0, levels)] = extent / inner;
  else for (const p of primeFactors(extent / inner)) outer[random.int(0, levels)] = (outer[random.int(0, levels)] ?? 1) * p;
  return most === -1 ? balanced(outer, extent) : balanced([...outer, inner], extent);
}

/** The first factor put right, so that the product is the extent. */
function balanced(tile: readonly number[], extent: number): readonly number[] {
  const rest = tile.slice(1).reduce((a, b) => a * b, 1);
  return extent % rest === 0 ? [extent / rest, ...tile.slice(1)] : [extent, ...tile.slice(1).map(() => 1)];
}

function drawDivisor(extent: number, most: number, preferOne: boolean, random: RandomEngine): number {
  if (preferOne && random.fraction() < 0.6) return 1;
  const divisors = Array.from({ length: Math.min(most, extent) }, (_, i) => i + 1).filter((d) => extent % d === 0);
  return divisors[random.int(0, divisors.length)] ?? 1;
}
