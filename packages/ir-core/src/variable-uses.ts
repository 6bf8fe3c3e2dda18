import type { HashState } from "./hash-state.ts";
import type { Node } from "./node.ts";

/**
 * A place in a program as a map `x -> mul * x + add` of 32-bit integers: that of a way is the composition of those of its
 * steps. So the place of a part within a part, and a place as seen from another, cost a few multiplications, and do not
 * depend on where the way was cut. `mul` is odd, so that it can be undone.
 */
export interface Place {
  mul: number;
  add: number;
}

export const rootPlace: Readonly<Place> = { mul: 1, add: 0 };

/** Sets `out` to `from`. */
export function copyPlace(out: Place, from: Readonly<Place>): void {
  out.mul = from.mul;
  out.add = from.add;
}

/** A number for the step to item `item` of field `field`. */
export function stepOf(field: number, item: number): number {
  return scramble((field << 24) ^ item);
}

/** Sets `out` to the place that `step` leads to from `from`. */
export function extend(out: Place, from: Readonly<Place>, step: number): void {
  out.add = (from.add + Math.imul(from.mul, step)) | 0;
  out.mul = Math.imul(from.mul, scramble(step) | 1);
}

/** The number whose product with `odd` is 1. */
function inverseOf(odd: number): number {
  // Newton's method doubles the right bits: 3, 6, 12, 24, 48.
  let inverse = odd;
  for (let i = 0; i < 4; i++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return inverse;
}

/** What is known of one variable. Places are added up: how many they are, and the sums of their parts. */
interface Variable {
  /** Where it is used before it is bound. */
  freeCount: number;
  freeMul: number;
  freeAdd: number;
  /** Counts the bindings, from one; 0 where it is not bound. */
  binding: number;
  /** Where it was last bound. */
  binderMul: number;
  binderAdd: number;
  /** Where it is used since. */
  count: number;
  mul: number;
  add: number;
}

/**
 * Where the variables of a part of a program are used, as seen from the part, for its hash. Two parts that are equal up
 * to the names of variables have the same sums, and those of a part that is used twice are added twice.
 */
export class VariableUses {
  readonly #variables = new Map<Node, Variable>();
  /** Bindings that are over: the sum of their weights, and that of their places, weighted. */
  #weight = 0;
  #placed = 0;
  #bindings = 0;

  /** How many times a variable was bound so far. */
  get bindings(): number {
    return this.#bindings;
  }

  use(variable: Node, place: Readonly<Place>): void {
    this.#use(this.#get(variable), 1, place.mul, place.add);
  }

  bind(variable: Node, place: Readonly<Place>): void {
    this.#bind(this.#get(variable), place.mul, place.add);
  }

  #use(known: Variable, count: number, mul: number, add: number): void {
    if (known.binding === 0) {
      known.freeCount += count;
      known.freeMul = (known.freeMul + mul) | 0;
      known.freeAdd = (known.freeAdd + add) | 0;
    } else {
      known.count += count;
      known.mul = (known.mul + mul) | 0;
      known.add = (known.add + add) | 0;
    }
  }

  #bind(known: Variable, mul: number, add: number): void {
    this.#end(known);
    known.binderMul = mul;
    known.binderAdd = add;
    known.count = known.mul = known.add = 0;
    known.binding = ++this.#bindings;
  }

  /** A number for where the variable was bound, as seen from `base`; undefined if that was not after `bindings`. */
  boundAt(variable: Node, base: Readonly<Place>, bindings: number): number | undefined {
    const known = this.#variables.get(variable);
    if (known === undefined || known.binding <= bindings) return undefined;
    return Math.imul(known.binderAdd - base.add, inverseOf(base.mul));
  }

  /** Adds the uses of a part that is at `place`. */
  addAll(part: VariableUses, { mul, add }: Readonly<Place>): void {
    for (const [variable, its] of part.#variables) {
      const known = this.#get(variable);
      this.#use(known, its.freeCount, Math.imul(mul, its.freeMul), Math.imul(its.freeCount, add) + Math.imul(mul, its.freeAdd));
      if (its.binding === 0) continue;
      this.#bind(known, Math.imul(mul, its.binderMul), (add + Math.imul(mul, its.binderAdd)) | 0);
      this.#use(known, its.count, Math.imul(mul, its.mul), Math.imul(its.count, add) + Math.imul(mul, its.add));
    }
    this.#weight = (this.#weight + part.#weight) | 0;
    this.#placed = (this.#placed + Math.imul(mul, part.#placed) + Math.imul(add, part.#weight)) | 0;
  }

  /** Ends all bindings. What nothing binds counts as bound by the whole. */
  close(): void {
    for (const known of this.#variables.values()) {
      this.#end(known);
      if (known.freeCount > 0) this.#weight = (this.#weight + weightOf(known.freeCount, known.freeMul, known.freeAdd)) | 0;
    }
  }

  /** Mixes in what has come to an end. */
  addTo(state: HashState): void {
    state.addInt(this.#weight);
    state.addInt(this.#placed);
  }

  #get(variable: Node): Variable {
    const known = this.#variables.get(variable);
    if (known !== undefined) return known;
    const made: Variable = { freeCount: 0, freeMul: 0, freeAdd: 0, binding: 0, binderMul: 1, binderAdd: 0, count: 0, mul: 0, add: 0 };
    this.#variables.set(variable, made);
    return made;
  }

  /** Counts the uses since the last binding, as seen from it, together with its place. */
  #end({ binding, binderMul, binderAdd, count, mul, add }: Variable): void {
    if (binding === 0) return;
    const inverse = inverseOf(binderMul);
    const weight = weightOf(count, Math.imul(mul, inverse), Math.imul(add - Math.imul(count, binderAdd), inverse));
    this.#weight = (this.#weight + weight) | 0;
    this.#placed = (this.#placed + Math.imul(binderAdd, weight) + Math.imul(binderMul, scramble(weight))) | 0;
  }
}

function weightOf(count: number, mul: number, add: number): number {
  return scramble(scramble(scramble(count) ^ mul) ^ add);
}

function scramble(value: number): number {
  let h = Math.imul(value ^ (value >>> 16) ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
