import type { ContextEntry, ContextKey } from "./context-key.ts";
import { Diagnostics } from "./diagnostics.ts";
import { irDialect, type IRModule } from "./ir.ts";
import type { Dialect } from "./field-table.ts";
import { defaultWasmTarget, type Target } from "./target.ts";

/** Hooks around each pass, in the order of the list. They see modules; they never change them. */
export interface PassInstrument {
  readonly name: string;
  runBefore?(pass: Pass, module: IRModule, ctx: PassContext): void;
  runAfter?(pass: Pass, module: IRModule, ctx: PassContext, before: IRModule): void;
}

/** A step of the compiler. Its options are parameters of the function that makes it. */
export interface Pass {
  /** Upstream's name where upstream has the pass, e.g. `FuseOps`. */
  readonly name: string;
  /** Runs only at this optimisation level or above; 0 always. */
  readonly optLevel: number;
  run(module: IRModule, ctx: PassContext): IRModule;
}

/** What a pipeline is run with. Nothing a pass needs is global. */
export interface PassContext {
  readonly target: Target;
  readonly dialects: readonly Dialect[];
  readonly diagnostics: Diagnostics;
  readonly instruments: readonly PassInstrument[];
  readonly optLevel: number;
  readonly disabledPasses: ReadonlySet<string>;
  /** Aborts a pipeline between two passes. */
  readonly signal?: AbortSignalLike | undefined;
  /** The value under a key. @throws Error that names the key if there is none. */
  get<T>(key: ContextKey<T>): T;
  /** The value under a key, or undefined. */
  find<T>(key: ContextKey<T>): T | undefined;
}

/** The part of `AbortSignal` that the compiler uses; it has no DOM types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  throwIfAborted(): void;
}

/** The parts of a context, each with a default. */
export interface PassContextOptions {
  readonly target?: Target;
  readonly dialects?: readonly Dialect[];
  readonly diagnostics?: Diagnostics;
  readonly instruments?: readonly PassInstrument[];
  readonly optLevel?: number;
  readonly disabledPasses?: Iterable<string>;
  readonly signal?: AbortSignalLike | undefined;
  readonly entries?: readonly ContextEntry[];
}

/** A context. Without options: the wasm target, the shared nodes only, no instruments, optimisation level 2. */
export function passContext(options: PassContextOptions = {}): PassContext {
  const values = new Map((options.entries ?? []).map((e) => [e.key.id, e.value]));
  const find = <T>(key: ContextKey<T>): T | undefined => values.get(key.id) as T | undefined;
  return {
    target: options.target ?? defaultWasmTarget,
    dialects: options.dialects ?? [irDialect],
    diagnostics: options.diagnostics ?? new Diagnostics(),
    instruments: options.instruments ?? [],
    optLevel: options.optLevel ?? 2,
    disabledPasses: new Set(options.disabledPasses ?? []),
    signal: options.signal,
    find,
    get<T>(key: ContextKey<T>): T {
      const value = find(key);
      if (value === undefined) throw new Error(`The pass context has nothing under \`${key.id}\`. Add it to \`entries\`.`);
      return value;
    },
  };
}

/** A pass from its name and what it does. */
export function definePass(name: string, run: Pass["run"], optLevel = 0): Pass {
  return { name, optLevel, run };
}

/**
 * A pipeline, itself a pass, so that pipelines nest. Runs the instruments around each pass that is not itself a
 * pipeline, skips passes that are disabled or above the optimisation level, and stops after a pass that reported an
 * error.
 */
export function sequential(name: string, passes: readonly Pass[]): Pass & { readonly passes: readonly Pass[] } {
  return {
    name,
    optLevel: 0,
    passes,
    run(module, ctx) {
      let current = module;
      for (const pass of passes) {
        ctx.signal?.throwIfAborted();
        if (pass.optLevel > ctx.optLevel || ctx.disabledPasses.has(pass.name)) continue;
        current = "passes" in pass ? pass.run(current, ctx) : runPass(pass, current, ctx);
        if (ctx.diagnostics.hasErrors) break;
      }
      return current;
    },
  };
}

/** Runs one pass with the context's instruments around it. */
export function runPass(pass: Pass, module: IRModule, ctx: PassContext): IRModule {
  for (const instrument of ctx.instruments) instrument.runBefore?.(pass, module, ctx);
  const result = pass.run(module, ctx);
  for (const instrument of ctx.instruments) instrument.runAfter?.(pass, result, ctx, module);
  return result;
}
