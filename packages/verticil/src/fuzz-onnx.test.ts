import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "@verticil/compiler";
import { DiagnosticError } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import { FfiError } from "@verticil/runtime-ffi";
import { layer } from "./testing/small-model.ts";

// `VERTICIL_FUZZ_RUNS=100000 VERTICIL_FUZZ_SEED=7 pnpm fuzz:onnx` looks further; a failure prints its seed and the
// smallest change that makes it.
const seed = Number(process.env["VERTICIL_FUZZ_SEED"] ?? 1);
const numRuns = Number(process.env["VERTICIL_FUZZ_RUNS"] ?? 1000);

/** Longest that a damaged file of some 200 bytes may take, in milliseconds; a loaded machine included. */
const LIMIT = 20_000;

test("a damaged ONNX file is compiled or refused with an explanation, in bounded time", async () => {
  const good = layer();
  const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 3 }), fc.option(fc.nat(good.length), { nil: good.length, freq: 1 }), async (changes, length) => {
      const bytes = good.slice(0, length);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const started = performance.now();
      try {
        await compile(importOnnx(bytes));
      } catch (error) {
        if (!(error instanceof DiagnosticError || error instanceof FfiError)) throw error;
      }
      expect(performance.now() - started).toBeLessThan(LIMIT);
    }),
    { seed, numRuns },
  );
}, 600_000);
