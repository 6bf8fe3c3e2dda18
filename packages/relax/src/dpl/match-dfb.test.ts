import { expect, it } from "vitest";
import { matchDfb } from "./match-dfb.ts";
import { duplicate, forkTo, onlyUsedBy, patternContext, sameShape, usedBy } from "./pattern-context.ts";
import { isCall, isCallDPSPacked, isVar, wildcard, type DFPattern } from "./pattern.ts";
import { graphOf } from "./testing/rewrite-text.ts";

const info = 'R.Tensor((4, 4), "float32")';
const packed = (name: string, ...args: readonly string[]): string => `R.call_dps_packed("${name}", (${args.join(", ")},), out_sinfo=${info})`;
const graph = (lines: readonly string[], result: string): ReturnType<typeof graphOf> =>
  graphOf(`
@R.function
def main(x: ${info}, y: ${info}) -> ${info}:
    with R.dataflow():
${lines.map((l) => `        ${l}`).join("\n")}
        R.output(${result})
    return ${result}
`);
const call = (name: string): DFPattern => isCallDPSPacked(name);

const diamond = graph([`a = ${packed("root", "x", "y")}`, `b = ${packed("left", "a")}`, `c = ${packed("right", "a")}`, `d = ${packed("join", "b", "c")}`], "d").block;

it("finds a diamond, and says which variable is which", () => {
  const [root, left, right, join] = [call("root"), call("left"), call("right"), call("join")];
  const found = matchDfb(patternContext([...forkTo(root, left, right), onlyUsedBy(left, join), onlyUsedBy(right, join)]), diamond);
  expect([root, left, right, join].map((p) => found?.get(p)?.name)).toEqual(["a", "b", "c", "d"]);
});

it("what is used twice is not only used once", () => {
  const [root, left] = [call("root"), call("left")];
  expect(matchDfb(patternContext([usedBy(root, left)]), diamond)).toBeDefined();
  expect(matchDfb(patternContext([onlyUsedBy(root, left)]), diamond)).toBeUndefined();
});

it("an edge may say as which operand the value is used", () => {
  const [left, join] = [call("left"), call("join")];
  expect(matchDfb(patternContext([usedBy(left, join, 0)]), diamond)).toBeDefined();
  expect(matchDfb(patternContext([usedBy(left, join, 1)]), diamond)).toBeUndefined();
});

it("two patterns stand for two variables, and copies of a chain for two chains", () => {
  const { block } = graph([`a = ${packed("conv", "x", "y")}`, `b = ${packed("relu", "a")}`, `c = ${packed("conv", "x", "b")}`, `d = ${packed("relu", "c")}`], "d");
  const chain = onlyUsedBy(call("conv"), call("relu"));
  expect(matchDfb(patternContext([...forkTo(isVar("x"), chain, duplicate(chain))]), block)).toBeDefined();
  expect(matchDfb(patternContext([...forkTo(isVar("y"), chain, duplicate(chain))]), block)).toBeUndefined();
});

it("operands of a pattern over a call are nodes of the graph", () => {
  const { block, func } = graph(["z = R.exp(y)", "a = R.matmul(x, y)", "b = R.matmul(x, z)", "c = R.add(a, b)"], "c");
  const [x, first, second] = [wildcard(), wildcard(), wildcard()];
  const found = matchDfb(patternContext([isCall("relax.matmul", [x, first]), isCall("relax.matmul", [x, second])]), block);
  expect(found?.get(x)).toBe(func.params[0]);
});

it("a graph may build on another, and ask for equal shapes", () => {
  const [left, join, right] = [call("left"), call("join"), call("missing")];
  const base = patternContext([usedBy(left, join)], { constraints: [sameShape(left, join)] });
  expect(matchDfb(base, diamond)).toBeDefined();
  expect(matchDfb(patternContext([usedBy(right, join)], { base }), diamond)).toBeUndefined();
});
