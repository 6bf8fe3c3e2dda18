/**
 * How often a property is tried, from which seed. `VERTICIL_FUZZ_RUNS` and `VERTICIL_FUZZ_SEED` say so for the long run
 * (`pnpm fuzz:arith`).
 */
export function fuzzing(seed: number, runs = 2500): { readonly numRuns: number; readonly seed: number } {
  const { VERTICIL_FUZZ_RUNS: asked, VERTICIL_FUZZ_SEED: start } = process.env;
  return { numRuns: asked === undefined ? runs : Number(asked), seed: start === undefined ? seed : seed + 1000 * Number(start) };
}
