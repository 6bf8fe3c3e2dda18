import {
  didYouMean,
  isNode,
  type BaseFunc,
  type Diagnostics,
  type GlobalVar,
  type Reporter,
  type SourceText,
  type Span,
} from "@verticil/ir-core";
import { scriptDiagnostics } from "../diagnostics.ts";
import type { ScriptDialect } from "../dialect.ts";
import { isStackOverflow } from "../stack-overflow.ts";
import type { MetadataTable } from "../metadata.ts";
import { readName, type Spelling } from "../spelling.ts";
import type { PyExpr, PyClassDef, PyFunctionDef, PyKeyword, PyLambda, PySlice, PyStmt } from "../python/ast.ts";
import { constantBinary, constantUnary } from "./constants.ts";
import { bindArguments, makeMacro, ScriptMacro } from "./macro.ts";
import {
  CallArgs,
  describeValue,
  isDict,
  isInt,
  isList,
  ScriptFloat,
  ScriptFunction,
  ScriptLambda,
  ScriptNamespace,
  ScriptSlice,
  type ScriptValue,
  type Site,
} from "./values.ts";

/** Unwinds to the statement that is wrong; what is wrong has been reported. */
export class ScriptFailure extends Error {
  constructor() {
    super("reported");
    this.name = "ScriptFailure";
  }
}

/** Stands for a name whose definition was wrong: its uses are not reported again, unless it was no part of the program. */
class Poison {
  readonly isPython: boolean;
  constructor(isPython: boolean) {
    this.isPython = isPython;
  }
}
const POISON = new Poison(false);
const PYTHON = new Poison(true);

/** How many statements the macros of a program may write, and how deep in each other. */
const MAX_EXPANDED = 100_000;
const MAX_EXPANSION_DEPTH = 50;

/** Reads the statements of a macro's body into the body that is being read; the value that they return. */
export type StatementReader = (body: readonly PyStmt[]) => ScriptValue;

/** A range of offsets. */
interface At {
  readonly start: number;
  readonly end: number;
}

/** A place of the text in a run. Its span is made when it is asked for. */
class ParseSite implements Site {
  readonly ctx: ParseContext;
  readonly start: number;
  readonly end: number;

  constructor(ctx: ParseContext, start: number, end: number) {
    this.ctx = ctx;
    this.start = start;
    this.end = end;
  }

  get span(): Span | undefined {
    return this.ctx.span(this);
  }

  fail(message: string, help?: string): never {
    return this.ctx.fail(this, message, help);
  }
}

const NO_KEYWORDS: ReadonlyMap<string, ScriptValue> = new Map();

/** The state of one run of the reader: names, the module, diagnostics. Handlers of dialects work through it. */
export class ParseContext {
  readonly source: SourceText;
  readonly dialects: readonly ScriptDialect[];
  readonly metadata: MetadataTable | undefined;
  /** Whose names the text is written in. */
  readonly spelling: Spelling;
  readonly report: Reporter<typeof scriptDiagnostics>;
  /** Functions of the module by name. */
  readonly globals: Map<string, GlobalVar> = new Map();
  /** Global infos of the module, by key. */
  globalInfos: ReadonlyMap<string, readonly ScriptValue[]> = new Map();
  readonly #new = new WeakSet<object>();
  readonly #signatures = new Map<string, unknown>();
  #names = new Map<string, ScriptValue | Poison>();
  /** Reads statements where the body that is being read is; what they give back is the value of a macro's call. */
  #statements: StatementReader | undefined;
  #expanded = 0;
  #expansionDepth = 0;
  readonly #undo: (readonly [name: string, before: ScriptValue | Poison])[] = [];
  readonly #diagnostics: Diagnostics;
  readonly #spans: boolean;
  #current: readonly ScriptDialect[];
  #depth = 0;

  constructor(opts: {
    readonly source: SourceText;
    readonly dialects: readonly ScriptDialect[];
    readonly diagnostics: Diagnostics;
    readonly metadata: MetadataTable | undefined;
    readonly spans: boolean;
    readonly spelling: Spelling;
  }) {
    this.source = opts.source;
    this.dialects = opts.dialects;
    this.#diagnostics = opts.diagnostics;
    this.report = opts.diagnostics.reporter("tvmscript", scriptDiagnostics);
    this.metadata = opts.metadata;
    this.#spans = opts.spans;
    this.spelling = opts.spelling;
    this.#current = opts.dialects;
  }

  get hasErrors(): boolean {
    return this.#diagnostics.hasErrors;
  }

  /** A span for nodes; undefined if the run was asked for none. */
  span(at: At): Span | undefined {
    return this.#spans ? { source: this.source, start: at.start, end: at.end } : undefined;
  }

  site(at: At): Site {
    return new ParseSite(this, at.start, at.end);
  }

  /** Reports an error and gives up the statement. */
  fail(at: At, message: string, help?: string): never {
    this.report("invalid", { message, help }, this.#place(at));
    throw new ScriptFailure();
  }

  #place(at: At): Span {
    return { source: this.source, start: at.start, end: at.end };
  }

  /** Reports that a name is bound twice, and gives up the statement. */
  duplicate(name: string, at: At): never {
    this.report("duplicate", { name }, this.#place(at));
    throw new ScriptFailure();
  }

  /** Reports what Python would be needed for, and gives up the statement. */
  needsPython(at: At, what: string): never {
    this.report("needs-python", { what }, this.#place(at));
    throw new ScriptFailure();
  }

  /**
   * Runs `f`; what a factory throws because of its arguments (`TypeError`, `RangeError`) is reported at `at`.
   */
  guard<T>(at: At, f: () => T): T {
    try {
      return f();
    } catch (e) {
      return this.#thrown(e, at);
    }
  }

  #thrown(e: unknown, at: At): never {
    if (isStackOverflow(e) || !(e instanceof TypeError || e instanceof RangeError)) throw e;
    return this.fail(at, e.message);
  }

  /** Runs `f` and goes on after a reported failure; false if there was one. */
  attempt(f: () => void): boolean {
    const depth = this.#depth;
    try {
      f();
      return true;
    } catch (e) {
      if (!(e instanceof ScriptFailure)) throw e;
      this.#depth = depth;
      return false;
    }
  }

  // Names.

  /** Binds a name until the enclosing scope is left. */
  define(name: string, value: ScriptValue): void {
    this.#undo.push([name, this.#names.get(name)]);
    this.#names.set(name, value);
  }

  /** Marks names as defined by a statement that was wrong. */
  poison(target: PyExpr): void {
    if (target.py === "Name") {
      this.#undo.push([target.id, this.#names.get(target.id)]);
      this.#names.set(target.id, POISON);
    } else if (target.py === "Tuple" || target.py === "List") for (const t of target.items) this.poison(t);
  }

  lookup(name: string): ScriptValue {
    const value = this.#names.get(name);
    return value instanceof Poison ? undefined : value;
  }

  isDefined(name: string): boolean {
    return this.#names.has(name) && this.#names.get(name) !== undefined;
  }

  /** Runs `f` in a scope of its own. */
  scoped<T>(f: () => T): T {
    const mark = this.mark();
    try {
      return f();
    } finally {
      this.release(mark);
    }
  }

  mark(): number {
    return this.#undo.length;
  }

  /** Forgets the names that were bound since `mark`. */
  release(mark: number): void {
    while (this.#undo.length > mark) {
      const [name, before] = this.#undo.pop() ?? ["", undefined];
      if (before === undefined) this.#names.delete(name);
      else this.#names.set(name, before);
    }
  }

  /** Says that a named variable was made here and stands for no value: assigning it gives it a name, and binds nothing. */
  markNew(value: object): void {
    this.#new.add(value);
  }

  isNew(value: object): boolean {
    return this.#new.has(value);
  }

  /** Binds a name to a value that only Python has: its uses say so. */
  definePython(name: string): void {
    this.#undo.push([name, this.#names.get(name)]);
    this.#names.set(name, PYTHON);
  }

  /** Binds a name to what an expression of the Python program around is, if that can be told here; else its uses say so. */
  defineFromPython(name: string, e: PyExpr): void {
    const before = this.#diagnostics.all.length;
    let value: ScriptValue | Poison = PYTHON;
    if (!this.attempt(() => void (value = this.evaluate(e)))) this.#diagnostics.all.length = before;
    this.#undo.push([name, this.#names.get(name)]);
    this.#names.set(name, value);
  }

  // Macros.

  /** Runs `f`, which reads a body; calls of macros in it go to `statements`. */
  reading<T>(statements: StatementReader, f: () => T): T {
    const before = this.#statements;
    this.#statements = statements;
    try {
      return f();
    } finally {
      this.#statements = before;
    }
  }

  /** Defines the macro that `def` is, if a decorator of it says that it is one. */
  defineMacro(def: PyFunctionDef): boolean {
    const isMacro = this.decoratorsOf(def).some(({ dialect, name }) => dialect.macros?.includes(name) === true);
    if (!isMacro) return false;
    const names = new Map<string, ScriptValue>();
    for (const [name, value] of this.#names) if (!(value instanceof Poison)) names.set(name, value);
    this.define(def.name, makeMacro(def, this, names));
    return true;
  }

  /** Reads the body of a macro where it is called. */
  #expand(macro: ScriptMacro, given: CallArgs, site: Site): ScriptValue {
    const read = this.#statements;
    if (read === undefined) return site.fail(`The macro \`${macro.def.name}\` writes statements: it is called inside a function.`);
    const bound = bindArguments(macro, given, site);
    this.#expanded += countStatements(macro.def.body);
    if (this.#expanded > MAX_EXPANDED) return site.fail(`The macros of this program write more than ${MAX_EXPANDED} statements.`);
    if (this.#expansionDepth >= MAX_EXPANSION_DEPTH) return site.fail("Macros call each other too deeply here.");
    const before = this.#names;
    if (macro.names !== undefined) this.#names = new Map(macro.names);
    this.#expansionDepth++;
    try {
      return this.scoped(() => {
        for (const [name, value] of bound) this.define(name, value);
        return read(macro.def.body);
      });
    } finally {
      this.#names = before;
      this.#expansionDepth--;
    }
  }

  // The module.

  /** Forgets the module before: the functions that are declared from here on are another one's. */
  startModule(): void {
    this.globals.clear();
    this.#signatures.clear();
    this.globalInfos = new Map();
  }

  /** What the function's parser declared under this name. */
  signature(name: string): unknown {
    return this.#signatures.get(name);
  }

  setSignature(name: string, signature: unknown): void {
    this.#signatures.set(name, signature);
  }

  /** Reads a function that is defined inside another one. */
  localFunction(def: PyFunctionDef): BaseFunc {
    const found = this.functionParser(def);
    if (found === undefined) return this.fail(def, `The function \`${def.name}\` has no decorator that says what it is.`);
    return this.within(found.dialect, () => found.parser.define(def, this, { isLocal: true }));
  }

  /** The dialect and parser that a function's decorators name. */
  functionParser(def: PyFunctionDef): { readonly dialect: ScriptDialect; readonly parser: ScriptDialect["functions"][string] } | undefined {
    for (const { dialect, name } of this.decoratorsOf(def)) {
      const parser = Object.hasOwn(dialect.functions, name) ? dialect.functions[name] : undefined;
      if (parser !== undefined) return { dialect, parser };
    }
    return undefined;
  }

  /** The decorators of a definition that are members of a dialect. */
  decoratorsOf(def: PyFunctionDef | PyClassDef): { readonly dialect: ScriptDialect; readonly name: string }[] {
    return def.decorators.flatMap((decorator) => {
      const callee = decorator.py === "Call" ? decorator.func : decorator;
      const owner = callee.py === "Attribute" ? this.#tryEvaluate(callee.value) : undefined;
      if (callee.py !== "Attribute" || !(owner instanceof ScriptNamespace)) return [];
      return this.dialects.filter((d) => d.members === owner.members).map((dialect) => ({ dialect, name: callee.attr }));
    });
  }

  #tryEvaluate(e: PyExpr): ScriptValue {
    if (e.py === "Name") return this.lookup(e.id);
    if (e.py !== "Attribute") return undefined;
    const owner = this.#tryEvaluate(e.value);
    return owner instanceof ScriptNamespace ? owner.members.get(e.attr) : undefined;
  }

  /** The type of plain integers where nothing else says, in the function that is being read. */
  get plainInt(): string {
    return this.#current[0]?.plainInt ?? "int32";
  }

  /** Runs `f` with the operators of `dialect` first. */
  within<T>(dialect: ScriptDialect, f: () => T): T {
    const before = this.#current;
    this.#current = [dialect, ...this.dialects.filter((d) => d !== dialect)];
    try {
      return f();
    } finally {
      this.#current = before;
    }
  }

  // Expressions.

  /** The value of an expression. @throws ScriptFailure after reporting what is wrong with it. */
  evaluate(e: PyExpr): ScriptValue {
    switch (e.py) {
      case "Int":
      case "Str":
      case "Const":
        return e.value;
      case "Float":
        return new ScriptFloat(e.value);
      case "Name":
        return this.#name(e.id, e);
      case "Attribute":
        return this.#attribute(e.value, e.attr, e);
      case "Call":
        return this.#call(e);
      case "Subscript":
        return this.#subscript(this.evaluate(e.value), e.indices.map((i) => this.evaluateIndex(i)), e, e.value.py === "Tuple");
      case "Binary":
      case "Compare":
        return this.#binaryChain(e);
      case "Bool": {
        const a = this.evaluate(e.left);
        const b = this.evaluate(e.right);
        if (typeof a === "boolean" && typeof b === "boolean") return e.op === "and" ? a && b : a || b;
        const what = (): string => `\`${e.op}\` of ${describeValue(a)} and ${describeValue(b)}`;
        return this.#ask(e, what, (d, site) => d.operators.logic?.(e.op, a, b, site));
      }
      case "Unary": {
        const a = this.evaluate(e.operand);
        const known = constantUnary(e.op, a);
        if (known !== undefined) return known;
        return this.#ask(e, () => `\`${e.op}\` of ${describeValue(a)}`, (d, site) => d.operators.unary?.(e.op, a, site));
      }
      case "IfExp": {
        const test = this.evaluate(e.test);
        if (typeof test === "boolean") return this.evaluate(test ? e.body : e.orelse);
        const body = this.evaluate(e.body);
        const orelse = this.evaluate(e.orelse);
        return this.#ask(e, () => "meaning for this conditional expression", (d, site) => d.operators.ifExp?.(test, body, orelse, site));
      }
      case "Lambda":
        return this.#lambda(e);
      case "Tuple":
      case "List":
        return this.#items(e.items);
      case "Dict":
        return new Map(e.entries.map(([k, v]) => [this.evaluate(k), this.evaluate(v)]));
      case "Starred":
        return this.needsPython(e, "unpacking");
      case "Other":
        return this.needsPython(e, e.what);
    }
  }

  #items(items: readonly PyExpr[]): ScriptValue[] {
    const out: ScriptValue[] = [];
    for (const item of items) {
      if (item.py === "Starred") {
        const list = this.evaluate(item.value);
        if (!isList(list)) return this.fail(item, `Only a list can be unpacked, not ${describeValue(list)}.`);
        out.push(...list);
      } else out.push(this.evaluate(item));
    }
    return out;
  }

  /** Left-deep chains of operators may be thousands long: they are not walked recursively. */
  #binaryChain(e: PyExpr): ScriptValue {
    const chain: (PyExpr & { readonly py: "Binary" | "Compare" })[] = [];
    let leftmost = e;
    while (leftmost.py === "Binary" || leftmost.py === "Compare") {
      chain.push(leftmost);
      leftmost = leftmost.left;
    }
    let value = this.evaluate(leftmost);
    for (let i = chain.length - 1; i >= 0; i--) {
      const step = chain[i];
      if (step !== undefined) value = this.binary(step.op, value, this.evaluate(step.right), step);
    }
    return value;
  }

  /** The value of a binary operator. */
  binary(op: string, a: ScriptValue, b: ScriptValue, at: At): ScriptValue {
    if (!isObject(a) && !isObject(b)) {
      const known = constantBinary(op, a, b);
      if (known !== undefined) return known;
    }
    return this.#ask(at, () => `\`${op}\` of ${describeValue(a)} and ${describeValue(b)}`, (d, site) => d.operators.binary?.(op, a, b, site));
  }

  /** `what` there is none of, for the message. */
  #ask(at: At, what: () => string, question: (d: ScriptDialect, site: Site) => ScriptValue | undefined): ScriptValue {
    const site = this.site(at);
    try {
      for (const d of this.#current) {
        const answer = question(d, site);
        if (answer !== undefined) return answer;
      }
    } catch (e) {
      return this.#thrown(e, at);
    }
    return this.fail(at, `There is no ${what()}.`);
  }

  #name(id: string, at: At): ScriptValue {
    const value = this.#names.get(id);
    if (value instanceof Poison) {
      if (value.isPython) return this.needsPython(at, `the value of \`${id}\``);
      throw new ScriptFailure();
    }
    if (value !== undefined) return value;
    const near = didYouMean(id, this.#names.keys());
    this.report("unknown-name", { name: id, suggestion: near === undefined ? undefined : `Did you mean \`${near}\`?` }, this.#place(at));
    throw new ScriptFailure();
  }

  #attribute(owner: PyExpr, attr: string, at: At): ScriptValue {
    const value = this.evaluate(owner);
    if (value instanceof ScriptNamespace) {
      const member = value.members.get(this.#memberName(value, attr));
      if (member !== undefined) return member;
      const near = didYouMean(attr, value.members.names());
      const suggestion = near === undefined ? undefined : `Did you mean \`${value.name}.${near}\`?`;
      this.report("unknown-member", { owner: value.name, name: attr, suggestion }, this.#place(at));
      throw new ScriptFailure();
    }
    return this.#ask(at, () => `meaning for attribute \`${attr}\` of ${describeValue(value)}`, (d, site) =>
      d.operators.attribute?.(value, readName(this.spelling, "attribute", d.name, attr), site),
    );
  }

  /** A member's name as the dialect has it, whichever spelling is read. */
  #memberName(owner: ScriptNamespace, name: string): string {
    if (this.spelling === "v0.20") return name;
    const dialect = this.dialects.find((d) => d.members === owner.members);
    return dialect === undefined ? name : readName(this.spelling, "member", dialect.name, name);
  }

  #keywordName(name: string): string {
    if (this.spelling === "v0.20") return name;
    for (const d of this.dialects) {
      const known = readName(this.spelling, "keyword", d.name, name);
      if (known !== name) return known;
    }
    return name;
  }

  #call(e: PyExpr & { readonly py: "Call" }): ScriptValue {
    const callee = this.evaluate(e.func);
    const args = this.#items(e.args);
    const keywords = e.keywords.length === 0 ? NO_KEYWORDS : this.#keywords(e.keywords);
    if (callee instanceof ScriptFunction) {
      try {
        return callee.call(new CallArgs(args, keywords), this.site(e));
      } catch (error) {
        return this.#thrown(error, e);
      }
    }
    if (callee instanceof ScriptLambda) return callee.apply(args);
    if (callee instanceof ScriptMacro) return this.#expand(callee, new CallArgs(args, keywords), this.site(e));
    return this.#ask(e, () => `meaning for call of ${describeValue(callee)}`, (d, site) => d.operators.call?.(callee, args, keywords, site));
  }

  #keywords(list: readonly PyKeyword[]): ReadonlyMap<string, ScriptValue> {
    const out = new Map<string, ScriptValue>();
    for (const k of list) {
      if (k.name === undefined) this.needsPython(k, "unpacking of keywords");
      else out.set(this.#keywordName(k.name), this.evaluate(k.value));
    }
    return out;
  }

  /** The value of an index, which may be a slice. */
  evaluateIndex(i: PyExpr | PySlice): ScriptValue {
    if (i.py !== "Slice") return this.evaluate(i);
    const part = (e: PyExpr | undefined): ScriptValue => (e === undefined ? null : this.evaluate(e));
    return new ScriptSlice(part(i.lower), part(i.upper), part(i.step));
  }

  #subscript(value: ScriptValue, indices: readonly ScriptValue[], at: At, isWritten: boolean): ScriptValue {
    const [index] = indices;
    if (indices.length === 1) {
      if (isList(value) && isInt(index)) {
        // Where a tuple that is written out is a value of the program, so is its item.
        const own = isWritten ? this.#current[0]?.operators.subscript?.(value, indices, this.site(at)) : undefined;
        if (own !== undefined) return own;
        const item = value[Number(index) < 0 ? value.length + Number(index) : Number(index)];
        return item === undefined ? this.fail(at, `There is no item ${index} in a list of ${value.length}.`) : item;
      }
      if (isDict(value)) {
        const item = value.get(index);
        return item === undefined ? this.fail(at, `The dictionary has no ${describeValue(index)}.`) : item;
      }
    }
    return this.#ask(at, () => `meaning for subscript of ${describeValue(value)}`, (d, site) => d.operators.subscript?.(value, indices, site));
  }

  #lambda(e: PyLambda): ScriptLambda {
    return new ScriptLambda(e.params, (values) =>
      this.scoped(() => {
        const fixed = e.params.filter((p) => !p.startsWith("*"));
        const rest = e.params.find((p) => p.startsWith("*"));
        if (values.length < fixed.length || (rest === undefined && values.length > fixed.length)) {
          return this.fail(e, `This lambda takes ${fixed.length} arguments, not ${values.length}.`);
        }
        for (const [i, p] of fixed.entries()) this.define(p, values[i]);
        if (rest !== undefined) this.define(rest.slice(1), values.slice(fixed.length));
        return this.evaluate(e.body);
      }),
    );
  }
}

function isObject(value: ScriptValue): boolean {
  return isNode(value);
}

/** The statements of a body, those inside others included. */
function countStatements(body: readonly PyStmt[]): number {
  let count = body.length;
  for (const s of body) {
    if ("body" in s) count += countStatements(s.body);
    if (s.py === "If") count += countStatements(s.orelse);
  }
  return count;
}
