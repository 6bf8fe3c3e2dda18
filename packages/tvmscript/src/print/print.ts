import { atPath, irDialect, isNode, saveGraph, saveObjects, type GraphObject, type Node, type ObjectPath } from "@verticil/ir-core";
import { commentDoc, exprStmtDoc, type StmtDoc } from "../doc/doc.ts";
import { printDocs } from "../doc/print-doc.ts";
import type { ScriptDialect } from "../dialect.ts";
import { irScript } from "../ir-script.ts";
import type { MetadataItem } from "../metadata.ts";
import type { PrintOptions } from "./config.ts";
import { decorateText } from "./decorate.ts";
import { isStmts, PrintFrame, Printer } from "./printer.ts";

/**
 * A module, a function or any other node as TVMScript. Ill-formed programs print too: variables that nothing defines
 * are declared, and a node that has no text form becomes a reference to the metadata.
 * @throws RangeError for a prefix or an alias that is not a name, and for what is not a node.
 */
export function print(node: Node, opts: PrintOptions): string {
  const dialects = withIr(opts.dialects);
  checkNames(opts);
  const printer = new Printer(opts, dialects, annotations(node, opts));
  const owner = ownerOf(node, dialects);
  const frame = dialects.find((d) => d.name === owner)?.rootFrame?.(node) ?? new PrintFrame(owner, undefined);
  const body = printer.within(frame, () => {
    const printed = namedFunction(printer, node, opts.name) ?? printer.print(node);
    if (isStmts(printed)) return [...frame.stmts, ...printed];
    return [...(printer.config.verboseExpr ? frame.stmts : []), exprStmtDoc(printed)];
  });
  const isProgram = body.some((s) => s.doc === "function" || s.doc === "class");
  const stmts = isProgram ? [...printer.header(), ...printer.dimensionDeclarations(), ...body] : body;
  const omitted = !printer.metadata.isEmpty && opts.metadata === undefined && opts.showMeta !== true;
  if (omitted) stmts.push(commentDoc("Metadata omitted. Use show_meta=True in script() method to show it."));
  const printed = printDocs(stmts, {
    indentSpaces: opts.indentSpaces ?? 4,
    underlinePaths: (opts.pathsToUnderline ?? []).map((p) => nodesOnPath(node, p)),
    underlineNodes: new Set(opts.objectsToUnderline ?? []),
    notesLines: opts.printLineNumbers === true || (opts.pathsToUnderline?.length ?? 0) > 0 || (opts.objectsToUnderline?.length ?? 0) > 0,
  });
  const meta = !printer.metadata.isEmpty && opts.metadata === undefined && opts.showMeta === true ? metadataHeader(printer) : "";
  // What stands in annotations may be declared behind them.
  const future = printer.config.usePep695 && printer.dimensions.size > 0 ? "from __future__ import annotations\n\n" : "";
  return future + meta + decorateText(printed, { lineNumbers: opts.printLineNumbers ?? false, contextLines: opts.numContextLines });
}

/** What stands in front of a dot is a name. */
function checkNames(opts: PrintOptions): void {
  const alias = opts.moduleAlias ?? "";
  const names = [...Object.values(opts.prefixes ?? {}), ...(alias === "" ? [] : [alias])];
  for (const name of names) if (!/^[A-Za-z_]\w*$/.test(name)) throw new RangeError(`\`${name}\` is not a name that a prefix or an alias can have.`);
}

/** All remarks by what they are on. */
function annotations(root: Node, opts: PrintOptions): ReadonlyMap<Node, string> {
  const out = new Map(opts.annotate);
  for (const [path, remark] of opts.annotatePaths ?? []) {
    const part = atPath(root, path);
    if (isNode(part)) out.set(part, out.has(part) ? `${out.get(part)}\n${remark}` : remark);
  }
  return out;
}

/** The dialects with ir-core's own in front. */
export function withIr(dialects: readonly ScriptDialect[]): readonly ScriptDialect[] {
  return dialects.some((d) => d.name === "ir") ? dialects : [irScript, ...dialects];
}

/** The dialects as ir-core's functions take them, which add its own nodes themselves. */
export function withoutIr(dialects: readonly ScriptDialect[]): readonly ScriptDialect[] {
  return dialects.filter((d) => d.name !== "ir");
}

function ownerOf(node: Node, dialects: readonly ScriptDialect[]): string {
  return dialects.find((d) => Object.hasOwn(d.kinds, node.kind))?.name ?? "ir";
}

/** Functions take their name from whoever prints them. */
function namedFunction(printer: Printer, node: Node, name: string | undefined): readonly StmtDoc[] | undefined {
  if (name === undefined) return undefined;
  printer.bindingName = name;
  return printer.stmts(node);
}

/** The metadata as an assignment that `parse`, and upstream, reads. */
function metadataHeader(printer: Printer): string {
  const lists = new Map([...printer.metadata.entries()].sort(([a], [b]) => (a < b ? -1 : 1)));
  const save = printer.spelling === "main" ? saveGraph : saveObjects;
  const json = savedMetadata(lists, (item) => save(item, { dialects: [irDialect, ...withoutIr(printer.dialects)] }));
  return `metadata = tvm.ir.load_json("""${json.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}""")\n`;
}

/** The metadata as JSON. In place of what is so ill-formed that it has none stands a text that says what it was. */
function savedMetadata(lists: ReadonlyMap<string, readonly MetadataItem[]>, save: (item: GraphObject) => string): string {
  try {
    return save(lists);
  } catch {
    const whole = [...lists].map(([key, items]) => [key, items.map((item) => (canSave(item, save) ? item : `This ${key} cannot be written.`))] as const);
    return save(new Map(whole));
  }
}

function canSave(item: MetadataItem, save: (item: GraphObject) => string): boolean {
  try {
    save(item);
    return true;
  } catch {
    return false;
  }
}

/** The nodes that a path leads through, from the root on. */
function nodesOnPath(root: Node, path: ObjectPath): Node[] {
  const out: Node[] = [];
  for (let i = 0; i <= path.length; i++) {
    const part = atPath(root, path.slice(0, i));
    if (isNode(part)) out.push(part);
  }
  return out;
}
