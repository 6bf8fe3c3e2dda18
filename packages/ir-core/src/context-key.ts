/**
 * The typed name of something that a pipeline hands its passes: an operator registry, a tuning database, a table of
 * tensor intrinsics. Packages export keys; whoever assembles a pipeline puts values under them.
 */
export interface ContextKey<T> {
  readonly id: string;
  /** Never set; carries the type. */
  readonly type?: T;
}

export function contextKey<T>(id: string): ContextKey<T> {
  return { id };
}

/** A key with its value. */
export interface ContextEntry<T = unknown> {
  readonly key: ContextKey<T>;
  readonly value: T;
}

export function contextEntry<T>(key: ContextKey<T>, value: T): ContextEntry<T> {
  return { key, value };
}
