import type { Decision, Instruction, InstructionInput } from "./instruction.ts";
import { kindNamed } from "./instruction-kinds.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { isNode } from "@verticil/ir-core";
import { isPrimExpr } from "../script/result-dtype.ts";

/** Gives another decision to a sampling instruction, or none for a new choice. */
export type DecisionProvider = (inst: Instruction, decision: Decision | undefined) => Decision | undefined;

/** The steps of a schedule with the choices they made (upstream's `Trace`). Never changes; each method gives another trace. */
export class Trace {
  readonly insts: readonly Instruction[];
  readonly decisions: ReadonlyMap<Instruction, Decision>;

  constructor(insts: readonly Instruction[] = [], decisions: ReadonlyMap<Instruction, Decision> = new Map()) {
    this.insts = insts;
    this.decisions = decisions;
  }

  getDecision(inst: Instruction): Decision | undefined {
    return this.decisions.get(inst);
  }

  append(inst: Instruction, decision?: Decision): Trace {
    const decisions = decision === undefined ? this.decisions : new Map(this.decisions).set(inst, decision);
    return new Trace([...this.insts, inst], decisions);
  }

  /** Without the last instruction. */
  pop(): Trace {
    const last = this.insts[this.insts.length - 1];
    return last === undefined ? this : this.#keep(this.insts.slice(0, -1));
  }

  /** With another decision for an instruction. */
  withDecision(inst: Instruction, decision: Decision, opts: { readonly removePostproc?: boolean } = {}): Trace {
    return new Trace(this.#until(opts.removePostproc === true), new Map(this.decisions).set(inst, decision));
  }

  /** Without instructions that change nothing and whose results are not used. */
  simplified(opts: { readonly removePostproc?: boolean } = {}): Trace {
    const used = new Set<unknown>();
    const kept: Instruction[] = [];
    for (const inst of [...this.#until(opts.removePostproc === true)].reverse()) {
      if (kindNamed(inst.kind)?.pure === true && !inst.outputs.some((o) => used.has(o))) continue;
      kept.unshift(inst);
      for (const i of inst.inputs) use(i, used);
    }
    return this.#keep(kept);
  }

  /** Without the instructions from `EnterPostproc` on. */
  withoutPostproc(): Trace {
    return this.#keep(this.#until(true));
  }

  #until(removePostproc: boolean): readonly Instruction[] {
    const at = removePostproc ? this.insts.findIndex((i) => i.kind === "EnterPostproc") : -1;
    return at < 0 ? this.insts : this.insts.slice(0, at);
  }

  #keep(insts: readonly Instruction[]): Trace {
    return new Trace(insts, new Map([...this.decisions].filter(([i]) => insts.includes(i))));
  }
}

function use(input: InstructionInput, used: Set<unknown>): void {
  if (Array.isArray(input)) for (const i of input as readonly InstructionInput[]) use(i, used);
  else if (typeof input === "object" && input !== null && "kind" in input) {
    used.add(input);
    if (isNode(input) && isPrimExpr(input)) for (const v of undefinedVars(input)) used.add(v);
    if (isNode(input) && input.kind === "tir.IndexMap" && "finalIndices" in input) for (const e of input.finalIndices) for (const v of undefinedVars(e)) used.add(v);
  }
}
