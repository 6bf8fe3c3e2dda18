import { didYouMean } from "@verticil/ir-core";
import { constant, makeVar, type PrimExpr, type Var } from "@verticil/tir";
import { fail } from "../messages.ts";
import { toNumber } from "../proto/integers.ts";
import type { DimensionProto } from "../proto/schema.ts";
import { checkDim } from "../proto/tensor.ts";
import { sanitizedName } from "./sanitized-name.ts";

/** What a caller says of a named dimension: its size, or the largest size that it will have. */
export type GivenDim = number | { readonly max: number };

/** The symbolic dimensions of a model: one variable a name, or the number that the caller gave it. */
export class SymbolicDims {
  readonly #given: ReadonlyMap<string, GivenDim>;
  readonly #vars = new Map<string, Var>();
  readonly #names = new Set<string>();
  #unnamed = 0;

  constructor(given: Readonly<Record<string, GivenDim>>) {
    this.#given = new Map(Object.entries(given));
    for (const [name, value] of this.#given) {
      const size = typeof value === "number" ? value : value.max;
      checkDim(size, name);
      if (!Number.isInteger(size) || size < 0) throw new RangeError(`The dimension \`${name}\` was given ${size}; it is a whole number.`);
    }
  }

  /** A dimension of an input. Negative sizes, which some exporters write, stand for unknown ones. */
  dim(proto: DimensionProto, owner: string): PrimExpr {
    const name = proto.dimParam ?? "";
    const size = proto.dimValue === null || proto.dimValue === undefined ? undefined : toNumber(proto.dimValue);
    // The decoder gives an unset size as 0.
    const isSet = size !== undefined && (Object.hasOwn(proto, "dimValue") || size !== 0);
    if (name === "" && isSet && size >= 0) return constant(checkDim(size, owner), "int64");
    return this.#named(name === "" ? `${sanitizedName(owner)}_dim${this.#unnamed++}` : name);
  }

  #named(name: string): PrimExpr {
    this.#names.add(name);
    const given = this.#given.get(name);
    if (typeof given === "number") return constant(given, "int64");
    const known = this.#vars.get(name);
    if (known !== undefined) return known;
    const made = makeVar(sanitizedName(name), "int64");
    this.#vars.set(name, made);
    return made;
  }

  /** The largest sizes that were given, by the names of the variables. */
  upperBounds(): Readonly<Record<string, number>> {
    const bounds = [...this.#given].flatMap(([name, given]): [string, number][] => {
      const v = this.#vars.get(name);
      return typeof given === "number" || v === undefined ? [] : [[v.name, given.max]];
    });
    return Object.fromEntries(bounds);
  }

  /** @throws DiagnosticError (`onnx/unknown-dim`) if the caller gave a dimension that the model does not have. */
  checkGiven(): void {
    for (const name of this.#given.keys()) {
      if (!this.#names.has(name)) fail("unknown-dim", { name, known: [...this.#names], meant: didYouMean(name, this.#names) });
    }
  }
}
