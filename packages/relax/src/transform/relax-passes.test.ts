import { contextEntry, irDialect, makeOp, passContext, runPass, type AttrMap, type Pass, type PassContext } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { makeCall } from "../ir/make.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import type { LegalizeRule } from "../op/legalize-rule.ts";
import { legalizeTable } from "../op/legalize/index.ts";
import { relax } from "../script/relax-script.ts";
import { legalizeTableKey } from "./legalize-ops.ts";
import type { RelaxPassOptions } from "./pass-options.ts";
import { relaxPasses } from "./relax-passes.ts";
import { externalCodegensKey, type ExternalCodegen } from "./run-codegen.ts";
import { expectPass } from "./testing/expect-pass.ts";

function pass(name: string, options: RelaxPassOptions): Pass {
  const entry = relaxPasses.get(name);
  if (entry === undefined) throw new RangeError(`There is no pass \`${name}\`.`);
  return entry.make(options);
}

/** Runs a pass on a function; gives the context, for what was reported. */
function run(made: Pass, text: string, codegens: ReadonlyMap<string, ExternalCodegen> = new Map()): PassContext {
  const entries = [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(externalCodegensKey, codegens)];
  const ctx = passContext({ dialects: [irDialect, tir, relax], entries });
  runPass(made, parse(`@I.ir_module\nclass Module:\n${text.replace(/^(?=.)/gm, "    ")}`, { dialects: [tir, relax] }), ctx);
  return ctx;
}

const identity = (name: string, op: string): string => `
@R.function(private=True)
def ${name}(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    y = ${op}(x)
    return y
`;

it("DeadCodeElimination keeps the functions that `entry_functions` names", () =>
  expectPass(pass("DeadCodeElimination", { entry_functions: ["kept"] }), identity("kept", "R.exp") + identity("dropped", "R.exp"), identity("kept", "R.exp")));

it("DecomposeOpsForInference looks only at `func_name`", () => {
  const dropout = identity("other", "R.nn.dropout").replace("-> R.Tensor((4,), \"float32\")", "-> R.Tuple(R.Tensor((4,), \"float32\"), R.Tensor((4,), \"float32\"))").replace("(x)", "(x, rate=0.5)");
  expectPass(pass("DecomposeOpsForInference", { func_name: "main" }), dropout, dropout);
});

it("LegalizeOps asks the rules of `customize_legalize_map` first", () => {
  const logOfExp: LegalizeRule = (call) => makeCall(makeOp("relax.log"), call.args);
  const rules = { customize_legalize_map: new Map([["relax.exp", logOfExp], ["relax.log", () => undefined]]) };
  expectPass(pass("LegalizeOps", rules), identity("main", "R.exp"), identity("main", "R.log"));
});

it("LegalizeOps warns of what stays, if `enable_warning` is set", () => {
  const text = `
@R.function
def main(x: R.Tensor(ndim=1, dtype="float32"), y: R.Tensor((4,), "float32")) -> R.Tensor(ndim=1, dtype="float32"):
    a = R.exp(x)
    b = R.exp(y)
    c = R.inspect.tensor_byte_offset(b)
    s = R.shape_of(a)
    return a
`;
  const reported = (options: RelaxPassOptions): readonly unknown[] => run(pass("LegalizeOps", options), text).diagnostics.all.map(({ code, severity, message, span }) => [code, severity, message, span?.source.text.slice(span.start, span.end)]);
  expect(reported({ enable_warning: true })).toEqual([
    ["relax/not-legalized", "warning", "A call of `relax.exp` stays: its shapes are not known, or its attributes are not supported.", "R.exp(x)"],
    ["relax/not-legalized", "warning", "There is no rule that makes a tensor program of `relax.inspect.tensor_byte_offset`.", "R.inspect.tensor_byte_offset(b)"],
  ]);
  expect(reported({ enable_warning: false })).toEqual([]);
  expect(reported({})).toEqual([]);
});

it("RunCodegen hands each backend its part of `target_options`", () => {
  const seen: AttrMap[] = [];
  const record: ExternalCodegen = (_, options) => {
    seen.push(options);
    return [];
  };
  const text = `
@R.function(private=True)
def part(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    R.func_attr({"Codegen": "mine"})
    y = R.exp(x)
    return y

@R.function
def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    y = Module.part(x)
    return y
`;
  const codegens = new Map([["mine", record]]);
  const mine = { level: 2, flags: ["a", true] };
  run(pass("RunCodegen", { target_options: { mine, other: {} } }), text, codegens);
  run(pass("RunCodegen", { target_options: new Map([["mine", new Map(Object.entries(mine))]]) }), text, codegens);
  run(pass("RunCodegen", {}), text, codegens);
  expect(seen).toEqual([mine, mine, {}]);
});

it.each<readonly [name: string, options: RelaxPassOptions, message: string]>([
  ["DeadCodeElimination", { entry_functions: [1] }, "`entry_functions` is a name or a list of names"],
  ["DecomposeOpsForInference", { func_name: ["main"] }, "`func_name` is a name"],
  ["LegalizeOps", { enable_warning: "yes" }, "`enable_warning` is true or false"],
  ["LegalizeOps", { customize_legalize_map: "relax.exp" }, "`customize_legalize_map` is a map"],
  ["LegalizeOps", { customize_legalize_map: { "relax.exp": 1 } }, "`customize_legalize_map` maps operators to functions"],
  ["RunCodegen", { target_options: ["mine"] }, "`target_options` is a map"],
  ["RunCodegen", { target_options: { mine: 3 } }, "`target_options` has options by name for `mine`"],
  ["RunCodegen", { target_options: { mine: { f: () => 0 } } }, "`target_options` has no function in it"],
  ["EliminateCommonSubexpr", { call_only: 1 }, "`call_only` is true or false"],
])("%s does not take %o", (name, options, message) => expect(() => pass(name, options)).toThrow(message));
