import type { Node, Span } from "@verticil/ir-core";
import type { MetadataTensor } from "../metadata.ts";
import type { ParseContext } from "./context.ts";

/** A Python float: apart from integers, so that `2.0` is not `2`. */
export class ScriptFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A slice in an index: `lower:upper:step`. */
export class ScriptSlice {
  readonly lower: ScriptValue;
  readonly upper: ScriptValue;
  readonly step: ScriptValue;
  constructor(lower: ScriptValue, upper: ScriptValue, step: ScriptValue) {
    this.lower = lower;
    this.upper = upper;
    this.step = step;
  }
}

/** Something that can be called: a builtin of a dialect, a method, a lambda. */
export class ScriptFunction {
  readonly name: string;
  readonly call: (args: CallArgs, site: Site) => ScriptValue;
  /** What the name stands for where it is not called, as `T.int32` in an annotation. */
  readonly bare: ScriptValue | undefined;
  constructor(name: string, call: (args: CallArgs, site: Site) => ScriptValue, bare?: ScriptValue) {
    this.name = name;
    this.call = call;
    this.bare = bare;
  }
}

/** A lambda: `apply` evaluates its body with the parameters bound. */
export class ScriptLambda {
  readonly params: readonly string[];
  readonly apply: (values: readonly ScriptValue[]) => ScriptValue;
  constructor(params: readonly string[], apply: (values: readonly ScriptValue[]) => ScriptValue) {
    this.params = params;
    this.apply = apply;
  }
}

/** What members are looked up in: a prefix, a sub-namespace, a module. */
export class ScriptNamespace {
  readonly name: string;
  readonly members: ScriptMembers;
  constructor(name: string, members: ScriptMembers) {
    this.name = name;
    this.members = members;
  }
}

/** A value of a dialect that is no node: a scope that a `with` opens, a loop's range, an annotation. */
export abstract class ScriptObject {
  /** What it is, for messages: "a loop". */
  abstract readonly what: string;
}

/** What `range(…)` is: dialects give it its meaning. */
export class ScriptRange extends ScriptObject {
  readonly what = "a range";
  readonly args: readonly ScriptValue[];
  /** What is said by name, such as `annotations` of a loop. */
  readonly keywords: ReadonlyMap<string, ScriptValue>;
  constructor(args: readonly ScriptValue[], keywords: ReadonlyMap<string, ScriptValue> = new Map()) {
    super();
    this.args = args;
    this.keywords = keywords;
  }
}

/** The content of a tensor, from the metadata. */
export class ScriptTensor extends ScriptObject {
  readonly what = "a tensor";
  readonly tensor: MetadataTensor;
  constructor(tensor: MetadataTensor) {
    super();
    this.tensor = tensor;
  }
}

/** A dictionary; keys may be nodes. */
export type ScriptDict = ReadonlyMap<ScriptValue, ScriptValue>;

/**
 * What an expression of a script evaluates to. Integers are `number` or `bigint`, tuples and lists are arrays,
 * `undefined` is `...`.
 */
export type ScriptValue =
  | Node
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | readonly ScriptValue[]
  | ScriptDict
  | ScriptFloat
  | ScriptSlice
  | ScriptFunction
  | ScriptLambda
  | ScriptNamespace
  | ScriptObject;

/** What stands behind a prefix, by name. */
export interface ScriptMembers {
  get(name: string): ScriptValue | undefined;
  /** All names, for suggestions. */
  names(): Iterable<string>;
}

/** Members from a map. */
export function membersOf(map: ReadonlyMap<string, ScriptValue>): ScriptMembers {
  return { get: (name) => map.get(name), names: () => map.keys() };
}

/** Where in the source something happens, and how to complain about it. */
export interface Site {
  readonly ctx: ParseContext;
  readonly start: number;
  readonly end: number;
  /** The place, for the nodes that are made there. */
  readonly span: Span | undefined;
  /** Reports an error here and gives up the statement. */
  fail(message: string, help?: string): never;
}

/** The arguments of a call, evaluated. Python's rules: positional ones may be given by name. */
export class CallArgs {
  readonly args: readonly ScriptValue[];
  readonly keywords: ReadonlyMap<string, ScriptValue>;

  constructor(args: readonly ScriptValue[], keywords: ReadonlyMap<string, ScriptValue>) {
    this.args = args;
    this.keywords = keywords;
  }

  /** The argument at `index`, or given under `name`; undefined if it was left out. */
  get(index: number, name: string): ScriptValue {
    const positional = this.args[index];
    return positional !== undefined ? positional : this.keywords.get(name);
  }

  /** The argument at `index`, or given under `name`. @throws (a diagnostic) if it was left out. */
  need(index: number, name: string, site: Site): ScriptValue {
    const value = this.get(index, name);
    if (value === undefined) site.fail(`The argument \`${name}\` is missing.`);
    return value;
  }

  /** Complains about arguments beyond `count` and under other names than `names`. */
  only(count: number, names: readonly string[], site: Site): void {
    if (this.args.length > count) site.fail(`Expected at most ${count} arguments, found ${this.args.length}.`);
    for (const name of this.keywords.keys()) {
      if (!names.includes(name)) site.fail(`There is no argument \`${name}\` here.`, names.length > 0 ? `Known are ${names.join(", ")}.` : undefined);
    }
  }
}

/** True for a whole number. */
export function isInt(value: ScriptValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** True for a list or a tuple. */
export function isList(value: ScriptValue): value is readonly ScriptValue[] {
  return Array.isArray(value);
}

/** True for a dictionary. */
export function isDict(value: ScriptValue): value is ScriptDict {
  return value instanceof Map;
}

/** What a value is, for messages. */
export function describeValue(value: ScriptValue): string {
  if (value === null) return "None";
  if (value === undefined) return "`...`";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (isInt(value)) return `the integer ${value}`;
  if (typeof value === "string") return value.length > 40 ? "a string" : `the string ${JSON.stringify(value)}`;
  if (isList(value)) return "a list";
  if (isDict(value)) return "a dictionary";
  if (value instanceof ScriptFloat) return `the float ${value.value}`;
  if (value instanceof ScriptSlice) return "a slice";
  if (value instanceof ScriptFunction) return `the function \`${value.name}\``;
  if (value instanceof ScriptLambda) return "a lambda";
  if (value instanceof ScriptNamespace) return `\`${value.name}\``;
  if (value instanceof ScriptObject) return value.what;
  return `a \`${value.kind}\``;
}
