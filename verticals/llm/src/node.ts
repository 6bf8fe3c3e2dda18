export { readLanguageModel, type LanguageModelFiles } from "./read-language-model.ts";
