import { isNode, type AttrValue } from "@verticil/ir-core";
import { parseLayout } from "@verticil/te";
import type { AttrCheck } from "../ir/op-def.ts";

// What the values of attributes must be besides their type. A list must hold to a check of single values item by item.

function numberOf(value: AttrValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return isNode(value) && "value" in value && (typeof value.value === "number" || typeof value.value === "bigint") ? Number(value.value) : undefined;
}

function ofItems(says: string, holds: (value: AttrValue) => boolean): AttrCheck {
  return { says, holds: (value) => (Array.isArray(value) ? value.every((v: AttrValue) => holds(v)) : holds(value)) };
}

function ofNumbers(says: string, holds: (value: number) => boolean): AttrCheck {
  return ofItems(says, (value) => {
    const number = numberOf(value);
    return number !== undefined && holds(number);
  });
}

/** One of some names. */
export function oneOf(...names: readonly string[]): AttrCheck {
  return ofItems(`one of ${names.map((n) => `\`${n}\``).join(", ")}`, (value) => typeof value === "string" && names.includes(value));
}

/** A number no less than `least`. */
export function atLeast(least: number): AttrCheck {
  return ofNumbers(`at least ${least}`, (v) => v >= least);
}

/** A number from `least` to `most`. */
export function between(least: number, most: number): AttrCheck {
  return ofNumbers(`from ${least} to ${most}`, (v) => v >= least && v <= most);
}

/** A list of `n` items. */
export function count(n: number): AttrCheck {
  return { says: `a list of ${n}`, holds: (value) => Array.isArray(value) && value.length === n };
}

/** A list of one item or more. */
export const notEmpty: AttrCheck = { says: "a list that is not empty", holds: (value) => Array.isArray(value) && value.length > 0 };

/** A list without the same item twice. */
export const distinct: AttrCheck = { says: "a list without repetitions", holds: (value) => Array.isArray(value) && new Set(value.map(numberOf)).size === value.length };

/** A list of numbers, each no less than the one before. */
export const ascending: AttrCheck = {
  says: "a list of rising numbers",
  holds: (value) => Array.isArray(value) && value.every((v: AttrValue, i) => i === 0 || (numberOf(v) ?? NaN) >= (numberOf(value[i - 1] as AttrValue) ?? NaN)),
};

/** A layout with these axes, in any order, tiled or not (`NCHW`: also `NHWC` and `NCHW4c`). */
export function layoutOf(axes: string): AttrCheck {
  const wanted = [...axes].sort().join("");
  return {
    says: `a layout of the axes ${[...axes].join(", ")}`,
    holds(value) {
      if (typeof value !== "string") return false;
      try {
        const whole = parseLayout(value).filter((a) => a.factor === 0);
        return whole.map((a) => a.name).sort().join("") === wanted;
      } catch {
        return false;
      }
    },
  };
}

/** A number or a scalar node. */
export const scalar: AttrCheck = { says: "a number", holds: (value) => numberOf(value) !== undefined };

/** A number that is whole. */
export const whole: AttrCheck = ofNumbers("a whole number", Number.isInteger);

/** A number, or several. */
export const numbers: AttrCheck = ofNumbers("numbers", () => true);

/** A node of one of some kinds. */
export function nodeOf(says: string, ...kinds: readonly string[]): AttrCheck {
  return { says, holds: (value) => isNode(value) && kinds.includes(value.kind) };
}

/** Options by name. */
export const options: AttrCheck = { says: "options by name", holds: (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !isNode(value) };

/** What `take` does with positions out of bounds: nothing, take the nearest, count from the other end, give NaN. */
export const takeModes: AttrCheck = oneOf("fast", "clip", "wrap", "nan");
