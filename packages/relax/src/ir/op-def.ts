import { contextKey, isNode, type AttrMap, type AttrValue, type ContextKey } from "@verticil/ir-core";
import { isDType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import type { Call } from "./expr.ts";
import type { StructInfo } from "./struct-info.ts";

/** The type of an operator's attribute; decides validation, and how it is written in TVMScript. */
export type AttrType = "int" | "float" | "bool" | "string" | "dtype" | "ints" | "optional-ints" | "optional-int" | "float-constants" | "any";

/** What the value of an attribute must be besides its type; null is not asked. */
export interface AttrCheck {
  /** Completes "must be …". */
  readonly says: string;
  readonly holds: (value: AttrValue) => boolean;
}

/** One attribute of an operator. Without a default it must be given. */
export interface AttrField {
  readonly type: AttrType;
  readonly default?: AttrValue;
  readonly checks?: readonly AttrCheck[];
  /** Left out in print while it has its default: an attribute that v0.20's spelling of the operator does not have. */
  readonly implicit?: boolean;
}

/**
 * What an argument is, where it is not a tensor: decides what a script may write for it. `shape`: a tuple of
 * dimensions; `prim`: a number; `prims`: a tuple of numbers (a `Tuple` of `PrimValue`); `tuple`: several tensors;
 * `string`, `dtype`: that constant; `func`: a function, by name.
 */
export type ArgKind = "shape" | "prim" | "prims" | "tuple" | "string" | "dtype" | "func" | "any";

/** The struct info of a call of the operator. @throws RangeError or TypeError that says what is wrong with the call. */
export type InferStructInfo = (call: Call, ctx: InferContext) => StructInfo;

/** What inference may ask. */
export interface InferContext {
  /** True if two dimensions are provably equal. */
  proveEqual(a: PrimExpr, b: PrimExpr): boolean;
  /** A dimension simplified. */
  simplify(dim: PrimExpr): PrimExpr;
}

/**
 * What the graph compiler must know of an operator. Ours are in `op/`, one file a family; a third party makes its own
 * and adds them to the registry it compiles with. Further questions (legalization, layout, gradient, …) are answered
 * by tables of their own, keyed by the operator's name.
 */
export interface OpDef {
  /** Full name, e.g. `relax.nn.conv2d` or `kws.mfcc`. */
  readonly name: string;
  /** Argument names in order, for scripts and messages; a name that ends in `?` may be left out, `...` in the end repeats. */
  readonly args: readonly string[];
  /** The arguments that are not tensors, by name (without `?` or `...`). */
  readonly argKinds?: Readonly<Record<string, ArgKind>>;
  /** The attributes in the order in which they are printed. */
  readonly attrs: Readonly<Record<string, AttrField>>;
  /** Brings short spellings into the stored form (`padding=1` into four numbers) before the attributes are checked. */
  readonly normalizeAttrs?: (given: AttrMap) => AttrMap;
  /** Without side effects: may be moved, merged and dropped. */
  readonly pure: boolean;
  readonly inferStructInfo: InferStructInfo;
}

/** Operators by full name. */
export type OpRegistry = ReadonlyMap<string, OpDef>;

/** The operators that a pipeline knows; see `relaxOps`. */
export const opRegistryKey: ContextKey<OpRegistry> = contextKey("relax.ops");

/** A registry of `defs`; later ones of the same name win, so a third party may replace an operator. */
export function opRegistry(...lists: readonly (readonly OpDef[])[]): OpRegistry {
  return new Map(lists.flat().map((d) => [d.name, d]));
}

/**
 * The attributes of a call with defaults filled in.
 * @throws RangeError that names the operator and the attribute that is unknown, missing, of the wrong type or out of its range.
 */
export function completeAttrs(def: OpDef, given: AttrMap): AttrMap {
  const out: Record<string, AttrValue> = {};
  const normal = def.normalizeAttrs?.(given) ?? given;
  for (const name of Object.keys(normal)) {
    if (!Object.hasOwn(def.attrs, name)) {
      throw new RangeError(`\`${def.name}\` has no attribute \`${name}\`; it has ${Object.keys(def.attrs).join(", ") || "none"}.`);
    }
  }
  for (const [name, field] of Object.entries(def.attrs)) {
    const value = spell(normal[name], field) ?? field.default;
    if (value === undefined) throw new RangeError(`\`${def.name}\` needs the attribute \`${name}\`.`);
    if (!hasType(value, field.type)) {
      throw new RangeError(`Attribute \`${name}\` of \`${def.name}\` is of type ${field.type}; got ${written(value)}.`);
    }
    const broken = value === null ? undefined : field.checks?.find((check) => !check.holds(value));
    if (broken !== undefined) throw new RangeError(`Attribute \`${name}\` of \`${def.name}\` must be ${broken.says}; got ${written(value)}.`);
    out[name] = value;
  }
  return out;
}

/** One number stands for a list of it, and null (Python's `None`) for the default where null is no value. */
function spell(value: AttrValue | undefined, field: AttrField): AttrValue | undefined {
  const isList = field.type === "ints" || field.type === "optional-ints";
  if (isList && (typeof value === "number" || typeof value === "bigint")) return [value];
  if (value === null && !field.type.startsWith("optional-") && field.type !== "any") return undefined;
  return value;
}

/** A value for a message: integers that no double holds are integers too. */
function written(value: AttrValue): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? Number(v) : v));
}

function hasType(value: AttrValue, type: AttrType): boolean {
  switch (type) {
    case "int":
      return typeof value === "bigint" || Number.isInteger(value);
    case "float":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
    case "dtype":
      return typeof value === "string" && (value === "" || value === "void" || isDType(value));
    case "ints":
      return Array.isArray(value) && value.every((v) => typeof v === "bigint" || Number.isInteger(v));
    case "optional-ints":
      return value === null || hasType(value, "ints");
    case "optional-int":
      return value === null || hasType(value, "int");
    case "float-constants":
      return Array.isArray(value) && value.every((v) => typeof v === "number" || (isNode(v) && v.kind === "ir.FloatImm"));
    case "any":
      return true;
  }
}
