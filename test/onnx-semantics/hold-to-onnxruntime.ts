import { beforeAll, expect, test } from "vitest";
import { runNodes, type NodeCase, type Outcomes } from "./run-node.ts";

/** A case with what is special about it. */
export type NamedCase = NodeCase & { readonly what: string };

/** One test a case: both of our sides give what onnxruntime gives. Many run in one model, since compiling takes the time. */
export function holdToOnnxruntime(cases: readonly NamedCase[]): void {
  let outcomes: readonly Outcomes[] = [];
  beforeAll(async () => {
    outcomes = await runNodes(cases);
  }, 600_000);
  test.each(cases.map((c, k) => [`${c.op}: ${c.what}`, k] as const))("%s", (_, k) => {
    const outcome = outcomes[k];
    expect(outcome?.interpreted).toEqual(outcome?.theirs);
    expect(outcome?.compiled).toEqual(outcome?.theirs);
    expect(outcome).toBeDefined();
  });
}
