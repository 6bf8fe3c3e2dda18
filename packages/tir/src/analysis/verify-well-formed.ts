import { Diagnostics, throwIfErrors, type IRModule, type Reporter, type Span } from "@verticil/ir-core";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { AnyVar, IterVar, PrimExpr } from "../ir/expr.ts";
import type { AttrStmt, Block, PrimFunc, Stmt } from "../ir/stmt.ts";
import { isStmt, visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { checkScopeIds } from "./check-scope-ids.ts";
import { analysisDiagnostics } from "./diagnostics.ts";

/**
 * Checks the tensor programs of a module (upstream's `verify_well_formed`): every variable is defined once, before and
 * around its uses; what is inside of a block with variables uses them instead of the loops outside; a thread axis has
 * one variable in a function; groups of threads make up what they are groups of. Reports everything it finds.
 */
export function verifyWellFormed(node: IRModule | PrimFunc, diagnostics: Diagnostics): void {
  const defined = new Map<AnyVar, string>();
  if (node.kind === "tir.PrimFunc") {
    new Verifier(node, defined, diagnostics).run();
    return;
  }
  for (const [gv, func] of node.functions) {
    if (func.kind === "tir.PrimFunc") new Verifier(func as PrimFunc, defined, diagnostics, gv.name).run();
  }
}

/** The same as a check of the `WellFormed` instrument. */
export function tirWellFormed(module: IRModule, _ctx: unknown, diagnostics: Diagnostics): void {
  verifyWellFormed(module, diagnostics);
}

/** @throws DiagnosticError with everything that is wrong. */
export function assertWellFormed(node: IRModule | PrimFunc): void {
  const diagnostics = new Diagnostics();
  verifyWellFormed(node, diagnostics);
  throwIfErrors(diagnostics);
}

class Verifier {
  readonly #func: PrimFunc;
  readonly #where: string;
  readonly #report: Reporter<typeof analysisDiagnostics>;
  /** Variables in scope; the number of blocks with variables around their loop, for loop variables. */
  readonly #inScope = new Set<AnyVar>();
  readonly #loopDepth = new Map<AnyVar, number>();
  /** Everything that was defined before, in this function or another. */
  readonly #ever: Map<AnyVar, string>;
  readonly #threads = new Map<string, AnyVar>();
  #kernelDepth = 0;
  readonly #threadVars = new Set<AnyVar>();
  readonly #blocks: Block[] = [];
  readonly #scopeIds: AttrStmt[] = [];
  readonly #checkedBuffers = new Set<Buffer>();
  /** The statement being looked at: a variable has no place of its own. */
  #place: Span | undefined;

  constructor(func: PrimFunc, ever: Map<AnyVar, string>, diagnostics: Diagnostics, name?: string) {
    this.#func = func;
    this.#ever = ever;
    this.#where = name === undefined ? "" : `in \`${name}\``;
    this.#report = diagnostics.reporter("tir", analysisDiagnostics);
  }

  run(): void {
    for (const p of this.#func.params) this.#define(p, p.span);
    for (const b of this.#func.bufferMap.values()) this.#defineBuffer(b);
    visitStmt(this.#func.body, this.#visitor);
    checkScopeIds(this.#scopeIds, this.#report);
    this.#inScope.clear();
  }

  #define(v: AnyVar, span: Span | undefined): void {
    if (!this.#threadVars.has(v)) {
      if (this.#inScope.has(v)) this.#report("nested-definition", { name: v.name }, span ?? v.span);
      else if (this.#ever.has(v)) this.#report("repeated-definition", { name: v.name }, span ?? v.span);
    }
    this.#inScope.add(v);
    this.#ever.set(v, this.#where);
  }

  /** A buffer binds its pointer, and variables of its shape, strides and offset that nothing has bound before. */
  #defineBuffer(b: Buffer): void {
    if (!this.#inScope.has(b.data)) this.#define(b.data, b.span);
    const parts = [...b.shape, ...b.strides, ...(b.elemOffset ? [b.elemOffset] : [])];
    for (const e of parts) if (isVar(e) && !this.#inScope.has(e)) this.#define(e, e.span ?? b.span);
  }

  #use(v: AnyVar, span: Span | undefined): void {
    const place = span ?? this.#place ?? v.span;
    if (!this.#inScope.has(v)) {
      const code = this.#ever.has(v) ? "out-of-scope-var" : "undefined-var";
      this.#report(code, { name: v.name, where: this.#where === "" ? "in the function" : this.#where }, place);
      // Once is enough.
      this.#inScope.add(v);
      return;
    }
    const depth = this.#loopDepth.get(v);
    const block = this.#blocks.at(-1);
    if (block !== undefined && depth !== undefined && depth < this.#blocks.length) this.#report("loop-var-in-block", { name: v.name, block: block.name }, place);
  }

  /** Runs `f` with variables in scope. */
  #within(vars: readonly AnyVar[], f: () => void): void {
    f();
    for (const v of vars) if (!this.#threadVars.has(v)) this.#inScope.delete(v);
  }

  readonly #visitor: Visitor = {
    expr: (e) => {
      if (isVar(e)) this.#use(e, undefined);
      else if (e.kind === "tir.Let") {
        visitExpr(e.value, this.#visitor);
        this.#define(e.bind, e.span);
        this.#within([e.bind], () => visitExpr(e.body, this.#visitor));
        return "skip";
      } else if (e.kind === "tir.Reduce") return "skip";
      return undefined;
    },
    stmt: (s) => this.#stmt(s),
    buffer: (b) => this.#useBuffer(b),
  };

  #useBuffer(b: Buffer): void {
    if (this.#checkedBuffers.has(b)) return;
    this.#checkedBuffers.add(b);
    if (!this.#inScope.has(b.data)) this.#use(b.data, b.span);
  }

  #visit(node: PrimExpr | Stmt): void {
    if (isStmt(node)) visitStmt(node, this.#visitor);
    else visitExpr(node, this.#visitor);
  }

  #stmt(s: Stmt): void | "skip" {
    this.#place = s.span ?? this.#place;
    switch (s.kind) {
      case "tir.For":
        this.#visit(s.min);
        this.#visit(s.extent);
        this.#define(s.loopVar, s.span);
        this.#loopDepth.set(s.loopVar, this.#blocks.length);
        this.#within([s.loopVar], () => this.#visit(s.body));
        this.#loopDepth.delete(s.loopVar);
        return "skip";
      case "tir.LetStmt":
        this.#visit(s.value);
        this.#define(s.bind, s.span);
        this.#within([s.bind], () => this.#visit(s.body));
        return "skip";
      case "tir.Allocate":
      case "tir.AllocateConst":
        s.extents.forEach((e) => this.#visit(e));
        this.#define(s.bufferVar, s.span);
        this.#within([s.bufferVar], () => this.#visit(s.body));
        return "skip";
      case "tir.AttrStmt":
        if (s.node?.kind !== "tir.IterVar") return undefined;
        this.#visit(s.value);
        if (s.attrKey === "tir.scope_id") this.#scopeIds.push(s);
        this.#thread(s.node as IterVar, s.span);
        this.#kernelDepth++;
        this.#visit(s.body);
        // The next kernel has threads of its own.
        if (--this.#kernelDepth === 0) this.#threads.clear();
        return "skip";
      case "tir.BlockRealize":
        s.iterValues.forEach((e) => this.#visit(e));
        this.#visit(s.predicate);
        this.#block(s.block);
        return "skip";
      case "tir.Block":
        this.#block(s);
        return "skip";
      default:
        return undefined;
    }
  }

  #thread(iv: IterVar, span: Span | undefined): void {
    if (iv.iterType !== "kThreadIndex" && iv.threadTag === "") {
      this.#define(iv.var, span);
      return;
    }
    const known = this.#threads.get(iv.threadTag);
    if (known === undefined) this.#threads.set(iv.threadTag, iv.var);
    else if (known !== iv.var && iv.threadTag !== "" && !/vthread/.test(iv.threadTag)) {
      this.#report("thread-vars-differ", { tag: iv.threadTag, first: known.name, second: iv.var.name }, span);
    }
    this.#threadVars.add(iv.var);
    this.#inScope.add(iv.var);
    this.#ever.set(iv.var, this.#where);
  }

  #block(s: Block): void {
    const closed = s.iterVars.length > 0;
    if (closed) this.#blocks.push(s);
    const own: AnyVar[] = [];
    for (const iv of s.iterVars) {
      // The domain is in terms of what is outside.
      this.#blocks.pop();
      if (iv.dom) [iv.dom.min, iv.dom.extent].forEach((e) => this.#visit(e));
      this.#blocks.push(s);
      this.#define(iv.var, iv.span ?? s.span);
      own.push(iv.var);
    }
    for (const b of s.allocBuffers) {
      const before = new Set(this.#inScope);
      this.#defineBuffer(b);
      own.push(...[...this.#inScope].filter((v) => !before.has(v)));
    }
    const region = (r: BufferRegion): void => {
      for (const d of r.region) [d.min, d.extent].forEach((e) => this.#visit(e));
    };
    for (const m of s.matchBuffers) {
      region(m.source);
      this.#useBuffer(m.source.buffer);
      const before = new Set(this.#inScope);
      this.#defineBuffer(m.buffer);
      own.push(...[...this.#inScope].filter((v) => !before.has(v)));
    }
    s.reads.forEach(region);
    s.writes.forEach(region);
    if (s.init) this.#visit(s.init);
    this.#visit(s.body);
    this.#within(own, () => {});
    if (closed) this.#blocks.pop();
  }
}

function isVar(e: PrimExpr): e is AnyVar {
  return e.kind === "tir.Var" || e.kind === "tir.SizeVar";
}
