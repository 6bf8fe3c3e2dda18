import type { AttrMap, AttrValue } from "@verticil/ir-core";
import type { ArgKind, AttrCheck, AttrField, AttrType, InferStructInfo, OpDef } from "../ir/op-def.ts";

/** The parts of an operator's definition that differ from the usual: no attributes, tensor arguments, pure. */
export interface OpSpec {
  readonly args: readonly string[];
  readonly infer: InferStructInfo;
  readonly attrs?: Readonly<Record<string, AttrField>>;
  readonly argKinds?: Readonly<Record<string, ArgKind>>;
  readonly normalizeAttrs?: (given: AttrMap) => AttrMap;
  readonly pure?: boolean;
}

/** An operator of the `relax` namespace: `defineOp("nn.relu", …)` is `relax.nn.relu`. */
export function defineOp(name: string, spec: OpSpec): OpDef {
  return {
    name: `relax.${name}`,
    args: spec.args,
    attrs: spec.attrs ?? {},
    pure: spec.pure ?? true,
    inferStructInfo: spec.infer,
    ...(spec.argKinds === undefined ? {} : { argKinds: spec.argKinds }),
    ...(spec.normalizeAttrs === undefined ? {} : { normalizeAttrs: spec.normalizeAttrs }),
  };
}

/** An attribute of `type`; required if no default is given. */
export function attr(type: AttrType, defaultValue?: AttrValue, ...checks: readonly AttrCheck[]): AttrField {
  return { type, ...(defaultValue === undefined ? {} : { default: defaultValue }), ...(checks.length === 0 ? {} : { checks }) };
}

/** An attribute that is printed only where it differs from its default: v0.20 does not know it. */
export function newAttr(type: AttrType, defaultValue: AttrValue, ...checks: readonly AttrCheck[]): AttrField {
  return { ...attr(type, defaultValue, ...checks), implicit: true };
}

/** A data type attribute; `void` (unspecified) unless told. */
export const optDType: AttrField = { type: "dtype", default: "void" };
