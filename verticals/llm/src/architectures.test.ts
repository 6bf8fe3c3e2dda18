import { FfiError, tensorFrom, writeSafetensors } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { importGguf, importSafetensors, type Architecture } from "./architectures.ts";
import { tinyConfig, tinySafetensors, tinyTensors } from "./testing/tiny-llama.ts";
import { tinyGguf } from "./testing/write-gguf.ts";

function problem(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    if (e instanceof FfiError) return `${e.kind}: ${e.message}`;
    throw e;
  }
  return "imported";
}

const json = (config: Readonly<Record<string, unknown>>): string => problem(() => importSafetensors({ ...tinyConfig, ...config }, [tinySafetensors()]));

test("a model from either kind of file has the three functions and the settings of its file", () => {
  for (const model of [importSafetensors(tinyConfig, [tinySafetensors()]), importGguf(tinyGguf("F32"))]) {
    const graphs = [...model.module.functions].filter(([, f]) => f.kind === "relax.Function");
    expect(graphs.map(([gv]) => gv.name)).toEqual(["createKVCache", "prefill", "decode"]);
    expect(model.info).toEqual({ vocabSize: 48, contextLength: 256, bosTokenId: 1, eosTokenIds: [2] });
  }
});

test("an architecture that is not known is named, with those that are", () => {
  expect(json({ model_type: "gpt2" })).toBe("unsupported: `config.json` names the architecture \"gpt2\", which is not known. Known are `llama`; give others with `architectures`.");
  expect(problem(() => importGguf(tinyGguf("F32", { metadata: { "general.architecture": "mamba" } })))).toBe(
    "unsupported: The GGUF file names the architecture \"mamba\", which is not known. Known are `llama`; give others with `architectures`.",
  );
  expect(json({ model_type: undefined })).toMatch(/^unsupported: `config.json` names the architecture nowhere/);
});

test("an architecture from outside is found by its name", () => {
  const own: Architecture = { name: "mine", fromSafetensors: () => importSafetensors(tinyConfig, [tinySafetensors()]), fromGguf: () => importGguf(tinyGguf("F32")) };
  expect(importSafetensors({ model_type: "mine" }, [], { architectures: [own] }).info.vocabSize).toBe(48);
});

test("settings that are missing, damaged or not built say so", () => {
  expect(json({ hidden_size: undefined })).toBe("invalid-input: `config.json` does not say `hidden_size`.");
  expect(json({ num_hidden_layers: -1 })).toBe("invalid-input: `config.json` gives `num_hidden_layers` as -1; a positive integer was expected.");
  expect(json({ vocab_size: 1e12 })).toMatch(/^invalid-input: `config.json` gives `vocab_size` as 1000000000000/);
  expect(json({ num_key_value_heads: 3 })).toBe("invalid-input: `config.json` has 4 query heads, which do not divide among 3 key heads.");
  expect(json({ rope_scaling: { rope_type: "yarn" } })).toBe('unsupported: `config.json` gives `rope_scaling` as {"rope_type":"yarn"}; only null is built so far.');
  expect(problem(() => importSafetensors([], []))).toBe("invalid-input: `config.json` is no JSON object.");
});

test("a tensor of another shape or none at all is named", () => {
  expect(json({ hidden_size: 64, num_attention_heads: 8, num_key_value_heads: 4 })).toBe(
    "invalid-input: The safetensors file gives `model.embed_tokens.weight` the shape [48, 32], but its configuration asks for [48, 64]. The two do not belong together.",
  );
  const some = new Map([...tinyTensors()].filter(([name]) => !name.includes("layers.1.mlp.up_proj")));
  expect(problem(() => importSafetensors(tinyConfig, [writeSafetensors(some)]))).toBe(
    "invalid-input: The safetensors file has no tensor `model.layers.1.mlp.up_proj.weight`. It is not of this architecture, or a part of it is missing.",
  );
  const gguf = tinyGguf("F32", { metadata: { "llama.feed_forward_length": 96 } });
  expect(problem(() => importGguf(gguf))).toBe(
    "invalid-input: The GGUF file gives `blk.0.ffn_gate.weight` the shape [64, 32], but its configuration asks for [96, 32]. The two do not belong together.",
  );
  const integers = new Map([...tinyTensors(), ["model.norm.weight", tensorFrom(new Array(32).fill(1), [32], "int32")] as const]);
  expect(problem(() => importSafetensors(tinyConfig, [writeSafetensors(integers)]))).toBe("unsupported: `model.norm.weight` is stored as int32; float32, float16 and bfloat16 are read.");
});

test("where there is no head, the embedding is the head", () => {
  const tied = new Map([...tinyTensors()].filter(([name]) => name !== "lm_head.weight"));
  expect(problem(() => importSafetensors(tinyConfig, [writeSafetensors(tied)]))).toBe("imported");
});
