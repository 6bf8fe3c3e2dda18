import { forEachChild, type Node } from "@verticil/ir-core";
import { PrintFrame, type Printer, type StmtDoc } from "@verticil/tvmscript";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar } from "../ir/expr.ts";
import { tirTable } from "../ir/node-table.ts";

/** A scope inside a tensor program. */
export class TirFrame extends PrintFrame {
  /** The next statement is the last of its list: a scope that it opens may go on to the end without indentation. */
  allowConcise = false;

  constructor(node: Node | undefined, stmts?: StmtDoc[]) {
    super("tir", node, stmts);
  }
}

/** The scope of a whole function. */
export class FunctionFrame extends TirFrame {
  #prefixes: ReadonlyMap<Node, readonly Node[]> | undefined;

  /** The nodes from the function down to the lowest one that holds every use of a variable or buffer. */
  commonPrefix(obj: Node): readonly Node[] {
    if (this.#prefixes === undefined) this.#prefixes = this.node === undefined ? new Map() : commonPrefixes(this.node);
    return this.#prefixes.get(obj) ?? [];
  }
}

/** For each variable and buffer the path to the lowest node that holds all of its uses. */
function commonPrefixes(root: Node): ReadonlyMap<Node, readonly Node[]> {
  const prefixes = new Map<Node, Node[]>();
  const visited = new Set<Node>();
  const stack: Node[] = [];
  const meet = (obj: Node): void => {
    const before = prefixes.get(obj);
    if (before === undefined) {
      prefixes.set(obj, stack.slice());
      return;
    }
    let same = 0;
    while (same < before.length && same < stack.length && before[same] === stack[same]) same++;
    before.length = same;
  };
  const visit = (node: Node): void => {
    const isName = node.kind === "tir.Var" || node.kind === "tir.SizeVar" || node.kind === "tir.Buffer";
    if (isName) meet(node);
    if (visited.has(node)) return;
    visited.add(node);
    stack.push(node);
    if (tirTable.has(node.kind)) forEachChild(tirTable, node, visit);
    stack.pop();
  };
  visit(root);
  return prefixes;
}

/** The innermost scope that holds every use of a variable or buffer that nothing defines. */
export function lowestFrame(obj: AnyVar | Buffer, p: Printer): PrintFrame {
  const func = p.frames.find((f) => f instanceof FunctionFrame);
  const prefix = func instanceof FunctionFrame ? func.commonPrefix(obj) : [];
  for (let i = prefix.length - 1; i >= 0; i--) {
    const holder = prefix[i];
    const frame = p.frames.find((f) => f.node === holder);
    if (frame !== undefined) return frame;
  }
  return func ?? p.frame();
}

/** True if every use of `obj` is inside `node`. */
export function holdsAllUses(node: Node, obj: AnyVar, p: Printer): boolean {
  const func = p.frames.find((f) => f instanceof FunctionFrame);
  return func instanceof FunctionFrame && func.commonPrefix(obj).includes(node);
}

/** True if a function is being printed that uses `obj` outside of `node`. */
export function isUsedOutside(node: Node, obj: AnyVar, p: Printer): boolean {
  return p.frames.some((f) => f instanceof FunctionFrame) && !holdsAllUses(node, obj, p);
}
