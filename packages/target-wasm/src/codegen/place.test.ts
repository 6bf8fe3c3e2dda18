import { defaultWasmTarget } from "@verticil/ir-core";
import { tensorFrom, zeros } from "@verticil/runtime-ffi";
import { add, constant, le, makeBuffer, makeBufferLoad, makeBufferStore, makeFor, makeIfThenElse, makePrimFunc, makeRamp, makeSeq, makeVar, mul, toExpr } from "@verticil/tir";
import { expect, it } from "vitest";
import { buildWasm } from "../build-wasm.ts";
import { moduleOfFunc, runFunc } from "../testing/run-wasm.ts";
import { toWat } from "../testing/wat.ts";

it("a vector constant that is used between inner loops is made once, in front of all loops", async () => {
  const a = makeBuffer("a", [64], "float32");
  const b = makeBuffer("b", [4], "float32");
  const [i, k] = [makeVar("i"), makeVar("k")];
  const lanes = makeRamp(mul(i, 4), toExpr(1), 4);
  const whole = makeRamp(toExpr(0), toExpr(1), 4);
  const sum = makeFor(k, toExpr(0), toExpr(8), makeBufferStore(b, add(makeBufferLoad(b, [whole]), makeBufferLoad(a, [makeRamp(mul(k, 4), toExpr(1), 4)])), [whole]));
  const three = constant(3, "float32x4");
  const scale = makeBufferStore(a, add(mul(makeBufferLoad(b, [whole]), three), three), [lanes]);
  const params = [makeVar("a", "handle"), makeVar("b", "handle")];
  const func = makePrimFunc(params, makeFor(i, toExpr(0), toExpr(16), makeSeq([sum, scale])), {
    bufferMap: new Map([[params[0]!, a], [params[1]!, b]]),
  });
  const wat = await toWat(buildWasm(moduleOfFunc(func), defaultWasmTarget).bytes);
  expect(wat.match(/v128\.const/g)).toHaveLength(1);
  expect(wat.indexOf("v128.const")).toBeLessThan(wat.indexOf("loop"));
});

it("memory that a branch was the first to read is read anew in each iteration of a later loop", () => {
  const a = makeBuffer("a", [4], "float32");
  const b = makeBuffer("b", [4], "float32");
  const [i, j, k] = [makeVar("i"), makeVar("j"), makeVar("k")];
  const condition = le(makeBufferLoad(b, [toExpr(0)]), constant(0, "float32"));
  const first = makeFor(i, toExpr(0), toExpr(2), makeFor(j, toExpr(0), toExpr(2), makeIfThenElse(condition, makeBufferStore(b, makeBufferLoad(a, [j]), [i]))));
  const then = makeFor(k, toExpr(0), toExpr(4), makeBufferStore(b, makeBufferLoad(a, [k]), [k]));
  const params = [makeVar("a", "handle"), makeVar("b", "handle")];
  const func = makePrimFunc(params, makeSeq([first, then]), { bufferMap: new Map([[params[0]!, a], [params[1]!, b]]) });
  const out = zeros("float32", [4]);
  runFunc(func, [tensorFrom([1, 2, 3, 4], [4], "float32"), out]);
  expect([...out.data]).toEqual([1, 2, 3, 4]);
});
