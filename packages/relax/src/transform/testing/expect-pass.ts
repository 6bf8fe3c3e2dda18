import { contextEntry, defaultWasmTarget, irDialect, passContext, runPass, type Pass, type Target } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect } from "vitest";
import { opRegistryKey } from "../../ir/op-def.ts";
import { relaxOps } from "../../op/index.ts";
import { legalizeTable } from "../../op/legalize/index.ts";
import { relax } from "../../script/relax-script.ts";
import { layoutTable } from "../../op/layout-table.ts";
import { layoutTableKey } from "../convert-layout.ts";
import { legalizeTableKey } from "../legalize-ops.ts";

const scripts = [tir, relax];
const dialects = [irDialect, ...scripts];
expect.extend(irMatchers({ dialects, print: (n) => print(n, { dialects: scripts }) }));

/** Runs a pass on a module in TVMScript and compares what comes out with another, structurally. */
export function expectPass(pass: Pass, before: string, after: string, target: Target = defaultWasmTarget): void {
  const ctx = passContext({ target, dialects, entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(layoutTableKey, layoutTable)] });
  const module = (text: string): ReturnType<typeof parse> => parse(`@I.ir_module\nclass Module:\n${text.replace(/^\n/, "").replace(/^(?=.)/gm, "    ")}`, { dialects: scripts });
  expect(runPass(pass, module(before), ctx)).toEqualIr(module(after));
}
