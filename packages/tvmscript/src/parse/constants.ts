import { isInt, ScriptFloat, type ScriptValue } from "./values.ts";

type Plain = number | bigint;

function normal(value: bigint): Plain {
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : value;
}

function floor(a: bigint, b: bigint): bigint {
  const q = a / b;
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q;
}

/** Python's arithmetic on plain numbers; undefined if it is none. */
export function constantBinary(op: string, a: ScriptValue, b: ScriptValue): ScriptValue | undefined {
  if (typeof a === "boolean" && typeof b === "boolean") {
    if (op === "==") return a === b;
    return op === "!=" ? a !== b : undefined;
  }
  if (isInt(a) && isInt(b)) return integers(op, BigInt(a), BigInt(b));
  const x = toFloat(a);
  const y = toFloat(b);
  if (x !== undefined && y !== undefined) return floats(op, x, y);
  if (typeof a === "string" && typeof b === "string") {
    if (op === "==") return a === b;
    if (op === "!=") return a !== b;
    return op === "+" ? a + b : undefined;
  }
  if (Array.isArray(a) && Array.isArray(b) && op === "+") return [...a, ...b];
  if (Array.isArray(a) && isInt(b) && op === "*" && b >= 0 && b < 1000) return Array.from({ length: Number(b) }, () => a).flat();
  return undefined;
}

function toFloat(v: ScriptValue): number | undefined {
  if (v instanceof ScriptFloat) return v.value;
  return isInt(v) ? Number(v) : undefined;
}

function integers(op: string, a: bigint, b: bigint): ScriptValue | undefined {
  switch (op) {
    case "+":
      return normal(a + b);
    case "-":
      return normal(a - b);
    case "*":
      return normal(a * b);
    case "/":
      return b === 0n ? undefined : new ScriptFloat(Number(a) / Number(b));
    case "//":
      return b === 0n ? undefined : normal(floor(a, b));
    case "%":
      return b === 0n ? undefined : normal(a - floor(a, b) * b);
    case "**":
      return b < 0n || b > 4096n ? undefined : normal(a ** b);
    case "<<":
      return b < 0n || b > 4096n ? undefined : normal(a << b);
    case ">>":
      return b < 0n || b > 4096n ? undefined : normal(a >> b);
    case "&":
      return normal(a & b);
    case "|":
      return normal(a | b);
    case "^":
      return normal(a ^ b);
    default:
      return compare(op, a, b);
  }
}

function floats(op: string, a: number, b: number): ScriptValue | undefined {
  switch (op) {
    case "+":
      return new ScriptFloat(a + b);
    case "-":
      return new ScriptFloat(a - b);
    case "*":
      return new ScriptFloat(a * b);
    case "/":
      return b === 0 ? undefined : new ScriptFloat(a / b);
    case "**":
      return new ScriptFloat(a ** b);
    default:
      return compare(op, a, b);
  }
}

function compare<T extends number | bigint>(op: string, a: T, b: T): boolean | undefined {
  switch (op) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    default:
      return undefined;
  }
}

/** Python's unary operators on plain values; undefined if it is none. */
export function constantUnary(op: string, a: ScriptValue): ScriptValue | undefined {
  if (op === "not") return typeof a === "boolean" ? !a : undefined;
  if (a instanceof ScriptFloat) return op === "-" ? new ScriptFloat(-a.value) : op === "+" ? a : undefined;
  if (!isInt(a)) return undefined;
  switch (op) {
    case "-":
      return normal(-BigInt(a));
    case "+":
      return a;
    case "~":
      return normal(~BigInt(a));
    default:
      return undefined;
  }
}
