import { isNode, type AttrMap, type AttrValue } from "@verticil/ir-core";
import {
  assignDoc,
  boolDoc,
  callDoc,
  commentDoc,
  exprStmtDoc,
  toPythonName,
  type AssignDoc,
  type ExprDoc,
  type Printer,
  type PrintTable,
  type StmtDoc,
} from "@verticil/tvmscript";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { undefinedVars } from "../ir/free-vars.ts";
import { makeTargetNode, scopeOf } from "../ir/make-stmt.ts";
import { isConstInt } from "../ir/ops.ts";
import type { Block, PrimFunc, Stmt } from "../ir/stmt.ts";
import { visitExpr, visitStmt, type Visitor } from "../ir/visit.ts";
import { printAllocs } from "./print-block.ts";
import { bufferAnnotation, bufferDecl, defineBuffer, defineVar, hasNaturalData } from "./print-buffer.ts";
import { FunctionFrame } from "./print-frame.ts";
import { printBody } from "./print-body.ts";
import { needsRoot } from "./root-block.ts";

/** Compact, of known size, in global memory: an annotation says all of it. */
function isSimple(buffer: Buffer): boolean {
  return (
    buffer.strides.length === 0 &&
    buffer.elemOffset === undefined &&
    buffer.shape.every((e) => e.kind === "ir.IntImm" || undefinedVars(e).length === 0) &&
    scopeOf(buffer) === "global" &&
    buffer.dataAlignment === 64 &&
    buffer.offsetFactor === 1 &&
    buffer.bufferType === "default" &&
    buffer.axisSeparators.length === 0 &&
    hasNaturalData(buffer)
  );
}

/** The parameters that occur elsewhere than in the parameter list and as keys of the buffer map. */
function usedParams(func: PrimFunc): ReadonlySet<AnyVar> {
  const params = new Set<PrimExpr>(func.params);
  const used = new Set<AnyVar>();
  const seen = new Set<Buffer>();
  const visitBuffer = (b: Buffer): void => {
    if (seen.has(b)) return;
    seen.add(b);
    for (const e of [b.data, ...b.shape, ...b.strides]) visitExpr(e, visitor);
    if (b.elemOffset !== undefined) visitExpr(b.elemOffset, visitor);
  };
  const visitor: Visitor = {
    expr(e) {
      if ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && params.has(e)) used.add(e);
      else if (e.kind === "tir.BufferLoad") visitBuffer(e.buffer);
    },
    stmt(s) {
      if (s.kind === "tir.BufferStore" || s.kind === "tir.DeclBuffer") visitBuffer(s.buffer);
      else if (s.kind === "tir.AttrStmt" && s.node !== undefined && params.has(s.node as PrimExpr)) used.add(s.node as AnyVar);
    },
  };
  for (const b of func.bufferMap.values()) visitBuffer(b);
  visitStmt(func.body, visitor);
  return used;
}

function sharedPointers(func: PrimFunc): ReadonlySet<Var> {
  const seen = new Set<Var>();
  const shared = new Set<Var>();
  for (const b of func.bufferMap.values()) {
    if (seen.has(b.data)) shared.add(b.data);
    seen.add(b.data);
  }
  return shared;
}

/** The root block that the reader puts around a body; then only a comment and its buffers are written. */
function implicitRoot(body: Stmt): Block | undefined {
  if (body.kind !== "tir.BlockRealize" || body.iterValues.length > 0 || !isConstInt(body.predicate, 1)) return undefined;
  const root = body.block;
  const bare =
    Object.keys(root.annotations).length === 0 &&
    root.matchBuffers.length === 0 &&
    root.reads.length === 0 &&
    root.writes.length === 0 &&
    root.iterVars.length === 0 &&
    root.init === undefined;
  return bare && needsRoot(root.body, root.allocBuffers) ? root : undefined;
}

function printParams(func: PrimFunc, frame: FunctionFrame, p: Printer): { readonly params: AssignDoc[]; readonly inlined: ReadonlySet<Buffer> } {
  const used = usedParams(func);
  const shared = sharedPointers(func);
  const inlined = new Set<Buffer>();
  const params = func.params.map((v) => {
    const buffer = func.bufferMap.get(v);
    const simple = buffer !== undefined && v.typeAnnotation === undefined && v.dtype === "handle" && !used.has(v);
    // An annotation is no short form on main.
    const inlines = p.config.syntaxSugar || p.spelling === "main";
    if (inlines && simple && isSimple(buffer) && !shared.has(buffer.data) && !p.isDefined(buffer)) {
      const lhs = defineBuffer(buffer, frame, p);
      inlined.add(buffer);
      return assignDoc(lhs, undefined, bufferAnnotation(buffer, frame, p));
    }
    const annotation = v.typeAnnotation === undefined ? p.member("tir", v.dtype) : p.expr(v.typeAnnotation);
    return assignDoc(defineVar(v, frame, p), undefined, annotation);
  });
  return { params, inlined };
}

/** True for what `T.target(…)` makes: a record that says which kind of target it is. */
function isTarget(v: AttrValue | undefined): v is AttrMap {
  return typeof v === "object" && v !== null && !Array.isArray(v) && !isNode(v) && "kind" in v && typeof v.kind === "string";
}

function printFunc(func: PrimFunc, p: Printer): StmtDoc[] {
  const frame = new FunctionFrame(func);
  const name = toPythonName(p.bindingName ?? symbolOf(func.attrs) ?? "main");
  p.bindingName = undefined;
  return p.within(frame, () => {
    const { params, inlined } = printParams(func, frame, p);
    const sameName = func.attrs["global_symbol"] === name;
    const shown = Object.entries(func.attrs)
      .filter(([k, v]) => v !== undefined && !(sameName && k === "global_symbol"))
      .map(([k, v]): [string, AttrValue | undefined] => [k, k === "target" && isTarget(v) ? makeTargetNode(v) : v]);
    if (shown.length > 0) frame.stmts.push(exprStmtDoc(p.call("tir", "func_attr", [p.functionAttrs(Object.fromEntries(shown))])));
    for (const [i, v] of func.params.entries()) {
      const buffer = func.bufferMap.get(v);
      const param = params[i];
      if (buffer === undefined || param === undefined || inlined.has(buffer)) continue;
      const lhs = defineBuffer(buffer, frame, p);
      frame.stmts.push(assignDoc(lhs, bufferDecl(buffer, "match_buffer", [param.lhs], frame, p, "all")));
    }
    const root = p.config.syntaxSugar ? implicitRoot(func.body) : undefined;
    if (root !== undefined) {
      // Upstream writes the prefix `T` here whatever the prefix is.
      frame.stmts.push(commentDoc(p.spelling === "main" ? 'with T.sblock("root"):' : 'with T.block("root"):'));
      printAllocs(root, frame, p);
    }
    printBody(root?.body ?? func.body, frame, p);
    const isPrivate = func.attrs["global_symbol"] === undefined;
    const decorator = p.member("tir", "prim_func");
    const keywords: (readonly [string, ExprDoc])[] = isPrivate ? [["private", boolDoc(true)]] : [];
    // What v0.20 has is the schedulable half of main's dialect.
    if (p.spelling === "main") keywords.push(["s_tir", boolDoc(true)]);
    const returns = func.retType.kind === "ir.TupleType" && func.retType.fields.length === 0 ? undefined : p.expr(func.retType);
    return [
      {
        doc: "function",
        name,
        params,
        decorators: [keywords.length > 0 ? callDoc(decorator, [], keywords) : decorator],
        returns,
        body: frame.stmts,
      },
    ];
  });
}

function symbolOf(attrs: AttrMap): string | undefined {
  const symbol = attrs["global_symbol"];
  return typeof symbol === "string" ? symbol : undefined;
}

/** How functions print. */
export const funcPrinters: PrintTable<PrimFunc> = { "tir.PrimFunc": printFunc };

