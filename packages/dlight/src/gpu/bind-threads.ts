import { webgpuLimits, type Target } from "@verticil/ir-core";
import type { LoopRV } from "@verticil/tir";
import { extentOf, type Work } from "../loop-sites.ts";

/** Threads of a workgroup where the device allows it: two wavefronts of most devices, one of the others. */
const GROUP = 64;

/** How threads may be grouped. */
export interface GridLimits {
  /** Threads of a workgroup. */
  readonly groupSize: number;
  /** Workgroups along one dimension of the grid. */
  readonly gridDimension: number;
}

/** The limits of a target's grid; a target that names none has the defaults of WebGPU. */
export function gridLimits(target: Target): GridLimits {
  const limits = webgpuLimits(target.kind === "webgpu" ? target : { kind: "webgpu", features: [], limits: {} });
  const groupSize = Math.min(GROUP, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  return { groupSize, gridDimension: limits.maxComputeWorkgroupsPerDimension };
}

/**
 * Gives each iteration of a nest of spatial loops a thread. A workgroup takes a factor of each loop, so that indices are
 * sums of what the group and what the thread chooses; where the extents have no such factors the loops are fused, and
 * the rest of the last workgroup does nothing. More workgroups than a dimension of the grid can hold take a second one.
 */
export function bindThreads(work: Work, loops: readonly LoopRV[], limits: GridLimits): void {
  const { sch } = work;
  const extents = loops.map((l) => extentOf(work, l));
  const factors = extents.every((e) => e !== undefined) ? groupFactors(extents, limits.groupSize) : undefined;
  if (factors === undefined) {
    const [groups, thread] = pair(sch.split(sch.fuse(loops), [undefined, limits.groupSize]));
    bindGroups(work, groups, limits);
    sch.bind(thread, "threadIdx.x");
    return;
  }
  const parts = loops.map((l, i) => pair(sch.split(l, [undefined, factors[i] ?? 1])));
  const [outer, inner] = [parts.map(([o]) => o), parts.map(([, i]) => i)];
  sch.reorder([...outer, ...inner]);
  const [groups, thread] = [sch.fuse(outer), sch.fuse(inner)];
  bindGroups(work, groups, limits);
  sch.bind(thread, "threadIdx.x");
}

function bindGroups(work: Work, groups: LoopRV, limits: GridLimits): void {
  const { sch } = work;
  const count = extentOf(work, groups) ?? 1;
  if (count <= limits.gridDimension) {
    sch.bind(groups, "blockIdx.x");
    return;
  }
  const width = divisors(count).findLast((d) => d <= limits.gridDimension) ?? 1;
  const whole = count / width <= limits.gridDimension;
  const [row, block] = pair(sch.split(groups, [undefined, whole ? width : limits.gridDimension]));
  sch.bind(row, "blockIdx.y");
  sch.bind(block, "blockIdx.x");
}

/**
 * A factor of each extent whose product is the size of a workgroup: the largest there is, inner loops first, because
 * their iterations are neighbours in memory. Undefined if a workgroup would stay almost empty.
 */
export function groupFactors(extents: readonly number[], most: number): readonly number[] | undefined {
  const search = (i: number, room: number): readonly number[] => {
    const extent = extents[i];
    if (extent === undefined) return [];
    let best: readonly number[] = [];
    for (const d of divisors(extent).reverse()) {
      if (d > room) continue;
      const found = [...search(i - 1, Math.floor(room / d)), d];
      if (best.length === 0 || product(found) > product(best)) best = found;
    }
    return best;
  };
  const factors = search(extents.length - 1, most);
  const enough = Math.min(most / 4, product(extents));
  return product(factors) >= enough ? factors : undefined;
}

function divisors(n: number): number[] {
  const low: number[] = [];
  const high: number[] = [];
  for (let d = 1; d * d <= n; d++) {
    if (n % d !== 0) continue;
    low.push(d);
    if (d * d !== n) high.unshift(n / d);
  }
  return [...low, ...high];
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a * b, 1);
}

function pair(loops: readonly LoopRV[]): readonly [LoopRV, LoopRV] {
  const [outer, inner] = loops;
  if (outer === undefined || inner === undefined) throw new Error("internal: a split made no two loops");
  return [outer, inner];
}
