import type { Node } from "@verticil/ir-core";
import { PrintFrame, type Printer, type StmtDoc } from "@verticil/tvmscript";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar } from "../ir/expr.ts";
import { UseHolders } from "./use-holders.ts";

/** A scope inside a tensor program. */
export class TirFrame extends PrintFrame {
  /** The next statement is the last of its list: a scope that it opens may go on to the end without indentation. */
  allowConcise = false;

  constructor(node: Node | undefined, stmts?: StmtDoc[]) {
    super("tir", node, stmts);
  }
}

/** The scope of a whole function, or of a part that is printed alone. */
export class FunctionFrame extends TirFrame {
  readonly #root: Node | undefined;
  #holders: UseHolders | undefined;

  /** `root`: what is searched for uses, where the scope is that of no node. */
  constructor(node: Node | undefined, root: Node | undefined = node) {
    super(node);
    this.#root = root;
  }

  /** Which nodes hold every use of a variable or buffer. */
  get holders(): UseHolders {
    return (this.#holders ??= new UseHolders(this.#root));
  }
}

/** The function around this place. */
function functionFrame(p: Printer): FunctionFrame | undefined {
  return p.frames.find((f): f is FunctionFrame => f instanceof FunctionFrame);
}

/** The innermost scope that holds every use of a variable or buffer that nothing defines. */
export function lowestFrame(obj: AnyVar | Buffer, p: Printer): PrintFrame {
  const func = functionFrame(p);
  if (func === undefined) return p.frame();
  const frames = new Map<Node, PrintFrame>();
  for (const f of p.frames) if (f.node !== undefined && !frames.has(f.node)) frames.set(f.node, f);
  for (const holder of func.holders.of(obj)) {
    const frame = frames.get(holder);
    if (frame !== undefined) return frame;
  }
  return func;
}

/** True if every use of `obj` is inside `node`. */
export function holdsAllUses(node: Node, obj: AnyVar, p: Printer): boolean {
  return functionFrame(p)?.holders.holds(node, obj) ?? false;
}

/** True if a function is being printed that uses `obj` outside of `node`. */
export function isUsedOutside(node: Node, obj: AnyVar, p: Printer): boolean {
  return functionFrame(p) !== undefined && !holdsAllUses(node, obj, p);
}
