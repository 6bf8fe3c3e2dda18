/** One step from a node to a part of it. */
export type PathStep =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  /** An entry of a map or of an attribute record; variables that are keys go by their name. */
  | { readonly kind: "key"; readonly key: string };

/** Where a part is, from the root down (upstream's `ObjectPath`). */
export type ObjectPath = readonly PathStep[];

/** A path as text: `functions["main"].body.blocks[0].bindings[2].value`; `<root>` for the root itself. */
export function formatPath(path: ObjectPath): string {
  let out = "";
  for (const step of path) {
    if (step.kind === "index") out += `[${step.index}]`;
    else if (step.kind === "field") out += out === "" ? step.name : `.${step.name}`;
    else out += `[${JSON.stringify(step.key)}]`;
  }
  return out === "" ? "<root>" : out;
}

/** True if `prefix` leads to the same part as `path`, or to one that holds it. */
export function isPathPrefix(prefix: ObjectPath, path: ObjectPath): boolean {
  return prefix.length <= path.length && prefix.every((step, i) => sameStep(step, path[i]));
}

function sameStep(a: PathStep, b: PathStep | undefined): boolean {
  if (b === undefined) return false;
  if (a.kind === "field") return b.kind === "field" && a.name === b.name;
  if (a.kind === "index") return b.kind === "index" && a.index === b.index;
  return b.kind === "key" && a.key === b.key;
}

/** The part of `root` at `path`; undefined if there is none. Keys that are variables are found by name. */
export function atPath(root: unknown, path: ObjectPath): unknown {
  let here: unknown = root;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    if (here instanceof Map && step.kind === "key") here = mapEntry(here, step.key);
    else here = (here as Readonly<Record<string, unknown>>)[stepName(step)];
  }
  return here;
}

function stepName(step: PathStep): string {
  if (step.kind === "field") return step.name;
  return step.kind === "index" ? String(step.index) : step.key;
}

function mapEntry(map: ReadonlyMap<unknown, unknown>, key: string): unknown {
  for (const [k, v] of map) if (keyName(k) === key) return v;
  return undefined;
}

/** What a map key is called in a path: a string is itself, a variable goes by its name. */
export function keyName(key: unknown): string {
  if (typeof key === "string") return key;
  const named = key as { readonly name?: unknown } | undefined;
  return typeof named?.name === "string" ? named.name : "?";
}
