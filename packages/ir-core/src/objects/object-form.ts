import type { Tensor } from "@verticil/runtime-ffi";
import type { Node } from "../node.ts";

/**
 * An object as upstream's JSON has it that is no node here: a type that is derived, say. The same value is one object
 * however often it is referred to.
 */
export interface ForeignObject {
  readonly typeKey: string;
  readonly attrs: ObjectAttrs;
}

/** What a graph of upstream's objects is made of: nodes, texts, tensors, lists (`Array`), maps from texts (`Map`). */
export type GraphObject =
  | Node
  | ForeignObject
  | Tensor
  | string
  | readonly GraphObject[]
  | ReadonlyMap<string, GraphObject>;

/** An attribute: a plain value, a reference to an object (undefined: to none), or the content of a tensor. */
export type ObjectAttr =
  | string
  | number
  | bigint
  | boolean
  | { readonly object: GraphObject | undefined }
  | { readonly tensor: Tensor };

/** Attributes by upstream's names, in the order in which upstream visits them: it decides the numbers of objects. */
export type ObjectAttrs = Readonly<Record<string, ObjectAttr>>;

/** How nodes of a kind look in upstream's JSON (`tvm.ir.save_json`), v0.20, and on main. */
export interface ObjectForm<N extends Node> {
  readonly typeKey: string;
  write(node: N): ObjectAttrs;
  /** What main calls it and keeps of it. Not written for main where it is not told. */
  readonly main?: { readonly typeKey: string; write(node: N): ObjectAttrs; read(attrs: ObjectReader): N };
  /** @throws RangeError for attributes that no such node has. */
  read(attrs: ObjectReader): N;
}

/** An `ObjectForm` with the node type forgotten. */
export interface AnyObjectForm {
  readonly typeKey: string;
  write(node: never): ObjectAttrs;
  readonly main?: { readonly typeKey: string; write(node: never): ObjectAttrs; read(attrs: ObjectReader): Node };
  read(attrs: ObjectReader): Node;
}

/** The attributes of one object, for its form. Each method throws a RangeError for what is not there. */
export interface ObjectReader {
  text(name: string): string;
  /** A whole number, exactly: beyond 2^53 as a bigint. */
  integer(name: string): number | bigint;
  float(name: string): number;
  /** The object that an attribute refers to; undefined for none. */
  object(name: string): GraphObject | undefined;
  tensor(name: string): Tensor;
}

/** Upstream's `span` of an object that has none. */
export const NO_SPAN: ObjectAttr = { object: undefined };
