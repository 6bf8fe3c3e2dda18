import { irDialect, makeGlobalVar, makeIRModule, passContext, type IRModule, type Node, type Pass } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { parse, print } from "@verticil/tvmscript";
import { expect } from "vitest";
import { tir } from "../../script/tir-script.ts";

const dialects = [irDialect, tir];
expect.extend(irMatchers({ dialects, print: (n: Node) => print(n, { dialects: [tir] }) }));

/** A module from TVMScript; a function on its own becomes `main`, whatever it is called. */
export function moduleOf(script: string): IRModule {
  const module = parse(script, { dialects: [tir] });
  const [func, ...others] = module.functions.values();
  if (func === undefined || others.length > 0 || /^\s*class /m.test(script)) return module;
  return makeIRModule(new Map([[makeGlobalVar("main"), { ...func, attrs: { ...func.attrs, global_symbol: "main" } }]]));
}

/** Runs a pass on a script. */
export function runOn(pass: Pass, script: string): IRModule {
  return pass.run(moduleOf(script), passContext({ dialects }));
}

/** Checks that `pass` turns one script into another; without `after`, that it changes nothing. */
export function expectPass(pass: Pass, before: string, after: string = before): void {
  expect(runOn(pass, before)).toEqualIr(moduleOf(after));
}
