import { didYouMean } from "./did-you-mean.ts";
import type { Pass } from "./pass.ts";
import { checkOptions, type GivenOptions, type OptionSchema, type OptionValue, type OptionValues } from "./pass-option.ts";

/** A pass that can be called by name, with options: what a command line knows of it. */
export interface PassSpec {
  /** Upstream's name where upstream has the pass. */
  readonly name: string;
  /** What it does, in one line. */
  readonly doc: string;
  readonly options: OptionSchema;
  /** The pass with these options. @throws RangeError for an option that it does not have, or a value of the wrong type. */
  make(options: GivenOptions): Pass;
}

/** A pass by name. `make` is given options that the schema holds, checked. */
export function passSpec<const S extends OptionSchema>(name: string, doc: string, options: S, make: (options: OptionValues<S>) => Pass): PassSpec {
  return { name, doc, options, make: (given) => make(checkOptions(name, options, given)) };
}

/** Passes by name. */
export type PassRegistry = ReadonlyMap<string, PassSpec>;

/** @throws RangeError if two passes have one name. */
export function makePassRegistry(specs: readonly PassSpec[]): PassRegistry {
  const out = new Map<string, PassSpec>();
  for (const spec of specs) {
    if (out.has(spec.name)) throw new RangeError(`There are two passes named \`${spec.name}\`.`);
    out.set(spec.name, spec);
  }
  return out;
}

/**
 * Passes from text such as `FuseOps(fuse_opt_level=2),FuseTIR`.
 * @throws RangeError that names what could not be read, and the nearest name there is.
 */
export function parsePassList(text: string, registry: PassRegistry): readonly Pass[] {
  const passes: Pass[] = [];
  const pattern = /\s*([A-Za-z_][\w.]*)\s*(?:\(((?:[^()'"]|'[^']*'|"[^"]*")*)\))?\s*(,|$)/y;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new RangeError(`\`${text.slice(from)}\` is not a list of passes such as \`FuseOps(fuse_opt_level=2),FuseTIR\`.`);
    const name = match[1] ?? "";
    const spec = registry.get(name);
    if (spec === undefined) {
      const near = didYouMean(name, registry.keys());
      throw new RangeError(`There is no pass \`${name}\`.${near === undefined ? "" : ` Did you mean \`${near}\`?`}`);
    }
    passes.push(spec.make(parseOptions(match[2] ?? "")));
  }
  return passes;
}

function parseOptions(text: string): GivenOptions {
  const out: Record<string, OptionValue> = {};
  const pattern = /\s*(?:([A-Za-z_][\w.]*)\s*=\s*(\[[^\]]*\]|'[^']*'|"[^"]*"|[^,'"[\]]+?))\s*(,|$)/y;
  while (pattern.lastIndex < text.trimEnd().length) {
    const from = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new RangeError(`\`${text.slice(from).trim()}\` is not an option such as \`fuse_opt_level=2\`.`);
    out[match[1] ?? ""] = parseOptionValue(match[2] ?? "");
  }
  return out;
}

/** The value of an option from text: a number, `True` or `False`, a list in brackets, or a text with or without quotes. */
export function parseOptionValue(text: string): OptionValue {
  const value = text.trim();
  if (/^-?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(value)) return Number(value);
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
  if (value.startsWith("[")) return (value.slice(1, -1).match(/'[^']*'|"[^"]*"|[^,\s]+/g) ?? []).map(unquote);
  return unquote(value);
}

function unquote(text: string): string {
  return text.replace(/^(['"])(.*)\1$/, "$2");
}
