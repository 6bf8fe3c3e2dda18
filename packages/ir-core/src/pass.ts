import type { ContextEntry, ContextKey } from "./context-key.ts";
import { Diagnostics } from "./diagnostics.ts";
import { passConfig, type ConfigOption, type PassConfig } from "./pass-config.ts";
import type { GivenOptions } from "./pass-option.ts";
import { irDialect, type IRModule } from "./ir.ts";
import type { Dialect } from "./field-table.ts";
import { defaultWasmTarget, type Target } from "./target.ts";

/** Hooks around each pass, in the order of the list. They see modules; they never change them. */
export interface PassInstrument {
  readonly name: string;
  /** False keeps a pass from running. */
  shouldRun?(pass: Pass, module: IRModule, ctx: PassContext): boolean;
  runBefore?(pass: Pass, module: IRModule, ctx: PassContext): void;
  runAfter?(pass: Pass, module: IRModule, ctx: PassContext, before: IRModule): void;
  /** A pipeline begins; the passes and pipelines until it ends are its. */
  enterPipeline?(name: string): void;
  /** The pipeline that began last ends, whatever ended it. */
  exitPipeline?(name: string): void;
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
  /** Passes that run at any optimisation level. */
  readonly requiredPasses: ReadonlySet<string>;
  /** Aborts a pipeline between two passes. */
  readonly signal?: AbortSignalLike | undefined;
  /** Options that reach passes wherever they run. */
  readonly config: PassConfig;
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
  readonly requiredPasses?: Iterable<string>;
  /** Values of options by key; a key that none of `configOptions` has is an error. */
  readonly config?: GivenOptions;
  readonly configOptions?: readonly ConfigOption[];
  readonly signal?: AbortSignalLike | undefined;
  readonly entries?: readonly ContextEntry[];
}

/**
 * A context. Without options: the wasm target, the shared nodes only, no instruments, optimisation level 2.
 * @throws RangeError for configuration that no option takes.
 */
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
    requiredPasses: new Set(options.requiredPasses ?? []),
    config: passConfig(options.configOptions ?? [], options.config ?? {}),
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
      for (const instrument of ctx.instruments) instrument.enterPipeline?.(name);
      try {
        return runAll(passes, module, ctx);
      } finally {
        for (const instrument of ctx.instruments) instrument.exitPipeline?.(name);
      }
    },
  };
}

function runAll(passes: readonly Pass[], module: IRModule, ctx: PassContext): IRModule {
  let current = module;
  for (const pass of passes) {
    ctx.signal?.throwIfAborted();
    if (!isEnabled(pass, ctx)) continue;
    current = "passes" in pass ? pass.run(current, ctx) : runPass(pass, current, ctx);
    if (ctx.diagnostics.hasErrors) break;
  }
  return current;
}

/** Disabled passes never run, required ones always do, others at their optimisation level. */
function isEnabled(pass: Pass, ctx: PassContext): boolean {
  if (ctx.disabledPasses.has(pass.name)) return false;
  return ctx.requiredPasses.has(pass.name) || pass.optLevel <= ctx.optLevel;
}

/** Runs one pass with the context's instruments around it; one that an instrument keeps from running gives the module back. */
export function runPass(pass: Pass, module: IRModule, ctx: PassContext): IRModule {
  if (ctx.instruments.some((i) => i.shouldRun?.(pass, module, ctx) === false)) return module;
  for (const instrument of ctx.instruments) instrument.runBefore?.(pass, module, ctx);
  const result = pass.run(module, ctx);
  for (const instrument of ctx.instruments) instrument.runAfter?.(pass, result, ctx, module);
  return result;
}
