import { isNode, makeIntImm, type AttrMap, type AttrValue, type GlobalVar, type Node } from "@verticil/ir-core";
import {
  assignDoc,
  attrDoc,
  boolDoc,
  callDoc,
  commentDoc,
  dictDoc,
  exprStmtDoc,
  floatDoc,
  idDoc,
  indexDoc,
  intDoc,
  listDoc,
  noneDoc,
  strDoc,
  type ExprDoc,
  type StmtDoc,
  type TextDoc,
} from "../doc/doc.ts";
import type { Printed, PrintHandler, ScriptDialect } from "../dialect.ts";
import { MetadataTable, type MetadataItem } from "../metadata.ts";
import { isStackOverflow } from "../stack-overflow.ts";
import { furtherImport, standardPrefixes, writtenMetadataKey, writtenName, writtenText, type Spelling } from "../spelling.ts";
import { completeConfig, type PrintConfig, type PrintOptions } from "./config.ts";
import { NameSupply } from "./name-supply.ts";

/** A scope of the printed program: names defined in it end with it. Dialects extend it with what they need to know. */
export class PrintFrame {
  /** Where statements go; frames that print without a block of their own share the list of the frame around. */
  stmts: StmtDoc[];
  /** The dialect whose program part this is. */
  readonly dialect: string;
  /** The node whose scope it is. */
  readonly node: Node | undefined;
  readonly names: string[] = [];
  readonly defined: unknown[] = [];

  constructor(dialect: string, node: Node | undefined, stmts: StmtDoc[] = []) {
    this.dialect = dialect;
    this.node = node;
    this.stmts = stmts;
  }

  /** How the module is called inside this scope; undefined if the scope does not care. */
  moduleReference(_module: Node, _printer: Printer): ExprDoc | undefined {
    return undefined;
  }
}

/** Scopes of a module and a function: a function that is nested too deeply is left out as a whole. */
const OVERFLOW_FRAMES = 2;

type Definition = ExprDoc | (() => ExprDoc);

/** The state of one run of the printer. Print handlers work through it. */
export class Printer {
  readonly config: PrintConfig;
  /** Whose names are written. */
  readonly spelling: Spelling;
  readonly dialects: readonly ScriptDialect[];
  readonly metadata: MetadataTable;
  /** Scopes from the outermost to the innermost. */
  readonly frames: PrintFrame[] = [];
  /** Names of the dialects whose prefix was printed. */
  readonly used: Set<string> = new Set();
  /** Dimensions that main declares above its functions, or that functions have as type parameters. */
  readonly dimensions: Set<string> = new Set();
  /** Global infos of the module by key, in order. */
  globalInfos: AttrMap = {};
  /** The name that the next function gets; its own symbol or `main` otherwise. */
  bindingName: string | undefined;
  readonly #names: NameSupply;
  readonly #defined = new Map<unknown, Definition>();
  readonly #prefixes = new Map<string, TextDoc>();
  readonly #memberDocs = new Map<string, Map<string, ExprDoc>>();
  #lastDialect: string | undefined;
  #lastTable: ReadonlyMap<string, PrintHandler> = new Map();
  readonly #handlers = new Map<string, ReadonlyMap<string, PrintHandler>>();
  readonly #markSources: boolean;
  readonly #decorates: boolean;
  readonly #addresses: Map<unknown, number> | undefined;
  readonly #annotate: ReadonlyMap<Node, string>;

  /** `annotations`: all remarks, those that `opts` give by path included. */
  constructor(opts: PrintOptions, dialects: readonly ScriptDialect[], annotations: ReadonlyMap<Node, string>) {
    this.config = completeConfig(opts);
    this.spelling = opts.spelling ?? "v0.20";
    this.dialects = dialects;
    this.metadata = opts.metadata ?? new MetadataTable();
    this.#markSources = (opts.pathsToUnderline?.length ?? 0) > 0 || (opts.objectsToUnderline?.length ?? 0) > 0;
    this.#annotate = annotations;
    this.#decorates = this.#markSources || annotations.size > 0;
    this.#addresses = opts.showObjectAddress === true ? new Map() : undefined;
    const reserved = ["range", "metadata", ...standardPrefixes(opts.prefixes ?? {})];
    if (this.config.moduleAlias !== "") reserved.push(this.config.moduleAlias);
    for (const d of dialects) {
      const prefix = opts.prefixes?.[d.name] ?? d.prefix;
      this.#prefixes.set(d.name, idDoc(prefix));
      reserved.push(prefix, ...(d.roots?.keys() ?? []));
    }
    this.#names = new NameSupply(reserved);
  }

  // Dispatch.

  #table(dialect: string): ReadonlyMap<string, PrintHandler> {
    const known = this.#handlers.get(dialect);
    if (known !== undefined) return known;
    const table = new Map<string, PrintHandler>();
    const first = this.dialects.filter((d) => d.name === dialect);
    for (const d of [...first, ...this.dialects.filter((x) => x.name !== dialect)]) {
      for (const [kind, handler] of Object.entries(d.printers)) if (!table.has(kind)) table.set(kind, handler);
    }
    this.#handlers.set(dialect, table);
    return table;
  }

  /** What `node` prints as. A kind that no dialect prints, or a node that is ill-formed, still prints as something. */
  print(node: Node): Printed {
    const dialect = this.frames[this.frames.length - 1]?.dialect ?? "ir";
    if (dialect !== this.#lastDialect) {
      this.#lastDialect = dialect;
      this.#lastTable = this.#table(dialect);
    }
    const handler = this.#lastTable.get(node.kind);
    const printed = handler === undefined ? this.fallback(node) : this.#attempt(handler, node);
    return this.#decorates ? this.#decorate(printed, node) : printed;
  }

  /** What a handler makes of a node; of one that is not as its type says, a reference to the metadata. */
  #attempt(handler: PrintHandler, node: Node): Printed {
    const depth = this.frames.length;
    try {
      return (handler as (n: Node, p: Printer) => Printed)(node, this);
    } catch (e) {
      // A call stack that is full unwinds to where there is room again.
      if (isStackOverflow(e) && depth > OVERFLOW_FRAMES) throw e;
      return this.fallback(node);
    }
  }

  /** Statements that stand for `node` too, which does not print by itself: with its remark, and where it is underlined. */
  decorated(stmts: readonly StmtDoc[], node: Node): readonly StmtDoc[] {
    if (!this.#decorates) return stmts;
    const printed = this.#decorate(stmts, node);
    return isStmts(printed) ? printed : stmts;
  }

  /** An expression that stands for `node`, for handlers that print several nodes at once. */
  decoratedExpr(doc: ExprDoc, node: Node): ExprDoc {
    const printed = this.#decorates ? this.#decorate(doc, node) : doc;
    return isStmts(printed) ? doc : printed;
  }

  /** Adds the statement that `node` prints as, where the statements that follow it print into the same list. */
  push(frame: PrintFrame, node: Node, stmt: StmtDoc): void {
    frame.stmts.push(this.#markSources ? { ...stmt, source: node } : stmt);
  }

  /** True if somebody remarks on `node`. */
  isAnnotated(node: Node): boolean {
    return this.#annotate.has(node);
  }

  #decorate(printed: Printed, node: Node): Printed {
    const source = this.#markSources ? node : undefined;
    if (!isStmts(printed)) return source === undefined ? printed : { ...printed, source: inner(source, printed.source) };
    const [first, ...rest] = printed;
    if (first === undefined) return printed;
    const remark = this.#annotate.get(node);
    const comment = remark === undefined ? first.comment : first.comment === undefined ? remark : `${first.comment}\n${remark}`;
    return [{ ...first, source: source === undefined ? first.source : inner(source, first.source), comment }, ...rest];
  }

  /** A node as an expression. */
  expr(node: Node): ExprDoc {
    const printed = this.print(node);
    return isStmts(printed) ? this.fallback(node) : printed;
  }

  /** A node as statements; an expression becomes one. */
  stmts(node: Node): readonly StmtDoc[] {
    const printed = this.print(node);
    return isStmts(printed) ? printed : [exprStmtDoc(printed)];
  }

  exprs(nodes: readonly Node[]): ExprDoc[] {
    return nodes.map((n) => this.expr(n));
  }

  /** What stands for a node without a text form: a reference to the metadata. */
  fallback(node: Node): ExprDoc {
    return isNode(node) ? this.addMetadata(node.kind, node) : this.addMetadata("runtime.String", `This is not a node: ${describe(node)}.`);
  }

  /** `metadata["key"][i]`. */
  addMetadata(key: string, item: MetadataItem): ExprDoc {
    const written = writtenMetadataKey(this.spelling, key);
    const index = this.metadata.add(written, item);
    return indexDoc(indexDoc(idDoc("metadata"), [strDoc(written)]), [intDoc(index)]);
  }

  // Prefixes.

  /** `T.grid` for ("tir", "grid"). */
  member(dialect: string, name: string): ExprDoc {
    let members = this.#memberDocs.get(dialect);
    if (members === undefined) this.#memberDocs.set(dialect, (members = new Map()));
    let doc = members.get(name);
    if (doc === undefined) {
      doc = this.#prefixes.get(dialect) ?? idDoc(dialect);
      for (const part of writtenName(this.spelling, "member", dialect, name).split(".")) doc = attrDoc(doc, part);
      members.set(name, doc);
      this.used.add(dialect);
    }
    return doc;
  }

  /** The member by the name that is written for it, for what only one of the spellings has. */
  exactMember(dialect: string, name: string): ExprDoc {
    this.used.add(dialect);
    return attrDoc(this.#prefixes.get(dialect) ?? idDoc(dialect), name);
  }

  /** `T.name(args, …)`. */
  call(
    dialect: string,
    name: string,
    args: readonly ExprDoc[],
    keywords?: readonly (readonly [name: string, value: ExprDoc])[],
  ): ExprDoc {
    if (this.spelling === "v0.20" || keywords === undefined) return callDoc(this.member(dialect, name), args, keywords);
    const written = keywords.map(([k, v]) => [writtenName(this.spelling, "keyword", dialect, k), v] as const);
    return callDoc(this.member(dialect, name), args, written);
  }

  /** Comments that say which prefixes stand for what, of the dialects printed so far, and an empty line. */
  header(): StmtDoc[] {
    const lines = this.dialects
      .filter((d) => this.used.has(d.name))
      .flatMap((d) => {
        const line = importLine(writtenName(this.spelling, "module", d.name, d.module), this.prefix(d.name));
        const further = furtherImport(this.spelling, d.name);
        return further === undefined ? [commentDoc(line)] : [commentDoc(line), commentDoc(further)];
      });
    if (lines.length === 0) return [];
    const declares = this.dimensions.size > 0 && !this.config.usePep695;
    return [...(declares ? [commentDoc("from typing import TypeVar")] : []), ...lines, commentDoc("")];
  }

  /** `n = TypeVar("n")` for each dimension. */
  dimensionDeclarations(): StmtDoc[] {
    if (this.config.usePep695) return [];
    return [...this.dimensions].map((name) => assignDoc(idDoc(name), callDoc(idDoc("TypeVar"), [strDoc(name)])));
  }

  prefix(dialect: string): string {
    return this.#prefixes.get(dialect)?.text ?? dialect;
  }

  // Names.

  /** Defines `obj` in `frame` under a name made from `hint`; an object that is defined already keeps its name. */
  define(obj: unknown, hint: string, frame: PrintFrame = this.frame()): TextDoc {
    const known = this.#defined.get(obj);
    if (known !== undefined && typeof known !== "function" && known.doc === "text") return known;
    const name = this.#names.take(this.#addresses === undefined ? hint : `${hint}_${this.#address(obj, this.#addresses)}`);
    const doc = idDoc(name);
    frame.names.push(name);
    frame.defined.push(obj);
    this.#defined.set(obj, doc);
    return doc;
  }

  /** What tells objects of one name apart: objects have no address, so they are numbered in the order of definition. */
  #address(obj: unknown, known: Map<unknown, number>): string {
    let id = known.get(obj);
    if (id === undefined) known.set(obj, (id = known.size + 1));
    return `0x${id.toString(16).padStart(8, "0")}`;
  }

  /** Defines `obj` as an expression of something that has a name, such as `A.data`. */
  defineAs(obj: unknown, doc: Definition, frame: PrintFrame = this.frame()): void {
    if (this.#defined.has(obj)) return;
    frame.defined.push(obj);
    this.#defined.set(obj, doc);
  }

  /** What stands for `obj`; undefined if it is not defined here. */
  lookup(obj: unknown): ExprDoc | undefined {
    const known = this.#defined.get(obj);
    return typeof known === "function" ? known() : known;
  }

  isDefined(obj: unknown): boolean {
    return this.#defined.has(obj);
  }

  // Scopes.

  /** The innermost scope. */
  frame(): PrintFrame {
    const top = this.frames[this.frames.length - 1];
    if (top === undefined) throw new Error("internal: the printer has no scope");
    return top;
  }

  /** Runs `f` inside a scope, whose names end with it. */
  within<F extends PrintFrame, T>(frame: F, f: (frame: F) => T): T {
    this.frames.push(frame);
    try {
      return f(frame);
    } finally {
      this.frames.pop();
      for (const obj of frame.defined) this.#defined.delete(obj);
      for (const name of frame.names) this.#names.giveBack(name);
    }
  }

  // Attribute values.

  /** A text; one of several lines goes to the metadata. */
  text(value: string): ExprDoc {
    return value.includes("\n") ? this.addMetadata("runtime.String", value) : strDoc(value);
  }

  /** A plain value or a node inside an attribute tree. */
  attr(value: AttrValue | undefined): ExprDoc {
    if (value === undefined || value === null) return noneDoc;
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
        return Number.isInteger(value) && !Object.is(value, -0) ? intDoc(value) : floatDoc(value);
      case "bigint":
        return intDoc(value);
      case "boolean":
        return boolDoc(value);
      case "object":
        break;
    }
    if (isNode(value)) return this.attrNode(value);
    if (isAttrList(value)) return listDoc(value.map((v) => this.attr(v)));
    return this.attrs(value);
  }

  /** A node among attributes. A bare number there is a plain number: an int32 constant says that it is one. */
  attrNode(value: Node): ExprDoc {
    const doc = this.expr(value);
    if (value.kind === "ir.IntImm" && doc.doc === "text") {
      return this.call("tir", (value as unknown as { readonly dtype: string }).dtype, [doc]);
    }
    return doc;
  }

  /**
   * The attributes of a tensor program or a module. Upstream keeps their truth values as constants of type bool, and
   * prints them so; main does not.
   */
  functionAttrs(attrs: AttrMap): ExprDoc {
    if (this.spelling === "main") return this.attrs(attrs);
    return this.attrs(Object.fromEntries(Object.entries(attrs).map(([key, v]) => [key, typeof v === "boolean" ? makeIntImm(v ? 1 : 0, "bool") : v])));
  }

  /** A dictionary, sorted by key. */
  attrs(map: AttrMap, leaveOut?: string): ExprDoc {
    const entries = map instanceof Map ? [...(map as ReadonlyMap<string, AttrValue>)] : Object.entries(map);
    const present = entries.filter(([k, v]) => v !== undefined && k !== leaveOut);
    present.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return dictDoc(present.map(([k, v]) => [strDoc(writtenText(this.spelling, k)), this.attr(v)]));
  }

  /** A global function, through its module if it is in one. */
  globalVar(gv: GlobalVar): ExprDoc {
    return this.lookup(gv) ?? idDoc(gv.name);
  }

  /** What a function calls its module: what the innermost scope that cares says, else the module's name. */
  moduleReference(module: Node): ExprDoc {
    for (let i = this.frames.length - 1; i >= 0; i--) {
      const alias = this.frames[i]?.moduleReference(module, this);
      if (alias !== undefined) return alias;
    }
    return this.lookup(module) ?? idDoc("Module");
  }
}

function importLine(module: string, prefix: string): string {
  const dot = module.lastIndexOf(".");
  return dot < 0
    ? `from tvm.script import ${module} as ${prefix}`
    : `from ${module.slice(0, dot)} import ${module.slice(dot + 1)} as ${prefix}`;
}

/** What stands where a node should. */
function describe(thing: unknown): string {
  return typeof thing === "object" && thing !== null ? "an object" : String(thing);
}

/** A document stands for one node; of a node and a part of it that print as the same, for the list of both. */
function inner(outer: Node, known: Node | readonly Node[] | undefined): Node | readonly Node[] {
  if (known === undefined) return outer;
  return Array.isArray(known) ? [outer, ...(known as readonly Node[])] : [outer, known as Node];
}

export function isStmts(printed: Printed): printed is readonly StmtDoc[] {
  return Array.isArray(printed);
}

function isAttrList(value: AttrValue): value is readonly AttrValue[] {
  return Array.isArray(value);
}
