import { isNode, type AttrValue } from "@verticil/ir-core";
import { isDType, scalarOf, type ScalarDType } from "@verticil/runtime-ffi";
import type { Call } from "../ir/expr.ts";

// Typed reads of a call's attributes. Attributes are complete (see `completeAttrs`), so a missing one is an error of
// whoever made the call.

function wrong(call: Call, name: string, type: string): TypeError {
  return new TypeError(`${opName(call)} needs the attribute \`${name}\` (${type}).`);
}

/** The operator's name in backticks, for messages. */
export function opName(call: Call): string {
  return `\`${call.op.kind === "ir.Op" ? call.op.name : call.op.kind}\``;
}

function toInt(value: AttrValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (isNode(value) && value.kind === "ir.IntImm" && "value" in value) return Number(value.value);
  return undefined;
}

/** An integer attribute. */
export function intAttr(call: Call, name: string): number {
  const value = toInt(call.attrs[name]);
  if (value === undefined) throw wrong(call, name, "an integer");
  return value;
}

/** An integer attribute, undefined where it is null or missing. */
export function optIntAttr(call: Call, name: string): number | undefined {
  return toInt(call.attrs[name]);
}

/** A floating-point attribute. */
export function floatAttr(call: Call, name: string): number {
  const value = optFloatAttr(call, name);
  if (value === undefined) throw wrong(call, name, "a number");
  return value;
}

/** A floating-point attribute, undefined where it is null or missing. */
export function optFloatAttr(call: Call, name: string): number | undefined {
  const value = call.attrs[name];
  if (isNode(value) && value.kind === "ir.FloatImm" && "value" in value) return Number(value.value);
  return toInt(value);
}

/** A flag. */
export function boolAttr(call: Call, name: string): boolean {
  const value = call.attrs[name];
  if (typeof value === "boolean") return value;
  const int = toInt(value);
  if (int === undefined) throw wrong(call, name, "a flag");
  return int !== 0;
}

/** A string attribute. */
export function stringAttr(call: Call, name: string): string {
  const value = call.attrs[name];
  if (typeof value !== "string") throw wrong(call, name, "a string");
  return value;
}

/** A list of integers. */
export function intsAttr(call: Call, name: string): readonly number[] {
  const value = optIntsAttr(call, name);
  if (value === undefined) throw wrong(call, name, "integers");
  return value;
}

/** A list of integers, undefined where it is null or missing. */
export function optIntsAttr(call: Call, name: string): readonly number[] | undefined {
  const value = call.attrs[name];
  if (!Array.isArray(value)) {
    const one = toInt(value);
    return one === undefined ? undefined : [one];
  }
  return value.map((v: AttrValue) => {
    const int = toInt(v);
    if (int === undefined) throw wrong(call, name, "integers");
    return int;
  });
}

/** A data type attribute, undefined where it is `void`. */
export function dtypeAttr(call: Call, name: string): ScalarDType | undefined {
  const value = call.attrs[name];
  if (value === undefined || value === null || value === "void" || value === "") return undefined;
  if (typeof value !== "string" || !isDType(value)) throw wrong(call, name, "a data type");
  return scalarOf(value);
}
