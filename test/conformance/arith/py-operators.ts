import { arithmetic, Builtin, builtin, methodOf } from "./py-builtins.ts";
import { BoundMethod, PyFunction, type PyHost } from "./py-scope.ts";
import { exceptions, PyClass, PyDict, PyError, PyFloat, PyInstance, PyModule, PyTuple, raise, Unread, unreadable, type HostFunction, type Value } from "./py-values.ts";

/** What Python's operators, attributes and calls mean for values of the program and of the host. */
export class PyOperators {
  protected readonly host: PyHost;

  constructor(host: PyHost) {
    this.host = host;
  }

  protected item(object: Value, key: Value): Value {
    if (object instanceof PyDict) {
      if (!object.has(key)) raise("KeyError", String(key));
      return object.get(key);
    }
    if (Array.isArray(object) || object instanceof PyTuple) {
      const list = this.iterate(object);
      const i = Number(key);
      if (i >= list.length || i < -list.length) raise("IndexError", "index out of range");
      return list[i < 0 ? i + list.length : i];
    }
    const getter = this.host.getattr(object, "__getitem__");
    if (typeof getter === "function") return (getter as HostFunction)([key], new Map());
    return unreadable("an item of this");
  }

  protected attr(object: Value, name: string): Value {
    if (object instanceof PyModule) return object.attrs.get(name) ?? unreadable(`\`${object.name}.${name}\``);
    if (object instanceof PyInstance) {
      if (object.attrs.has(name)) return object.attrs.get(name);
      const found = object.cls.lookup(name);
      if (found instanceof PyFunction) {
        if (found.decorators.includes("property")) return found.call([object], new Map());
        return found.decorators.includes("staticmethod") ? found : new BoundMethod(object, found);
      }
      if (found !== undefined) return found;
      return raise("AttributeError", name);
    }
    if (object instanceof PyClass) return name === "__name__" ? object.name : (object.lookup(name) ?? unreadable(`\`${object.name}.${name}\``));
    if (object instanceof Unread) return object;
    const method = methodOf(object, name, this);
    if (method !== undefined) return method;
    return this.host.getattr(object, name) ?? unreadable(`the attribute \`${name}\``);
  }

  /** Calls anything that can be called. */
  call(f: Value, args: readonly Value[], kwargs: ReadonlyMap<string, Value> = new Map()): Value {
    if (f instanceof BoundMethod) return f.f.call([f.self, ...args], kwargs);
    if (f instanceof PyFunction) return f.call(args, kwargs);
    if (f instanceof Builtin) return builtin(f.name, args, kwargs, this);
    if (!(f instanceof PyClass) && !(f instanceof PyInstance)) {
      const unread = [f, ...args, ...kwargs.values()].flatMap((x) => (Array.isArray(x) ? (x as Value[]) : x instanceof PyTuple ? x.items : [x])).find((x) => x instanceof Unread);
      if (unread !== undefined) return unread;
    }
    if (typeof f === "function") return (f as HostFunction)(args, kwargs);
    if (f instanceof PyClass) {
      if (f.isSubclassOf(exceptions["Exception"] ?? f)) return new PyError(f, String(args[0] ?? ""));
      const instance = new PyInstance(f);
      const init = f.lookup("__init__");
      if (init instanceof PyFunction) init.call([instance, ...args], kwargs);
      return instance;
    }
    if (f instanceof PyInstance) {
      const own = f.cls.lookup("__call__");
      if (own instanceof PyFunction) return own.call([f, ...args], kwargs);
    }
    return this.host.call(f, args, kwargs) ?? unreadable("a call of this");
  }

  protected binary(op: string, a: Value, b: Value): Value {
    switch (op) {
      case "is":
        return a === b;
      case "is not":
        return a !== b;
      case "in":
      case "not in": {
        const found = b instanceof PyDict ? b.has(a) : typeof b === "string" ? b.includes(String(a)) : this.iterate(b).some((x) => this.truth(this.binary("==", x, a)));
        return found === (op === "in");
      }
      default:
        break;
    }
    if (a instanceof Unread) return a;
    if (b instanceof Unread) return b;
    const own = this.host.binary(op, a, b);
    if (own !== undefined) return own;
    if (op === "==" || op === "!=") return this.equals(a, b) === (op === "==");
    if (typeof a === "string" && typeof b === "string" && op === "+") return a + b;
    if (typeof a === "string" && op === "%") return a;
    if (Array.isArray(a) && Array.isArray(b) && op === "+") return [...(a as Value[]), ...(b as Value[])];
    if (a instanceof PyTuple && b instanceof PyTuple && op === "+") return new PyTuple([...a.items, ...b.items]);
    if (Array.isArray(a) && typeof b === "number" && op === "*") return Array.from({ length: b }, () => a as Value[]).flat();
    return arithmetic(op, a, b);
  }

  equals(a: Value, b: Value): boolean {
    if (a instanceof PyTuple && b instanceof PyTuple) return a.items.length === b.items.length && a.items.every((x, i) => this.truth(this.binary("==", x, b.items[i])));
    if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => this.truth(this.binary("==", x, b[i])));
    if (a instanceof PyFloat) return b instanceof PyFloat ? a.value === b.value : a.value === b;
    if (b instanceof PyFloat) return a === b.value;
    if (typeof a === "bigint" || typeof b === "bigint") return (typeof a === "bigint" || typeof a === "number") && (typeof b === "bigint" || typeof b === "number") && BigInt(a) === BigInt(b);
    if (typeof a === "boolean" && typeof b === "number") return Number(a) === b;
    if (typeof b === "boolean" && typeof a === "number") return Number(b) === a;
    return a === b;
  }

  truth(v: Value): boolean {
    if (v === null || v === undefined || v === false || v === 0 || v === "" || v === 0n) return false;
    if (v instanceof PyTuple) return v.items.length > 0;
    if (v instanceof PyDict) return v.entries().length > 0;
    if (Array.isArray(v)) return v.length > 0;
    if (v instanceof PyFloat) return v.value !== 0;
    if (v instanceof Unread) return unreadable(v.what);
    return this.host.truth(v) ?? true;
  }

  iterate(v: Value): readonly Value[] {
    if (Array.isArray(v)) return v as Value[];
    if (v instanceof PyTuple) return v.items;
    if (v instanceof PyDict) return v.entries().map(([k]) => k);
    if (typeof v === "string") return [...v];
    const own = this.host.getattr(v, "__iter__");
    if (typeof own === "function") return (own as HostFunction)([], new Map()) as Value[];
    return unreadable("iteration over this");
  }

  text(v: Value): string {
    const own = this.host.text(v);
    if (own !== undefined) return own;
    if (v === null) return "None";
    if (typeof v === "boolean") return v ? "True" : "False";
    if (v instanceof PyFloat) return String(v.value);
    if (v instanceof PyTuple) return `(${v.items.map((x) => this.text(x)).join(", ")})`;
    if (Array.isArray(v)) return `[${v.map((x) => this.text(x)).join(", ")}]`;
    return typeof v === "object" ? "object" : String(v);
  }
}
