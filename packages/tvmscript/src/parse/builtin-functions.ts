import { isInt, isList, ScriptFloat, ScriptFunction, type CallArgs, type ScriptValue, type Site } from "./values.ts";

function toFloat(a: CallArgs, site: Site): ScriptValue {
  const value = a.need(0, "x", site);
  if (value instanceof ScriptFloat) return value;
  if (isInt(value)) return new ScriptFloat(Number(value));
  if (typeof value !== "string") return site.fail("`float` takes a plain number or a string.");
  const text = value.trim().toLowerCase().replace(/^([+-]?)inf(inity)?$/, "$1Infinity");
  const number = Number(text);
  if (text === "" || (Number.isNaN(number) && !/^[+-]?nan$/.test(text))) return site.fail(`\`${value}\` is not a number.`);
  return new ScriptFloat(number);
}

function toInt(a: CallArgs, site: Site): ScriptValue {
  const value = a.need(0, "x", site);
  if (isInt(value)) return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof ScriptFloat && Number.isSafeInteger(Math.trunc(value.value))) return Math.trunc(value.value);
  return site.fail("`int` takes a plain number.");
}

function length(a: CallArgs, site: Site): ScriptValue {
  const value = a.need(0, "obj", site);
  return isList(value) ? value.length : site.fail("`len` takes a list.");
}

/** The few of Python's own functions that mean something on constants: what they give is known while reading. */
export const builtinFunctions: ReadonlyMap<string, ScriptFunction> = new Map([
  ["float", new ScriptFunction("float", toFloat)],
  ["int", new ScriptFunction("int", toInt)],
  ["len", new ScriptFunction("len", length)],
]);
