import { isNode, type Node } from "@verticil/ir-core";
import {
  assertDoc,
  assignDoc,
  attrDoc,
  boolDoc,
  callDoc,
  exprStmtDoc,
  floatDoc,
  forDoc,
  idDoc,
  ifDoc,
  indexDoc,
  intDoc,
  listDoc,
  noneDoc,
  returnDoc,
  scopeDoc,
  sliceDoc,
  strDoc,
  tupleDoc,
  whileDoc,
  type ExprDoc,
  type Printer,
  type PrintTable,
  type StmtDoc,
} from "@verticil/tvmscript";
import { isFloat, type Tensor } from "@verticil/runtime-ffi";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { Buffer } from "../ir/buffer.ts";
import type { IterVar, PrimExpr, Var } from "../ir/expr.ts";
import { usesVar } from "../ir/free-vars.ts";
import { scopeOf } from "../ir/make-stmt.ts";
import { isConstInt } from "../ir/ops.ts";
import type { Allocate, AllocateConst, AssertStmt, AttrStmt, BufferRealize, DeclBuffer, Evaluate, For, ForKind, LetStmt, Stmt } from "../ir/stmt.ts";
import { assignIds, attributesCall, iterVarOf, plainAttributes, scopeIdCall, scopeIds, type AttrGroup } from "./device-region.ts";
import { printBlock } from "./print-block.ts";
import { bodyOf, printBody } from "./print-body.ts";
import {
  bufferDecl,
  bufferIndices,
  defineBuffer,
  defineVar,
  endOf,
  printBuffer,
  type Defines,
} from "./print-buffer.ts";
import { holdsAllUses, isUsedOutside, lowestFrame, TirFrame } from "./print-frame.ts";

/** True if `s` may hold to the end of the list it stands in, without a block of its own. */
function isConcise(s: Stmt, p: Printer): boolean {
  const around = p.frame();
  // A remark stands above the block of what it is about.
  return around instanceof TirFrame && around.allowConcise && !p.isAnnotated(s);
}

/**
 * A statement that holds for what follows it: at the end of a list it stands alone, elsewhere it opens a `with`. What
 * it says is printed before its scope begins; `define` makes what it binds, in the new scope.
 */
function scope(s: Stmt, body: Stmt, p: Printer, rhs: ExprDoc, define?: (frame: TirFrame) => ExprDoc | undefined): StmtDoc[] {
  const concise = isConcise(s, p);
  // A scope without a block of its own writes on into the list around it: chains of thousands stay linear.
  return p.within(new TirFrame(s, concise ? p.frame().stmts : undefined), (frame) => {
    const lhs = define?.(frame);
    if (!concise) {
      printBody(body, frame, p);
      return [scopeDoc(lhs, rhs, frame.stmts)];
    }
    p.push(frame, s, lhs === undefined ? exprStmtDoc(rhs) : assignDoc(lhs, rhs));
    printBody(body, frame, p);
    return [];
  });
}

function printLet(s: LetStmt, p: Printer): StmtDoc[] {
  const concise = isConcise(s, p);
  const type = s.bind.typeAnnotation;
  const annotation = type === undefined ? p.member("tir", s.bind.dtype) : p.expr(type);
  const rhs = p.expr(s.value);
  // A variable that is used outside too is declared where all of its uses see it.
  const known = p.lookup(s.bind) ?? (isUsedOutside(s, s.bind, p) ? p.expr(s.bind) : undefined);
  if (known !== undefined) {
    return [scopeDoc(undefined, p.call("tir", "LetStmt", [rhs], [["var", known]]), bodyOf(s, s.body, p))];
  }
  return p.within(new TirFrame(s, concise ? p.frame().stmts : undefined), (frame) => {
    const lhs = defineVar(s.bind, frame, p);
    if (concise) {
      const written = p.spelling === "main" ? indexDoc(p.exactMember("tir", "let"), [annotation]) : annotation;
      p.push(frame, s, assignDoc(lhs, rhs, written));
      printBody(s.body, frame, p);
      return [];
    }
    const typed = type !== undefined && type.kind !== "ir.PrimType";
    printBody(s.body, frame, p);
    return [scopeDoc(lhs, p.call("tir", "LetStmt", typed ? [rhs, annotation] : [rhs]), frame.stmts)];
  });
}

function printEvaluate(s: Evaluate, p: Printer): StmtDoc[] {
  const v = s.value;
  if (p.config.syntaxSugar && v.kind === "tir.Call" && v.op.kind === "ir.Op" && v.op.name === "tir.ret") {
    const [result] = v.args;
    if (v.args.length === 1 && result !== undefined && v.dtype === result.dtype) return [returnDoc(p.expr(result))];
  }
  const doc = p.expr(v);
  return [exprStmtDoc(v.kind === "tir.Call" ? doc : p.call("tir", "evaluate", [doc]))];
}

const LOOPS: { readonly [K in ForKind]: string } = {
  serial: "serial",
  parallel: "parallel",
  vectorized: "vectorized",
  unrolled: "unroll",
  thread_binding: "thread_binding",
};

/** The loops that `T.grid` can stand for: serial from zero, without annotations, extents independent of each other. */
function gridLoops(loop: For): For[] {
  const out: For[] = [];
  const vars = new Set<Var>();
  for (let l: Stmt = loop; l.kind === "tir.For"; l = l.body) {
    const fits = l.forKind === "serial" && isConstInt(l.min, 0) && Object.keys(l.annotations).length === 0;
    if (!fits || l.min.dtype !== l.extent.dtype || l.loopVar.dtype !== l.extent.dtype) break;
    if (usesVar(l.extent, (v) => v.kind === "tir.Var" && vars.has(v))) break;
    out.push(l);
    vars.add(l.loopVar);
  }
  return out;
}

function printFor(loop: For, p: Printer): StmtDoc[] {
  const grid = p.config.syntaxSugar ? gridLoops(loop) : [];
  const innermost = grid[grid.length - 1];
  // The ends are printed outside of the loop's scope: what they use must be declared before it.
  if (grid.length > 1 && innermost !== undefined) {
    const rhs = p.call("tir", "grid", grid.map((l) => p.expr(l.extent)));
    return p.within(new TirFrame(loop), (frame) => {
      const lhs = grid.map((l) => defineVar(l.loopVar, frame, p));
      printBody(innermost.body, frame, p);
      return [forDoc(tupleDoc(lhs), rhs, frame.stmts)];
    });
  }
  const rhs = loopRange(loop, p);
  return p.within(new TirFrame(loop), (frame) => {
    const lhs = defineVar(loop.loopVar, frame, p);
    printBody(loop.body, frame, p);
    return [forDoc(lhs, rhs, frame.stmts)];
  });
}

function loopRange(loop: For, p: Printer): ExprDoc {
  const fromZero = isConstInt(loop.min, 0) && loop.min.dtype === loop.extent.dtype;
  const args = fromZero ? [p.expr(loop.extent)] : [p.expr(loop.min), p.expr(endOf(loop.min, loop.extent))];
  const keywords: (readonly [string, ExprDoc])[] = [];
  if (loop.threadBinding !== undefined) keywords.push(["thread", strDoc(loop.threadBinding.threadTag)]);
  const annotated = Object.keys(loop.annotations).length > 0;
  if (annotated) keywords.push(unrolling(loop, p) ?? ["annotations", p.attrs(loop.annotations)]);
  const prefix = loop.forKind === "serial" && !annotated ? idDoc("range") : p.member("tir", LOOPS[loop.forKind]);
  return callDoc(prefix, args, keywords);
}

/** Main's `unroll=`, where that is all that a loop's annotations say. */
function unrolling(loop: For, p: Printer): readonly [string, ExprDoc] | undefined {
  const [entry, ...others] = Object.entries(loop.annotations);
  if (p.spelling !== "main" || entry === undefined || others.length > 0) return undefined;
  const [key, value] = entry;
  if (key === "disable_unroll" && value === true) return ["unroll", boolDoc(false)];
  return key === "pragma_unroll" && value !== false && value !== undefined ? ["unroll", p.attr(value)] : undefined;
}

function isNothing(s: Stmt): boolean {
  return s.kind === "tir.Evaluate" && isConstInt(s.value, 0) && s.value.dtype === "int32";
}

/** Main's form of an assertion's message: the kind of error, and the parts of what it says. */
function messageParts(message: ExprDoc, s: AssertStmt): ExprDoc {
  const { message: node } = s;
  if (node.kind !== "tir.StringImm") return message;
  const kind = /^(\w+Error): /.exec(node.value);
  const text = kind === null ? node.value : node.value.slice(kind[0].length);
  return tupleDoc([strDoc(kind?.[1] ?? "RuntimeError"), listDoc([strDoc(text)])]);
}

/** True if the buffer is exactly the memory that the allocation makes, so that one `decl_buffer` says both. */
function isAllocatedBuffer(s: Allocate): s is Allocate & { readonly body: DeclBuffer } {
  if (s.body.kind !== "tir.DeclBuffer") return false;
  const { buffer } = s.body;
  return (
    s.bufferVar === buffer.data &&
    s.dtype === buffer.dtype &&
    isConstInt(s.condition, 1) &&
    Object.keys(s.annotations).length === 0 &&
    s.extents.length === buffer.shape.length &&
    s.extents.every((e, i) => {
      const dim = buffer.shape[i];
      return dim !== undefined && exprDeepEqual(e, dim);
    })
  );
}

function printDecl(s: DeclBuffer, p: Printer, defines: Defines): StmtDoc[] {
  const rhs = bufferDecl(s.buffer, "decl_buffer", [], p.frame(), p, defines);
  // What v0.20 writes as a declaration without memory of its own is an allocation on main.
  const isNew = p.spelling === "main" && defines === "data" && rhs.doc === "call";
  const written = isNew ? allocation(s.buffer, rhs, p) : rhs;
  return scope(s, s.body, p, written, (frame) => defineBuffer(s.buffer, frame, p));
}

/** Main's form of an allocation, which has names of its own for the usual scopes. */
function allocation(b: Buffer, decl: ReturnType<typeof callDoc>, p: Printer): ExprDoc {
  const scopeName = scopeOf(b);
  const [only] = b.shape;
  const isScalar = b.shape.length === 1 && only !== undefined && isConstInt(only, 1);
  const short = !isScalar && (scopeName === "local" || scopeName === "shared");
  if (!short) return callDoc(p.exactMember("tir", "alloc_buffer"), decl.args, decl.keywords);
  return callDoc(p.exactMember("tir", `alloc_${scopeName}`), decl.args, decl.keywords.filter(([key]) => key !== "scope"));
}

function printAllocate(s: Allocate, p: Printer): StmtDoc[] {
  if (p.config.syntaxSugar && isAllocatedBuffer(s) && !p.isDefined(s.bufferVar) && isSoleUse(s, p)) {
    return printDecl(s.body, p, "data");
  }
  const args: ExprDoc[] = [listDoc(p.exprs(s.extents)), strDoc(s.dtype), strDoc(pointerScope(s.bufferVar))];
  if (!isConstInt(s.condition, 1)) args.push(p.expr(s.condition));
  const annotated = Object.keys(s.annotations).length > 0;
  const rhs = p.call("tir", "allocate", args, annotated ? [["annotations", p.attrs(s.annotations)]] : []);
  const lhs = defineVar(s.bufferVar, p.frame(), p);
  return scope(s, s.body, p, rhs, () => lhs);
}

/** The short form names the pointer after the buffer: it must be a pointer that the reader would make. */
function isSoleUse(s: Allocate & { readonly body: DeclBuffer }, p: Printer): boolean {
  const { buffer } = s.body;
  const type = buffer.data.typeAnnotation;
  const natural = type?.kind === "ir.PointerType" && type.elementType.kind === "ir.PrimType" && type.elementType.dtype === buffer.dtype;
  return natural && !p.isDefined(buffer) && scopeOf(buffer) === (type.storageScope || "global");
}

function pointerScope(v: Var): string {
  const type = v.typeAnnotation;
  return type?.kind === "ir.PointerType" && type.storageScope !== "" ? type.storageScope : "global";
}

/** Constants up to this many elements are written out; larger ones go to the metadata. */
const WRITTEN_OUT = 200;

function printAllocateConst(s: AllocateConst, p: Printer): StmtDoc[] {
  const data = s.data.data.length <= WRITTEN_OUT ? tensorItems(s.data) : p.addMetadata("runtime.NDArray", s.data);
  const args = [data, strDoc(s.dtype), listDoc(p.exprs(s.extents))];
  const annotated = Object.keys(s.annotations).length > 0;
  const rhs = p.call("tir", "allocate_const", args, annotated ? [["annotations", p.attrs(s.annotations)]] : []);
  return scope(s, s.body, p, rhs, (frame) => defineVar(s.bufferVar, frame, p));
}

/** The stored elements; 16-bit floats as their bits, as upstream. */
function tensorItems(t: Tensor): ExprDoc {
  const asFloat = isFloat(t.dtype) && (t.dtype === "float32" || t.dtype === "float64");
  const items: ExprDoc[] = [];
  for (const v of t.data) items.push(asFloat ? floatDoc(Number(v)) : intDoc(v));
  return listDoc(items);
}

function isIterVar(node: Node | undefined): node is IterVar {
  return node !== undefined && node.kind === "tir.IterVar";
}

/** True if this is what the reader makes of `T.launch_thread`. */
function isLaunch(s: AttrStmt, v: IterVar): boolean {
  const key = v.threadTag.startsWith("vthread") ? "virtual_thread" : "thread_extent";
  return s.attrKey === key && v.iterType === "kThreadIndex" && v.var.dtype === "int32" && v.dom !== undefined && isConstInt(v.dom.min, 0) && exprDeepEqual(v.dom.extent, s.value);
}

function launchThread(s: AttrStmt, iterVar: IterVar, p: Printer): readonly [ExprDoc, Var | undefined] {
  const value = p.expr(s.value);
  const known = p.lookup(iterVar.var);
  if (known !== undefined) return [p.call("tir", "launch_thread", [known, value]), undefined];
  if (holdsAllUses(s, iterVar.var, p)) {
    return [p.call("tir", "launch_thread", [strDoc(iterVar.threadTag), value]), iterVar.var];
  }
  const frame = lowestFrame(iterVar.var, p);
  const doc = defineVar(iterVar.var, frame, p);
  frame.stmts.push(assignDoc(doc, p.call("tir", "env_thread", [strDoc(iterVar.threadTag)])));
  return [p.call("tir", "launch_thread", [doc, value]), undefined];
}

/** `T.realize(A[0:16], "scope")`; a realization without the attribute around it has no scope. */
function realizeCall(s: BufferRealize, value: PrimExpr | undefined, p: Printer): ExprDoc {
  const buffer = printBuffer(s.buffer, p);
  // Here a bound of one element is a slice too.
  const part = indexDoc(buffer, s.bounds.map((r) => sliceDoc(p.expr(r.min), p.expr(endOf(r.min, r.extent)))));
  const keywords: (readonly [string, ExprDoc])[] = isConstInt(s.condition, 1) ? [] : [["condition", p.expr(s.condition)]];
  return p.call("tir", "realize", value === undefined ? [part] : [part, p.expr(value)], keywords);
}

function isRealize(s: Stmt, node: Node | undefined): s is BufferRealize {
  return s.kind === "tir.BufferRealize" && s.buffer === node;
}

function printAttr(s: AttrStmt, p: Printer): StmtDoc[] {
  const isThread = s.attrKey === "thread_extent" || s.attrKey === "virtual_thread";
  if (isThread && isIterVar(s.node) && isLaunch(s, s.node)) {
    const [rhs, defined] = launchThread(s, s.node, p);
    return scope(s, s.body, p, rhs, (frame) => (defined === undefined ? undefined : defineVar(defined, frame, p)));
  }
  if (s.attrKey === "realize_scope" && isRealize(s.body, s.node)) return scope(s, s.body.body, p, realizeCall(s.body, s.value, p));
  if (p.spelling === "main") {
    const plain = plainAttributes(s);
    if (plain !== undefined) return scope(s, plain.body, p, attributesCall(plain, p));
    const ids = isConcise(s, p) ? scopeIds(s) : undefined;
    if (ids !== undefined) return printScopeIds(s, ids, p);
  }
  const node = s.node === undefined ? noneDoc : isNode(s.node) ? p.expr(s.node) : noneDoc;
  return scope(s, s.body, p, p.call("tir", "attr", [node, strDoc(s.attrKey), p.expr(s.value)]));
}

function printScopeIds(s: AttrStmt, ids: AttrGroup, p: Printer): StmtDoc[] {
  const call = scopeIdCall(ids, p);
  return p.within(new TirFrame(s, p.frame().stmts), (frame) => {
    const names = ids.attrs.flatMap((a) => iterVarOf(a) ?? []).map((v) => defineVar(v.var, frame, p));
    p.push(frame, s, assignIds(names, call));
    printBody(ids.body, frame, p);
    return [];
  });
}

function printAssert(s: AssertStmt, p: Printer): StmtDoc[] {
  const concise = isConcise(s, p);
  const condition = p.expr(s.condition);
  const message = p.expr(s.message);
  if (!concise) return [scopeDoc(undefined, p.call("tir", "Assert", [condition, message]), bodyOf(s, s.body, p))];
  return p.within(new TirFrame(s, p.frame().stmts), (frame) => {
    p.push(frame, s, assertDoc(condition, p.spelling === "main" ? messageParts(message, s) : message));
    // On main an assertion holds nothing, and may be the last statement.
    if (p.spelling === "main" && isNothing(s.body)) return [];
    printBody(s.body, frame, p);
    return [];
  });
}

/** How statements of tensor programs print. */
export const stmtPrinters: PrintTable<Stmt> = {
  "tir.LetStmt": printLet,
  "tir.AttrStmt": printAttr,
  "tir.AssertStmt": printAssert,
  "tir.BufferStore": (s, p) => {
    const buffer = printBuffer(s.buffer, p);
    const value = p.expr(s.value);
    if (s.predicate === undefined) return [assignDoc(indexDoc(buffer, bufferIndices(s.indices, p)), value)];
    const args = [listDoc(p.exprs(s.indices)), value];
    return [exprStmtDoc(callDoc(attrDoc(buffer, "vstore"), args, [["predicate", p.expr(s.predicate)]]))];
  },
  "tir.Allocate": printAllocate,
  "tir.AllocateConst": printAllocateConst,
  "tir.DeclBuffer": (s, p) => printDecl(s, p, "none"),
  "tir.BufferRealize": (s, p) => scope(s, s.body, p, realizeCall(s, undefined, p)),
  "tir.Prefetch": (s, p) => [exprStmtDoc(p.call("tir", "prefetch", [printBuffer(s.buffer, p), listDoc(p.exprs(s.bounds))]))],
  "tir.SeqStmt": (s, p) => {
    if (s.seq.length === 0) return [exprStmtDoc(p.call("tir", "evaluate", [intDoc(0)]))];
    return bodyOf(s, s, p);
  },
  "tir.Evaluate": printEvaluate,
  "tir.IfThenElse": (s, p) => {
    const test = p.expr(s.condition);
    const then = bodyOf(s.thenCase, s.thenCase, p);
    return [ifDoc(test, then, s.elseCase === undefined ? [] : bodyOf(s.elseCase, s.elseCase, p))];
  },
  "tir.For": printFor,
  "tir.While": (s, p) => {
    const test = p.expr(s.condition);
    return [whileDoc(test, bodyOf(s, s.body, p))];
  },
  "tir.Block": (s, p) => printBlock(s, undefined, p),
  // The block prints with its realization: remarks on it are on the same statement.
  "tir.BlockRealize": (s, p) => p.decorated(printBlock(s.block, s, p), s.block),
};

