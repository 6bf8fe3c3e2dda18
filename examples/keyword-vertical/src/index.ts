export { keywordExtension } from "./keyword-extension.ts";
export { keywordPipeline } from "./keyword-pipeline.ts";
export { buildKeywordModel, buildKeywordFeatures, type KeywordHead } from "./keyword-model.ts";
export { fitHead, type Example, type FitOptions } from "./fit-head.ts";
export { keywordSpotter, type Heard, type KeywordSpotter, type SpotterOptions } from "./keyword-spotter.ts";
export { keywords, makeSound, samples, type Keyword } from "./sounds.ts";
