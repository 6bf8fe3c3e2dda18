import { irDialect, type IRModule } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect } from "vitest";
import type { DataflowBlock, Function } from "../../ir/expr.ts";
import { isRelaxFunction } from "../../ir/mutate.ts";
import { relaxOps } from "../../op/index.ts";
import { relax } from "../../script/relax-script.ts";
import { varToValue } from "../../analysis/variables.ts";
import type { Bindings } from "../match-expr.ts";
import type { PatternMatchingRewriter } from "../pattern-matching-rewriter.ts";

const scripts = [tir, relax];
expect.extend(irMatchers({ dialects: [irDialect, ...scripts], print: (n) => print(n, { dialects: scripts }) }));

/** A module of functions in TVMScript. */
export function moduleOf(text: string): IRModule {
  return parse(`@I.ir_module\nclass Module:\n${text.replace(/^\n/, "").replace(/^(?=.)/gm, "    ")}`, { dialects: scripts });
}

/** Its first graph function, what its variables are bound to, and its first dataflow block. */
export function graphOf(text: string): { readonly func: Function; readonly bindings: Bindings; readonly block: DataflowBlock } {
  const func = [...moduleOf(text).functions.values()].find(isRelaxFunction);
  if (func?.body.kind !== "relax.SeqExpr") throw new Error("There is no graph function.");
  const block = func.body.blocks.find((b) => b.kind === "relax.DataflowBlock");
  if (block === undefined) throw new Error("There is no dataflow block.");
  return { func, bindings: varToValue(func), block };
}

/** Rewrites a module in TVMScript and compares what comes out with another, structurally. */
export function expectRewrite(rewriter: PatternMatchingRewriter, before: string, after: string): void {
  expect(rewriter.rewriteModule(moduleOf(before), { ops: relaxOps })).toEqualIr(moduleOf(after));
}
