import { structuralHash, type Target } from "@verticil/ir-core";
import { estimateTirFlops, tir, type PrimFunc } from "@verticil/tir";

/** A tensor program to tune. */
export interface TuneTask {
  readonly name: string;
  readonly func: PrimFunc;
  readonly target: Target;
  /** How often the model runs it. */
  readonly weight: number;
  /** Identifies the program whatever its name: see `workloadHash`. */
  readonly hash: string;
  /** Parameters that may be stored in any layout. */
  readonly layoutFree: ReadonlySet<number>;
  readonly flops: number;
}

/** What a task is made of; the rest follows from it. */
export interface TuneTaskParts {
  readonly name: string;
  readonly func: PrimFunc;
  readonly target: Target;
  readonly weight?: number;
  readonly layoutFree?: readonly number[];
}

/** A task of a program. */
export function makeTuneTask({ name, func, target, weight = 1, layoutFree = [] }: TuneTaskParts): TuneTask {
  const free = new Set(layoutFree);
  return { name, func, target, weight, hash: workloadHash(func, free), layoutFree: free, flops: estimateTirFlops(func) };
}

/**
 * A name for what a program computes: the same for structurally equal programs with the same parameters of free layout,
 * in every run. 14 hexadecimal digits of structural hash, then the parameters. Attributes of the function (its symbol,
 * what fusion noted) do not count.
 */
export function workloadHash(func: PrimFunc, layoutFree: ReadonlySet<number> = new Set()): string {
  const bare: PrimFunc = { ...func, attrs: {} };
  const hash = structuralHash(bare, { dialects: [tir] });
  const free = [...layoutFree].toSorted((a, b) => a - b);
  return [hash.toString(16).padStart(14, "0"), ...free].join("-");
}
