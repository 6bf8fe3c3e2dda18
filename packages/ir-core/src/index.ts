export { assertNever } from "./assert-never.ts";
export { at } from "./at.ts";
export { contextEntry, contextKey, type ContextEntry, type ContextKey } from "./context-key.ts";
export {
  DiagnosticError,
  Diagnostics,
  diagnosticToJson,
  formatDiagnostic,
  throwIfErrors,
  type Catalogue,
  type Diagnostic,
  type DiagnosticDef,
  type JsonDiagnostic,
  type JsonSpan,
  type RelatedSpan,
  type MessageParams,
  type Reporter,
  type Severity,
} from "./diagnostics.ts";
export { didYouMean } from "./did-you-mean.ts";
export {
  nodeTable,
  type AnyKindSpec,
  type Category,
  type Dialect,
  type FieldTable,
  type KindEntry,
  type KindSpec,
  type NodeTable,
  type Role,
} from "./field-table.ts";
export {
  irDialect,
  irFields,
  makeFloatImm,
  makeFuncType,
  makeGlobalVar,
  makeIntImm,
  makeIRModule,
  makeOp,
  makePointerType,
  makePrimType,
  makeTupleType,
  makeVDevice,
  type BaseFunc,
  type DummyGlobalInfo,
  type FloatImm,
  type FuncType,
  type GlobalVar,
  type IntImm,
  type IRModule,
  type IrNode,
  type Op,
  type PointerType,
  type PrimType,
  type TupleType,
  type Type,
  type VDevice,
} from "./ir.ts";
export {
  findGlobalVar,
  lookupFunc,
  mapFunctions,
  withAttrs,
  withFunctions,
  withModuleAttrs,
} from "./module-access.ts";
export { isNode, type AttrMap, type AttrValue, type Node } from "./node.ts";
export {
  checkOptions,
  describeOption,
  type GivenOptions,
  type OptionDef,
  type OptionSchema,
  type OptionType,
  type OptionValue,
  type OptionValues,
} from "./pass-option.ts";
export { configOption, type ConfigOption, type PassConfig } from "./pass-config.ts";
export { makePassRegistry, parseOptionValue, parsePassList, passSpec, type PassRegistry, type PassSpec } from "./pass-registry.ts";
export {
  definePass,
  passContext,
  runPass,
  sequential,
  type AbortSignalLike,
  type Pass,
  type PassContext,
  type PassContextOptions,
  type PassInstrument,
} from "./pass.ts";
export { SourceText, type Span } from "./source-text.ts";
export {
  defaultWasmTarget,
  defaultWebgpuTarget,
  webgpuLimits,
  type CTarget,
  type ExternalTarget,
  type InterpTarget,
  type Target,
  type WasmTarget,
  type WebgpuLimits,
  type WebgpuTarget,
} from "./target.ts";
export { entryOf, fieldsOf, forEachChild, mapChildren, mapList, rewrite, walk } from "./visit.ts";
export { atPath, formatPath, isPathPrefix, type ObjectPath, type PathStep } from "./object-path.ts";
export { firstMismatch, structuralEqual, type Mismatch } from "./structural-equal.ts";
export { structuralHash } from "./structural-hash.ts";
export { completeTable, type StructuralOptions } from "./structural-options.ts";
export { fromJsonGraph, loadJson } from "./json-reader.ts";
export {
  saveJson,
  toJsonGraph,
  type JsonGraph,
  type JsonNode,
  type JsonOptions,
  type JsonValue,
} from "./json.ts";
export { loadObjects } from "./objects/load-objects.ts";
export { NO_SPAN, type AnyObjectForm, type ForeignObject, type GraphObject, type ObjectAttr, type ObjectAttrs, type ObjectForm, type ObjectReader } from "./objects/object-form.ts";
export { saveGraph } from "./objects/save-graph.ts";
export { saveObjects } from "./objects/save-objects.ts";
export { printInstrument, type PrintInstrumentOptions } from "./instruments/print.ts";
export { formatModuleDiff, moduleDiff, type ModuleDiff } from "./module-diff.ts";
export { formatPassChange, structuralDiffInstrument, type PassChange, type StructuralDiffInstrument } from "./instruments/structural-diff.ts";
export { timingInstrument, type PassTiming, type TimingInstrument } from "./instruments/timing.ts";
export { wellFormedInstrument, type WellFormedCheck } from "./instruments/well-formed.ts";
