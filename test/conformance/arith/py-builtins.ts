import { PyClass, PyDict, PyError, PyFloat, PyInstance, PyTuple, raise, unreadable, type HostFunction, type Value } from "./py-values.ts";

/** What built-in functions ask of the program that calls them. */
export interface PyRuntime {
  iterate(v: Value): readonly Value[];
  truth(v: Value): boolean;
  text(v: Value): string;
  call(f: Value, args: readonly Value[], kwargs?: ReadonlyMap<string, Value>): Value;
}

/** A name that needs no import. */
export class Builtin {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** All of them. */
export const builtins: ReadonlySet<string> = new Set(["range", "len", "zip", "enumerate", "list", "tuple", "dict", "set", "str", "int", "float", "bool", "isinstance", "issubclass", "print", "sum", "min", "max", "all", "any", "abs", "map", "reversed", "sorted", "repr", "type", "getattr", "hasattr", "iter", "next", "object"]);

/** Calls one. */
export function builtin(name: string, args: readonly Value[], kwargs: ReadonlyMap<string, Value>, p: PyRuntime): Value {
  const [a, b, c] = args;
  switch (name) {
    case "range": {
      const [from, to, step] = b === undefined ? [0, Number(a), 1] : [Number(a), Number(b), c === undefined ? 1 : Number(c)];
      const out: number[] = [];
      for (let i = from; step > 0 ? i < to : i > to; i += step) out.push(i);
      return out;
    }
    case "len":
      return a instanceof PyDict ? a.entries().length : p.iterate(a).length;
    case "zip": {
      const lists = args.map((x) => p.iterate(x));
      return Array.from({ length: Math.min(...lists.map((l) => l.length)) }, (_, i) => new PyTuple(lists.map((l) => l[i])));
    }
    case "enumerate":
      return p.iterate(a).map((x, i) => new PyTuple([i, x]));
    case "list":
    case "set":
    case "iter":
      return a === undefined ? [] : [...p.iterate(a)];
    case "tuple":
      return new PyTuple(a === undefined ? [] : p.iterate(a));
    case "dict":
      return a instanceof PyDict ? new PyDict(a.entries()) : new PyDict([...(a === undefined ? [] : p.iterate(a).map((x) => { const [k, v] = p.iterate(x); return [k, v] as const; })), ...kwargs]);
    case "reversed":
      return [...p.iterate(a)].reverse();
    case "map":
      return p.iterate(b).map((x) => p.call(a, [x]));
    case "str":
    case "repr":
      return p.text(a);
    case "int":
      return typeof a === "number" || typeof a === "bigint" ? a : a instanceof PyFloat ? Math.trunc(a.value) : typeof a === "boolean" ? Number(a) : typeof a === "object" && a !== null && "value" in a ? Number(a.value) : unreadable("int() of this");
    case "float":
      return new PyFloat(Number(a instanceof PyFloat ? a.value : a));
    case "bool":
      return p.truth(a);
    case "print":
      return null;
    case "abs":
      return typeof a === "number" ? Math.abs(a) : unreadable("abs");
    case "all":
      return p.iterate(a).every((x) => p.truth(x));
    case "any":
      return p.iterate(a).some((x) => p.truth(x));
    case "min":
    case "max": {
      const list = b === undefined ? p.iterate(a) : args;
      if (list.some((x) => typeof x !== "number")) return unreadable(name);
      return Math[name](...(list as number[]));
    }
    case "sum":
      return p.iterate(a).reduce((acc, x) => p.call((xs: readonly Value[]) => arithmetic("+", xs[0], xs[1]), [acc, x]), b ?? 0);
    case "isinstance": {
      const classes = Array.isArray(b) || b instanceof PyTuple ? p.iterate(b) : [b];
      return classes.some((cls) => isInstance(a, cls));
    }
    case "issubclass":
      return a instanceof PyClass && b instanceof PyClass && a.isSubclassOf(b);
    default:
      return unreadable(`\`${name}()\``);
  }
}

function isInstance(a: Value, cls: Value): boolean {
  if (cls instanceof PyClass) return (a instanceof PyInstance && a.cls.isSubclassOf(cls)) || (a instanceof PyError && a.cls.isSubclassOf(cls));
  if (cls instanceof Builtin) {
    if (cls.name === "int") return typeof a === "number" || typeof a === "bigint" || typeof a === "boolean";
    if (cls.name === "float") return a instanceof PyFloat;
    if (cls.name === "str") return typeof a === "string";
    if (cls.name === "list") return Array.isArray(a);
    if (cls.name === "tuple") return a instanceof PyTuple;
    if (cls.name === "dict") return a instanceof PyDict;
    return false;
  }
  if (typeof cls === "object" && cls !== null && "isInstance" in cls && typeof cls.isInstance === "function") return Boolean(cls.isInstance(a));
  return unreadable("isinstance of a class of the host");
}

/** A method of a list, dictionary or string. */
export function methodOf(object: Value, name: string, p: PyRuntime): HostFunction | undefined {
  if (object instanceof PyDict) {
    if (name === "items") return () => object.entries().map(([k, v]) => new PyTuple([k, v]));
    if (name === "keys") return () => object.entries().map(([k]) => k);
    if (name === "values") return () => object.entries().map(([, v]) => v);
    if (name === "get") return ([k, d]) => (object.has(k) ? object.get(k) : (d ?? null));
    if (name === "update") return ([d]) => { if (d instanceof PyDict) for (const [k, v] of d.entries()) object.set(k, v); return null; };
  }
  if (Array.isArray(object)) {
    const list: Value[] = object;
    if (name === "append") return ([x]) => (list.push(x), null);
    if (name === "extend") return ([x]) => (list.push(...p.iterate(x)), null);
    if (name === "index") return ([x]) => list.indexOf(x);
    if (name === "pop") return () => list.pop();
  }
  if (typeof object === "string") {
    if (name === "format") return (args) => args.reduce<string>((acc, x) => acc.replace("{}", () => p.text(x)), object);
    if (name === "startswith") return ([x]) => object.startsWith(String(x));
    if (name === "join") return ([x]) => p.iterate(x).map((y) => p.text(y)).join(object);
  }
  return undefined;
}

/** A number as it is written. */
export function numberOf(text: string): Value {
  const t = text.replaceAll("_", "");
  if (/^0[xXbBoO]/.test(t)) return small(BigInt(t));
  return /[.eEjJ]/.test(t) ? new PyFloat(Number(t)) : small(BigInt(t));
}

/** A string as it is written. */
export function stringOf(text: string): string {
  const m = /^[rRbBuU]*("""|'''|"|')([\s\S]*)\1$/.exec(text);
  return (m?.[2] ?? text).replaceAll(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));
}

/** An integer, as a number if that is safe. */
export function small(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Arithmetic of plain numbers. */
export function arithmetic(op: string, a: Value, b: Value): Value {
  const plain = (x: Value): x is number | bigint | boolean => typeof x === "number" || typeof x === "bigint" || typeof x === "boolean";
  if (a instanceof PyFloat || b instanceof PyFloat || op === "/") {
    const x = a instanceof PyFloat ? a.value : plain(a) ? Number(a) : NaN;
    const y = b instanceof PyFloat ? b.value : plain(b) ? Number(b) : NaN;
    switch (op) {
      case "+": return new PyFloat(x + y);
      case "-": return new PyFloat(x - y);
      case "*": return new PyFloat(x * y);
      case "/": return new PyFloat(x / y);
      case "**": return new PyFloat(x ** y);
      case "<": return x < y;
      case "<=": return x <= y;
      case ">": return x > y;
      case ">=": return x >= y;
      default: return unreadable(`\`${op}\` of floats`);
    }
  }
  if (!plain(a) || !plain(b)) return unreadable(`\`${op}\` of these`);
  const [x, y] = [BigInt(a), BigInt(b)];
  const floor = (): bigint => { const q = x / y; return x % y !== 0n && x < 0n !== y < 0n ? q - 1n : q; };
  switch (op) {
    case "+": return small(x + y);
    case "-": return small(x - y);
    case "*": return small(x * y);
    case "//": return y === 0n ? raise("ValueError", "division by zero") : small(floor());
    case "%": return y === 0n ? raise("ValueError", "division by zero") : small(x - floor() * y);
    case "**": return y < 0n ? new PyFloat(Number(x) ** Number(y)) : small(x ** y);
    case "<<": return small(x << y);
    case ">>": return small(x >> y);
    case "&": return small(x & y);
    case "|": return small(x | y);
    case "^": return small(x ^ y);
    case "<": return x < y;
    case "<=": return x <= y;
    case ">": return x > y;
    case ">=": return x >= y;
    default: return unreadable(`\`${op}\``);
  }
}
