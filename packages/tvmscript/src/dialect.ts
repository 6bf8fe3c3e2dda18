import type { BaseFunc, Diagnostics, Dialect, IRModule, Node } from "@verticil/ir-core";
import type { ExprDoc, StmtDoc } from "./doc/doc.ts";
import type { Site, ScriptMembers, ScriptValue } from "./parse/values.ts";
import type { ParseContext } from "./parse/context.ts";
import type { Printer, PrintFrame } from "./print/printer.ts";
import type { PyFunctionDef } from "./python/ast.ts";

/** What a node prints as: an expression, or statements. */
export type Printed = ExprDoc | readonly StmtDoc[];

/** A print handler with the node type forgotten. */
export type PrintHandler = (node: never, printer: Printer) => Printed;

/** One print handler a kind; each takes exactly the nodes of its kind. */
export type PrintTable<N extends Node> = {
  readonly [K in N["kind"]]?: (node: Extract<N, { readonly kind: K }>, printer: Printer) => Printed;
};

/** How functions with a decorator of the dialect, such as `@T.prim_func`, are read. */
export interface FunctionParser {
  /**
   * The signature, before any body is read, so that functions may call each other in any order. What it gives back
   * is kept under the function's name: see `ParseContext.signature`.
   */
  declare(def: PyFunctionDef, ctx: ParseContext): unknown;
  /** The function. `isLocal`: defined inside another function. */
  define(def: PyFunctionDef, ctx: ParseContext, opts: { readonly isLocal: boolean }): BaseFunc;
}

/**
 * What operators mean for the values of a dialect. Each answers undefined for "not mine"; the dialect of the function
 * that is being read is asked first.
 */
export interface Operators {
  binary?(op: string, a: ScriptValue, b: ScriptValue, site: Site): ScriptValue | undefined;
  unary?(op: string, a: ScriptValue, site: Site): ScriptValue | undefined;
  /** `a and b`, `a or b`. */
  logic?(op: "and" | "or", a: ScriptValue, b: ScriptValue, site: Site): ScriptValue | undefined;
  ifExp?(test: ScriptValue, body: ScriptValue, orelse: ScriptValue, site: Site): ScriptValue | undefined;
  attribute?(value: ScriptValue, name: string, site: Site): ScriptValue | undefined;
  subscript?(value: ScriptValue, indices: readonly ScriptValue[], site: Site): ScriptValue | undefined;
  call?(
    callee: ScriptValue,
    args: readonly ScriptValue[],
    keywords: ReadonlyMap<string, ScriptValue>,
    site: Site,
  ): ScriptValue | undefined;
}

/**
 * A dialect with its syntax in TVMScript: `T`, `R`, or a third party's. Nothing is registered anywhere: the value is
 * handed to `parse` and `print` in their list of dialects.
 */
export interface ScriptDialect extends Dialect {
  /** The name its members go by, `T` in `T.grid`. An import or a header comment may give it another. */
  readonly prefix: string;
  /** What is imported under that name: `tir` in `from tvm.script import tir as T`. A dotted name is a path of its own. */
  readonly module: string;
  /** What stands behind the prefix. */
  readonly members: ScriptMembers;
  /** Names of the dialect's that stand without a prefix: namespaces of third parties' operators. */
  readonly roots?: ReadonlyMap<string, ScriptValue>;
  /**
   * What Python's own packages offer that programs use beside the prefix, such as `relax.const` and `tvm.cpu()`: by the
   * first name. Namespaces of several dialects under one name are joined. Variables may have these names.
   */
  readonly hostNames?: ReadonlyMap<string, ScriptValue>;
  /** Decorators that make functions, by name without prefix. */
  readonly functions: Readonly<Record<string, FunctionParser>>;
  /**
   * Decorators of modules that ask more of them than `@I.ir_module` does, by name: each throws a RangeError or TypeError
   * that says what is wrong.
   */
  readonly modules?: Readonly<Record<string, (module: IRModule) => void>>;
  /** The type of plain integers among the operands of its functions where nothing else says: int32 unless told. */
  readonly plainInt?: string;
  /** A new variable for a dimension that a program declares by name, as main's `n = TypeVar("n")`. */
  readonly dimension?: (name: string) => Node;
  /** Decorators that make macros, such as `macro`: their bodies are read where they are called (`ParseContext.reading`). */
  readonly macros?: readonly string[];
  readonly operators: Operators;
  /** Print handlers by node kind. Those of the dialect whose function is being printed come first. */
  readonly printers: Readonly<Record<string, PrintHandler>>;
  /** The scope around a part of the dialect that is printed alone; a plain one unless told. */
  rootFrame?(node: Node): PrintFrame;
  /** Where functions of a kind stand in a printed module; lower first. Functions named `main` are last. */
  readonly functionOrder: Readonly<Record<string, number>>;
  /** Reports what is wrong with the dialect's functions of a module that can be read but is not well-formed. */
  readonly check?: (module: IRModule, diagnostics: Diagnostics) => void;
  /** Makes a function out of a value that a module assigns to a name, as in `f = R.ExternFunc("f")`. */
  moduleMember?(name: string, value: ScriptValue): BaseFunc | undefined;
}
