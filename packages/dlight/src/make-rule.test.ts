import { defaultWasmTarget } from "@verticil/ir-core";
import * as te from "@verticil/te";
import { expect, test } from "vitest";
import { makeRule, stages } from "./index.ts";

const x = te.placeholder([4, 6], "float32", "x");
const func = te.createPrimFunc([x, te.relu(x)]);

test("a rule gives the function as its schedule left it", () => {
  const rule = makeRule("Parallel", (work) => {
    const [stage] = stages(work);
    const [outer] = stage === undefined ? [] : work.sch.getLoops(stage.rv);
    if (outer === undefined) return undefined;
    work.sch.parallel(outer);
    return work;
  });
  expect(JSON.stringify(rule.apply(func, defaultWasmTarget))).toContain('"parallel"');
});

test("a primitive that refuses is an answer, another error is a fault", () => {
  const refused = makeRule("Refused", (work) => {
    work.sch.parallel(work.sch.fuse([]));
    return work;
  });
  expect(refused.apply(func, defaultWasmTarget)).toBeUndefined();
  const broken = makeRule("Broken", () => {
    throw new Error("internal: broken");
  });
  expect(() => broken.apply(func, defaultWasmTarget)).toThrow("internal: broken");
});
