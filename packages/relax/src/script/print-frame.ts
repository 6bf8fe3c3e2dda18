import type { Node } from "@verticil/ir-core";
import { assignDoc, idDoc, PrintFrame, type ExprDoc, type Printer } from "@verticil/tvmscript";
import type { AnyVar as TirVar } from "@verticil/tir";

/** A scope inside a graph function. */
export class RelaxFrame extends PrintFrame {
  readonly isFunction: boolean;
  /** While a signature is printed: the symbolic variables that it mentions. */
  signatureVars: Set<TirVar> | undefined;
  #aliasPrinted = false;

  constructor(node: Node | undefined, isFunction = false) {
    super("relax", node);
    this.isFunction = isFunction;
  }

  /** Functions call their module by an alias, which the outermost one defines where it is first needed. */
  override moduleReference(module: Node, p: Printer): ExprDoc | undefined {
    const outermost = outermostFunction(p);
    if (outermost === undefined || p.config.moduleAlias === "") return undefined;
    outermost.#printAlias(module, p);
    return idDoc(p.config.moduleAlias);
  }

  #printAlias(module: Node, p: Printer): void {
    if (this.#aliasPrinted) return;
    this.#aliasPrinted = true;
    this.stmts.push(assignDoc(idDoc(p.config.moduleAlias), p.lookup(module) ?? idDoc("Module")));
  }
}

/** The scope of the outermost graph function; of the outermost graph fragment if there is no function. */
export function outermostFunction(p: Printer): RelaxFrame | undefined {
  let fragment: RelaxFrame | undefined;
  for (const f of p.frames) {
    if (!(f instanceof RelaxFrame)) continue;
    if (f.isFunction) return f;
    fragment ??= f;
  }
  return fragment;
}
