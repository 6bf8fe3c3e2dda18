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
}

export function rule(from: string, to: string, when?: string): RuleRow {
  return { from, to, when, commute: true };
}

/** A rule whose pattern is taken as it is written: one that gives operands an order. */
export function orderRule(from: string, to: string, when?: string): RuleRow {
  return { from, to, when, commute: false };
}
