import type { AttrValue } from "@verticil/ir-core";
import type { PrimExpr } from "../ir/expr.ts";
import type { IndexMap } from "../ir/stmt.ts";
import type { RandomVariable } from "./random-variable.ts";

/** What an instruction may take: a random variable, an expression over some, a constant, nothing, or lists of these. */
export type InstructionInput =
  | RandomVariable
  | PrimExpr
  | IndexMap
  | number
  | string
  | boolean
  | null
  | readonly InstructionInput[]
  | AttrDict;

/** An annotation that is a dictionary. */
export interface AttrDict {
  readonly dict: { readonly [key: string]: AttrValue | undefined };
}

/** A choice that a sampling instruction made. */
export type Decision = number | readonly number[];

/** One step of a trace: a primitive with what it was given and what it gave. `kind` is upstream's (`ComputeAt`). */
export interface Instruction {
  readonly kind: string;
  readonly inputs: readonly InstructionInput[];
  readonly attrs: readonly InstructionInput[];
  readonly outputs: readonly (RandomVariable | null)[];
}
