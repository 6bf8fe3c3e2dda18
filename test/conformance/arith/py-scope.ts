import type { SyntaxNode } from "@lezer/common";
import type { HostFunction, PyClass, Value } from "./py-values.ts";

/** What the host gives to programs: operations on its values. Each answers undefined if a value is not its own. */
export interface PyHost {
  readonly modules: ReadonlyMap<string, Value>;
  getattr(of: Value, name: string): Value;
  binary(op: string, a: Value, b: Value): Value;
  unary(op: string, a: Value): Value;
  truth(of: Value): boolean | undefined;
  call(f: Value, args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value;
  text(of: Value): string | undefined;
  /** A decorated function that is no Python to run, such as a script of another language. */
  decorated?(source: string, decorator: string, scope: (name: string) => Value): Value;
}

/** A function of a program. */
export class PyFunction {
  readonly name: string;
  readonly node: SyntaxNode;
  readonly scope: Scope;
  readonly decorators: readonly Value[];
  readonly call: HostFunction;
  constructor(name: string, node: SyntaxNode, scope: Scope, decorators: readonly Value[], call: HostFunction) {
    this.name = name;
    this.node = node;
    this.scope = scope;
    this.decorators = decorators;
    this.call = call;
  }
}

/** A method with its object. */
export class BoundMethod {
  readonly self: Value;
  readonly f: PyFunction;
  constructor(self: Value, f: PyFunction) {
    this.self = self;
    this.f = f;
  }
}

/** Names of one block; class bodies are looked through by functions inside them. */
export class Scope {
  readonly names: Map<string, Value> = new Map<string, Value>();
  readonly outer: Scope | undefined;
  readonly isClass: boolean;
  /** What the function of this block has yielded: a generator is run to its end. */
  yields: Value[] | undefined;
  constructor(outer?: Scope, isClass = false) {
    this.outer = outer;
    this.isClass = isClass;
  }
  lookup(name: string): Value {
    if (this.names.has(name)) return this.names.get(name);
    for (let s = this.outer; s !== undefined; s = s.outer) if (!s.isClass && s.names.has(name)) return s.names.get(name);
    return undefined;
  }
}

/** The end of a function. */
export class Return {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}
/** The end of a round of a loop, or of the loop. */
export class Jump {
  readonly to: "break" | "continue";
  constructor(to: "break" | "continue") {
    this.to = to;
  }
}

/** The attributes of a class, those of its bases first. */
export function* allAttrs(cls: PyClass): Generator<[string, Value]> {
  for (const b of [...cls.bases].reverse()) yield* allAttrs(b);
  yield* cls.attrs;
}

/** The parts of a node but for comments. */
export function children(n: SyntaxNode): SyntaxNode[] {
  const out: SyntaxNode[] = [];
  for (let c = n.firstChild; c !== null; c = c.nextSibling) if (c.name !== "Comment") out.push(c);
  return out;
}

/** The parts between the brackets; without commas, unless those are asked for. */
export function inside(n: SyntaxNode, dropCommas = true): SyntaxNode[] {
  return children(n).slice(1, -1).filter((c) => !dropCommas || c.name !== ",");
}

