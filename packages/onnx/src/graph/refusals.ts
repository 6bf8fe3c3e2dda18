import type { Diagnostic } from "@verticil/ir-core";
import type { Value } from "../value.ts";
import type { Problems, Trial } from "./problems.ts";
import { DecidesAtRunTime } from "./run-time-control.ts";
import { guessedInputs } from "./stand-ins.ts";

/** What is said of a node for its own sake, not for that of its inputs. */
const REFUSALS: ReadonlySet<string> = new Set([
  "onnx/unsupported-form",
  "onnx/unsupported-type",
  "onnx/attribute-type",
  "onnx/missing-attribute",
  "onnx/missing-argument",
]);

/** What `found` says of a node for its own sake. */
export function refusalsOf(found: readonly Diagnostic[]): readonly Diagnostic[] {
  return found.filter((d) => REFUSALS.has(d.code));
}

/**
 * What is wrong with a node whatever its doubtful inputs may be: `convert` is tried with the likeliest guesses, and says
 * nothing as soon as one of them is taken.
 */
export function refusedWhatever(
  problems: Problems,
  inputs: readonly (Value | undefined)[],
  isDoubtful: readonly boolean[],
  convert: (inputs: readonly (Value | undefined)[]) => unknown,
): readonly Diagnostic[] {
  let first: readonly Diagnostic[] = [];
  for (const guess of guessedInputs(inputs, isDoubtful)) {
    const trial = tried(problems, () => convert(guess.inputs));
    if (trial === undefined) continue;
    const refusals = refusalsOf(trial.found);
    if (trial.isDone && refusals.length === 0) return [];
    if (guess.tells && first.length === 0) first = refusals;
  }
  return first;
}

/** Undefined if the guess was so far off that it says nothing. */
function tried(problems: Problems, attempt: () => unknown): Trial<unknown> | undefined {
  try {
    return problems.trial(attempt);
  } catch (error) {
    return error instanceof DecidesAtRunTime ? { isDone: true, result: undefined, found: [] } : undefined;
  }
}
