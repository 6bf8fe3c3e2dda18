import { Diagnostics, makeGlobalVar, makeIRModule, makeOp, type AttrMap } from "@verticil/ir-core";
import { describe, expect, it } from "vitest";
import { makeBindingBlock, makeCall, makeObjectStructInfo, makeSeqExpr, makeTensorStructInfo, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { relaxOps } from "../op/index.ts";
import { checkWellFormed } from "./well-formed.ts";

const x = makeVar("x", makeTensorStructInfo([2, 3], "float32"));
const object = makeObjectStructInfo();

/** What is said of the attributes of a call that was put together by hand. */
function said(op: string, attrs: AttrMap): readonly string[] {
  const y = makeVar("y", object);
  const call = makeCall(makeOp(op), [x], { attrs, structInfo: object });
  const func = makeFunction([x], makeSeqExpr([makeBindingBlock([makeVarBinding(y, call)])], y), object, { isPure: false });
  const diagnostics = new Diagnostics();
  checkWellFormed(makeIRModule(new Map([[makeGlobalVar("f"), func]])), diagnostics, { ops: relaxOps });
  return diagnostics.all.flatMap((d) => (d.code === "relax/invalid-attribute" ? [d.message] : []));
}

const ops = [...relaxOps.values()];

/** No attribute takes this: it is neither a number, nor a name, nor a list. */
const nonsense = { nested: { deeper: [1, "a"] } };

describe("of a call made by hand", () => {
  it("what an operator does not have is named, of every operator", () => {
    for (const { name } of ops) expect(said(name, { no_such_attribute: 1 })[0], name).toContain("no_such_attribute");
  });

  it("what an operator needs is asked for, of every operator that needs something", () => {
    const needing = ops.filter((o) => Object.values(o.attrs).some((f) => f.default === undefined));
    expect(needing.length).toBeGreaterThan(20);
    for (const { name } of needing) expect(said(name, {})[0], name).toMatch(/needs the attribute/);
  });

  it("a value of another type is refused, of every attribute that has a type", () => {
    for (const { name, attrs } of ops) {
      for (const [key, field] of Object.entries(attrs)) if (field.type !== "any") expect(said(name, { [key]: nonsense })[0], `${name}.${key}`).toMatch(/is of type|needs the attribute/);
    }
  });

  it.each<[string, AttrMap, string]>([
    ["relax.nn.pad", { pad_width: [1, 1, 1, 1], pad_mode: "sideways" }, "pad_mode"],
    ["relax.repeat", { repeats: -1 }, "repeats"],
    ["relax.nn.dropout", { rate: "half" }, "rate"],
    ["relax.call_tir_inplace", { inplace_indices: [] }, "inplace_indices"],
  ])("%s with %j is out of range", (op, attrs, name) => expect(said(op, attrs)[0]).toContain(name));

  it("defaults need not be said", () => {
    expect(said("relax.nn.softmax", {})).toEqual([]);
    expect(said("relax.sum", { axis: [0] })).toEqual([]);
  });
});
