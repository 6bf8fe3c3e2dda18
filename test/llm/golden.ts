// The whole reference text, interpreted: `pnpm llm:golden [--tokens N]`. CI runs its beginning, and all of it compiled.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { argmax, generate, importGguf, importSafetensors, interpretModel, Sequence } from "@verticil/llm";
import { fixture } from "../fixtures.ts";

const { values } = parseArgs({ options: { tokens: { type: "string", default: "150" } } });
const read = (path: string): Uint8Array => {
  const found = fixture(path);
  if (found === undefined) throw new Error(`The fixture \`${path}\` is not there. Name its folder with VERTICIL_FIXTURES.`);
  return readFileSync(found);
};
const json = (path: string): unknown => JSON.parse(new TextDecoder().decode(read(path)));

const folder = "models/stories260k";
const { prompt, greedy } = json("golden/stories260K_greedy.json") as { readonly prompt: readonly number[]; readonly greedy: readonly number[] };
const models = {
  safetensors: () => importSafetensors(json(`${folder}/config.json`), [read(`${folder}/model.safetensors`)]),
  "gguf f32": () => importGguf(read(`${folder}/stories260K.f32.gguf`)),
  "gguf f16": () => importGguf(read(`${folder}/stories260K.f16.gguf`)),
};
for (const [name, load] of Object.entries(models)) {
  const runner = interpretModel(load());
  const started = performance.now();
  const ids = [...generate(runner, new Sequence(runner), prompt, { sampler: argmax, maxTokens: Number(values.tokens) })];
  const wrong = ids.findIndex((id, i) => id !== greedy[i]);
  process.stdout.write(`${name}: ${wrong < 0 ? `${ids.length} tokens equal` : `token ${wrong} is ${ids[wrong]}, not ${greedy[wrong]}`}, ${Math.round(performance.now() - started)} ms\n`);
  if (wrong >= 0) process.exitCode = 1;
}
