import type { Node, VDevice } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import type { Expr } from "./expr.ts";

/** Any value: the top of the lattice. */
export interface ObjectStructInfo extends Node {
  readonly kind: "relax.ObjectStructInfo";
}

/** A scalar of a dtype; with `value`, that scalar. */
export interface PrimStructInfo extends Node {
  readonly kind: "relax.PrimStructInfo";
  readonly dtype: ScalarDType;
  readonly value: PrimExpr | undefined;
}

/** A shape. `values` are int64 expressions; without them only `ndim` is known, and -1 says not even that. */
export interface ShapeStructInfo extends Node {
  readonly kind: "relax.ShapeStructInfo";
  readonly values: readonly PrimExpr[] | undefined;
  readonly ndim: number;
}

/** A tensor. `shape` is a `ShapeExpr` or a variable that holds a shape. `dtype` undefined and `ndim` -1 mean unknown. */
export interface TensorStructInfo extends Node {
  readonly kind: "relax.TensorStructInfo";
  readonly shape: Expr | undefined;
  readonly dtype: ScalarDType | undefined;
  readonly vdevice: VDevice | undefined;
  readonly ndim: number;
}

export interface TupleStructInfo extends Node {
  readonly kind: "relax.TupleStructInfo";
  readonly fields: readonly StructInfo[];
}

/** A function. Without `params` it is opaque, and `deriveFunc` names how a call's struct info comes about. */
export interface FuncStructInfo extends Node {
  readonly kind: "relax.FuncStructInfo";
  readonly params: readonly StructInfo[] | undefined;
  readonly ret: StructInfo;
  readonly purity: boolean;
  readonly deriveFunc: string | undefined;
}

/** Devices in a grid, over which tensors are distributed; a global info of the module, under the key `mesh`. */
export interface DeviceMesh extends Node {
  readonly kind: "relax.distributed.DeviceMesh";
  readonly shape: readonly number[];
  /** The devices by number, in row-major order of the grid. */
  readonly deviceIds: readonly number[];
}

/** A tensor that lies on the devices of a mesh. */
export interface DTensorStructInfo extends Node {
  readonly kind: "relax.DTensorStructInfo";
  readonly tensorInfo: TensorStructInfo;
  readonly deviceMesh: DeviceMesh;
  /** How each dimension of the mesh splits the tensor: `S[axis]` along that axis, `R` not at all; `"S[0], R"`. */
  readonly placement: string;
}

/** What is known of a value at compile time. */
export type StructInfo =
  | ObjectStructInfo
  | PrimStructInfo
  | ShapeStructInfo
  | TensorStructInfo
  | TupleStructInfo
  | FuncStructInfo
  | DTensorStructInfo;
