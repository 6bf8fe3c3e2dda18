import { didYouMean } from "./did-you-mean.ts";

/** The value of an option as it is written on a command line or in a configuration. */
export type OptionValue = number | string | boolean | readonly string[];

/** What an option may be. `doc` says in one line what it does. */
export type OptionDef =
  | { readonly type: "int"; readonly doc: string; readonly min?: number; readonly max?: number }
  | { readonly type: "float" | "bool" | "string"; readonly doc: string }
  | { readonly type: "choice"; readonly doc: string; readonly values: readonly string[] }
  /** A list of names. */
  | { readonly type: "list"; readonly doc: string }
  /** The pass itself says what it may be. */
  | { readonly type: "any"; readonly doc: string };

/** Options by upstream's names. */
export interface OptionSchema {
  readonly [name: string]: OptionDef;
}

/** The type of an option's value. */
export type OptionType<D extends OptionDef> = D["type"] extends "any"
  ? OptionValue
  : D["type"] extends "int" | "float"
    ? number
    : D["type"] extends "bool"
      ? boolean
      : D["type"] extends "list"
        ? readonly string[]
        : string;

/** The values of a schema's options; those that were not given are absent. */
export type OptionValues<S extends OptionSchema> = { readonly [K in keyof S]?: OptionType<S[K]> };

/** Options as they were given, not yet checked. */
export interface GivenOptions {
  readonly [name: string]: OptionValue | undefined;
}

/**
 * Checks options against a schema.
 * @param owner whose options they are, for messages: `FuseOps`.
 * @throws RangeError with a line for each name that is unknown (and the nearest one there is) and each value that is wrong.
 */
export function checkOptions<const S extends OptionSchema>(owner: string, schema: S, given: GivenOptions): OptionValues<S> {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const def = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (def === undefined) problems.push(unknownOption(owner, name, Object.keys(schema)));
    else if (value !== undefined && !isValid(def, value)) problems.push(`\`${owner}\`: \`${name}\` is ${describeOption(def)}, not ${JSON.stringify(value)}.`);
  }
  if (problems.length > 0) throw new RangeError(problems.join("\n"));
  return given as OptionValues<S>;
}

function unknownOption(owner: string, name: string, known: readonly string[]): string {
  const near = didYouMean(name, known);
  const rest = near !== undefined ? `Did you mean \`${near}\`?` : known.length === 0 ? "It has none." : `It has ${known.map((k) => `\`${k}\``).join(", ")}.`;
  return `\`${owner}\` has no option \`${name}\`. ${rest}`;
}

function isValid(def: OptionDef, value: OptionValue): boolean {
  switch (def.type) {
    case "int":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= (def.min ?? -Infinity) && value <= (def.max ?? Infinity);
    case "float":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
    case "choice":
      return typeof value === "string" && def.values.includes(value);
    case "list":
      return Array.isArray(value) && value.every((v) => typeof v === "string");
    case "any":
      return true;
  }
}

/** What the value of an option is, in words: `an integer from 0 to 2`. */
export function describeOption(def: OptionDef): string {
  switch (def.type) {
    case "int": {
      if (def.min === undefined && def.max === undefined) return "an integer";
      if (def.max === undefined) return `an integer from ${def.min} on`;
      return def.min === undefined ? `an integer up to ${def.max}` : `an integer from ${def.min} to ${def.max}`;
    }
    case "float":
      return "a number";
    case "bool":
      return "`True` or `False`";
    case "string":
      return "a text";
    case "choice":
      return `one of ${def.values.map((v) => `\`${v}\``).join(", ")}`;
    case "list":
      return "a list of names";
    case "any":
      return "a value";
  }
}
