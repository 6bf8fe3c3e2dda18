import { isDType, type DType } from "@verticil/runtime-ffi";
import type { FieldTable, Dialect } from "./field-table.ts";
import type { AttrMap, Node } from "./node.ts";
import { NO_SPAN, type ObjectForm, type ObjectReader } from "./objects/object-form.ts";
import type { Span } from "./source-text.ts";

/** An integer constant. `value` is a `number` when it is a safe integer, else a `bigint`; also used for `bool` (0 or 1). */
export interface IntImm extends Node {
  readonly kind: "ir.IntImm";
  readonly dtype: DType;
  readonly value: number | bigint;
}

/** A floating-point constant; NaN and infinities included. The value is that of the data type, widened to double. */
export interface FloatImm extends Node {
  readonly kind: "ir.FloatImm";
  readonly dtype: DType;
  readonly value: number;
  /** What was written, where the data type cannot hold it: `1e-5` of a float32. For printing only. */
  readonly written?: number | undefined;
}

/** The name of a function in a module. Equal by identity; mapped by name when two modules are compared. */
export interface GlobalVar extends Node {
  readonly kind: "ir.GlobalVar";
  readonly name: string;
}

/** A reference to a registered operator such as `relax.nn.conv2d` or `tir.exp`. What it means is in the registries. */
export interface Op extends Node {
  readonly kind: "ir.Op";
  readonly name: string;
}

/** The type of a scalar value. */
export interface PrimType extends Node {
  readonly kind: "ir.PrimType";
  readonly dtype: DType;
}

/** The type of a pointer to elements, in a storage scope such as `global` or `local`. */
export interface PointerType extends Node {
  readonly kind: "ir.PointerType";
  readonly elementType: Type;
  readonly storageScope: string;
}

/** The type of a tuple; without fields it is the type of no value. */
export interface TupleType extends Node {
  readonly kind: "ir.TupleType";
  readonly fields: readonly Type[];
}

/** The type of a function. */
export interface FuncType extends Node {
  readonly kind: "ir.FuncType";
  readonly args: readonly Type[];
  readonly ret: Type;
}

/** Types of low-level values. */
export type Type = PrimType | PointerType | TupleType | FuncType;

/** A virtual device that values can be placed on. `target` is a target's configuration. */
export interface VDevice extends Node {
  readonly kind: "ir.VDevice";
  readonly target: AttrMap;
  readonly vdeviceId: number;
  readonly memoryScope: string;
}

/** A global info with no content. */
export interface DummyGlobalInfo extends Node {
  readonly kind: "ir.DummyGlobalInfo";
}

/** What all functions of a module share: `tir.PrimFunc`, `relax.Function`, or a third party's. */
export interface BaseFunc extends Node {
  readonly attrs: AttrMap;
}

/** The container that every step of the compiler takes and gives: functions by global variable. */
export interface IRModule extends Node {
  readonly kind: "ir.IRModule";
  /** The global infos by key (`vdevice`, `dummy`, …). */
  readonly globalInfos: AttrMap;
  readonly attrs: AttrMap;
  readonly functions: ReadonlyMap<GlobalVar, BaseFunc>;
}

/** The nodes that all dialects share. */
export type IrNode =
  | IntImm
  | FloatImm
  | GlobalVar
  | Op
  | Type
  | VDevice
  | DummyGlobalInfo
  | IRModule;

/** What the shared nodes are made of. */
export const irFields: FieldTable<IrNode> = {
  "ir.IntImm": { category: "const-tree", typeKey: "IntImm", fields: { dtype: "attr", value: "attr" } },
  "ir.FloatImm": { category: "const-tree", typeKey: "FloatImm", fields: { dtype: "attr", value: "attr", written: "ignore" } },
  "ir.GlobalVar": { category: "var", typeKey: "GlobalVar", fields: { name: "ignore" } },
  "ir.Op": { category: "const-tree", typeKey: "Op", fields: { name: "attr" } },
  "ir.PrimType": { category: "const-tree", typeKey: "PrimType", fields: { dtype: "attr" } },
  "ir.PointerType": {
    category: "const-tree",
    typeKey: "PointerType",
    fields: { elementType: "child", storageScope: "attr" },
  },
  "ir.TupleType": { category: "const-tree", typeKey: "TupleType", fields: { fields: "children" } },
  "ir.FuncType": { category: "const-tree", typeKey: "FuncType", fields: { args: "children", ret: "child" } },
  "ir.VDevice": {
    category: "const-tree",
    typeKey: "VDevice",
    fields: { target: "data", vdeviceId: "attr", memoryScope: "attr" },
  },
  "ir.DummyGlobalInfo": { category: "const-tree", typeKey: "DummyGlobalInfo", fields: {} },
  "ir.IRModule": {
    category: "tree",
    typeKey: "IRModule",
    fields: { globalInfos: "data", attrs: "data", functions: "module-map" },
  },
};

const intForm: ObjectForm<IntImm> = {
  typeKey: "IntImm",
  write: (n) => ({ dtype: n.dtype, value: n.value, span: NO_SPAN }),
  read: (a) => makeIntImm(a.integer("value"), dtypeOf(a)),
};

const floatForm: ObjectForm<FloatImm> = {
  typeKey: "FloatImm",
  write: (n) => ({ dtype: n.dtype, value: floatText(n.written ?? n.value), span: NO_SPAN }),
  read: (a) => makeFloatImm(a.float("value"), dtypeOf(a)),
};

/** The shared nodes as a dialect; the first in every list of dialects. */
export const irDialect: Dialect = { name: "ir", kinds: irFields, objectForms: { "ir.IntImm": intForm, "ir.FloatImm": floatForm } };

function dtypeOf(attrs: ObjectReader): DType {
  const dtype = attrs.text("dtype");
  if (!isDType(dtype)) throw new RangeError(`\`${dtype}\` is not a data type.`);
  return dtype;
}

/** A float as C++ prints it with 17 digits. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  return value.toPrecision(17).replace(/\.?0+($|e)/, "$1");
}

/**
 * An integer constant of `dtype` (int32 unless told). A `bigint` that is a safe integer is stored as a `number`.
 * @throws RangeError if `value` is not an integer.
 */
export function makeIntImm(value: number | bigint, dtype: DType = "int32", span?: Span): IntImm {
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw new RangeError(`An integer constant was given ${value}.`);
  }
  const asNumber = Number(value);
  const stored = Number.isSafeInteger(asNumber) ? (asNumber === 0 ? 0 : asNumber) : BigInt(value);
  return { kind: "ir.IntImm", dtype, value: stored, span };
}

/** A floating-point constant of `dtype` (float32 unless told). The caller rounds; float32 is rounded here, and keeps what was given. */
export function makeFloatImm(value: number, dtype: DType = "float32", span?: Span): FloatImm {
  const rounded = dtype === "float32" ? Math.fround(value) : value;
  if (rounded === value || Number.isNaN(value)) return { kind: "ir.FloatImm", dtype, value: rounded, span };
  return { kind: "ir.FloatImm", dtype, value: rounded, span, written: value };
}

export function makeGlobalVar(name: string, span?: Span): GlobalVar {
  return { kind: "ir.GlobalVar", name, span };
}

export function makeOp(name: string): Op {
  return { kind: "ir.Op", name };
}

export function makePrimType(dtype: DType): PrimType {
  return { kind: "ir.PrimType", dtype };
}

export function makePointerType(elementType: Type, storageScope = "global"): PointerType {
  return { kind: "ir.PointerType", elementType, storageScope };
}

export function makeTupleType(fields: readonly Type[]): TupleType {
  return { kind: "ir.TupleType", fields };
}

export function makeFuncType(args: readonly Type[], ret: Type): FuncType {
  return { kind: "ir.FuncType", args, ret };
}

export function makeVDevice(target: AttrMap, vdeviceId = 0, memoryScope = "global"): VDevice {
  return { kind: "ir.VDevice", target, vdeviceId, memoryScope };
}

/**
 * A module of `functions`.
 * @throws RangeError if two global variables share a name.
 */
export function makeIRModule(
  functions: ReadonlyMap<GlobalVar, BaseFunc>,
  opts: { readonly attrs?: AttrMap; readonly globalInfos?: AttrMap; readonly span?: Span | undefined } = {},
): IRModule {
  const names = new Set<string>();
  for (const gv of functions.keys()) {
    if (names.has(gv.name)) throw new RangeError(`The module has two functions named \`${gv.name}\`.`);
    names.add(gv.name);
  }
  return {
    kind: "ir.IRModule",
    globalInfos: opts.globalInfos ?? {},
    attrs: opts.attrs ?? {},
    functions,
    span: opts.span,
  };
}
