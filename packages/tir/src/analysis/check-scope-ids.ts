import type { Reporter } from "@verticil/ir-core";
import type { IterVar } from "../ir/expr.ts";
import type { AttrStmt } from "../ir/stmt.ts";
import type { analysisDiagnostics } from "./diagnostics.ts";

/** What is counted by groups, how many groups there are, and how many are in each. */
const GROUPS: readonly (readonly [whole: string, groups: string, inEach: string])[] = [
  ["cta_id", "cluster_id", "cta_id_in_cluster"],
  ["thread_id", "warp_id", "lane_id"],
  ["thread_id", "warpgroup_id", "thread_id_in_wg"],
  ["warp_id", "warpgroup_id", "warp_id_in_wg"],
];

/** Reports groups of threads whose sizes, where they are known, do not make up what they are groups of. */
export function checkScopeIds(ids: readonly AttrStmt[], report: Reporter<typeof analysisDiagnostics>): void {
  const sizes = new Map<string, bigint>();
  const places = new Map<string, AttrStmt>();
  for (const s of ids) {
    const { threadTag, dom } = s.node as IterVar;
    const [scope = ""] = threadTag.split(".");
    if (dom?.extent.kind !== "ir.IntImm") continue;
    sizes.set(scope, (sizes.get(scope) ?? 1n) * BigInt(dom.extent.value));
    places.set(scope, s);
  }
  for (const [whole, ...parts] of GROUPS) {
    const total = sizes.get(whole);
    const known = parts.filter((p) => sizes.has(p));
    if (total === undefined || known.length === 0) continue;
    const product = known.reduce((n, p) => n * (sizes.get(p) ?? 1n), 1n);
    const fits = known.length === 2 ? product === total : product > 0n && total % product === 0n;
    if (!fits) report("scope-ids-differ", { whole, total, parts: known.map((p) => `\`T.${p}\` (${sizes.get(p)})`).join(" and ") }, places.get(whole)?.span);
  }
}
