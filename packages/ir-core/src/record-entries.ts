/** The entries of an attribute record, those that are undefined left out. */
export function entriesOf(record: object): ReadonlyMap<string, unknown> {
  const entries: Iterable<[string, unknown]> = record instanceof Map ? record : Object.entries(record);
  const out = new Map<string, unknown>();
  for (const [key, value] of entries) if (value !== undefined) out.set(key, value);
  return out;
}
