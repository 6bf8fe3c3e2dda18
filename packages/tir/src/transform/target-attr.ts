import { isNode, type AttrMap, type AttrValue, type PassContext } from "@verticil/ir-core";
import type { PrimFunc } from "../ir/stmt.ts";

/** The target that a function is annotated with, `{ kind, host?, … }`; undefined if it is not. */
export function targetOf(func: PrimFunc): AttrMap | undefined {
  return asTarget(func.attrs["target"]);
}

/** An attribute's value as a target: a map, or the kind alone. */
export function asTarget(value: AttrValue | undefined): AttrMap | undefined {
  if (typeof value === "string") return { kind: value };
  if (value instanceof Map) return Object.fromEntries(value as ReadonlyMap<string, AttrValue>) as AttrMap;
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNode(value) ? (value as AttrMap) : undefined;
}

/** The host part of a target, or undefined. */
export function hostOf(target: AttrMap): AttrMap | undefined {
  return asTarget(target["host"]);
}

/** The target without its host. */
export function withoutHost(target: AttrMap): AttrMap {
  if (!("host" in target)) return target;
  return Object.fromEntries(Object.entries(target).filter(([key]) => key !== "host"));
}

/** The name of a target's kind; empty if it has none. */
export function targetKind(target: AttrMap): string {
  const kind = target["kind"];
  return typeof kind === "string" ? kind : "";
}

/** The context's target as an attribute: its kind alone, since capabilities stay in the context. */
export function contextTarget(ctx: PassContext): AttrMap {
  return { kind: ctx.target.kind };
}

const DEVICE_TYPES: ReadonlyMap<string, string> = new Map([
  ["llvm", "cpu"],
  ["c", "cpu"],
  ["wasm", "cpu"],
  ["hybrid", "cpu"],
  ["stackvm", "cpu"],
  ["ext_dev", "ext_dev"],
  ["nvptx", "cuda"],
]);

/** The device that a target's kind runs on: `cpu`, or the kind itself where each kind has a device of its own. */
export function deviceType(target: AttrMap): string {
  const kind = targetKind(target);
  return DEVICE_TYPES.get(kind) ?? kind;
}
