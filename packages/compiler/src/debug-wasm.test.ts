import { SourceMap } from "node:module";
import { tensorFrom } from "@verticil/runtime-ffi";
import { parse } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { compile, type Executable } from "./compile.ts";
import { scriptDialects } from "./compile-context.ts";

const module = parse(
  `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")) -> R.Tensor((2, 3), "float32"):
        with R.dataflow():
            a = R.nn.relu(x)
            b = R.nn.softmax(a)
            R.output(b)
        return b
`,
  { dialects: scriptDialects },
);

async function run(executable: Executable): Promise<readonly number[]> {
  const model = await executable.load();
  const [output] = Object.values(await model.run({ x: tensorFrom([-1, 0, 1, 2, -3, 4], [2, 3], "float32") }));
  model.dispose();
  return Array.from({ length: 6 }, (_, i) => Number(output?.data[i]));
}

it("a debug build computes the same, and brings its programs and the way to them along", async () => {
  const [plain, debug] = [await compile(module, { name: "small" }), await compile(module, { name: "small", debug: true })];
  expect(await run(debug)).toEqual(await run(plain));
  expect([...debug.files.keys()].filter((name) => !plain.files.has(name))).toEqual(["small.py", "small.wasm.map"]);
});

it("every place that the map names is a statement of the program", async () => {
  const { files } = await compile(module, { name: "small", debug: true });
  const text = String(files.get("small.py"));
  const map: { readonly mappings: string } = JSON.parse(String(files.get("small.wasm.map")));
  const found = new Set<string>();
  const source = new SourceMap(JSON.parse(String(files.get("small.wasm.map"))));
  for (let at = 0; at < 20_000; at++) {
    const entry = source.findEntry(0, at);
    if ("originalLine" in entry) found.add(text.split("\n")[entry.originalLine]?.slice(entry.originalColumn) ?? "");
  }
  expect(map.mappings.length).toBeGreaterThan(0);
  expect([...found].filter((line) => !/^(for |if |while |with |[\w.]+(: T\..*)?( =|\[)|T\.|cls\.|Module\.)/.test(line))).toEqual([]);
});
