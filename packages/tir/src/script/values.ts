import type { Node } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import { ScriptObject, type ScriptValue } from "@verticil/tvmscript";
import type { Buffer, BufferRegion } from "../ir/buffer.ts";
import type { IterVarType, PrimExpr, Range } from "../ir/expr.ts";
import type { ForKind, Stmt } from "../ir/stmt.ts";
import type { AttrMap } from "@verticil/ir-core";

// What expressions of a tensor program evaluate to besides nodes. A third party that adds statements gives back a
// `ScopeValue` or a `StmtValue`.

/** What a `for` runs over: one loop, or several for `T.grid`. */
export class LoopValue extends ScriptObject {
  readonly what = "a loop";
  readonly forKind: ForKind;
  readonly domains: readonly Range[];
  readonly annotations: AttrMap;
  readonly thread: string | undefined;
  constructor(forKind: ForKind, domains: readonly Range[], annotations: AttrMap = {}, thread?: string) {
    super();
    this.forKind = forKind;
    this.domains = domains;
    this.annotations = annotations;
    this.thread = thread;
  }
}

/** An open scope: what it binds, and the statement around its body. */
export interface OpenScope {
  readonly value: ScriptValue;
  close(body: Stmt): Stmt;
}

/** A statement that holds for what follows: after `with`, or for the rest of the list. `name` is what it binds. */
export class ScopeValue extends ScriptObject {
  readonly what: string;
  readonly open: (name: string | undefined) => OpenScope;
  constructor(what: string, open: (name: string | undefined) => OpenScope) {
    super();
    this.what = what;
    this.open = open;
  }
}

/** A statement without a body. */
export class StmtValue extends ScriptObject {
  readonly what = "a statement";
  readonly stmt: Stmt;
  constructor(stmt: Stmt) {
    super();
    this.stmt = stmt;
  }
}

/** `T.block(name)`. */
export class BlockValue extends ScriptObject {
  readonly what = "a block";
  readonly name: string;
  readonly noRealize: boolean;
  constructor(name: string, noRealize: boolean) {
    super();
    this.name = name;
    this.noRealize = noRealize;
  }
}

/** `T.While(condition)`, `T.If(condition)` and the branches inside it. */
export class BranchValue extends ScriptObject {
  readonly what = "a branch";
  readonly role: "while" | "if" | "body" | "orelse";
  /** Of no meaning for the branches inside an `if`. */
  readonly condition: PrimExpr;
  constructor(role: "while" | "if" | "body" | "orelse", condition: PrimExpr) {
    super();
    this.role = role;
    this.condition = condition;
  }
}

/** `T.init()`. */
export class InitValue extends ScriptObject {
  readonly what = "an init";
}

/** One iteration variable of a block: `T.axis.spatial(dom, value)`. Without `dom` it is that of the loop. */
export class AxisValue extends ScriptObject {
  readonly what = "an axis";
  readonly iterType: IterVarType;
  readonly dom: Range | undefined;
  readonly value: PrimExpr | undefined;
  readonly dtype: DType | undefined;
  constructor(iterType: IterVarType, dom: Range | undefined, value: PrimExpr | undefined, dtype: DType | undefined) {
    super();
    this.iterType = iterType;
    this.dom = dom;
    this.value = value;
    this.dtype = dtype;
  }
}

/** What a statement says about the block around it. */
export type BlockFact =
  | { readonly fact: "where"; readonly predicate: PrimExpr }
  | { readonly fact: "reads" | "writes"; readonly regions: readonly BufferRegion[] }
  | { readonly fact: "attrs"; readonly attrs: AttrMap };

export class BlockFactValue extends ScriptObject {
  readonly what = "a statement about a block";
  readonly fact: BlockFact;
  constructor(fact: BlockFact) {
    super();
    this.fact = fact;
  }
}

/** `T.func_attr({…})`. */
export class FuncAttrValue extends ScriptObject {
  readonly what = "the attributes of a function";
  readonly attrs: AttrMap;
  constructor(attrs: AttrMap) {
    super();
    this.attrs = attrs;
  }
}

/** A buffer that gets its name from what it is assigned to. `source` is what `T.match_buffer` matches. */
export class NewBuffer extends ScriptObject {
  readonly what = "a buffer's declaration";
  readonly role: "declared" | "allocated" | "matched";
  readonly source: Node | SliceValue | undefined;
  readonly make: (name: string) => Buffer;
  constructor(role: "declared" | "allocated" | "matched", source: Node | SliceValue | undefined, make: (name: string) => Buffer) {
    super();
    this.role = role;
    this.source = source;
    this.make = make;
  }
}

/** One index of an access with slices. */
export type SliceIndex = PrimExpr | { readonly start: PrimExpr; readonly stop: PrimExpr; readonly step: PrimExpr | undefined };

/** `A[i, 0:4]`: a region, or, in an expression, a vector. */
export class SliceValue extends ScriptObject {
  readonly what = "a part of a buffer";
  readonly buffer: Buffer;
  readonly indices: readonly SliceIndex[];
  constructor(buffer: Buffer, indices: readonly SliceIndex[]) {
    super();
    this.buffer = buffer;
    this.indices = indices;
  }
}

/** A type, where a value is expected only in an annotation: `T.int32`. */
export class TypeValue extends ScriptObject {
  readonly what = "a type";
  readonly dtype: DType;
  constructor(dtype: DType) {
    super();
    this.dtype = dtype;
  }
}

/** `T.let[type]`, as main annotates a variable that is bound once. */
export class LetTypeValue extends ScriptObject {
  readonly what = "the type of a binding";
  readonly type: ScriptValue;
  constructor(type: ScriptValue) {
    super();
    this.type = type;
  }
}

/** `T.meta_var(value)`: assigning it names the value, and binds no variable of the program. */
export class MetaValue extends ScriptObject {
  readonly what = "a named value";
  readonly value: ScriptValue;
  constructor(value: ScriptValue) {
    super();
    this.value = value;
  }
}
