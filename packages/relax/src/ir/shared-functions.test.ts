import { irDialect, type GlobalVar } from "@verticil/ir-core";
import { tirNodes } from "@verticil/tir";
import { expect, test } from "vitest";
import { moduleOf } from "../script/testing/script.ts";
import { relaxNodes } from "./node-table.ts";
import { SharedFunctions } from "./shared-functions.ts";

/** Adds one to a buffer, or twice one. */
function program(name: string, shape: string, amount: number): string {
  return `
    @T.prim_func(private=True)
    def ${name}(x: T.Buffer(${shape}, "float32"), y: T.Buffer(${shape}, "float32")):
        for i in range(2):
            with T.block("add"):
                vi = T.axis.spatial(2, i)
                y[vi, 0] = x[vi, 0] + T.float32(${amount})
`;
}

const module = moduleOf(`
@I.ir_module
class Module:
${program("first", "(2, 3)", 1)}
${program("same", "(2, 3)", 1)}
${program("other", "(2, 3)", 2)}
${program("wider", "(2, 4)", 1)}
`);
const functions = [...module.functions];
const named = (name: string): GlobalVar | undefined => functions.find(([gv]) => gv.name === name)?.[0];

test("a program is found that is equal, whatever its name, and no other", () => {
  const known = new SharedFunctions([irDialect, tirNodes, relaxNodes]);
  const found = functions.map(([gv, func]) => {
    const same = known.find(func, (g) => module.functions.get(g));
    if (same === undefined) known.add(gv, func);
    return same?.name;
  });
  expect(found).toEqual([undefined, "first", undefined, undefined]);
});

test("a function that has been replaced since is not taken for what it was", () => {
  const known = new SharedFunctions([irDialect, tirNodes, relaxNodes]);
  const [first, same, other] = ["first", "same", "other"].map(named);
  const [before, equal, now] = [first, same, other].map((gv) => gv && module.functions.get(gv));
  if (first === undefined || before === undefined || equal === undefined) throw new Error("The module has no such functions.");
  known.add(first, before);
  expect(known.find(equal, () => now)).toBeUndefined();
});
