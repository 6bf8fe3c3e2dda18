import { isNode, type AttrMap } from "@verticil/ir-core";
import { makeOp } from "@verticil/ir-core";
import {
  describeValue,
  isInt,
  isList,
  ScriptFunction,
  ScriptRange,
  toAttrMap,
  type ParseContext,
  type PyExpr,
  type PyStmt,
  type ScriptValue,
  type Site,
} from "@verticil/tvmscript";
import type { DType } from "@verticil/runtime-ffi";
import { getBlockAccessRegion } from "../analysis/block-access-region.ts";
import type { Buffer, BufferRegion, MatchBufferRegion } from "../ir/buffer.ts";
import type { AnyVar, BufferLoad, IterVar, PrimExpr, Range, Var } from "../ir/expr.ts";
import { makeBufferLoad, makeCall, makeIterVar, makeRange, makeVar, renameVar } from "../ir/make-expr.ts";
import {
  makeAllocate,
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeDeclBuffer,
  makeEvaluate,
  makeFor,
  makeIfThenElse,
  makeLetStmt,
  makeMatchBufferRegion,
  makeSeq,
  makeAssertStmt,
  makeWhile,
} from "../ir/make-stmt.ts";
import { cast, constant, isConstInt } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { isBuffer, rangeFromTo, rangeOf, toExpr, toRegion } from "./convert.ts";
import { storeValue } from "./member-stmts.ts";
import { annotatedVar } from "./annotated-var.ts";
import { isPrimExpr } from "./result-dtype.ts";
import {
  AxisValue,
  BlockFactValue,
  BlockValue,
  BranchValue,
  FuncAttrValue,
  InitValue,
  LetTypeValue,
  LoopValue,
  MetaValue,
  NewBuffer,
  ScopeValue,
  SliceValue,
  StmtValue,
  type OpenScope,
} from "./values.ts";

/** The block that is being read. */
interface BlockState {
  readonly iterVars: IterVar[];
  readonly values: PrimExpr[];
  predicate: PrimExpr | undefined;
  reads: readonly BufferRegion[] | undefined;
  writes: readonly BufferRegion[] | undefined;
  attrs: AttrMap | undefined;
  readonly allocs: Buffer[];
  readonly matches: MatchBufferRegion[];
  init: Stmt | undefined;
}

/** The `T.If` that is being read. */
interface BranchState {
  body: Stmt | undefined;
  orelse: Stmt | undefined;
}

/** A list of statements that is being read, and the scopes in it that hold to its end. */
interface OpenList {
  readonly stmts: Stmt[];
  readonly close: ((body: Stmt) => Stmt) | undefined;
}

/** Reads the body of a tensor program. */
export class BodyParser {
  readonly bufferMap: Map<Var, Buffer> = new Map();
  readonly rootAllocs: Buffer[] = [];
  attrs: AttrMap = {};
  readonly #ctx: ParseContext;
  readonly #blocks: BlockState[] = [];
  readonly #branches: BranchState[] = [];
  readonly #loops = new Map<AnyVar, Range>();
  /** Buffers that can be reached through a pointer, for the detection of accesses. */
  readonly #pointers = new Map<Var, Buffer>();
  #lists: OpenList[] = [];
  /** Names that were bound in the innermost scope: a name is bound once in each. */
  #bound = new Set<string>();

  constructor(ctx: ParseContext) {
    this.#ctx = ctx;
  }

  /** A buffer that the body may access through its pointer. */
  know(buffer: Buffer): void {
    this.#pointers.set(buffer.data, buffer);
  }

  function(body: readonly PyStmt[], params: readonly string[]): Stmt {
    const [first] = body;
    const isDoc = first?.py === "ExprStmt" && first.value.py === "Str";
    return this.#ctx.reading((stmts) => this.#macro(stmts), () => this.#list(isDoc ? body.slice(1) : body, params));
  }

  /** The body of a macro, where it is called: what it opens to the end holds to the end of the list that calls it. */
  #macro(body: readonly PyStmt[]): ScriptValue {
    const bound = this.#bound;
    this.#bound = new Set();
    this.#stmts(body);
    this.#bound = bound;
    return null;
  }

  #stmts(body: readonly PyStmt[]): void {
    for (const s of body) {
      const ok = this.#ctx.attempt(() => this.#ctx.guard(s, () => this.#stmt(s)));
      if (!ok) this.#poison(s);
    }
  }

  /** `names`: what is bound already in the scope of the list. */
  #list(body: readonly PyStmt[], names: readonly string[] = []): Stmt {
    const before = this.#lists;
    const bound = this.#bound;
    const mark = this.#ctx.mark();
    this.#lists = [{ stmts: [], close: undefined }];
    this.#bound = new Set(names);
    this.#stmts(body);
    let result = this.#finish();
    while (this.#lists.length > 0) result = this.#finish();
    this.#lists = before;
    this.#bound = bound;
    this.#ctx.release(mark);
    return result;
  }

  /** Binds a name in the innermost scope. Upstream's readers refuse to bind it a second time there. */
  #define(name: string, value: ScriptValue, site: Site): void {
    const ctx = this.#ctx;
    if (this.#bound.has(name) && ctx.lookup(name) !== value) ctx.duplicate(name, site);
    this.#bound.add(name);
    ctx.define(name, value);
  }

  /** Closes the innermost scope of the list and puts it where it stands. */
  #finish(): Stmt {
    const list = this.#lists.pop();
    const stmts = list?.stmts ?? [];
    const body = stmts.length === 0 ? makeEvaluate(constant(0, "int32")) : makeSeq(stmts);
    const stmt = list?.close === undefined ? body : list.close(body);
    this.#lists[this.#lists.length - 1]?.stmts.push(stmt);
    return stmt;
  }

  #poison(s: PyStmt): void {
    if (s.py === "Assign") for (const t of s.targets) this.#ctx.poison(t);
    else if (s.py === "AnnAssign") this.#ctx.poison(s.target);
  }

  #push(stmt: Stmt): void {
    this.#lists[this.#lists.length - 1]?.stmts.push(stmt);
  }

  /** Opens a scope that holds for the rest of the list. */
  #openRest(scope: OpenScope): void {
    this.#lists.push({ stmts: [], close: (body) => scope.close(body) });
  }

  #stmt(s: PyStmt): void {
    const ctx = this.#ctx;
    switch (s.py) {
      case "For":
        return this.#for(s);
      case "While": {
        const test = toExpr(ctx.evaluate(s.test), ctx.site(s.test));
        return this.#push(makeWhile(test, this.#list(s.body), ctx.span(s)));
      }
      case "If":
        return this.#if(s);
      case "With":
        return this.#with(s.items, s.body, ctx.site(s));
      case "Assign":
        return this.#assign(s);
      case "AnnAssign": {
        if (s.target.py !== "Name") return ctx.fail(s.target, "What is declared is a name.");
        const type = ctx.evaluate(s.annotation);
        if (ctx.spelling === "main" && !isLet(type)) return this.#declareScalar(s.target.id, type, s.value, ctx.site(s));
        if (s.value === undefined) return ctx.fail(s, "A declaration needs a value.");
        const value = toExpr(ctx.evaluate(s.value), ctx.site(s.value));
        const bind = letVar(type, value, s.target.id, ctx, s.target);
        const fitted = value.kind === "ir.IntImm" && bind.typeAnnotation === undefined && bind.dtype !== "handle" ? cast(bind.dtype, value) : value;
        this.#define(s.target.id, bind, ctx.site(s));
        return this.#openRest({ value: bind, close: (body) => makeLetStmt(bind, fitted, body, ctx.span(s)) });
      }
      case "AugAssign": {
        const value = ctx.binary(s.op, ctx.evaluate(s.target), ctx.evaluate(s.value), s);
        return this.#assignTo(s.target, value, ctx.site(s));
      }
      case "ExprStmt":
        return this.#exprStmt(ctx.evaluate(s.value), ctx.site(s));
      case "Assert": {
        const condition = toExpr(ctx.evaluate(s.test), ctx.site(s.test));
        const message = assertMessage(s.message === undefined ? "" : ctx.evaluate(s.message), ctx.site(s));
        return this.#openRest({ value: null, close: (body) => makeAssertStmt(condition, message, body, ctx.span(s)) });
      }
      case "Return": {
        if (s.value === undefined) return ctx.fail(s, "A tensor program returns a value, or has no `return`.");
        const value = toExpr(ctx.evaluate(s.value), ctx.site(s.value));
        return this.#push(makeEvaluate(makeCall(value.dtype, makeOp("tir.ret"), [value], ctx.span(s)), ctx.span(s)));
      }
      case "Pass":
        return undefined;
      case "FunctionDef":
      case "ClassDef":
        return ctx.needsPython(s, "a definition inside a tensor program");
      case "Import":
        return ctx.needsPython(s, "an import");
      case "OtherStmt": {
        const jump = ctx.spelling === "main" ? JUMPS.get(s.what) : undefined;
        if (jump === undefined) return ctx.needsPython(s, s.what);
        return this.#push(makeEvaluate(makeCall("void", makeOp(jump), [], ctx.span(s)), ctx.span(s)));
      }
    }
  }

  /**
   * Main's `x: T.int32 = e` and `x = e`: a variable that can be assigned again, which is a buffer of one element.
   */
  #declareScalar(name: string, type: ScriptValue, init: PyExpr | undefined, site: Site): void {
    const { dtype } = annotatedVar(type, name, this.#ctx, site);
    const value = init === undefined ? undefined : this.#ctx.evaluate(init);
    this.#scalar(name, dtype, value, site);
  }

  #scalar(name: string, dtype: DType, value: ScriptValue, site: Site): void {
    const ctx = this.#ctx;
    const buffer = makeBuffer(name, [constant(1, "int32")], dtype, { scope: "local", span: site.span });
    this.know(buffer);
    this.#define(name, makeBufferLoad(buffer, [constant(0, "int32")], undefined, site.span), site);
    this.#openRest({
      value: buffer,
      close: (body) => makeAllocate(buffer.data, buffer.dtype, buffer.shape, makeDeclBuffer(buffer, body, site.span), { span: site.span }),
    });
    if (value !== undefined) this.#push(ctx.guard(site, () => storeValue(buffer, [0], value, undefined, site)).stmt);
  }

  /** The buffer of one element that an assignment to this name stores to, as main reads it. */
  #scalarBuffer(name: string): Buffer | undefined {
    if (this.#ctx.spelling !== "main") return undefined;
    const known = this.#ctx.lookup(name);
    const buffer = isNode(known) && known.kind === "tir.BufferLoad" ? (known as BufferLoad).buffer : isBuffer(known) ? known : undefined;
    const [extent] = buffer?.shape ?? [];
    return buffer?.shape.length === 1 && extent !== undefined && isConstInt(extent, 1) ? buffer : undefined;
  }

  #for(s: PyStmt & { readonly py: "For" }): void {
    const ctx = this.#ctx;
    const loop = this.#loop(ctx.evaluate(s.iter), ctx.site(s.iter));
    const whole = s.target.py === "Name" && loop.domains.length !== 1 ? s.target : undefined;
    const targets = this.#loopNames(s.target, loop.domains.length);
    if (targets.length !== loop.domains.length) {
      return ctx.fail(s.target, `${loop.domains.length} loops need ${loop.domains.length} names, not ${targets.length}.`);
    }
    const mark = ctx.mark();
    const vars = targets.map((t, i) => {
      if (t.py !== "Name") return ctx.fail(t, "A loop variable is a name.");
      const dom = loop.domains[i] ?? ctx.fail(t, "This loop has no range.");
      const v = makeVar(t.id, loopDType(dom), undefined, ctx.span(t));
      ctx.define(t.id, v);
      this.#loops.set(v, promoted(dom, v));
      return v;
    });
    if (whole !== undefined) ctx.define(whole.id, vars);
    let body = this.#list(s.body, targets.map((t) => (t.py === "Name" ? t.id : "")));
    ctx.release(mark);
    for (let i = vars.length - 1; i >= 0; i--) {
      const v = vars[i];
      const dom = v === undefined ? undefined : this.#loops.get(v);
      if (v === undefined || dom === undefined) continue;
      const threadBinding =
        loop.thread === undefined ? undefined : makeIterVar(undefined, makeVar("", v.dtype), "kThreadIndex", loop.thread);
      body = makeFor(v, dom.min, dom.extent, body, { forKind: loop.forKind, annotations: loop.annotations, threadBinding, span: ctx.span(s) });
      this.#loops.delete(v);
    }
    this.#push(body);
  }

  /** The names of the variables of a loop; one name for several loops stands for the list of them. */
  #loopNames(target: PyExpr, count: number): readonly PyExpr[] {
    if (target.py === "Tuple" || target.py === "List") return target.items;
    if (target.py !== "Name" || count === 1) return [target];
    const { id, start, end } = target;
    return Array.from({ length: count }, (_, i): PyExpr => ({ py: "Name", id: `${id}_${i}`, start, end }));
  }

  #loop(value: ScriptValue, site: Site): LoopValue {
    if (value instanceof LoopValue) return value;
    if (!(value instanceof ScriptRange)) return site.fail(`A loop runs over a range, not over ${describeValue(value)}.`);
    const [a, b, step] = value.args;
    if (step !== undefined && step !== 1) return site.fail("A loop has steps of one.", "Multiply the loop variable where it is used.");
    const annotations = value.keywords.get("annotations") ?? null;
    const dom = b === undefined ? rangeOf(toExpr(a, site)) : rangeFromTo(a, b, site);
    return new LoopValue("serial", [dom], annotations === null ? {} : toAttrMap(annotations, site));
  }

  #if(s: PyStmt & { readonly py: "If" }): void {
    const ctx = this.#ctx;
    const test = ctx.evaluate(s.test);
    if (typeof test === "boolean") {
      // Decided while reading, as Python does: the statements of the branch stand here.
      for (const inner of test ? s.body : s.orelse) if (!ctx.attempt(() => this.#stmt(inner))) this.#poison(inner);
      return;
    }
    const condition = toExpr(test, ctx.site(s.test));
    const then = this.#list(s.body);
    const orelse = s.orelse.length === 0 ? undefined : this.#list(s.orelse);
    this.#push(makeIfThenElse(condition, then, orelse, ctx.span(s)));
  }

  #with(items: readonly { readonly context: PyExpr; readonly target: PyExpr | undefined }[], body: readonly PyStmt[], site: Site): void {
    const ctx = this.#ctx;
    const [first, ...rest] = items;
    if (first === undefined) return;
    const inner = (names: readonly string[] = []): Stmt => {
      if (rest.length === 0) return this.#list(body, names);
      const before = this.#lists;
      this.#lists = [{ stmts: [], close: undefined }];
      this.#with(rest, body, site);
      const result = this.#finish();
      this.#lists = before;
      return result;
    };
    const value = ctx.evaluate(first.context);
    if (value instanceof BlockValue) return this.#block(value, first.target, inner, site);
    if (value instanceof InitValue) {
      const block = this.#blocks[this.#blocks.length - 1];
      if (block === undefined) return site.fail("`T.init` stands inside a block.");
      if (block.init !== undefined) return site.fail("A block has one `T.init`.");
      block.init = inner();
      return;
    }
    if (value instanceof BranchValue) return this.#branch(value, inner, site);
    if (!(value instanceof ScopeValue)) return site.fail(`\`with\` opens a scope, not ${describeValue(value)}.`);
    const { target } = first;
    const names = target === undefined ? [] : target.py === "Tuple" ? target.items : [target];
    const [only] = names;
    if (names.length > 1 || (only !== undefined && only.py !== "Name")) return site.fail("This scope binds one name.");
    const scope = ctx.guard(site, () => value.open(only?.py === "Name" ? only.id : undefined));
    const mark = ctx.mark();
    if (only?.py === "Name") ctx.define(only.id, scope.value);
    if (isBuffer(scope.value)) this.know(scope.value);
    const stmt = inner(only?.py === "Name" ? [only.id] : []);
    ctx.release(mark);
    this.#push(ctx.guard(site, () => scope.close(stmt)));
  }

  /** `T.While`, `T.If`, `T.Then`, `T.Else`. */
  #branch(value: BranchValue, inner: () => Stmt, site: Site): void {
    const { role, condition } = value;
    if (role === "while") return this.#push(makeWhile(condition, inner(), site.span));
    if (role === "if") {
      const state: BranchState = { body: undefined, orelse: undefined };
      this.#branches.push(state);
      try {
        inner();
      } finally {
        this.#branches.pop();
      }
      if (state.body === undefined) return site.fail("`T.If` holds `T.Then`.");
      return this.#push(makeIfThenElse(condition, state.body, state.orelse, site.span));
    }
    const state = this.#branches[this.#branches.length - 1];
    if (state === undefined || state[role] !== undefined) return site.fail("`T.Then` and `T.Else` stand once inside `T.If`.");
    const hidden = this.#branches.splice(0);
    try {
      state[role] = inner();
    } finally {
      this.#branches.push(...hidden);
    }
  }

  #block(value: BlockValue, target: PyExpr | undefined, inner: () => Stmt, site: Site): void {
    const ctx = this.#ctx;
    const state: BlockState = {
      iterVars: [],
      values: [],
      predicate: undefined,
      reads: undefined,
      writes: undefined,
      attrs: undefined,
      allocs: [],
      matches: [],
      init: undefined,
    };
    if (target !== undefined) return ctx.fail(target, "A block binds its variables with `T.axis`.");
    this.#blocks.push(state);
    let body: Stmt;
    try {
      body = inner();
    } finally {
      this.#blocks.pop();
    }
    for (const b of state.allocs) this.#pointers.delete(b.data);
    const opts = { init: state.init, allocBuffers: state.allocs, matchBuffers: state.matches, annotations: state.attrs ?? {}, span: site.span };
    let block = makeBlock(value.name, state.iterVars, state.reads ?? [], state.writes ?? [], body, opts);
    if ((state.reads === undefined || state.writes === undefined) && !ctx.hasErrors) {
      const found = ctx.guard(site, () => getBlockAccessRegion(block, this.#pointers));
      const [hidden] = found.opaque;
      if (hidden !== undefined) {
        return site.fail(
          `What this block accesses cannot be found: it hands on the pointer of buffer \`${hidden.buffer.name}\`.`,
          "Say it with `T.reads` and `T.writes`.",
        );
      }
      block = makeBlock(value.name, state.iterVars, state.reads ?? found.reads, state.writes ?? found.writes, body, opts);
    }
    if (value.noRealize) return this.#push(block);
    if (state.values.length !== state.iterVars.length) return site.fail("Every axis of a block needs a value.");
    this.#push(makeBlockRealize(state.values, state.predicate ?? constant(1, "bool"), block, site.span));
  }

  #assign(s: PyStmt & { readonly py: "Assign" }): void {
    const value = this.#ctx.evaluate(s.value);
    for (const target of s.targets) this.#assignTo(target, value, this.#ctx.site(s));
  }

  #assignTo(target: PyExpr, value: ScriptValue, site: Site): void {
    const ctx = this.#ctx;
    if (target.py === "Name") return this.#bind(target.id, value, site);
    if (target.py === "Subscript") {
      const buffer = ctx.evaluate(target.value);
      if (!isBuffer(buffer)) return ctx.fail(target, `Only elements of buffers can be assigned, not of ${describeValue(buffer)}.`);
      const indices = target.indices.map((i) => (i.py === "Slice" ? ctx.evaluateIndex(i) : ctx.evaluate(i)));
      const { stmt } = ctx.guard(site, () => storeValue(buffer, indices, value, undefined, site));
      return this.#push(stmt);
    }
    if (target.py === "Tuple" || target.py === "List") {
      if (!isList(value)) return site.fail(`${describeValue(value)} cannot be taken apart.`);
      if (value.length !== target.items.length) return site.fail(`${target.items.length} names for ${value.length} values.`);
      for (const [i, t] of target.items.entries()) this.#assignTo(t, value[i], site);
      return undefined;
    }
    return ctx.fail(target, "This cannot be assigned to.");
  }

  #bind(name: string, value: ScriptValue, site: Site): void {
    const ctx = this.#ctx;
    if (value instanceof MetaValue) return this.#define(name, value.value, site);
    const scalar = isStorable(value) ? this.#scalarBuffer(name) : undefined;
    if (scalar !== undefined) return this.#push(ctx.guard(site, () => storeValue(scalar, [0], value, undefined, site)).stmt);
    if (value instanceof AxisValue) return this.#define(name, this.#axis(name, value, site), site);
    if (value instanceof NewBuffer) return this.#define(name, this.#newBuffer(name, value, site), site);
    if (value instanceof ScopeValue) {
      return this.#define(name, this.#openNamed(name, value, site), site);
    }
    if (isScopes(value)) return this.#define(name, value.map((v, i) => this.#openNamed(`${name}_${i}`, v, site)), site);
    if (isBuffer(value)) return this.#define(name, value, site);
    if (isNode(value) && value.kind === "tir.IterVar") {
      const v = value as IterVar;
      return this.#define(name, v.var.name === "" ? makeIterVar(v.dom, renameVar(v.var, name), v.iterType, v.threadTag, v.span) : v, site);
    }
    if (isNode(value) && (value.kind === "tir.Var" || value.kind === "tir.SizeVar")) {
      if ((value as AnyVar).name === "") return this.#define(name, renameVar(value as AnyVar, name), site);
      if (ctx.isNew(value)) return this.#define(name, value, site);
    }
    const isValue = (isNode(value) && isPrimExpr(value)) || isInt(value) || value instanceof SliceValue || typeof value === "boolean";
    if (!isValue && !isLetValue(value)) return this.#define(name, value, site);
    const expr = toExpr(value, site);
    if (ctx.spelling === "main" && expr.dtype !== "handle") return this.#scalar(name, expr.dtype, expr, site);
    const bind = makeVar(name, expr.dtype, undefined, site.span);
    this.#define(name, bind, site);
    return this.#openRest({ value: bind, close: (body) => makeLetStmt(bind, expr, body, site.span) });
  }

  /** Opens a scope to the end of the list; what it binds. */
  #openNamed(name: string | undefined, value: ScopeValue, site: Site): ScriptValue {
    const scope = this.#ctx.guard(site, () => value.open(name));
    if (isBuffer(scope.value)) this.know(scope.value);
    this.#openRest(scope);
    return scope.value;
  }

  #axis(name: string, axis: AxisValue, site: Site): Var {
    const block = this.#blocks[this.#blocks.length - 1];
    if (block === undefined) return site.fail("`T.axis` stands inside a block.");
    let { dom } = axis;
    if (dom === undefined) {
      const loop = axis.value?.kind === "tir.Var" ? this.#loops.get(axis.value) : undefined;
      dom = loop ?? site.fail("`T.axis.remap` takes the variables of loops around the block.");
    }
    const v = makeVar(name, axis.dtype ?? loopDType(dom, 32), undefined, site.span);
    block.iterVars.push(makeIterVar(promoted(dom, v), v, axis.iterType, "", site.span));
    if (axis.value !== undefined) block.values.push(axis.value);
    return v;
  }

  #newBuffer(name: string, value: NewBuffer, site: Site): Buffer {
    const buffer = this.#ctx.guard(site, () => value.make(name));
    const block = this.#blocks[this.#blocks.length - 1];
    this.know(buffer);
    if (value.role === "allocated") (block?.allocs ?? this.rootAllocs).push(buffer);
    if (value.role !== "matched") return buffer;
    const { source } = value;
    if (isNode(source) && (source.kind === "tir.Var" || source.kind === "tir.SizeVar")) {
      this.bufferMap.set(source as Var, buffer);
      return buffer;
    }
    if (block === undefined) return site.fail("`T.match_buffer` of a part of a buffer stands inside a block.");
    block.matches.push(makeMatchBufferRegion(buffer, toRegion(source, site), site.span));
    return buffer;
  }

  #exprStmt(value: ScriptValue, site: Site): void {
    if (value instanceof StmtValue) return this.#push(value.stmt);
    if (value instanceof ScopeValue) return void this.#openNamed(undefined, value, site);
    if (isScopes(value)) return value.forEach((v) => this.#openNamed(undefined, v, site));
    if (value instanceof BlockFactValue) return this.#fact(value, site);
    if (value instanceof FuncAttrValue) {
      this.attrs = { ...this.attrs, ...value.attrs };
      return;
    }
    if (typeof value === "string" || value === null || value === undefined) return;
    if (isNode(value) && !isPrimExpr(value)) return site.fail(`${describeValue(value)} is no statement.`);
    this.#push(makeEvaluate(toExpr(value, site), site.span));
  }

  #fact(value: BlockFactValue, site: Site): void {
    const block = this.#blocks[this.#blocks.length - 1];
    if (block === undefined) return site.fail("This stands inside a block.");
    const { fact } = value;
    const once = (known: unknown): void => {
      if (known !== undefined) site.fail("A block says this once.");
    };
    switch (fact.fact) {
      case "where":
        once(block.predicate);
        block.predicate = fact.predicate;
        return;
      case "reads":
        once(block.reads);
        block.reads = fact.regions;
        return;
      case "writes":
        once(block.writes);
        block.writes = fact.regions;
        return;
      case "attrs":
        // Main lets them be said in parts.
        if (this.#ctx.spelling === "v0.20") once(block.attrs);
        for (const [key, v] of Object.entries(fact.attrs)) {
          const known = block.attrs?.[key];
          if (known !== undefined && known !== v) site.fail(`The block says already what \`${key}\` is.`);
        }
        block.attrs = { ...block.attrs, ...fact.attrs };
    }
  }
}

/** Jumps out of loops, which main has, by what the reader calls them. */
const JUMPS: ReadonlyMap<string, string> = new Map([
  ["`break`", "tir.break_loop"],
  ["`continue`", "tir.continue_loop"],
]);

/** Several scopes that one call opens, such as the axes of `T.cta_id([2, 3])`. */
function isScopes(value: ScriptValue): value is readonly ScopeValue[] {
  return isList(value) && value.length > 0 && value.every((v) => v instanceof ScopeValue);
}

function isStorable(value: ScriptValue): boolean {
  return (isNode(value) && isPrimExpr(value)) || isInt(value) || isLetValue(value) || typeof value === "boolean";
}

/** `T.let` or `T.let[type]`. */
function isLet(type: ScriptValue): boolean {
  return type instanceof LetTypeValue || (type instanceof ScriptFunction && type.name === "T.let");
}

function letVar(type: ScriptValue, value: PrimExpr, name: string, ctx: ParseContext, at: { readonly start: number; readonly end: number }): Var {
  if (type instanceof LetTypeValue) return annotatedVar(type.type, name, ctx, at);
  return isLet(type) ? makeVar(name, value.dtype, undefined, ctx.span(at)) : annotatedVar(type, name, ctx, at);
}

/** What an assertion says; main writes a kind of error and the parts of a sentence. */
function assertMessage(value: ScriptValue, site: Site): PrimExpr {
  if (!isList(value) || value.length !== 2) return toExpr(value, site);
  const [kind, parts] = value;
  if (typeof kind !== "string" || !isList(parts)) return toExpr(value, site);
  const text = parts.map((p) => (typeof p === "string" ? p : site.fail("The parts of a message are strings."))).join("");
  return toExpr(kind === "RuntimeError" ? text : `${kind}: ${text}`, site);
}

function isLetValue(value: ScriptValue): boolean {
  return typeof value === "object" && value !== null && "value" in value && typeof value.value === "number";
}

/** The type of a variable over a range: as wide as its ends, and at least `least` bits. */
function loopDType(dom: Range, least = 8): "int8" | "int16" | "int32" | "int64" {
  const bits = Math.max(least, intBits(dom.min), intBits(dom.extent));
  return bits > 32 ? "int64" : bits > 16 ? "int32" : bits > 8 ? "int16" : "int8";
}

function intBits(e: PrimExpr): number {
  if (e.dtype === "int64") return 64;
  if (e.dtype === "int32") return 32;
  const match = /^u?int(\d+)$/.exec(e.dtype);
  return match === null ? 32 : Number(match[1]);
}

/** Constants of another width take the variable's type. */
function promoted(dom: Range, v: Var): Range {
  const fit = (e: PrimExpr): PrimExpr => (e.kind === "ir.IntImm" && e.dtype !== v.dtype ? cast(v.dtype, e) : e);
  const min = fit(dom.min);
  const extent = fit(dom.extent);
  return min === dom.min && extent === dom.extent ? dom : makeRange(min, extent, dom.span);
}
