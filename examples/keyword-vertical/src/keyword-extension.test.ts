import { compileContext, parsePasses, passRegistryWith, scriptDialectsWith } from "@verticil/compiler";
import { firstMismatch, sequential, type IRModule } from "@verticil/ir-core";
import { parse, print, roundTripInstrument } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { keywordExtension } from "./keyword-extension.ts";
import { keywordPipeline } from "./keyword-pipeline.ts";

const extensions = [keywordExtension];
const dialects = scriptDialectsWith(extensions);
const read = (body: string): IRModule =>
  parse(
    `
@I.ir_module
class Module:
    @R.function
    def main(pcm: R.Tensor((1024,), dtype="float32")):
        with R.dataflow():
            ${body.trim().split("\n").map((l) => l.trim()).join("\n            ")}
            R.output(out)
        return out
`,
    { dialects },
  );

test("its operators are read and printed by name, and know their results", () => {
  const module = read(`
    power = kws.power_spectrum(pcm, frame_length=128, hop=64)
    out = kws.mel_bands(power, bands=10)`);
  const text = print(module, { dialects });
  expect(text).toContain('power: R.Tensor((15, 64), dtype="float32") = kws.power_spectrum(pcm, frame_length=128, hop=64, preemphasis=0.0)');
  expect(text).toContain('out: R.Tensor((15, 10), dtype="float32") = kws.mel_bands(power, rate=8000.0, bands=10)');
  expect(firstMismatch(parse(text, { dialects }), module, { dialects })?.path).toBeUndefined();
});

test.each([
  ["out = kws.power_spectrum(pcm, frame_length=2048)", "has frames of 2048 samples, and the signal only 1024."],
  ["out = kws.power_spectrum(pcm, frame_length=255)", "needs an even `frame_length`, not 255."],
  ["out = kws.mel_bands(pcm)", "has 2 dimensions, not 1"],
  ["out = kws.power_spectrum(pcm, hops=3)", "has no attribute `hops`"],
  ["a = R.astype(pcm, \"float16\")\nout = kws.preemphasis(a)", "A signal holds float32 samples, not float16."],
])("what does not fit is refused: %s", (body, message) => {
  expect(() => read(body)).toThrow(message);
});

test("pre-emphasis goes into the spectrum, by the pass's name", () => {
  const before = read(`
    loud = kws.preemphasis(pcm, coefficient=0.9)
    out = kws.power_spectrum(loud, frame_length=128)`);
  const expected = read("out = kws.power_spectrum(pcm, frame_length=128, preemphasis=0.9)");
  const passes = parsePasses("FoldPreemphasis,DeadCodeElimination", passRegistryWith(extensions));
  const after = sequential("test", passes).run(before, compileContext({}, extensions));
  expect(firstMismatch(after, expected, { dialects })?.path).toBeUndefined();
});

test("a spectrum that is pre-emphasised already stays as it is", () => {
  const module = read(`
    loud = kws.preemphasis(pcm)
    out = kws.power_spectrum(loud, preemphasis=0.5)`);
  const after = sequential("test", parsePasses("FoldPreemphasis", passRegistryWith(extensions))).run(module, compileContext({}, extensions));
  expect(after).toBe(module);
});

test("after every pass of the pipeline the module still is what its text says", () => {
  const names: string[] = [];
  const watch = { name: "names", runAfter: (pass: { readonly name: string }) => void names.push(pass.name) };
  const ctx = compileContext({ instruments: [roundTripInstrument(dialects), watch] }, extensions);
  const small = read(`
    loud = kws.preemphasis(pcm)
    power = kws.power_spectrum(loud, frame_length=32, hop=16)
    out = kws.mel_bands(power, bands=4)`);
  keywordPipeline().run(small, ctx);
  expect(names).toContain("FoldPreemphasis");
}, 60_000);
