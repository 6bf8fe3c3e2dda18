import type { Node, ObjectPath } from "@verticil/ir-core";
import type { ScriptDialect } from "../dialect.ts";
import type { MetadataTable } from "../metadata.ts";
import type { Spelling } from "../spelling.ts";

/** How a program is printed; upstream's `PrinterConfig`. */
export interface PrintOptions {
  /** The dialects that the program is made of. */
  readonly dialects: readonly ScriptDialect[];
  /** The name of a function or module that is printed alone. */
  readonly name?: string | undefined;
  /** Puts the metadata in front as JSON; else a comment says that it is left out. */
  readonly showMeta?: boolean;
  /** Takes the metadata; nothing is written about it then. Hand the same table to `parse`. */
  readonly metadata?: MetadataTable | undefined;
  /** Other prefixes than the dialects' own, by the dialect's name: `{ tir: "TT" }`. */
  readonly prefixes?: Readonly<Record<string, string>>;
  /** What graph functions call their module; an empty string writes the module's name out. */
  readonly moduleAlias?: string;
  /** Buffers of this type do not say so. */
  readonly bufferDtype?: string;
  /** Integers of this type stand bare. */
  readonly intDtype?: string;
  /** Floats of this type stand bare; none unless told. */
  readonly floatDtype?: string;
  /** Shows the definitions of free variables when an expression is printed alone. */
  readonly verboseExpr?: boolean;
  readonly indentSpaces?: number;
  readonly printLineNumbers?: boolean;
  /** Lines around an underlined part; all unless told. */
  readonly numContextLines?: number | undefined;
  /** `T.grid`, `T.axis.remap` and other short forms. */
  readonly syntaxSugar?: boolean;
  /** Annotates every binding of a graph function; else those whose struct info cannot be derived. */
  readonly showAllStructInfo?: boolean;
  /** Tells variables of one name apart by what they are: objects are numbered, for they have no address. */
  readonly showObjectAddress?: boolean;
  /** Parts to underline, by path from the printed node: the longest part of a path that prints is underlined. */
  readonly pathsToUnderline?: readonly ObjectPath[];
  /** Parts to underline wherever they print. */
  readonly objectsToUnderline?: readonly Node[];
  /** Remarks on statements. */
  readonly annotate?: ReadonlyMap<Node, string>;
  /** Remarks on statements, by path from the printed node. */
  readonly annotatePaths?: readonly (readonly [path: ObjectPath, remark: string])[];
  /** Main's type parameters, `def f[n](…)`, instead of `n = TypeVar("n")` above the functions (upstream's `use_pep695`). */
  readonly usePep695?: boolean;
  /** Whose spelling is written. */
  readonly spelling?: Spelling;
}

/** The options with defaults filled in. */
export interface PrintConfig {
  readonly moduleAlias: string;
  readonly bufferDtype: string;
  readonly intDtype: string;
  readonly floatDtype: string;
  readonly syntaxSugar: boolean;
  readonly showAllStructInfo: boolean;
  readonly verboseExpr: boolean;
  readonly usePep695: boolean;
}

export function completeConfig(opts: PrintOptions): PrintConfig {
  return {
    moduleAlias: opts.moduleAlias ?? "cls",
    bufferDtype: opts.bufferDtype ?? "float32",
    intDtype: opts.intDtype ?? "int32",
    floatDtype: opts.floatDtype ?? "void",
    syntaxSugar: opts.syntaxSugar ?? true,
    showAllStructInfo: opts.showAllStructInfo ?? true,
    verboseExpr: opts.verboseExpr ?? false,
    usePep695: opts.usePep695 ?? false,
  };
}
