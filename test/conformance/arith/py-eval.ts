import { parser } from "@lezer/python";
import type { SyntaxNode } from "@lezer/common";
import { Builtin, builtins, numberOf, small, stringOf } from "./py-builtins.ts";
import { allAttrs, BoundMethod, children, inside, Jump, PyFunction, Return, Scope, type PyHost } from "./py-scope.ts";
import { exceptions, NotReadable, PyClass, PyDict, PyError, PyFloat, PyInstance, PyModule, PyTuple, raise, Unread, unreadable, type HostFunction, type Value } from "./py-values.ts";
import { PyOperators } from "./py-operators.ts";

const maxSteps = 2_000_000;

/** Runs the part of Python that upstream's arithmetic tests use, over lezer's tree. What is beyond it throws `NotReadable`. */
export class PyProgram extends PyOperators {
  readonly globals: Scope = new Scope();
  readonly #src: string;
  /** Counts assertions that were made, in any function. */
  assertions = 0;
  /** Told about each simple statement of the functions that are tests. */
  onStatement: ((line: number, f: () => void) => void) | undefined;
  #steps = 0;
  #depth = 0;

  constructor(src: string, host: PyHost) {
    super(host);
    this.#src = src;
  }

  /** Runs the file's top level. A statement that cannot be read is skipped; its names stay undefined. */
  load(): void {
    const tree = parser.parse(this.#src);
    for (let n = tree.topNode.firstChild; n !== null; n = n.nextSibling) {
      try {
        this.#statement(n, this.globals);
      } catch (e) {
        if (!(e instanceof NotReadable) && !(e instanceof PyError)) throw e;
        if (this.#text(n).startsWith("if __name__")) continue;
        this.skipped.push(`line ${this.line(n)}: ${e.message}`);
      }
    }
  }
  readonly skipped: string[] = [];

  line(n: SyntaxNode): number {
    return this.#src.slice(0, n.from).split("\n").length;
  }

  #text(n: SyntaxNode): string {
    return this.#src.slice(n.from, n.to);
  }

  // Statements

  #body(body: SyntaxNode, scope: Scope, isTest = false): Return | Jump | undefined {
    for (let n = body.firstChild; n !== null; n = n.nextSibling) {
      if (n.name === ":" || n.name === "Comment") continue;
      const result = isTest ? this.#tested(n, scope) : this.#statement(n, scope);
      if (result !== undefined) return result;
    }
    return undefined;
  }

  /** A statement of a test: blocks are entered, simple ones reported. */
  #tested(n: SyntaxNode, scope: Scope): Return | Jump | undefined {
    if (/^(For|While|If|With|Try|Return|Break|Continue|Decorated)/.test(n.name) || n.name.endsWith("Definition") || this.onStatement === undefined) {
      return this.#statement(n, scope, true);
    }
    this.onStatement(this.line(n), () => void this.#statement(n, scope));
    return undefined;
  }

  #statement(n: SyntaxNode, scope: Scope, isTest = false): Return | Jump | undefined {
    if (++this.#steps > maxSteps) unreadable("the program takes too many steps");
    switch (n.name) {
      case "Comment":
      case "PassStatement":
      case "ScopeStatement":
      case ";":
        return undefined;
      case "StatementGroup":
        return this.#body(n, scope, isTest);
      case "ImportStatement":
        this.#import(n, scope);
        return undefined;
      case "ExpressionStatement": {
        for (const c of children(n)) if (c.name !== ",") this.#expr(c, scope);
        return undefined;
      }
      case "AssignStatement":
        this.#assign(n, scope);
        return undefined;
      case "UpdateStatement": {
        const [target, op, value] = children(n);
        if (target === undefined || op === undefined || value === undefined) return unreadable("update");
        this.#store(target, this.binary(this.#text(op).slice(0, -1), this.#expr(target, scope), this.#expr(value, scope)), scope);
        return undefined;
      }
      case "AssertStatement": {
        const [, test] = children(n);
        this.assertions++;
        if (test !== undefined && !this.truth(this.#expr(test, scope))) {
          throw new PyError(exceptions["AssertionError"] ?? unreadable("assert"), `not true: ${this.#text(test).replaceAll(/\s+/g, " ").slice(0, 200)}`, this.#message(children(n)[3], scope));
        }
        return undefined;
      }
      case "ReturnStatement": {
        const values = children(n).slice(1).filter((c) => c.name !== ",");
        const [first] = values;
        if (first === undefined) return new Return(null);
        return new Return(children(n).some((c) => c.name === ",") ? new PyTuple(values.map((v) => this.#expr(v, scope))) : this.#expr(first, scope));
      }
      case "IfStatement":
        return this.#if(n, scope, isTest);
      case "ForStatement":
        return this.#for(n, scope, isTest);
      case "WhileStatement": {
        const [, test, body] = children(n);
        while (test !== undefined && body !== undefined && this.truth(this.#expr(test, scope))) {
          const r = this.#body(body, scope, isTest);
          if (r instanceof Return) return r;
          if (r?.to === "break") break;
        }
        return undefined;
      }
      case "BreakStatement":
        return new Jump("break");
      case "ContinueStatement":
        return new Jump("continue");
      case "YieldStatement": {
        const values = children(n).slice(1).filter((c) => c.name !== ",");
        const [value] = values;
        let at: Scope | undefined = scope;
        while (at !== undefined && at.yields === undefined) at = at.outer;
        if (value === undefined) at?.yields?.push(null);
        else at?.yields?.push(values.length > 1 ? new PyTuple(this.#items(values, scope)) : this.#expr(value, scope));
        return undefined;
      }
      case "WithStatement":
        return this.#with(n, scope, isTest);
      case "FunctionDefinition":
        this.#function(n, scope, []);
        return undefined;
      case "ClassDefinition":
        this.#class(n, scope);
        return undefined;
      case "DecoratedStatement":
        this.#decorated(n, scope);
        return undefined;
      case "RaiseStatement": {
        const [, what] = children(n);
        const e = what === undefined ? undefined : this.#expr(what, scope);
        if (e instanceof PyError) throw e;
        if (e instanceof PyClass) throw new PyError(e, e.name);
        return unreadable("raise");
      }
      default:
        return unreadable(`a ${n.name}`);
    }
  }

  #message(n: SyntaxNode | undefined, scope: Scope): string | undefined {
    try {
      return n === undefined ? undefined : String(this.#expr(n, scope));
    } catch {
      return undefined;
    }
  }

  #import(n: SyntaxNode, scope: Scope): void {
    const text = this.#text(n).replaceAll(/[()\\\n]/g, " ");
    const from = /^from\s+([\w.]+)\s+import\s+(.*)$/.exec(text);
    for (const part of (from?.[2] ?? text.replace(/^import\s+/, "")).split(",")) {
      const [path = "", as] = part.trim().split(/\s+as\s+/);
      if (path === "") continue;
      if (from !== null) scope.names.set(as ?? path, this.#module(`${from[1]}.${path}`));
      else if (as !== undefined) scope.names.set(as, this.#module(path));
      else scope.names.set(path.split(".")[0] ?? path, this.#module(path.split(".")[0] ?? path));
    }
  }

  #module(path: string): Value {
    const parts = path.split(".");
    let at: Value = this.host.modules.get(parts[0] ?? "");
    for (const part of parts.slice(1)) at = at === undefined ? undefined : at instanceof PyModule ? at.attrs.get(part) : this.host.getattr(at, part);
    return at ?? new PyModule(path, {});
  }

  #assign(n: SyntaxNode, scope: Scope): void {
    const groups: SyntaxNode[][] = [[]];
    for (const c of children(n)) {
      if (c.name === "AssignOp") groups.push([]);
      else if (c.name !== "," && c.name !== "TypeDef") groups[groups.length - 1]?.push(c);
    }
    const last = groups.pop() ?? [];
    const trailing = /,\s*$/.test(this.#text(n));
    if (groups.length === 0) return;
    const value = last.length === 1 && !trailing && last[0] !== undefined && last[0].name !== "*" ? this.#expr(last[0], scope) : new PyTuple(this.#items(last, scope));
    for (const targets of groups) {
      const [only] = targets;
      if (targets.length === 1 && only !== undefined) this.#store(only, value, scope);
      else this.#unpack(targets, value, scope);
    }
  }

  #unpack(targets: readonly SyntaxNode[], value: Value, scope: Scope): void {
    const items = this.iterate(value);
    if (items.length !== targets.length) raise("ValueError", "the number of values to unpack differs");
    for (const [i, t] of targets.entries()) this.#store(t, items[i], scope);
  }

  #store(target: SyntaxNode, value: Value, scope: Scope): void {
    switch (target.name) {
      case "VariableName":
        scope.names.set(this.#text(target), value);
        return;
      case "TupleExpression":
      case "ParenthesizedExpression":
      case "ArrayExpression":
        this.#unpack(children(target).filter((c) => !/^[()[\],]$/.test(c.name)), value, scope);
        return;
      case "MemberExpression": {
        const [of, dot, name] = children(target);
        if (of === undefined || name === undefined) return;
        const object = this.#expr(of, scope);
        if (dot?.name === "." && object instanceof PyInstance) object.attrs.set(this.#text(name), value);
        else if (dot?.name === "[" && object instanceof PyDict) object.set(this.#expr(name, scope), value);
        else if (dot?.name === "[" && Array.isArray(object)) object[Number(this.#expr(name, scope))] = value;
        else if (dot?.name === ".") {
          const setter = this.host.getattr(object, `${this.#text(name)}=`);
          if (typeof setter !== "function") unreadable(`assignment to \`.${this.#text(name)}\``);
          (setter as HostFunction)([value], new Map());
        } else unreadable("assignment to an item");
        return;
      }
      default:
        unreadable(`assignment to a ${target.name}`);
    }
  }

  #if(n: SyntaxNode, scope: Scope, isTest: boolean): Return | Jump | undefined {
    const parts = children(n);
    for (let i = 0; i < parts.length; i++) {
      const word = parts[i]?.name;
      if (word === "else") {
        const body = parts[i + 1];
        return body && this.#body(body, scope, isTest);
      }
      const [test, body] = [parts[i + 1], parts[i + 2]];
      if (test === undefined || body === undefined) return undefined;
      if (this.truth(this.#expr(test, scope))) return this.#body(body, scope, isTest);
      i += 2;
    }
    return undefined;
  }

  #for(n: SyntaxNode, scope: Scope, isTest: boolean): Return | Jump | undefined {
    const parts = children(n).slice(1);
    const at = parts.findIndex((p) => p.name === "in");
    const targets = parts.slice(0, at).filter((p) => p.name !== ",");
    const body = parts[parts.length - 1];
    const lists = parts.slice(at + 1, -1).filter((p) => p.name !== ",");
    const [only] = lists;
    if (only === undefined || body === undefined) return unreadable("for");
    const items = lists.length === 1 ? this.iterate(this.#expr(only, scope)) : lists.map((l) => this.#expr(l, scope));
    for (const item of items) {
      const [target] = targets;
      if (targets.length === 1 && target !== undefined) this.#store(target, item, scope);
      else this.#unpack(targets, item, scope);
      const r = this.#body(body, scope, isTest);
      if (r instanceof Return) return r;
      if (r?.to === "break") break;
    }
    return undefined;
  }

  #with(n: SyntaxNode, scope: Scope, isTest: boolean): Return | Jump | undefined {
    const parts = children(n).slice(1);
    const body = parts[parts.length - 1];
    const exits: { exit: (e: unknown) => boolean }[] = [];
    for (let i = 0; i < parts.length - 1; i++) {
      const part = parts[i];
      if (part === undefined || part.name === ",") continue;
      const manager = this.#expr(part, scope);
      const enter = this.attr(manager, "__enter__");
      const exit = this.attr(manager, "__exit__");
      const value = this.call(enter, []);
      exits.push({ exit: (e) => this.truth(this.call(exit, [e instanceof PyError ? e.cls : e === undefined ? null : "error"])) });
      const name = parts[i + 2];
      if (parts[i + 1]?.name === "as" && name !== undefined) {
        this.#store(name, value, scope);
        i += 2;
      }
    }
    let result: Return | Jump | undefined;
    let error: unknown;
    try {
      result = body && this.#body(body, scope, isTest);
    } catch (e) {
      if (e instanceof NotReadable) {
        for (const { exit } of exits.reverse()) exit(undefined);
        throw e;
      }
      error = e;
    }
    for (const { exit } of exits.reverse()) if (exit(error)) error = undefined;
    if (error !== undefined) throw error;
    return result;
  }

  #decorated(n: SyntaxNode, scope: Scope): void {
    const parts = children(n);
    const definition = parts[parts.length - 1];
    if (definition === undefined) return;
    const texts = parts.slice(0, -1).map((d) => this.#text(d).slice(1).trim());
    for (const t of texts) {
      if (!/^(T|R|I|tvm\.script|tir|ir_module)\b/.test(t) && t !== "tvm.script.ir_module") continue;
      const indent = definition.from - this.#src.lastIndexOf("\n", definition.from) - 1;
      const source = this.#src.slice(n.from, n.to).split("\n").map((l, i) => (i === 0 ? l : l.slice(Math.min(indent, l.length - l.trimStart().length)))).join("\n");
      const name = /(?:def|class)\s+(\w+)/.exec(this.#text(definition))?.[1] ?? "";
      const value = this.host.decorated?.(source, t, (x) => scope.lookup(x));
      if (value === undefined) unreadable(`\`@${t}\``);
      scope.names.set(name, value);
      return;
    }
    if (definition.name === "ClassDefinition") this.#class(definition, scope);
    else {
      const marks = parts.slice(0, -1).map((d) => {
        const t = this.#text(d).slice(1).trim();
        return t === "staticmethod" || t === "property" || t === "classmethod" ? t : this.#decorator(d, scope);
      });
      this.#function(definition, scope, marks);
    }
  }

  /** `@a.b.c(args)` as `[dotted name, args]`. */
  #decorator(d: SyntaxNode, scope: Scope): Value {
    const args = d.getChild("ArgList");
    const name = this.#src.slice(d.from + 1, args?.from ?? d.to).trim();
    return { decorator: name, args: args === null ? [] : this.#args(args, scope).args };
  }

  #function(n: SyntaxNode, scope: Scope, decorators: readonly Value[]): void {
    const name = n.getChild("VariableName");
    const params = n.getChild("ParamList");
    const body = n.getChild("Body");
    if (name === null || params === null || body === null) return unreadable("a function");
    const f: PyFunction = new PyFunction(this.#text(name), n, scope, decorators, (args, kwargs) => this.#run(f, params, body, scope, args, kwargs, false));
    scope.names.set(f.name, f);
  }

  /** Runs a test function, reporting its statements. */
  runTest(f: PyFunction, args: readonly Value[], kwargs: ReadonlyMap<string, Value>): void {
    const [params, body] = [f.node.getChild("ParamList"), f.node.getChild("Body")];
    if (params !== null && body !== null) this.#run(f, params, body, f.scope, args, kwargs, true);
  }

  /** The names of a function's parameters. */
  paramsOf(f: PyFunction): readonly string[] {
    const params = f.node.getChild("ParamList");
    return params === null ? [] : this.#params(params).map((p) => p.name);
  }

  #params(list: SyntaxNode): { name: string; star: string; default: SyntaxNode | undefined }[] {
    const out: { name: string; star: string; default: SyntaxNode | undefined }[] = [];
    let star = "";
    const parts = children(list);
    for (let i = 0; i < parts.length; i++) {
      const p = parts[i];
      if (p === undefined) continue;
      if (p.name === "*" || p.name === "**") star = p.name;
      else if (p.name === "VariableName") {
        out.push({ name: this.#text(p), star, default: undefined });
        star = "";
      } else if (p.name === "AssignOp") {
        const last = out[out.length - 1];
        if (last !== undefined) last.default = parts[++i];
      } else if (p.name === ",") star = "";
    }
    return out;
  }

  #run(f: PyFunction, paramList: SyntaxNode, body: SyntaxNode, scope: Scope, args: readonly Value[], kwargs: ReadonlyMap<string, Value>, isTest: boolean): Value {
    if (++this.#depth > 400) unreadable("calls are nested too deep");
    try {
      const local = new Scope(scope);
      this.#bindArgs(f.name, paramList, local, scope, args, kwargs);
      if (/\byield\b/.test(this.#text(body))) local.yields = [];
      const result = this.#body(body, local, isTest);
      return local.yields ?? (result instanceof Return ? result.value : null);
    } finally {
      this.#depth--;
    }
  }

  #bindArgs(name: string, paramList: SyntaxNode, local: Scope, scope: Scope, args: readonly Value[], kwargs: ReadonlyMap<string, Value>): void {
    const rest = args.slice();
    const named = new Map(kwargs);
    for (const p of this.#params(paramList)) {
      if (p.star === "*") local.names.set(p.name, new PyTuple(rest.splice(0)));
      else if (p.star === "**") {
        local.names.set(p.name, new PyDict([...named]));
        named.clear();
      } else if (rest.length > 0) local.names.set(p.name, rest.shift());
      else if (named.has(p.name)) {
        local.names.set(p.name, named.get(p.name));
        named.delete(p.name);
      } else if (p.default !== undefined) local.names.set(p.name, this.#expr(p.default, scope));
      else raise("TypeError", `${name}() needs \`${p.name}\``);
    }
    if (rest.length > 0 || named.size > 0) raise("TypeError", `${name}() got too many arguments`);
  }

  #class(n: SyntaxNode, scope: Scope): void {
    const name = n.getChild("VariableName");
    const args = n.getChild("ArgList");
    const body = n.getChild("Body");
    if (name === null || body === null) return unreadable("a class");
    const bases = args === null ? [] : this.#args(args, scope).args.filter((b) => b instanceof PyClass);
    const cls = new PyClass(this.#text(name), bases);
    scope.names.set(cls.name, cls);
    const inner = new Scope(scope, true);
    for (let s = body.firstChild; s !== null; s = s.nextSibling) {
      if (s.name === ":") continue;
      try {
        this.#statement(s, inner);
      } catch (e) {
        if (!(e instanceof NotReadable) && !(e instanceof PyError)) throw e;
        this.skipped.push(`line ${this.line(s)}: ${e.message}`);
      }
    }
    for (const [k, v] of inner.names) cls.attrs.set(k, v);
  }

  // Expressions

  #items(nodes: readonly SyntaxNode[], scope: Scope): Value[] {
    const out: Value[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const n = nodes[i];
      if (n === undefined || n.name === "Comment") continue;
      const next = nodes[i + 1];
      if (n.name === "*" && next !== undefined) {
        out.push(...this.iterate(this.#expr(next, scope)));
        i++;
      } else out.push(this.#expr(n, scope));
    }
    return out;
  }

  #expr(n: SyntaxNode, scope: Scope): Value {
    if (++this.#steps > maxSteps) unreadable("the program takes too many steps");
    switch (n.name) {
      case "VariableName": {
        const name = this.#text(n);
        const value = scope.lookup(name);
        if (value !== undefined) return value;
        return builtins.has(name) ? new Builtin(name) : (exceptions[name] ?? unreadable(`the name \`${name}\``));
      }
      case "Number":
        return numberOf(this.#text(n));
      case "String":
        return stringOf(this.#text(n));
      case "ContinuedString":
        return children(n).map((c) => String(this.#expr(c, scope))).join("");
      case "FormatString": {
        let out = "";
        let at = n.from;
        for (const c of children(n)) {
          const inner = children(c)[1];
          out += this.#src.slice(at, c.from) + (inner === undefined ? "" : this.text(this.#expr(inner, scope)));
          at = c.to;
        }
        return stringOf((out + this.#src.slice(at, n.to)).replace(/^[fFrR]+/, ""));
      }
      case "Boolean":
        return this.#text(n) === "True";
      case "None":
        return null;
      case "Ellipsis":
        return "...";
      case "ParenthesizedExpression": {
        const inner = children(n).find((c) => c.name !== "(" && c.name !== ")" && c.name !== "Comment");
        return inner === undefined ? unreadable("()") : this.#expr(inner, scope);
      }
      case "TupleExpression":
        return new PyTuple(this.#items(inside(n), scope));
      case "ArrayExpression":
      case "SetExpression":
        return this.#items(inside(n), scope);
      case "DictionaryExpression":
        return this.#dict(n, scope);
      case "ArrayComprehensionExpression":
      case "ComprehensionExpression":
      case "SetComprehensionExpression":
      case "DictionaryComprehensionExpression":
        return this.#comprehension(n, scope);
      case "MemberExpression":
        return this.#member(n, scope);
      case "CallExpression":
        return this.#call(n, scope);
      case "UnaryExpression":
        return this.#unary(n, scope);
      case "BinaryExpression":
        return this.#binaryNode(n, scope);
      case "ConditionalExpression": {
        const [yes, , test, , no] = children(n);
        if (yes === undefined || test === undefined || no === undefined) return unreadable("a conditional");
        return this.#expr(this.truth(this.#expr(test, scope)) ? yes : no, scope);
      }
      case "LambdaExpression": {
        const params = n.getChild("ParamList");
        const parts = children(n);
        const body = parts[parts.length - 1];
        if (body === undefined) return unreadable("a lambda");
        return ((args, kwargs) => {
          const local = new Scope(scope);
          if (params !== null) this.#bindArgs("lambda", params, local, scope, args, kwargs);
          return this.#expr(body, local);
        }) satisfies HostFunction;
      }
      case "NamedExpression": {
        const [name, , value] = children(n);
        if (name === undefined || value === undefined) return unreadable(":=");
        const v = this.#expr(value, scope);
        this.#store(name, v, scope);
        return v;
      }
      default:
        return unreadable(`a ${n.name}`);
    }
  }

  #dict(n: SyntaxNode, scope: Scope): PyDict {
    const dict = new PyDict();
    const parts = inside(n).filter((c) => c.name !== ":" && c.name !== "Comment");
    for (let i = 0; i < parts.length; i += 2) {
      const [k, v] = [parts[i], parts[i + 1]];
      if (k === undefined || v === undefined) break;
      if (k.name === "**") {
        const other = this.#expr(v, scope);
        if (other instanceof PyDict) for (const [a, b] of other.entries()) dict.set(a, b);
      } else dict.set(this.#expr(k, scope), this.#expr(v, scope));
    }
    return dict;
  }

  #comprehension(n: SyntaxNode, scope: Scope): Value {
    const parts = inside(n, false);
    const first = parts.findIndex((p) => p.name === "for");
    const head = parts.slice(0, first).filter((p) => p.name !== ":");
    const local = new Scope(scope);
    const out: Value[] = [];
    const dict = new PyDict();
    const go = (at: number): void => {
      const word = parts[at];
      if (word === undefined) {
        const [k, v] = head;
        if (k === undefined) return;
        if (v !== undefined) dict.set(this.#expr(k, local), this.#expr(v, local));
        else out.push(this.#expr(k, local));
      } else if (word.name === "if") {
        const test = parts[at + 1];
        if (test !== undefined && this.truth(this.#expr(test, local))) go(at + 2);
      } else {
        const inAt = parts.findIndex((p, i) => i > at && p.name === "in");
        const targets = parts.slice(at + 1, inAt).filter((p) => p.name !== ",");
        const list = parts[inAt + 1];
        if (list === undefined) return;
        for (const item of this.iterate(this.#expr(list, local))) {
          const [target] = targets;
          if (targets.length === 1 && target !== undefined) this.#store(target, item, local);
          else this.#unpack(targets, item, local);
          go(inAt + 2);
        }
      }
    };
    go(first);
    return n.name === "DictionaryComprehensionExpression" ? dict : out;
  }

  #member(n: SyntaxNode, scope: Scope): Value {
    const [of, mark, ...rest] = children(n);
    if (of === undefined || mark === undefined) return unreadable("a member");
    const object = this.#expr(of, scope);
    const [first] = rest;
    if (mark.name === "." && first !== undefined) return this.attr(object, this.#text(first));
    const inner = rest.filter((c) => c.name !== "]");
    if (inner.some((c) => c.name === ":")) {
      const list = this.iterate(object);
      const at = inner.findIndex((c) => c.name === ":");
      const [low, high] = [inner[at - 1], inner[at + 1]];
      const part = list.slice(low === undefined ? 0 : Number(this.#expr(low, scope)), high === undefined ? undefined : Number(this.#expr(high, scope)));
      return object instanceof PyTuple ? new PyTuple(part) : part;
    }
    const keys = this.#items(inner.filter((c) => c.name !== ","), scope);
    return this.item(object, keys.length === 1 ? keys[0] : new PyTuple(keys));
  }

  #args(list: SyntaxNode, scope: Scope): { readonly args: Value[]; readonly kwargs: Map<string, Value> } {
    const args: Value[] = [];
    const kwargs = new Map<string, Value>();
    const parts = children(list).filter((c) => c.name !== "(" && c.name !== ")" && c.name !== "," && c.name !== "Comment");
    const comprehension = parts.findIndex((p) => p.name === "for");
    if (comprehension >= 0) return { args: [this.#comprehension(list, scope)], kwargs };
    for (let i = 0; i < parts.length; i++) {
      const [p, next, after] = [parts[i], parts[i + 1], parts[i + 2]];
      if (p === undefined) continue;
      if (p.name === "*" && next !== undefined) {
        args.push(...this.iterate(this.#expr(next, scope)));
        i++;
      } else if (p.name === "**" && next !== undefined) {
        const dict = this.#expr(next, scope);
        if (dict instanceof PyDict) for (const [k, v] of dict.entries()) kwargs.set(String(k), v);
        i++;
      } else if (next?.name === "AssignOp" && after !== undefined) {
        kwargs.set(this.#text(p), this.#expr(after, scope));
        i += 2;
      } else args.push(this.#expr(p, scope));
    }
    return { args, kwargs };
  }

  #call(n: SyntaxNode, scope: Scope): Value {
    const [f, list] = children(n);
    if (f === undefined || list === undefined) return unreadable("a call");
    if (this.#text(f) === "super") {
      const self = scope.lookup("self");
      const cls = self instanceof PyInstance ? self.cls.bases[0] : undefined;
      return cls === undefined ? unreadable("super") : new PyModule("super", Object.fromEntries([...allAttrs(cls)].map(([k, v]) => [k, v instanceof PyFunction ? new BoundMethod(self, v) : v])));
    }
    const callee = this.#expr(f, scope);
    const { args, kwargs } = this.#args(list, scope);
    return this.call(callee, args, kwargs);
  }

  #unary(n: SyntaxNode, scope: Scope): Value {
    const [op, operand] = children(n);
    if (op === undefined || operand === undefined) return unreadable("an operator");
    if (op.name === "not") {
      // `not` binds closer than `and` and `or`, which the tree has inside.
      const [left, word, right] = children(operand);
      if (operand.name === "BinaryExpression" && left !== undefined && right !== undefined && (word?.name === "and" || word?.name === "or")) {
        const first = !this.truth(this.#expr(left, scope));
        return word.name === "and" ? first && this.#expr(right, scope) : first || this.#expr(right, scope);
      }
      return !this.truth(this.#expr(operand, scope));
    }
    const value = this.#expr(operand, scope);
    if (value instanceof Unread) return value;
    const sign = this.#text(op);
    const own = this.host.unary(sign, value);
    if (own !== undefined) return own;
    if (value instanceof PyFloat) return new PyFloat(sign === "-" ? -value.value : value.value);
    if (typeof value === "number" || typeof value === "bigint") return sign === "-" ? small(-BigInt(value)) : sign === "~" ? small(~BigInt(value)) : value;
    return unreadable(`\`${sign}\` of this`);
  }

  #binaryNode(n: SyntaxNode, scope: Scope): Value {
    const parts = children(n);
    const [left] = parts;
    const right = parts[parts.length - 1];
    if (left === undefined || right === undefined) return unreadable("an operator");
    const op = parts.slice(1, -1).map((p) => this.#text(p)).join(" ");
    const a = this.#expr(left, scope);
    if (op === "and") return this.truth(a) ? this.#expr(right, scope) : a;
    if (op === "or") return this.truth(a) ? a : this.#expr(right, scope);
    const b = this.#expr(right, scope);
    const isCompare = (x: string | undefined): boolean => x === "CompareOp" || x === "in" || x === "is" || x === "not";
    // `a < b < c` is both comparisons.
    if (isCompare(parts[1]?.name) && left.name === "BinaryExpression" && isCompare(children(left)[1]?.name)) {
      const middle = children(left)[children(left).length - 1];
      return middle === undefined ? unreadable("a chain") : this.truth(a) && this.binary(op, this.#expr(middle, scope), b);
    }
    return this.binary(op, a, b);
  }

}
