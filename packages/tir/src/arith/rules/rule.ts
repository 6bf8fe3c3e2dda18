/** A rewrite rule as it is written: what to look for, what to put there, and when. See `RuleTerm` for the language. */
export interface RuleRow {
  readonly from: string;
  readonly to: string;
  /**
   * Must hold for the rule to apply. Parts without expressions are computed; the others must be provable from constant
   * bounds and known inequalities.
   */
  readonly when: string | undefined;
  /** Operands of commutative operators may be exchanged. True unless told. */
  readonly commute: boolean;
  /** Where operands were exchanged, they stay so in the result. True unless told. */
  readonly follow: boolean;
}

export function rule(from: string, to: string, when?: string): RuleRow {
  return { from, to, when, commute: true, follow: true };
}

/** A rule whose result is as it is written, in whichever order its operands are found. */
export function fixedRule(from: string, to: string, when?: string): RuleRow {
  return { from, to, when, commute: true, follow: false };
}

/** A rule whose pattern is taken as it is written: one that gives operands an order. */
export function orderRule(from: string, to: string, when?: string): RuleRow {
  return { from, to, when, commute: false, follow: false };
}
