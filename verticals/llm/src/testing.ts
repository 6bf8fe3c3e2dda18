export { tinyConfig, tinySafetensors, tinyTensors } from "./testing/tiny-llama.ts";
export { tinyGguf, tinyMetadata, writeGguf, type PlainValue } from "./testing/write-gguf.ts";
