import { applyDefaultSchedule, cpuRules } from "@verticil/dlight";
import { didYouMean, type Pass } from "@verticil/ir-core";
import {
  allocateWorkspace,
  annotateTIROpPattern,
  callTIRRewrite,
  canonicalizeBindings,
  convertLayout,
  deadCodeElimination,
  decomposeOpsForInference,
  eliminateCommonSubexpr,
  foldBatchnormToConv2D,
  foldConstant,
  fuseOps,
  fuseTIR,
  legalizeOps,
  lowerStaticMain,
  promoteFloat16,
  removePurityChecking,
  rewriteDataflowReshape,
  staticPlanBlockMemory,
  toNonDataflow,
} from "@verticil/relax";
import { wasmIntrinRules } from "@verticil/target-wasm";
import { lowerTir, tirPasses } from "@verticil/tir";
import { wasmLayouts, wasmPipeline } from "./wasm-pipeline.ts";

/** An option of a pass as it is written on a command line. */
export type PassOption = number | string | boolean;

/** Makes a pass from options by upstream's names. @throws RangeError for an option that the pass does not have. */
export type PassFactory = (options: Readonly<Record<string, PassOption>>) => Pass;

const plain =
  (name: string, make: () => Pass): PassFactory =>
  (options) => {
    takeOptions(name, options, []);
    return make();
  };

/** Passes by upstream's name, for the command line. */
export const passRegistry: ReadonlyMap<string, PassFactory> = new Map<string, PassFactory>([
  ["CanonicalizeBindings", plain("CanonicalizeBindings", canonicalizeBindings)],
  ["FoldConstant", plain("FoldConstant", () => foldConstant())],
  ["FoldBatchnormToConv2D", plain("FoldBatchnormToConv2D", foldBatchnormToConv2D)],
  ["DecomposeOpsForInference", plain("DecomposeOpsForInference", decomposeOpsForInference)],
  ["PromoteFloat16", plain("PromoteFloat16", promoteFloat16)],
  ["ConvertLayout", plain("ConvertLayout", () => convertLayout(wasmLayouts))],
  [
    "EliminateCommonSubexpr",
    (options) => {
      const { call_only: callOnly } = takeOptions("EliminateCommonSubexpr", options, ["call_only"]);
      return eliminateCommonSubexpr({ callOnly: callOnly === true });
    },
  ],
  ["DeadCodeElimination", plain("DeadCodeElimination", () => deadCodeElimination())],
  ["LegalizeOps", plain("LegalizeOps", () => legalizeOps())],
  ["AnnotateTIROpPattern", plain("AnnotateTIROpPattern", annotateTIROpPattern)],
  [
    "FuseOps",
    (options) => {
      const taken = takeOptions("FuseOps", options, ["fuse_opt_level", "max_depth", "max_function_args"]);
      return fuseOps({
        ...(typeof taken["fuse_opt_level"] === "number" ? { fuseOptLevel: taken["fuse_opt_level"] } : {}),
        ...(typeof taken["max_depth"] === "number" ? { maxDepth: taken["max_depth"] } : {}),
        ...(typeof taken["max_function_args"] === "number" ? { maxFunctionArgs: taken["max_function_args"] } : {}),
      });
    },
  ],
  ["FuseTIR", plain("FuseTIR", fuseTIR)],
  ["RewriteDataflowReshape", plain("RewriteDataflowReshape", rewriteDataflowReshape)],
  ["ApplyDefaultSchedule", plain("ApplyDefaultSchedule", () => applyDefaultSchedule(cpuRules))],
  ["ToNonDataflow", plain("ToNonDataflow", toNonDataflow)],
  ["RemovePurityChecking", plain("RemovePurityChecking", removePurityChecking)],
  ["CallTIRRewrite", plain("CallTIRRewrite", callTIRRewrite)],
  ["AllocateWorkspace", plain("AllocateWorkspace", allocateWorkspace)],
  ["StaticPlanBlockMemory", plain("StaticPlanBlockMemory", staticPlanBlockMemory)],
  ["LowerStaticMain", plain("LowerStaticMain", lowerStaticMain)],
  ["LowerTIR", plain("LowerTIR", () => lowerTir({ intrinRules: wasmIntrinRules }))],
  ["WasmPipeline", plain("WasmPipeline", wasmPipeline)],
  ...[...tirPasses].map(([name, { params, make }]): [string, PassFactory] => [name, (options) => make(takeOptions(name, options, params))]),
]);

function takeOptions(name: string, options: Readonly<Record<string, PassOption>>, allowed: readonly string[]): Readonly<Record<string, PassOption>> {
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) {
      throw new RangeError(`\`${name}\` has no option \`${key}\`; it has ${allowed.length === 0 ? "none" : allowed.join(", ")}.`);
    }
  }
  return options;
}

/**
 * Passes from text such as `FuseOps(fuse_opt_level=2),FuseTIR`.
 * @throws RangeError that names what could not be read, and the nearest name there is.
 */
export function parsePasses(text: string): readonly Pass[] {
  const passes: Pass[] = [];
  const pattern = /\s*([A-Za-z]\w*)\s*(?:\(([^()]*)\))?\s*(,|$)/y;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new RangeError(`\`${text.slice(from)}\` is not a list of passes such as \`FuseOps(fuse_opt_level=2),FuseTIR\`.`);
    const name = match[1] ?? "";
    const make = passRegistry.get(name);
    if (make === undefined) {
      const near = didYouMean(name, passRegistry.keys());
      throw new RangeError(`There is no pass \`${name}\`.${near === undefined ? "" : ` Did you mean \`${near}\`?`}`);
    }
    passes.push(make(parseOptions(match[2] ?? "")));
  }
  return passes;
}

function parseOptions(text: string): Readonly<Record<string, PassOption>> {
  const out: Record<string, PassOption> = {};
  for (const part of text.split(",").map((p) => p.trim()).filter((p) => p !== "")) {
    const [key, value] = part.split("=").map((s) => s.trim());
    if (key === undefined || value === undefined || key === "") throw new RangeError(`\`${part}\` is not an option such as \`fuse_opt_level=2\`.`);
    out[key] = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : /^true$/i.test(value) ? true : /^false$/i.test(value) ? false : value.replace(/^(['"])(.*)\1$/, "$2");
  }
  return out;
}
