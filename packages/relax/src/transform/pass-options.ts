import type { Pass } from "@verticil/ir-core";
import type { TuningBudget } from "../tuning/meta-schedule-tune-tir.ts";

/** The options of a pass by upstream's names, as a command line or a corpus gives them. */
export type RelaxPassOptions = Readonly<Record<string, unknown>>;

/** A pass that is made from options by upstream's names. */
export interface RelaxPassEntry {
  /** The names of the options: upstream's parameters in their order. */
  readonly params: readonly string[];
  /** What it does, in a line, for the passes that the command line takes from here. */
  readonly doc?: string;
  /** @throws TypeError for an option of another type. */
  readonly make: (options: RelaxPassOptions) => Pass;
}

/** A number among the options; undefined where it is not given. @throws TypeError for anything else. */
export function numberOf(options: RelaxPassOptions, name: string): number | undefined {
  const value = options[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" && typeof value !== "bigint") throw new TypeError(`The option \`${name}\` is a number, not \`${String(value)}\`.`);
  return Number(value);
}

/** A name or names among the options, as a list. @throws TypeError for anything else. */
export function namesOf(options: RelaxPassOptions, name: string): readonly string[] | undefined {
  const value = options[name];
  if (value === undefined || value === null) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((n) => {
    if (typeof n !== "string") throw new TypeError(`The option \`${name}\` is a name or a list of names.`);
    return n;
  });
}

/** A name among the options. @throws TypeError for anything else. */
export function nameOf(options: RelaxPassOptions, name: string): string | undefined {
  const value = options[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new TypeError(`The option \`${name}\` is a name.`);
  return value;
}

/** A switch among the options; off where it is not given, unless `otherwise` says so. @throws TypeError for anything else. */
export function isSet(options: RelaxPassOptions, name: string, otherwise = false): boolean {
  const value = options[name] ?? otherwise;
  if (typeof value !== "boolean") throw new TypeError(`The option \`${name}\` is true or false.`);
  return value;
}

/** What a map or an object holds; nothing where the option is not given. @throws TypeError for anything else. */
export function entriesOf(options: RelaxPassOptions, name: string): readonly (readonly [key: unknown, value: unknown])[] {
  const value = options[name];
  if (value === undefined || value === null) return [];
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
  if (typeof value !== "object" || Array.isArray(value)) throw new TypeError(`The option \`${name}\` is a map.`);
  return Object.entries(value);
}

/** What the options say of tuning. @throws TypeError for values of other types. */
export function budgetOf(options: RelaxPassOptions): TuningBudget {
  const [workDir, maxTrialsGlobal, maxTrialsPerTask] = [nameOf(options, "work_dir"), numberOf(options, "max_trials_global"), numberOf(options, "max_trials_per_task")];
  return {
    ...(workDir === undefined ? {} : { workDir }),
    ...(maxTrialsGlobal === undefined ? {} : { maxTrialsGlobal }),
    ...(maxTrialsPerTask === undefined ? {} : { maxTrialsPerTask }),
  };
}
