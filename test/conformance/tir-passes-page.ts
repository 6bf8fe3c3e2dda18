// `pnpm docs:tir-passes`: writes docs/tir-passes.md, the passes of TensorIR against upstream's list.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tirPasses } from "@verticil/tir";

/** Upstream's passes (v0.20): its default pipeline in order, what it runs on host and device code after it, and the rest. */
const upstream: readonly (readonly [group: string, names: string])[] = [
  [
    "Default pipeline, in order",
    "LowerCrossThreadReduction LowerInitBlock PlanAndUpdateBufferAllocationLocation ConvertBlocksToOpaque LiftThreadBinding ManifestSharedMemoryLocalStage CompactBufferAllocation LowerAutoCopy UnifyThreadBinding LowerMatchBuffer Simplify InjectPermutedLayout InjectSoftwarePipeline TransformMmaBufferLayout LowerOpaqueBlock FlattenBuffer BF16ComputeLegalize NarrowDataType LoopPartition VectorizeLoop InjectVirtualThread InjectDoubleBuffer StorageRewrite LowerAsyncDMA HoistIfThenElse UnrollLoop RenormalizeSplitPattern RemoveNoOp RewriteUnsafeSelect InstrumentBoundCheckers InjectPTXLDG32 CommonSubexprElimTIR InstrumentProfileIntrinsics FP8ComputeLegalize VerifyVTCMLimit LowerVtcmAlloc VerifyMemory AnnotateEntryFunc ThreadSync InferFragment LowerThreadAllreduce InjectPTXAsyncCopy AnnotateDeviceRegions SplitHostDevice MergeSharedMemoryAllocations MakePackedAPI FP8StorageLegalize BF16StorageLegalize LowerDeviceKernelLaunch",
  ],
  ["Host and device code", "LowerTVMBuiltin LowerCustomDatatypes LowerIntrin LowerDeviceStorageAccessInfo CombineContextCall LowerWarpMemory"],
  [
    "Outside of the default pipeline",
    "InjectRollingBuffer InlinePrivateFunctions PointerValueTypeRewrite ReduceBranchingThroughOvercompute RemoveAssume RemoveStoreUndef ConvertSSA MakeUnpackedAPI DecorateDeviceScope SkipAssert LegalizePackedCalls ForceNarrowIndexToInt32 HoistExpression ConvertForLoopsToSerial ExtractPrimFuncConstants BindTarget Filter RemoveWeightLayoutRewriteBlock DefaultGPUSchedule UseAssumeToReduceBranches",
  ],
];

/** Why a pass is not there. */
const reasons: ReadonlyMap<string, string> = new Map([
  ...list("CUDA only", "InjectPermutedLayout TransformMmaBufferLayout InjectPTXLDG32 InferFragment InjectPTXAsyncCopy LowerWarpMemory ManifestSharedMemoryLocalStage LowerAutoCopy InjectSoftwarePipeline"),
  ...list("Hexagon only", "LowerAsyncDMA VerifyVTCMLimit LowerVtcmAlloc InstrumentProfileIntrinsics"),
  ...list("the host is JavaScript: no packed-function ABI", "MakePackedAPI MakeUnpackedAPI LowerTVMBuiltin CombineContextCall LegalizePackedCalls LowerDeviceStorageAccessInfo"),
  ...list("`OOBChecker` proves bounds, and the interpreter checks them", "InstrumentBoundCheckers"),
  ...list("no types beyond the built-in ones", "LowerCustomDatatypes"),
  ...list("constants are the graph's, and the artifact's", "ExtractPrimFuncConstants"),
  ...list("weights are packed by `PackConstants`", "RemoveWeightLayoutRewriteBlock"),
  ...list("works on `BufferRealize`, which te schedules made; the primitive `rolling_buffer` does it on blocks", "InjectRollingBuffer"),
  ...list("made for Hexagon's padded layouts; `PeelGuards` and `UnswitchLoops` take branches of padding out of loops", "ReduceBranchingThroughOvercompute UseAssumeToReduceBranches"),
]);

function list(reason: string, names: string): readonly (readonly [string, string])[] {
  return names.split(" ").map((name) => [name, reason]);
}

/** Files that hold a pass under another name than its own. */
const files: ReadonlyMap<string, string> = new Map([
  ["HoistIfThenElse", "hoist-expression"],
  ["BF16ComputeLegalize", "compute-legalize"],
  ["FP8ComputeLegalize", "compute-legalize"],
  ["BF16StorageLegalize", "storage-legalize"],
  ["FP8StorageLegalize", "storage-legalize"],
  ["VerifyMemory", "verify-memory-pass"],
  ["CommonSubexprElimTIR", "common-subexpr-elim"],
  ["ConvertSSA", "convert-ssa"],
  ["DefaultGPUSchedule", "default-gpu-schedule"],
]);

function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2").toLowerCase();
}

/** The text of the page, from the passes there are and the files beside them. */
export function tirPassesPage(root: string): string {
  const folder = "packages/tir/src/transform";
  const tests = readdirSync(join(root, folder)).filter((f) => f.endsWith(".test.ts"));
  const imports = new Map(tests.map((t) => [t, readFileSync(join(root, folder, t), "utf8")]));
  const link = (file: string): string => `[${file.split("/").at(-1)}](../${file})`;
  const row = (name: string): readonly [ours: boolean, text: string] => {
    const file = files.get(name) ?? kebab(name);
    const source = `${folder}/${file}.ts`;
    const ours = tirPasses.has(name) || (name === "LowerIntrin" && existsSync(join(root, source)));
    const reason = reasons.get(name);
    if (!ours && reason === undefined) throw new Error(`\`${name}\` is not here, and the page has no reason.`);
    if (!ours) return [false, `| \`${name}\` | — | ${reason} |`];
    const test = tests.toSorted((a, b) => Number(b === `${file}.test.ts`) - Number(a === `${file}.test.ts`)).find((t) => imports.get(t)?.includes(`from "./${file}.ts"`) === true);
    if (test === undefined) throw new Error(`No test imports \`${source}\`, which is \`${name}\`.`);
    return [true, `| \`${name}\` | ${link(source)} | ${link(`${folder}/${test}`)} |`];
  };
  const sections = upstream.map(([group, names]) => {
    const rows = names.split(" ").map(row);
    const count = rows.filter(([ours]) => ours).length;
    return { count, total: rows.length, text: [`## ${group} (${count} of ${rows.length})`, "", "| pass | ours | test, or why not |", "| --- | --- | --- |", ...rows.map(([, text]) => text)].join("\n") };
  });
  const known = new Set(upstream.flatMap(([, names]) => names.split(" ")));
  const own = [...tirPasses.keys()].filter((name) => !known.has(name));
  const [count, total] = [sections.reduce((n, s) => n + s.count, 0), sections.reduce((n, s) => n + s.total, 0)];
  return [
    "# Passes over tensor programs",
    "",
    `${count} of upstream's ${total} passes (v0.20) are here, by its names and with its options. The page is written by \`pnpm docs:tir-passes\`; \`pnpm conformance:tir DIR --only transform\` replays upstream's tests of them.`,
    "",
    ...sections.flatMap((s) => [s.text, ""]),
    "## Our own",
    "",
    ...own.map((name) => `- \`${name}\``),
    "",
  ].join("\n");
}

if (process.argv[1]?.endsWith("tir-passes-page.ts") === true) writeFileSync("docs/tir-passes.md", tirPassesPage("."));
