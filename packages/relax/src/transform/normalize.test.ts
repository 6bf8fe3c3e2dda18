import { contextEntry, irDialect, makeGlobalVar, makeIRModule, makeOp, passContext, runPass } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { makeCall, makeIf, makeTensorStructInfo, makeVar } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { relax } from "../script/relax-script.ts";
import { normalize } from "./normalize.ts";

const dialects = [irDialect, tir, relax];
const ctx = passContext({ dialects, entries: [contextEntry(opRegistryKey, relaxOps)] });
const vector = makeTensorStructInfo([4], "float32");
const x = makeVar("x", vector);
const call = (name: string, ...args: Parameters<typeof makeCall>[1]): ReturnType<typeof makeCall> => makeCall(makeOp(`relax.${name}`), args);

it("nested calls are bound to variables, and their struct info is inferred", () => {
  const func = makeFunction([x], call("exp", call("add", x, call("negative", x))), vector, { attrs: { global_symbol: "main" } });
  const out = runPass(normalize(), makeIRModule(new Map([[makeGlobalVar("main"), func]])), ctx);
  expect(print(out, { dialects: [tir, relax] })).toContain(`
        lv: R.Tensor((4,), dtype="float32") = R.negative(x)
        lv1: R.Tensor((4,), dtype="float32") = R.add(x, lv)
        lv2: R.Tensor((4,), dtype="float32") = R.exp(lv1)
        return lv2`);
});

it("branches become sequences of their own", () => {
  const cond = makeVar("cond", makeTensorStructInfo([], "bool"));
  const func = makeFunction([cond, x], makeIf(cond, call("exp", x), call("negative", x)), vector, { attrs: { global_symbol: "main" } });
  const out = runPass(normalize(), makeIRModule(new Map([[makeGlobalVar("main"), func]])), ctx);
  expect(print(out, { dialects: [tir, relax] })).toContain("if cond:");
  expect(runPass(normalize(), out, ctx)).toBe(out);
});
