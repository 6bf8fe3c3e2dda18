import { defaultWasmTarget } from "@verticil/ir-core";
import { expect, it } from "vitest";
import { makeTuneTask, workloadHash } from "./task.ts";
import { product } from "./testing/programs.ts";

it("names a program by what it computes, not by what it is called", () => {
  const func = product(8);
  expect(workloadHash(func)).toMatch(/^[0-9a-f]{14}$/);
  expect(workloadHash({ ...func, attrs: { global_symbol: "other" } })).toBe(workloadHash(func));
  expect(workloadHash(product(8, { relu: true }))).not.toBe(workloadHash(func));
  expect(workloadHash(func, new Set([1]))).not.toBe(workloadHash(func));
});

it("counts the work of a task", () => {
  expect(makeTuneTask({ name: "p", func: product(8), target: defaultWasmTarget }).flops).toBe(2 * 8 ** 3);
});
