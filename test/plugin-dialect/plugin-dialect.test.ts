import { compile, compileContext, parsePasses, passRegistryWith, scriptDialectsWith } from "@verticil/compiler";
import { DiagnosticError, firstMismatch, loadJson, lookupFunc, saveJson, sequential, structuralEqual, structuralHash, type IRModule } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { parse, print, roundTripInstrument } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { waveExtension } from "./extension.ts";

const extensions = [waveExtension];
const dialects = scriptDialectsWith(extensions);

const PROGRAM = `# from tvm.script import ir as I
# from wave import script as W
# from tvm.script import relax as R

@I.ir_module
class Module:
    @W.filter(private=True)
    def smooth(x: W.Signal(8)):
        return 0.25 * x[-1] + 0.5 * x[0] + 0.5 * (0.5 * x[1])

    @R.function
    def main(x: R.Tensor((8,), dtype="float32")) -> R.Tensor((8,), dtype="float32"):
        cls = Module
        with R.dataflow():
            y = R.call_tir(cls.smooth, (x,), out_sinfo=R.Tensor((8,), dtype="float32"))
            z: R.Tensor((8,), dtype="float32") = wave.rectify(y, gain=3.0)
            R.output(z)
        return z
`;

const read = (text: string): IRModule => parse(text, { dialects });

test("the dialect is parsed and printed beside the others", () => {
  const text = print(read(PROGRAM), { dialects, showAllStructInfo: false });
  expect(text).toContain("@W.filter(private=True)\n    def smooth(x: W.Signal(8)):\n        return 0.25 * x[-1] + 0.5 * x[0] + 0.5 * (0.5 * x[1])");
  expect(text).toContain("wave.rectify(y, gain=3.0)");
  expect(firstMismatch(read(PROGRAM), read(text), { dialects })?.path).toBeUndefined();
});

test("equality, hash and paths come from its table", () => {
  const renamed = PROGRAM.replaceAll("x[", "signal[").replace("x: W.Signal", "signal: W.Signal");
  expect(structuralEqual(read(PROGRAM), read(renamed), { dialects })).toBe(true);
  expect(structuralHash(read(PROGRAM), { dialects })).toBe(structuralHash(read(renamed), { dialects }));
  const other = read(PROGRAM.replace("x[1]", "x[2]"));
  expect(firstMismatch(read(PROGRAM), other, { dialects })?.path).toBe('functions["smooth"].body.b.value.value.offset');
});

test("it is saved and loaded", () => {
  const module = read(PROGRAM);
  const again = loadJson(saveJson(module, { dialects }), { dialects });
  expect(structuralEqual(module, again, { dialects })).toBe(true);
});

test("its errors are diagnostics with places", () => {
  const wrong = PROGRAM.replace("x[-1]", "x[x]").replace("W.Signal(8)", "W.Signl(8)");
  const error = (() => {
    try {
      read(wrong);
    } catch (e) {
      return e;
    }
    return undefined;
  })();
  expect(error).toBeInstanceOf(DiagnosticError);
  expect((error as Error).message).toContain("Did you mean `W.Signal`?");
  expect((error as Error).message).toContain("8 |     def smooth(x: W.Signl(8)):");
});

test("its passes are called by name, and every step survives its text form", () => {
  const ctx = compileContext({ instruments: [roundTripInstrument(dialects)] }, extensions);
  const registry = passRegistryWith(extensions);
  const simple = sequential("own", parsePasses("SimplifyWave", registry)).run(read(PROGRAM), ctx);
  expect(print(lookupFunc(simple, "smooth"), { dialects })).toContain("0.5 * x[0] + 0.25 * x[1]");
  const lowered = sequential("own", parsePasses("LowerWave,LegalizeOps", registry)).run(simple, ctx);
  expect([...lowered.functions].map(([gv, f]) => `${gv.name}: ${f.kind}`).sort()).toEqual(["main: relax.Function", "rectify: tir.PrimFunc", "smooth: tir.PrimFunc"]);
});

test("it is compiled and run", async () => {
  const executable = await compile(read(PROGRAM), { extensions, name: "wave" });
  const model = await executable.load();
  const x = [1, -2, 4, 0.5, -8, 3, 2, -1];
  const { output_0: out } = await model.run({ x: tensorFrom(x, [8], "float32") });
  const at = (i: number): number => x[Math.max(0, Math.min(7, i))] ?? 0;
  const expected = x.map((_, i) => 3 * Math.max(0, 0.25 * at(i - 1) + 0.5 * at(i) + 0.25 * at(i + 1)));
  expect([...(out!.data as Float32Array)]).toEqual(expected.map(Math.fround));
});
