import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { BlockBuilder, makeConstant, makeShapeExpr, makeTensorStructInfo, makeVar, relaxOps } from "@verticil/relax";
import { randomTensor, usesRelaxedSimd, type Tensor } from "@verticil/runtime-ffi";
import { loadModelFrom } from "@verticil/runtime-ffi/node";
import { expect, test } from "vitest";
import { compile, type Executable } from "./compile.ts";
import { writeArtifact } from "./write-artifact.ts";

/** `x · w`, or `x + w` where no product is added to anything. */
function layer(op: "relax.matmul" | "relax.add"): Promise<Executable> {
  const bb = new BlockBuilder({ ops: relaxOps });
  const x = makeVar("x", makeTensorStructInfo(makeShapeExpr([16, 16]), "float32"));
  bb.function("main", [x], () => bb.dataflow(() => bb.emitOutput(bb.callOp(op, [x, makeConstant(randomTensor({ shape: [16, 16], dtype: "float32" }, 3))]))));
  return compile(bb.finalize(), { name: "layer" });
}

test("a second variant of the code is kept only where it differs", async () => {
  expect([...(await layer("relax.matmul")).files.keys()]).toEqual(["artifact.json", "layer.wasm", "layer.relaxed.wasm", "layer.safetensors", "layer.js", "layer.d.ts"]);
  const plain = await layer("relax.add");
  expect([...plain.files.keys()]).not.toContain("layer.relaxed.wasm");
  expect(plain.files.get("layer.js")).not.toContain("relaxed");
});

test("the variant that the engine takes is loaded, in this process, from a folder and by the artifact's module", async () => {
  // Older engines have relaxed SIMD behind a flag; newer ones know the flag no more and need none.
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  expect(usesRelaxedSimd()).toBe(true);
  const executable = await layer("relax.matmul");
  if (executable.kind !== "static") throw new Error("The sizes are fixed.");
  const folder = await mkdtemp(join(tmpdir(), "relaxed-"));
  try {
    await writeArtifact(executable, folder);
    const x = randomTensor({ shape: [16, 16], dtype: "float32" }, 1);
    const loaded = [await executable.load({ simd: "128" }), await executable.load(), await loadModelFrom(folder), await loadModelFrom(folder, { simd: "128" })];
    expect(loaded.map((m) => m.capabilities.simd)).toEqual(["128", "relaxed", "relaxed", "128"]);
    const [plain, ...others] = loaded.map((m) => (Object.values(m.runSync({ x }))[0] as Tensor).data as Float32Array);
    for (const other of others) {
      for (const [i, v] of other.entries()) expect(v).toBeCloseTo(plain?.[i] ?? NaN, 5);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(String(executable.files.get("layer.js"))).toContain('usesRelaxedSimd(options);\n  const wasm = readBytes(relaxed ? new URL("./layer.relaxed.wasm", import.meta.url) : new URL("./layer.wasm", import.meta.url), options);');
});
