import {
  contextEntry,
  irDialect,
  passContext,
  type ConfigOption,
  type ContextEntry,
  type Dialect,
  type Pass,
  type PassContext,
  type PassContextOptions,
  type PassSpec,
  type WellFormedCheck,
} from "@verticil/ir-core";
import {
  fuseOpsMaxDepth,
  layoutTable,
  layoutTableKey,
  legalizeTable,
  legalizeTableKey,
  liftTransformConsumeParams,
  opRegistry,
  opRegistryKey,
  relax,
  relaxOps,
  relaxScript,
  winogradPaybackRuns,
  type LayoutTable,
  type LegalizeTable,
  type OpDef,
} from "@verticil/relax";
import { tir } from "@verticil/tir";
import type { ScriptDialect } from "@verticil/tvmscript";

/** What a vertical, or anyone, adds to the compiler from outside: operators with the answers to the passes' questions. */
export interface Extension {
  /** Dialects of its own; those with syntax (a `ScriptDialect`) can be parsed and printed: see `scriptDialectsWith`. */
  readonly dialects?: readonly (Dialect | ScriptDialect)[];
  readonly ops?: readonly OpDef[];
  readonly legalize?: LegalizeTable;
  readonly layout?: LayoutTable;
  /** Passes that `compile` runs before the target's pipeline: they bring the extension's own functions to tensor programs. */
  readonly lowering?: readonly Pass[];
  /** Passes that can be called by name: see `passRegistryWith`. */
  readonly passes?: readonly PassSpec[];
  /** What makes programs of its dialects well-formed. */
  readonly wellFormed?: readonly WellFormedCheck[];
  /** Anything else that passes look up. */
  readonly entries?: readonly ContextEntry[];
  /** Options that its passes take from the context. */
  readonly configOptions?: readonly ConfigOption[];
}

/** The dialects that every compilation knows, with their syntax: what `parse` and `print` take. */
export const scriptDialects: readonly ScriptDialect[] = [tir, relax];

/** The dialects that every compilation knows, as the generic functions on nodes take them. */
export const defaultDialects: readonly Dialect[] = [irDialect, tir, relax];

/** The dialects to parse and print with, those of extensions included, with the extensions' operators in the graph IR's. */
export function scriptDialectsWith(extensions: readonly Extension[]): readonly ScriptDialect[] {
  const ops = extensions.map((e) => e.ops ?? []);
  const graph = ops.every((o) => o.length === 0) ? relax : relaxScript({ ops: opRegistry([...relaxOps.values()], ...ops) });
  return [tir, graph, ...extensions.flatMap((e) => e.dialects ?? []).filter(hasSyntax)];
}

function hasSyntax(dialect: Dialect | ScriptDialect): dialect is ScriptDialect {
  return "printers" in dialect && "members" in dialect;
}

/** The options that the standard passes take from the context. */
const passConfigOptions: readonly ConfigOption[] = [fuseOpsMaxDepth, liftTransformConsumeParams, winogradPaybackRuns];

/** A pass context with the standard operators and tables, and those of the extensions over them. */
export function compileContext(options: PassContextOptions = {}, extensions: readonly Extension[] = []): PassContext {
  const withoutSyntax = extensions.flatMap((e) => e.dialects ?? []).filter((d) => !hasSyntax(d));
  return passContext({
    dialects: [irDialect, ...scriptDialectsWith(extensions), ...withoutSyntax],
    ...options,
    configOptions: [...passConfigOptions, ...extensions.flatMap((e) => e.configOptions ?? []), ...(options.configOptions ?? [])],
    entries: [
      contextEntry(opRegistryKey, opRegistry([...relaxOps.values()], ...extensions.map((e) => e.ops ?? []))),
      contextEntry(legalizeTableKey, merge(legalizeTable, extensions.map((e) => e.legalize))),
      contextEntry(layoutTableKey, merge(layoutTable, extensions.map((e) => e.layout))),
      ...extensions.flatMap((e) => e.entries ?? []),
      ...(options.entries ?? []),
    ],
  });
}

function merge<K, V>(base: ReadonlyMap<K, V>, more: readonly (ReadonlyMap<K, V> | undefined)[]): ReadonlyMap<K, V> {
  return new Map([...base, ...more.flatMap((m) => [...(m ?? [])])]);
}
