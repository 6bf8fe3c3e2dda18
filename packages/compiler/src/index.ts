export { compareReference } from "./compare-reference.ts";
export { makeArtifact, type Artifact, type ArtifactOptions } from "./artifact.ts";
export { compareTargets, type Comparison, type CompareOptions, type CompareTarget, type ValueComparison } from "./compare-targets.ts";
export { compile, type CompileOptions, type Executable } from "./compile.ts";
export { compileContext, defaultDialects, scriptDialects, scriptDialectsWith, type Extension } from "./compile-context.ts";
export { countOps } from "./count-ops.ts";
export { fusionPhase, graphPhase, kernelPhase, memoryPhase, wasmLayouts, wasmPipeline } from "./wasm-pipeline.ts";
export { passRegistry, passRegistryWith, parsePasses } from "./pass-registry.ts";
export { wellFormedChecks } from "./well-formed.ts";
