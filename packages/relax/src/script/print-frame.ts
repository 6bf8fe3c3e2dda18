import type { Node } from "@verticil/ir-core";
import { assignDoc, idDoc, PrintFrame, type ExprDoc, type Printer } from "@verticil/tvmscript";
import type { AnyVar as TirVar } from "@verticil/tir";
import { forEachUse } from "../analysis/variables.ts";
import type { AnyVar, Function } from "../ir/expr.ts";

/** A scope inside a graph function. */
export class RelaxFrame extends PrintFrame {
  readonly isFunction: boolean;
  /** While a signature is printed: the symbolic variables that it mentions. */
  signatureVars: Set<TirVar> | undefined;
  #aliasPrinted = false;
  #used: ReadonlySet<AnyVar> | undefined;

  constructor(node: Node | undefined, isFunction = false) {
    super("relax", node);
    this.isFunction = isFunction;
  }

  /** True if the function uses the variable anywhere. */
  uses(v: AnyVar): boolean {
    if (this.#used === undefined) {
      const used = new Set<AnyVar>();
      if (this.node?.kind === "relax.Function") forEachUse(this.node as Function, (u) => void used.add(u));
      this.#used = used;
    }
    return this.#used.has(v);
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
