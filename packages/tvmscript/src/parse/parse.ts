import {
  DiagnosticError,
  Diagnostics,
  irDialect,
  isNode,
  loadObjects,
  makeGlobalVar,
  makeIRModule,
  SourceText,
  type AttrMap,
  type BaseFunc,
  type GlobalVar,
  type GraphObject,
  type IRModule,
  type Node,
} from "@verticil/ir-core";
import type { ScriptDialect } from "../dialect.ts";
import { ModuleStatement } from "../ir-script.ts";
import { MetadataTable, type MetadataItem } from "../metadata.ts";
import { withIr, withoutIr } from "../print/print.ts";
import type { PyClassDef, PyExpr, PyFunctionDef, PyStmt } from "../python/ast.ts";
import { readPython } from "../python/read.ts";
import { readName, type Spelling } from "../spelling.ts";
import { isStackOverflow } from "../stack-overflow.ts";
import { ParseContext, ScriptFailure } from "./context.ts";
import { builtinFunctions } from "./builtin-functions.ts";
import { hostNames, joined } from "./host-names.ts";
import { TypeVariables, typeVarFunction } from "./type-variables.ts";
import { isList, ScriptFunction, ScriptNamespace, ScriptRange, ScriptTensor, type ScriptMembers, type ScriptValue } from "./values.ts";

/** What `parse` may be told. */
export interface ParseOptions {
  /** The dialects that the program is written in. */
  readonly dialects: readonly ScriptDialect[];
  /** What the text is called in messages: a file name. */
  readonly name?: string | undefined;
  /** The table that `print` filled, for programs without a metadata section of their own. */
  readonly metadata?: MetadataTable | undefined;
  /** True also applies the dialects' rules of well-formedness, unless the program's decorator says `check_well_formed=False`. */
  readonly checkWellFormed?: boolean;
  /** False saves the nodes' spans. */
  readonly spans?: boolean;
  /** Whose names the text is written in. */
  readonly spelling?: Spelling;
  /** Which module of several is meant, by the name of its class. */
  readonly module?: string;
}

/** One of the modules that a script defines. */
export interface ScriptModule {
  /** The name of its class; undefined for the functions that stand in no class. */
  readonly name: string | undefined;
  readonly module: IRModule;
}

/**
 * The module that a script defines: a class with `@I.ir_module`, or functions on their own, which make a module.
 * @throws DiagnosticError with everything that is wrong with the script, and nothing else whatever the text is. Several
 * modules are wrong, unless `module` says which one is meant.
 */
export function parse(text: string, opts: ParseOptions): IRModule {
  return run(text, opts, (program) => program.module(opts.module));
}

/**
 * All modules that a script defines, in the order of the text: each class is one, and functions outside of classes are
 * one together, which comes last.
 * @throws DiagnosticError as `parse` does.
 */
export function parseModules(text: string, opts: ParseOptions): readonly ScriptModule[] {
  return run(text, opts, (program) => program.modules());
}

/**
 * The one function that a script defines (or the one named `main` of its module).
 * @throws DiagnosticError as `parse` does.
 */
export function parseFunction(text: string, opts: ParseOptions): BaseFunc {
  return run(text, opts, (program) => program.onlyFunction(opts.module));
}

function run<T>(text: string, opts: ParseOptions, f: (program: Program) => T | undefined): T {
  const diagnostics = new Diagnostics();
  const source = new SourceText(opts.name ?? "<script>", text);
  const ctx = new ParseContext({
    source,
    dialects: withIr(opts.dialects),
    diagnostics,
    metadata: opts.metadata,
    spans: opts.spans ?? true,
    spelling: opts.spelling ?? "v0.20",
  });
  let result: T | undefined;
  try {
    const python = readPython(text);
    for (const p of python.problems) ctx.report("syntax", { message: p.message }, { source, start: p.start, end: p.end });
    const program = new Program(ctx, python.body, headerImports(text));
    result = f(program);
    if (opts.checkWellFormed === true && !diagnostics.hasErrors) program.checkWellFormed(diagnostics);
  } catch (e) {
    if (isStackOverflow(e)) ctx.report("too-deep", {}, { source, start: 0, end: 0 });
    else if (!(e instanceof ScriptFailure)) throw e;
  }
  if (result === undefined || diagnostics.hasErrors) {
    if (!diagnostics.hasErrors) ctx.report("no-function", {}, { source, start: 0, end: 0 });
    throw new DiagnosticError(diagnostics.all);
  }
  return result;
}

/** Prefixes that the printer's header names: `# from tvm.script import tir as T`. */
function headerImports(text: string): (readonly [path: string, as: string])[] {
  const out: (readonly [string, string])[] = [];
  const line = /^#\s*from\s+([\w.]+)\s+import\s+(\w+)\s+as\s+(\w+)\s*$/gm;
  const head = text.slice(0, 2000);
  for (const m of head.matchAll(line)) out.push([`${m[1]}.${m[2]}`, m[3] ?? ""]);
  return out;
}

/** A function that has been declared but not read. */
interface Declared {
  readonly def: PyFunctionDef;
  readonly gv: GlobalVar;
}

class Program {
  readonly #ctx: ParseContext;
  readonly #body: readonly PyStmt[];
  readonly #hosts: ReadonlyMap<string, ScriptValue>;
  readonly #typeVariables = new TypeVariables();
  readonly #modules: ScriptModule[] = [];

  constructor(ctx: ParseContext, body: readonly PyStmt[], imports: readonly (readonly [string, string])[]) {
    this.#ctx = ctx;
    this.#body = body;
    this.#hosts = hostNames(ctx.dialects);
    for (const [name, value] of this.#hosts) ctx.define(name, value);
    for (const d of ctx.dialects) ctx.define(d.prefix, new ScriptNamespace(d.prefix, d.members));
    for (const d of ctx.dialects) for (const [name, value] of d.roots ?? []) ctx.define(name, value);
    for (const [path, as] of imports) this.#import(path, as);
    ctx.define("range", rangeFunction);
    if (ctx.spelling === "main") ctx.define("TypeVar", typeVarFunction);
    for (const [name, value] of builtinFunctions) ctx.define(name, value);
    if (ctx.metadata !== undefined) ctx.define("metadata", metadataValue(ctx.metadata));
  }

  #import(path: string, as: string): void {
    const name = path.replace(/^tvm\.(script\.(parser\.)?)?/, "");
    const { spelling } = this.#ctx;
    const dialect = this.#ctx.dialects.find((d) => d.module === readName(spelling, "module", d.name, name) || d.module === path);
    // What dialects say of Python's packages goes before what can be said of any dialect.
    const own = path.startsWith("tvm.script") ? undefined : this.#hosts.get(dialect?.module ?? "tvm");
    if (dialect !== undefined) this.#ctx.define(as, joined(new ScriptNamespace(as, dialect.members), own));
    else if (path === "tvm") this.#ctx.define(as, own);
    else if (!this.#ctx.isDefined(as)) this.#ctx.definePython(as);
  }

  /** The one module that is meant. */
  module(wanted: string | undefined): IRModule | undefined {
    const classes = this.#classes();
    const [first, second] = classes;
    if (wanted === undefined && second !== undefined) {
      this.#ctx.fail(headOf(second), `This script defines several modules: ${classes.map((c) => `\`${c.name}\``).join(", ")}.`, "Say which one is meant by the option `module`, or read all of them with `parseModules`.");
    }
    const meant = wanted === undefined ? first : classes.find((c) => c.name === wanted);
    if (meant === undefined && wanted !== undefined) this.#ctx.fail({ start: 0, end: 0 }, `This script defines no module \`${wanted}\`.`);
    this.#read(meant === undefined ? [] : [meant], meant === undefined);
    return this.#modules[0]?.module;
  }

  /** All modules. */
  modules(): readonly ScriptModule[] | undefined {
    this.#read(this.#classes(), true);
    return this.#modules.length === 0 ? undefined : this.#modules;
  }

  /** The classes that are modules: those with decorators, if there are any. */
  #classes(): readonly PyClassDef[] {
    const classes = this.#body.filter((s) => s.py === "ClassDef");
    const decorated = classes.filter((c) => c.decorators.length > 0);
    return decorated.length > 0 ? decorated : classes;
  }

  /** Reads these classes, each with the names that are known above it, and, if they are wanted, the functions in no class. */
  #read(classes: readonly PyClassDef[], withFunctions: boolean): void {
    const ctx = this.#ctx;
    const functions: PyFunctionDef[] = [];
    for (const s of this.#body) {
      ctx.attempt(() => {
        if (s.py === "ClassDef") {
          if (classes.includes(s)) this.#keep(s.name, this.#class(s));
        } else if (s.py !== "FunctionDef") this.#topLevel(s);
        else if (s.decorators.length === 0) ctx.definePython(s.name);
        else if (!ctx.defineMacro(s)) functions.push(s);
      });
    }
    if (withFunctions && functions.length > 0) this.#keep(undefined, this.#functions(functions, undefined));
    if (classes.length + functions.length === 0) this.#blamePython();
  }

  #keep(name: string | undefined, module: IRModule | undefined): void {
    if (module !== undefined) this.#modules.push({ name, module });
  }

  /** Says which function of Python would have to run for there to be a program. */
  #blamePython(): void {
    const isDefinition = (s: PyStmt): boolean => (s.py === "FunctionDef" || s.py === "ClassDef") && s.decorators.length > 0;
    const maker = this.#body.find((s) => s.py === "FunctionDef" && s.body.some(isDefinition));
    if (maker?.py === "FunctionDef") this.#ctx.needsPython(nameOf(maker), `what the function \`${maker.name}\` makes`);
  }

  /** Applies the rules of the dialects to what `module` gave. */
  checkWellFormed(diagnostics: Diagnostics): void {
    const isExempt = this.#body.some((s) => (s.py === "ClassDef" || s.py === "FunctionDef") && s.decorators.some(saysUnchecked));
    if (isExempt) return;
    for (const { module } of this.#modules) for (const d of this.#ctx.dialects) d.check?.(module, diagnostics);
  }

  onlyFunction(wanted: string | undefined): BaseFunc | undefined {
    const module = this.module(wanted);
    if (module === undefined) return undefined;
    const all = [...module.functions];
    const found = all.length === 1 ? all[0] : all.find(([gv]) => gv.name === "main");
    if (found === undefined) {
      return this.#ctx.fail({ start: 0, end: 0 }, `Expected one function, found ${all.map(([gv]) => `\`${gv.name}\``).join(", ")}.`);
    }
    return found[1];
  }

  /** Imports, the metadata section, and constants; anything else at the top is Python's business. */
  #topLevel(s: PyStmt): void {
    if (s.py === "Import") {
      for (const [path, as] of s.names) this.#import(path, as);
      return;
    }
    if (s.py !== "Assign" && s.py !== "AnnAssign") return;
    const targets = s.py === "Assign" ? s.targets : [s.target];
    const { value } = s;
    if (value === undefined) return;
    for (const target of targets) {
      const json = target.py === "Name" && target.id === "metadata" && value.py === "Call" ? value.args[0] : undefined;
      if (json?.py === "Str") this.#ctx.define("metadata", metadataValue(this.#loadMetadata(json.value, json)));
      else this.#constant(target, value);
    }
  }

  /** `N = 128`, `M, K = 64, N * 2`: names that the program may use. */
  #constant(target: PyExpr, value: PyExpr): void {
    if (target.py === "Name") this.#ctx.defineFromPython(target.id, value);
    else if (target.py === "Tuple" || target.py === "List") {
      const items = value.py === "Tuple" || value.py === "List" ? value.items : [];
      for (const [i, t] of target.items.entries()) this.#constant(t, items.length === target.items.length ? (items[i] ?? value) : { py: "Other", what: "unpacking", start: value.start, end: value.end });
    }
  }

  #loadMetadata(json: string, at: { readonly start: number; readonly end: number }): MetadataTable {
    const table = new MetadataTable();
    try {
      const root = loadObjects(json, { dialects: [irDialect, ...withoutIr(this.#ctx.dialects)] });
      if (!(root instanceof Map)) throw new RangeError("Its root is no map.");
      for (const [key, list] of root as ReadonlyMap<string, GraphObject>) {
        if (Array.isArray(list)) for (const item of list as readonly MetadataItem[]) table.append(key, item);
      }
    } catch (e) {
      if (isStackOverflow(e) || !(e instanceof Error)) throw e;
      this.#ctx.fail(at, `The metadata cannot be read: ${e.message}`);
    }
    return table;
  }

  #class(def: PyClassDef): IRModule | undefined {
    const functions = def.body.filter((s) => s.py === "FunctionDef");
    const others = def.body.filter((s) => s.py !== "FunctionDef" && !isDocString(s));
    const module = this.#functions(functions, { def, others });
    if (module !== undefined) this.#checkDecorators(def, module);
    return module;
  }

  #checkDecorators(def: PyClassDef, module: IRModule): void {
    const decorators = headOf(def);
    for (const { dialect, name } of this.#ctx.decoratorsOf(def)) {
      const rules = dialect.modules !== undefined && Object.hasOwn(dialect.modules, name) ? dialect.modules[name] : undefined;
      this.#ctx.guard(decorators, () => rules?.(module));
    }
  }

  /** Statements about the module first, then all signatures, then the bodies. */
  #functions(
    functions: readonly PyFunctionDef[],
    owner: { readonly def: PyClassDef; readonly others: readonly PyStmt[] } | undefined,
  ): IRModule | undefined {
    const ctx = this.#ctx;
    ctx.startModule();
    return ctx.scoped(() => {
      const found = new Map<GlobalVar, BaseFunc>();
      const about: { attrs: AttrMap; globalInfos: AttrMap } = { attrs: {}, globalInfos: {} };
      if (owner !== undefined) {
        const self = new ScriptNamespace(owner.def.name, globalMembers(ctx));
        ctx.define(owner.def.name, self);
        if (owner.def.name !== "cls") ctx.define("cls", self);
        for (const s of owner.others) ctx.attempt(() => ctx.guard(s, () => this.#moduleStatement(s, found, about)));
      }
      const declared = this.#declare(functions, owner === undefined);
      for (const { def, gv } of declared) ctx.attempt(() => void found.set(gv, ctx.guard(nameOf(def), () => this.#define(def))));
      if (ctx.hasErrors) return undefined;
      return makeIRModule(found, { attrs: about.attrs, globalInfos: about.globalInfos, span: owner && ctx.span(owner.def) });
    });
  }

  #moduleStatement(s: PyStmt, found: Map<GlobalVar, BaseFunc>, about: { attrs: AttrMap; globalInfos: AttrMap }): void {
    const ctx = this.#ctx;
    if (s.py === "Pass" || s.py === "Import") return;
    if (s.py === "ExprStmt") {
      const value = ctx.evaluate(s.value);
      if (!(value instanceof ModuleStatement)) return ctx.fail(s, "This says nothing about the module.");
      about[value.key] = { ...about[value.key], ...value.value };
      if (value.key === "globalInfos") {
        ctx.globalInfos = new Map(Object.entries(value.value).map(([k, v]) => [k, isList(v as ScriptValue) ? (v as readonly Node[]) : []]));
      }
      return;
    }
    const target = s.py === "Assign" ? s.targets[0] : undefined;
    if (s.py !== "Assign" || target?.py !== "Name") return ctx.fail(s, "A module holds functions, and statements about itself.");
    const value = ctx.evaluate(s.value);
    for (const d of ctx.dialects) {
      const func = d.moduleMember?.(target.id, value);
      if (func === undefined) continue;
      const gv = this.#globalVar(target.id, target);
      ctx.setSignature(target.id, func);
      found.set(gv, func);
      return;
    }
    ctx.define(target.id, value);
  }

  #globalVar(name: string, at: { readonly start: number; readonly end: number }): GlobalVar {
    const ctx = this.#ctx;
    if (ctx.globals.has(name)) {
      ctx.report("duplicate", { name }, { source: ctx.source, start: at.start, end: at.end });
      throw new ScriptFailure();
    }
    const gv = makeGlobalVar(name, ctx.span(at));
    ctx.globals.set(name, gv);
    return gv;
  }

  #declare(functions: readonly PyFunctionDef[], atTop: boolean): Declared[] {
    const ctx = this.#ctx;
    const out: Declared[] = [];
    for (const def of functions) {
      ctx.attempt(() => {
        const name = nameOf(def);
        if (ctx.defineMacro(def)) return;
        const parser = ctx.functionParser(def);
        if (parser === undefined) {
          return ctx.fail(name, `The function \`${def.name}\` has no decorator that says what it is.`, "Known are `@T.prim_func`, `@R.function` and those of other dialects that are given.");
        }
        const rest = def.params.find((p) => p.rest !== undefined);
        if (rest !== undefined) return ctx.fail(rest, "A parameter that collects the rest has no meaning here.");
        const gv = this.#globalVar(def.name, name);
        out.push({ def, gv });
        if (atTop) ctx.define(def.name, gv);
        ctx.setSignature(
          def.name,
          ctx.scoped(() => {
            this.#typeVariables.define(def, ctx);
            return ctx.within(parser.dialect, () => ctx.guard(name, () => parser.parser.declare(def, ctx)));
          }),
        );
      });
    }
    return out;
  }

  #define(def: PyFunctionDef): BaseFunc {
    const ctx = this.#ctx;
    const found = ctx.functionParser(def);
    if (found === undefined) throw new ScriptFailure();
    return ctx.scoped(() => {
      this.#typeVariables.define(def, ctx);
      return ctx.within(found.dialect, () => found.parser.define(def, ctx, { isLocal: false }));
    });
  }
}

/** `check_well_formed=False` among a decorator's arguments. */
function saysUnchecked(decorator: PyExpr): boolean {
  if (decorator.py !== "Call") return false;
  return decorator.keywords.some((k) => k.name === "check_well_formed" && k.value.py === "Const" && k.value.value === false);
}

/** The decorators of a class. */
function headOf(def: PyClassDef): { readonly start: number; readonly end: number } {
  return { start: def.start, end: def.decorators.at(-1)?.end ?? def.start };
}

/** Where a function's name stands. */
function nameOf(def: PyFunctionDef): { readonly start: number; readonly end: number } {
  return { start: def.nameStart, end: def.nameStart + def.name.length };
}

function isDocString(s: PyStmt): boolean {
  return s.py === "ExprStmt" && s.value.py === "Str";
}

function globalMembers(ctx: ParseContext): ScriptMembers {
  return { get: (name) => ctx.globals.get(name), names: () => ctx.globals.keys() };
}

function metadataValue(table: MetadataTable): ScriptValue {
  const value = (item: MetadataItem): ScriptValue => {
    if (typeof item === "string" || isNode(item)) return item;
    return "data" in item ? new ScriptTensor(item) : undefined;
  };
  return new Map([...table.entries()].map(([key, items]) => [key, items.map(value)]));
}

const rangeFunction: ScriptFunction = new ScriptFunction("range", (a, site) => {
  if (a.args.length === 0 || a.args.length > 3) site.fail("`range` takes one to three arguments.");
  return new ScriptRange(a.args, a.keywords);
});
