import { checkOptions, type GivenOptions, type OptionDef, type OptionSchema, type OptionType } from "./pass-option.ts";

/**
 * An option that reaches passes through the context, wherever in a pipeline they run (upstream's `PassContext.config`).
 * Packages export theirs; whoever makes a context lists those that may be given.
 */
export interface ConfigOption<D extends OptionDef = OptionDef> {
  /** Upstream's key where upstream has the option, e.g. `relax.FuseOps.max_depth`. */
  readonly key: string;
  readonly def: D;
}

/** An option with its type, e.g. `configOption("relax.FuseOps.max_depth", { type: "int", min: 1, doc: "…" })`. */
export function configOption<const D extends OptionDef>(key: string, def: D): ConfigOption<D> {
  return { key, def };
}

/** The values of a context's options. */
export interface PassConfig {
  /** The value that was given, or undefined. */
  get<D extends OptionDef>(option: ConfigOption<D>): OptionType<D> | undefined;
}

/**
 * Checks values by key against the options that there are.
 * @throws RangeError with a line for each key that no option has, and each value of the wrong type.
 */
export function passConfig(options: readonly ConfigOption[], values: GivenOptions): PassConfig {
  const schema: OptionSchema = Object.fromEntries(options.map((o) => [o.key, o.def]));
  const checked = checkOptions("PassContext", schema, values);
  return { get: <D extends OptionDef>(option: ConfigOption<D>) => checked[option.key] as OptionType<D> | undefined };
}
