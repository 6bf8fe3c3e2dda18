import { readPython, type PyExpr } from "@verticil/tvmscript";

/** A value of the little Python that corpus rows are written in: data, or something that the host hands in. */
export type PyValue = unknown;

/** A call of Python: positional and named arguments. */
export interface PyArgs {
  readonly args: readonly PyValue[];
  readonly named: ReadonlyMap<string, PyValue>;
}

/** What names mean: called with dotted paths (`tvm.IRModule`) and with the attributes of values. */
export interface PyHost {
  /** The value of a dotted name. @throws PyUnsupported if it means nothing here. */
  name(path: string): PyValue;
  /** `value.attr`, for values that are not host names. */
  attribute(value: PyValue, attr: string): PyValue;
  call(callee: PyValue, args: PyArgs): PyValue;
  item(value: PyValue, key: PyValue): PyValue;
  /** An operator on operands that are not both numbers. @throws PyUnsupported if it means nothing; so it is without this. */
  binary?(op: string, a: PyValue, b: PyValue): PyValue;
}

/** Thrown for Python that the harness does not read; the row is counted apart. */
export class PyUnsupported extends Error {}

/** Evaluates one Python expression of a corpus row. @throws PyUnsupported */
export function evalPython(text: string, host: PyHost): PyValue {
  const [stmt] = readPython(text).body;
  if (stmt?.py !== "ExprStmt") throw new PyUnsupported(`\`${text}\` is not an expression`);
  return evalExpr(stmt.value, host);
}

/** The dotted path of a name, or undefined. */
function pathOf(e: PyExpr): string | undefined {
  if (e.py === "Name") return e.id;
  if (e.py !== "Attribute") return undefined;
  const base = pathOf(e.value);
  return base === undefined ? undefined : `${base}.${e.attr}`;
}

function evalExpr(e: PyExpr, host: PyHost): PyValue {
  switch (e.py) {
    case "Name":
      return host.name(e.id);
    case "Attribute": {
      const path = pathOf(e);
      if (path?.startsWith("tvm.") === true) return host.name(path);
      return host.attribute(evalExpr(e.value, host), e.attr);
    }
    case "Int":
    case "Float":
    case "Str":
    case "Const":
      return e.value;
    case "Tuple":
    case "List":
      return e.items.map((x) => evalExpr(x, host));
    case "Dict":
      return new Map(e.entries.map(([k, v]) => [evalExpr(k, host), evalExpr(v, host)]));
    case "Lambda":
      return lambda(e.params, (args) => evalExpr(e.body, withNames(host, args)));
    case "Unary": {
      const value = evalExpr(e.operand, host);
      if (e.op === "not") return !truthy(value);
      if (typeof value !== "number") throw new PyUnsupported(`\`${e.op}\` of a value that is no number`);
      return e.op === "-" ? -value : e.op === "~" ? ~value : value;
    }
    case "Binary": {
      const [a, b] = [evalExpr(e.left, host), evalExpr(e.right, host)];
      if ((typeof a !== "number" || typeof b !== "number") && host.binary !== undefined) return host.binary(e.op, a, b);
      if (typeof a !== "number" || typeof b !== "number") throw new PyUnsupported(`\`${e.op}\` of values that are no numbers`);
      return arithmetic(e.op, a, b);
    }
    case "Call": {
      const args = e.args.map((x) => evalExpr(x, host));
      const named = new Map<string, PyValue>();
      for (const k of e.keywords) {
        if (k.name === undefined) throw new PyUnsupported("`**` in a call");
        named.set(k.name, evalExpr(k.value, host));
      }
      return host.call(evalExpr(e.func, host), { args, named });
    }
    case "Subscript": {
      const [index] = e.indices;
      if (e.indices.length !== 1 || index === undefined || index.py === "Slice") throw new PyUnsupported("a subscript other than one key");
      return host.item(evalExpr(e.value, host), evalExpr(index, host));
    }
    default:
      throw new PyUnsupported(`Python's ${e.py}`);
  }
}

/** A function of as many arguments as the lambda has: callers ask for its length. */
function lambda(params: readonly string[], body: (args: ReadonlyMap<string, PyValue>) => PyValue): (...args: PyValue[]) => PyValue {
  const call = (...args: PyValue[]): PyValue => body(new Map(params.map((p, i) => [p, args[i]])));
  return Object.defineProperty(call, "length", { value: params.length });
}

function withNames(host: PyHost, names: ReadonlyMap<string, PyValue>): PyHost {
  return { ...host, name: (path) => (names.has(path) ? names.get(path) : host.name(path)) };
}

function truthy(value: PyValue): boolean {
  return value !== false && value !== null && value !== 0 && value !== "";
}

function arithmetic(op: string, a: number, b: number): number {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "**":
      return a ** b;
    case "<<":
      return a << b;
    case "&":
      return a & b;
    case "|":
      return a | b;
    default:
      throw new PyUnsupported(`the operator \`${op}\``);
  }
}
