// The values of the small Python that reads upstream's tests. Integers are numbers (bigints beyond the safe ones), strings,
// booleans and null are JavaScript's; lists are arrays. Anything else that is no class below belongs to the host.

/** A Python value, or one of the host. */
export type Value = unknown;

/** A float: told apart from an integer of the same value. */
export class PyFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export class PyTuple {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** Keys are compared by value if they are strings, numbers or tuples of those, else by identity. */
export class PyDict {
  readonly #entries = new Map<unknown, [key: Value, value: Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [k, v] of entries) this.set(k, v);
  }
  get(key: Value): Value {
    return this.#entries.get(keyOf(key))?.[1];
  }
  has(key: Value): boolean {
    return this.#entries.has(keyOf(key));
  }
  set(key: Value, value: Value): void {
    this.#entries.set(keyOf(key), [key, value]);
  }
  entries(): [Value, Value][] {
    return [...this.#entries.values()];
  }
}

function keyOf(key: Value): unknown {
  if (key instanceof PyTuple) return `(${key.items.map((k) => (typeof k === "object" || typeof k === "function" ? `#${identity(k)}` : String(k))).join()})`;
  return key;
}

const identities = new WeakMap<object, number>();
let identityCount = 0;
function identity(o: unknown): number {
  if (o === null || (typeof o !== "object" && typeof o !== "function")) return 0;
  let id = identities.get(o);
  if (id === undefined) identities.set(o, (id = ++identityCount));
  return id;
}

/** A function of the host: positional and keyword arguments. */
export type HostFunction = (args: readonly Value[], kwargs: ReadonlyMap<string, Value>) => Value;

/** A namespace: a module, or an enumeration. */
export class PyModule {
  readonly name: string;
  readonly attrs: Map<string, Value>;
  constructor(name: string, attrs: Record<string, Value>) {
    this.name = name;
    this.attrs = new Map(Object.entries(attrs));
  }
}

export class PyClass {
  readonly name: string;
  readonly bases: readonly PyClass[];
  readonly attrs: Map<string, Value> = new Map<string, Value>();
  constructor(name: string, bases: readonly PyClass[] = []) {
    this.name = name;
    this.bases = bases;
  }
  lookup(name: string): Value {
    if (this.attrs.has(name)) return this.attrs.get(name);
    for (const base of this.bases) {
      const found = base.lookup(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  isSubclassOf(other: PyClass): boolean {
    return this === other || this.bases.some((b) => b.isSubclassOf(other));
  }
}

export class PyInstance {
  readonly cls: PyClass;
  readonly attrs: Map<string, Value> = new Map<string, Value>();
  constructor(cls: PyClass) {
    this.cls = cls;
  }
}

/** A raised exception. */
export class PyError extends Error {
  readonly cls: PyClass;
  /** What was compared, for reports. */
  readonly detail: string | undefined;
  constructor(cls: PyClass, message: string, detail?: string) {
    super(message);
    this.cls = cls;
    this.detail = detail;
  }
}

const base: PyClass = new PyClass("Exception");
/** The exceptions that the tests name. */
export const exceptions: Readonly<Record<string, PyClass>> = Object.fromEntries([
  ["Exception", base],
  ...["AssertionError", "ValueError", "TypeError", "RuntimeError", "KeyError", "IndexError", "AttributeError", "NameError", "NotImplementedError"].map((n) => [n, new PyClass(n, [base])]),
]);

export function raise(name: string, message: string): never {
  throw new PyError(exceptions[name] ?? base, message);
}

/** What cannot be read: no verdict on the row. */
export class NotReadable extends Error {}

export function unreadable(what: string): never {
  throw new NotReadable(what);
}

/** A value that cannot be read: whatever is made of it cannot either, and a test that looks at it has no verdict. */
export class Unread {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}
