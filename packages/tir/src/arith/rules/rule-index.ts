import { makeIntImm } from "@verticil/ir-core";
import type { PrimExpr } from "../../ir/expr.ts";
import type { ArithContext } from "../context.ts";
import { compileRow, type CompiledRule, type Registers } from "./compile-rule.ts";
import type { RuleRow } from "./rule.ts";

const none: readonly CompiledRule[] = [];

/** Rules found by the kinds of a node and its operands, in the order of the rows. */
export class RuleIndex {
  readonly #byRoot = new Map<string, CompiledRule[]>();
  readonly #byKinds = new Map<string, Map<string, Map<string, readonly CompiledRule[]>>>();
  readonly size: number;

  constructor(rows: readonly RuleRow[]) {
    let size = 0;
    for (const row of rows) {
      for (const rule of compileRow(row)) {
        size++;
        const list = this.#byRoot.get(rule.root);
        if (list === undefined) this.#byRoot.set(rule.root, [rule]);
        else list.push(rule);
      }
    }
    this.size = size;
  }

  /** The rules that can match a node of kind `root` with operands of kinds `first` and `second`. */
  candidates(root: string, first: string, second: string): readonly CompiledRule[] {
    let byFirst = this.#byKinds.get(root);
    if (byFirst === undefined) this.#byKinds.set(root, (byFirst = new Map()));
    let bySecond = byFirst.get(first);
    if (bySecond === undefined) byFirst.set(first, (bySecond = new Map()));
    let list = bySecond.get(second);
    if (list === undefined) {
      list = (this.#byRoot.get(root) ?? none).filter(
        (r) => (r.first === undefined || r.first === first) && (r.second === undefined || r.second === second),
      );
      bySecond.set(second, list);
    }
    return list;
  }
}

/** Registers for each depth of nesting: a condition that asks the analyzer may try rules itself. */
export class RegisterStack {
  readonly #free: Registers[] = [];
  #depth = 0;

  enter(): Registers {
    const r = this.#free[this.#depth] ?? newRegisters();
    this.#free[this.#depth++] = r;
    return r;
  }

  leave(): void {
    this.#depth--;
  }
}

function newRegisters(): Registers {
  const zero = makeIntImm(0);
  return { exprs: Array.from({ length: 10 }, () => zero), numbers: Array.from({ length: 10 }, () => 0), failed: false };
}

/** The first rule of `rules` that applies to `e`, applied; undefined if none does. */
export function applyRules(rules: readonly CompiledRule[], e: PrimExpr, stack: RegisterStack, ctx: ArithContext): PrimExpr | undefined {
  if (rules.length === 0) return undefined;
  const r = stack.enter();
  try {
    for (const rule of rules) {
      if (!rule.matches(e, r) || (rule.holds !== undefined && !rule.holds(r, ctx))) continue;
      r.failed = false;
      const dtype = "a" in e ? e.a.dtype : e.dtype;
      const out = rule.build(r, dtype);
      if (!r.failed) return out;
    }
    return undefined;
  } finally {
    stack.leave();
  }
}
