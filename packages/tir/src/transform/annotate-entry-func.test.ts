import { test } from "vitest";
import { annotateEntryFunc } from "./annotate-entry-func.ts";
import { expectPass } from "./testing/expect-pass.ts";

const module = (mark: string, second: string): string => `
@I.ir_module
class Module:
    @T.prim_func
    def entry():
        ${mark}
        T.evaluate(0)
    @T.prim_func(private=${second})
    def other():
        T.evaluate(0)
`;

test("the only function that is called from outside is the entry", () => {
  expectPass(annotateEntryFunc(), module("T.evaluate(0)", "True"), module(`T.func_attr({"tir.is_entry_func": True})`, "True"));
});

test("of two that are called from outside none is marked", () => {
  expectPass(annotateEntryFunc(), module("T.evaluate(0)", "False"));
});
