import { elementCount, readSafetensors, tensorBytes } from "@verticil/runtime-ffi";
import { parse } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { scriptDialects } from "./compile-context.ts";
import { compile } from "./compile.ts";

// The peak that an artifact states is what its code takes: no byte above it is written, and none is stated for nothing.

/** A chain of layers of different widths; the second has to be kept until the fourth. */
function chain(widths: readonly number[]): string {
  const lines = widths.map((_, i) => {
    const product = `R.matmul(${i === 0 ? "x" : `y${i - 1}`}, w${i})`;
    return `            y${i} = ${i === 3 ? `R.add(y1, ${product})` : `R.nn.relu(${product})`}`;
  });
  const params = widths.map((w, i) => `w${i}: R.Tensor((${i === 0 ? 24 : widths[i - 1]}, ${w}), "float32")`);
  return `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((8, 24), "float32"), ${params.join(", ")}):
        with R.dataflow():
${lines.join("\n")}
            out = R.nn.softmax(y${widths.length - 1})
            R.output(out)
        return out
`;
}

interface Written {
  /** The end of the last byte of the arena that a run writes, in bytes. */
  readonly highest: number;
  /** True if a byte beside the arena changed. */
  readonly outside: boolean;
}

/** Runs a model's code over memory full of a pattern, twice with different ones: what differs from both was written. */
async function written(script: string): Promise<Written & { readonly arena: number }> {
  const executable = await compile(parse(script, { dialects: scriptDialects }), { name: "model" });
  if (executable.kind !== "static") throw new Error("internal: fixed shapes need no virtual machine");
  const { manifest, files } = executable;
  const { base, arena, params } = manifest.memory;
  const wasm = files.get(manifest.files.wasm.path) as Uint8Array<ArrayBuffer>;
  const { tensors } = readSafetensors(files.get(manifest.files.weights.path) as Uint8Array);
  const end = base + arena + params;
  const marks = [0xa5, 0x5a].map((pattern) => {
    const pages = Math.ceil(end / 65536) + 1;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const bytes = new Uint8Array(memory.buffer);
    bytes.fill(pattern, base);
    for (const { name, offset } of manifest.constants) {
      const t = tensors.get(name);
      if (t !== undefined) bytes.set(tensorBytes(t), base + arena + offset);
    }
    for (const v of manifest.inputs) bytes.fill(0, base + v.offset, base + v.offset + 4 * elementCount(v.shape));
    const before = bytes.slice();
    const { main } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } }).exports;
    (main as (arena: number, params: number) => void)(base, base + arena);
    const changed = (i: number): boolean => bytes[i] !== before[i];
    let highest = base + arena;
    while (highest > base && bytes[highest - 1] === pattern) highest--;
    return { highest: highest - base, outside: Array.from({ length: bytes.length - base - arena }, (_, i) => base + arena + i).some(changed) };
  });
  return { highest: Math.max(...marks.map((m) => m.highest)), outside: marks.some((m) => m.outside), arena };
}

test.each([
  ["equal layers", [32, 32, 32, 32, 32]],
  ["a wide layer in the middle", [16, 16, 200, 16, 8]],
  ["layers that shrink", [128, 64, 32, 64, 8]],
])("%s: the arena is written to its end and not beyond", async (_, widths) => {
  const { highest, outside, arena } = await written(chain(widths));
  expect(outside).toBe(false);
  // Values begin at multiples of 64 bytes.
  expect(arena - highest).toBeLessThan(64);
});
