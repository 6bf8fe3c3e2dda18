/** A block of the program a schedule works on; follows it through every rewrite. */
export interface BlockRV {
  readonly kind: "BlockRV";
  /** Deals out identity; two variables are the same only if they are the same object. */
  readonly id: number;
}

/** A loop of the program a schedule works on; follows it through every rewrite. */
export interface LoopRV {
  readonly kind: "LoopRV";
  readonly id: number;
}

/** An integer that was sampled or read off the program. */
export interface ExprRV {
  readonly kind: "ExprRV";
  readonly id: number;
}

/** What the instructions of a trace take and give. */
export type RandomVariable = BlockRV | LoopRV | ExprRV;

/** True for a random variable of any sort. */
export function isRandomVariable(x: unknown): x is RandomVariable {
  return typeof x === "object" && x !== null && "kind" in x && (x.kind === "BlockRV" || x.kind === "LoopRV" || x.kind === "ExprRV");
}
