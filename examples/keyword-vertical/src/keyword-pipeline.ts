import { fusionPhase, graphPhase, kernelPhase, memoryPhase } from "@verticil/compiler";
import { cpuRules } from "@verticil/dlight";
import { sequential, type Pass } from "@verticil/ir-core";
import { foldPreemphasis } from "./fold-preemphasis.ts";
import { framedProductRule } from "./framed-product-rule.ts";

/** The pipeline of this vertical: the standard phases, its own pass before them and its own rule before the others. */
export function keywordPipeline(): Pass {
  return sequential("keyword", [
    foldPreemphasis(),
    graphPhase(),
    fusionPhase(),
    kernelPhase([framedProductRule, ...cpuRules]),
    memoryPhase(),
  ]);
}
