import type { Target } from "@verticil/ir-core";

/** A target as one text: its kind, and what of it a schedule depends on. What vectors it uses belongs to the engine. */
export function targetKey(target: Target): string {
  return target.kind === "wasm" ? `wasm threads=${target.threads}` : target.kind;
}
