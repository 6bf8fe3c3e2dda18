/** The entries of an attribute record, those that are undefined left out. */
export function entriesOf(record: object): ReadonlyMap<string, unknown> {
  const entries: Iterable<[string, unknown]> = record instanceof Map ? record : Object.entries(record);
  const out = new Map<string, unknown>();
  for (const [key, value] of entries) if (value !== undefined) out.set(key, value);
  return out;
}

/** True for a record without any property: the commonest attributes by far, which need no list of entries. */
export function isEmptyRecord(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Map) return false;
  for (const _ in value) return false;
  return true;
}
