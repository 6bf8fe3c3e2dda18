import type { BaseFunc, FieldTable, FloatImm, IrNode, Node } from "@verticil/ir-core";

// A dialect of someone else's: filters on sampled signals. It uses public entries only.

/** A signal: a row of float32 samples. */
export interface Signal extends Node {
  readonly kind: "wave.Signal";
  readonly name: string;
  readonly length: number;
}

/** The sample `offset` places from the one at hand; beyond the ends, the first or last one. */
export interface Tap extends Node {
  readonly kind: "wave.Tap";
  readonly signal: Signal;
  readonly offset: number;
}

/** An expression times a constant. */
export interface Scale extends Node {
  readonly kind: "wave.Scale";
  readonly factor: FloatImm;
  readonly value: WaveExpr;
}

/** The sum of two expressions. */
export interface Mix extends Node {
  readonly kind: "wave.Mix";
  readonly a: WaveExpr;
  readonly b: WaveExpr;
}

/** A function that computes each sample of its result from samples of its signals, which are of one length. */
export interface Filter extends BaseFunc {
  readonly kind: "wave.Filter";
  readonly params: readonly Signal[];
  readonly body: WaveExpr;
}

export type WaveExpr = Tap | Scale | Mix;
export type WaveNode = Signal | WaveExpr | Filter;

/** What the nodes are made of: visiting, rewriting, equality, hash, JSON and paths come from this table alone. */
export const waveFields: FieldTable<WaveNode> = {
  "wave.Signal": { category: "var", typeKey: "wave.Signal", fields: { name: "ignore", length: "attr" } },
  "wave.Tap": { category: "tree", typeKey: "wave.Tap", fields: { signal: "child", offset: "attr" } },
  "wave.Scale": { category: "tree", typeKey: "wave.Scale", fields: { factor: "child", value: "child" } },
  "wave.Mix": { category: "tree", typeKey: "wave.Mix", fields: { a: "child", b: "child" } },
  "wave.Filter": { category: "tree", typeKey: "wave.Filter", fields: { params: "defs", body: "child", attrs: "data" } },
};

export function isFilter(func: BaseFunc): func is Filter {
  return func.kind === "wave.Filter";
}

/** True for an expression of the dialect; other nodes are of ir-core. */
export function isWaveExpr(node: Node | IrNode): node is WaveExpr {
  return node.kind === "wave.Tap" || node.kind === "wave.Scale" || node.kind === "wave.Mix";
}
