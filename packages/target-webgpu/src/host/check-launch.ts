import { webgpuLimits, type Reporter, type WebgpuTarget } from "@verticil/ir-core";
import type { webgpuDiagnostics } from "../diagnostics.ts";
import type { Launch } from "./launches.ts";

/** Reports a launch whose workgroups or whose grid are beyond the target's limits. */
export function checkLaunch(launch: Launch, target: WebgpuTarget, report: Reporter<typeof webgpuDiagnostics>): void {
  const limits = webgpuLimits(target);
  const most = [limits.maxComputeWorkgroupSizeX, limits.maxComputeWorkgroupSizeY, limits.maxComputeWorkgroupSizeZ];
  const threads = launch.group.reduce((a, b) => a * b, 1);
  if (launch.group.some((n, i) => n > (most[i] ?? 1)) || threads > limits.maxComputeInvocationsPerWorkgroup) {
    const limit = `${most.join("×")} and ${limits.maxComputeInvocationsPerWorkgroup} in all`;
    report("workgroup-too-large", { kernel: launch.name, size: launch.group.join("×"), limit }, launch.span);
  }
  if (launch.grid.some((n) => n > limits.maxComputeWorkgroupsPerDimension)) {
    report("grid-too-large", { kernel: launch.name, size: launch.grid.join("×"), limit: limits.maxComputeWorkgroupsPerDimension }, launch.span);
  }
}
