import type { AttrValue } from "@verticil/ir-core";
import type { PrimExpr } from "../ir/expr.ts";
import type { RandomVariable } from "./random-variable.ts";

/** What an instruction may take: a random variable, a constant, a string, nothing, or lists of these. */
export type InstructionInput = RandomVariable | PrimExpr | number | string | boolean | undefined | readonly InstructionInput[];

/** A choice that a sampling instruction made. */
export type Decision = number | readonly number[];

/** One step of a trace: a primitive with what it was given and what it gave. `kind` is upstream's (`ComputeAt`). */
export interface Instruction {
  readonly kind: string;
  readonly inputs: readonly InstructionInput[];
  readonly attrs: readonly AttrValue[];
  readonly outputs: readonly RandomVariable[];
}
