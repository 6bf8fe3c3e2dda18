import type { PrimFunc } from "@verticil/tir";
import { boostedTrees, type Predictor } from "./boosted-trees.ts";
import { featuresOf } from "./features.ts";

/** Guesses which programs are fast, from those that were measured (upstream's `CostModel`). */
export interface CostModel {
  /** Learns from a program that took `seconds`, or could not be measured. Times are compared within a task only. */
  add(task: string, func: PrimFunc, seconds: number | undefined): void;
  /** A score for each program, higher for what should be faster. */
  predict(task: string, funcs: readonly PrimFunc[]): readonly number[];
}

interface Sample {
  readonly features: Float64Array;
  readonly seconds: number | undefined;
}

/** What a schedule that failed is worth: as one sixteen times slower than the best. */
const FAILED = -4;

/** Boosted trees over the features of the scheduled program, fitted anew when there is something new to learn. */
export function treeCostModel(): CostModel {
  const tasks = new Map<string, { readonly samples: Sample[]; predictor: Predictor | undefined }>();
  return {
    add(task, func, seconds) {
      const entry = tasks.get(task) ?? { samples: [], predictor: undefined };
      tasks.set(task, entry);
      entry.samples.push({ features: featuresOf(func), seconds });
      entry.predictor = undefined;
    },
    predict(task, funcs) {
      const entry = tasks.get(task);
      if (entry === undefined || entry.samples.length < 8) return funcs.map(() => 0);
      entry.predictor ??= fit(entry.samples);
      const { predictor } = entry;
      return funcs.map((f) => predictor(featuresOf(f)));
    },
  };
}

function fit(samples: readonly Sample[]): Predictor {
  const best = samples.reduce((least, s) => Math.min(least, s.seconds ?? Infinity), Infinity);
  const targets = samples.map((s) => (s.seconds === undefined ? FAILED : Math.max(FAILED, Math.log2(best / s.seconds))));
  return boostedTrees(samples.map((s) => s.features), targets);
}

/** Knows nothing: every program is as good as another (upstream's `RandomModel` without the dice). */
export function noCostModel(): CostModel {
  return { add() {}, predict: (_, funcs) => funcs.map(() => 0) };
}
