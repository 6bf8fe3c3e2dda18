import { Diagnostics, makeGlobalVar, makeIRModule, passContext, SourceText, type Span, wellFormedInstrument, runPass, definePass } from "@verticil/ir-core";
import { expect, test } from "vitest";
import { makeVar } from "../ir/make-expr.ts";
import { makeBuffer, makeBufferStore, makeFor, makePrimFunc, makeSeq } from "../ir/make-stmt.ts";
import { constant } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { moduleOf } from "../transform/testing/expect-pass.ts";
import { diagnose } from "./testing/diagnose.ts";
import { tirWellFormed, verifyWellFormed } from "./verify-well-formed.ts";

/** A function with one buffer of 8 elements, around a body that is made with it. */
function around(body: (b: ReturnType<typeof makeBuffer>) => Parameters<typeof makePrimFunc>[1]): ReturnType<typeof makePrimFunc> {
  const buffer = makeBuffer("A", [8], "int32");
  const a = makeVar("a", "handle");
  return makePrimFunc([a], body(buffer), { bufferMap: new Map([[a, buffer]]) });
}

function codes(func: ReturnType<typeof makePrimFunc>): readonly string[] {
  const diagnostics = new Diagnostics();
  verifyWellFormed(func, diagnostics);
  return diagnostics.all.map((d) => d.code.replace("tir/", ""));
}

test("a good program passes, symbolic shapes, threads and matches included", () => {
  const script = `
@T.prim_func
def main(a: T.handle, b: T.handle):
    n = T.int32()
    A = T.match_buffer(a, (n, 4), "float32")
    B = T.match_buffer(b, (n, 4), "float32")
    for bx in T.thread_binding(n, thread="blockIdx.x"):
        for tx in T.thread_binding(4, thread="threadIdx.x"):
            with T.block("copy"):
                vi, vj = T.axis.remap("SS", [bx, tx])
                s = T.int32()
                W = T.match_buffer(A[vi:vi + 1, 0:4], (1, 4), strides=[s, 1], offset_factor=1)
                t: T.float32 = W[0, vj]
                B[vi, vj] = t
`;
  expect(diagnose(script, verifyWellFormed)).toEqual([]);
});

test("a variable that nothing defines, and one that is used after its loop", () => {
  const i = makeVar("i", "int32");
  const stray = makeVar("stray", "int32");
  const func = around((b) =>
    makeSeq([
      makeFor(i, constant(0, "int32"), constant(8, "int32"), makeBufferStore(b, stray, [i])),
      makeBufferStore(b, constant(0, "int32"), [i]),
    ]),
  );
  expect(codes(func)).toEqual(["undefined-var", "out-of-scope-var"]);
});

test("a variable that two loops share, one after the other and one in the other", () => {
  const i = makeVar("i", "int32");
  const loop = (b: ReturnType<typeof makeBuffer>, body = makeBufferStore(b, i, [i]) as Parameters<typeof makeFor>[3]) => makeFor(i, constant(0, "int32"), constant(8, "int32"), body);
  expect(codes(around((b) => makeSeq([loop(b), loop(b)])))).toEqual(["repeated-definition"]);
  expect(codes(around((b) => loop(b, loop(b))))).toEqual(["nested-definition"]);
});

test("a loop's variable inside of a block that has variables of its own, with its line", () => {
  const script = `
@T.prim_func(check_well_formed=False)
def main(A: T.Buffer((8, 8), "int32")):
    for i, j in T.grid(8, 8):
        with T.block("b"):
            vi = T.axis.spatial(8, i)
            A[vi, j] = vi
`;
  expect(diagnose(script, verifyWellFormed).filter((d) => d.endsWith("@7"))).toEqual(["loop-var-in-block @7"]);
});

test("two variables for one thread axis", () => {
  const script = `
@T.prim_func
def main(A: T.Buffer((8,), "int32")):
    with T.launch_thread("threadIdx.x", 8) as x:
        with T.launch_thread("threadIdx.x", 8) as y:
            A[y] = x
`;
  expect(diagnose(script, verifyWellFormed)).toEqual(["thread-vars-differ @5"]);
  const kernels = `
@T.prim_func
def main(A: T.Buffer((8,), "int32")):
    with T.launch_thread("threadIdx.x", 8) as x:
        A[x] = 1
    with T.launch_thread("threadIdx.x", 4) as y:
        A[y] = 2
`;
  expect(diagnose(kernels, verifyWellFormed)).toEqual([]);
});

test("groups of threads that do not make up what they are groups of", () => {
  const script = (...lines: readonly string[]): string => `@T.prim_func\ndef main():\n    T.device_entry()\n${lines.map((l) => `    ${l}\n`).join("")}    T.evaluate(0)\n`;
  const check = (...lines: readonly string[]): readonly string[] => diagnose(script(...lines), verifyWellFormed);
  expect(check("T.cta_id([4, 2])", "T.cta_id_in_cluster([2, 2])", "T.cluster_id([2])", "T.thread_id([128])", "T.warp_id([4])")).toEqual([]);
  expect(check("T.cta_id([1])", "T.cta_id_in_cluster([2, 2])")).toEqual(["scope-ids-differ @4"]);
  expect(check("T.thread_id([100])", "T.warp_id([3])")).toEqual(["scope-ids-differ @4"]);
  expect(check("T.thread_id([128])", "T.warp_id([2])", "T.lane_id([32])")).toEqual(["scope-ids-differ @4"]);
  expect(check("T.thread_id()", "T.warp_id([2])", "T.lane_id([32])")).toEqual([]);
});

test("as an instrument it names the pass that broke the program", () => {
  const i = makeVar("i", "int32");
  const bad = makeIRModule(new Map([[makeGlobalVar("main"), around((b) => makeBufferStore(b, i, [i]))]]));
  const ctx = passContext({ instruments: [wellFormedInstrument([tirWellFormed])] });
  const script = "@T.prim_func\ndef main():\n    T.evaluate(0)\n";
  expect(() => runPass(definePass("Break", () => bad), moduleOf(script), ctx)).toThrow("After Break: Invalid use of undefined variable `i`");
});

test("every definition that is wrong has its place", () => {
  const source = new SourceText("nodes", "first second store");
  const at = (word: string): Span => ({ source, start: source.text.indexOf(word), end: source.text.indexOf(word) + word.length });
  const [i, stray] = [makeVar("i", "int32"), makeVar("stray", "int32")];
  const loop = (word: string, body: Stmt): Stmt => makeFor(i, constant(0, "int32"), constant(8, "int32"), body, { span: at(word) });
  const store = (b: ReturnType<typeof makeBuffer>, v: typeof i): Stmt => makeBufferStore(b, v, [v], undefined, at("store"));
  const places = (func: ReturnType<typeof makePrimFunc>): readonly string[] => {
    const diagnostics = new Diagnostics();
    verifyWellFormed(func, diagnostics);
    return diagnostics.all.map((d) => `${d.code}: ${d.span?.source.text.slice(d.span.start, d.span.end) ?? "nowhere"}`);
  };
  expect(places(around((b) => store(b, stray)))).toEqual(["tir/undefined-var: store"]);
  expect(places(around((b) => makeSeq([loop("first", store(b, i)), store(b, i)])))).toEqual(["tir/out-of-scope-var: store"]);
  expect(places(around((b) => makeSeq([loop("first", store(b, i)), loop("second", store(b, i))])))).toEqual(["tir/repeated-definition: second"]);
  expect(places(around((b) => loop("first", loop("second", store(b, i)))))).toEqual(["tir/nested-definition: second"]);
});
