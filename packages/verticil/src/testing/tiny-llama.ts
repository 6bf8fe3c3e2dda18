import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tinyConfig, tinyMetadata, tinySafetensors } from "@verticil/llm/testing";

/** Writes a small language model with seeded weights as a folder of its configuration, weights and vocabulary. */
export async function writeTinyLlama(folder: string): Promise<void> {
  const list = (key: string): unknown => tinyMetadata[`tokenizer.ggml.${key}`];
  const scores = Array.from({ length: 48 }, (_, i) => -i);
  await mkdir(folder);
  await writeFile(join(folder, "config.json"), JSON.stringify(tinyConfig));
  await writeFile(join(folder, "model.safetensors"), tinySafetensors());
  await writeFile(join(folder, "vocab.json"), JSON.stringify({ tokens: list("tokens"), types: list("token_type"), scores }));
}
