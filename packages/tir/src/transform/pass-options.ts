/** The options of a pass by upstream's names, as a command line or a corpus gives them. */
export type TirPassOptions = Readonly<Record<string, unknown>>;

/** An option that is a number. @throws TypeError for another value. */
export function numberOption(options: TirPassOptions, name: string): number | undefined {
  const value = options[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "number") throw new TypeError(`The option \`${name}\` is a number, not \`${String(value)}\`.`);
  return value;
}

/** An option that is true or false. @throws TypeError for another value. */
export function booleanOption(options: TirPassOptions, name: string): boolean | undefined {
  const value = options[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return value !== 0;
  if (typeof value !== "boolean") throw new TypeError(`The option \`${name}\` is true or false, not \`${String(value)}\`.`);
  return value;
}

/** An option that is a text. @throws TypeError for another value. */
export function stringOption(options: TirPassOptions, name: string): string | undefined {
  const value = options[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new TypeError(`The option \`${name}\` is a text, not \`${String(value)}\`.`);
  return value;
}
