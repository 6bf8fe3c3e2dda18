import {
  assignDoc,
  attrDoc,
  boolDoc,
  callDoc,
  exprStmtDoc,
  listDoc,
  scopeDoc,
  strDoc,
  tupleDoc,
  type ExprDoc,
  type Printer,
  type StmtDoc,
} from "@verticil/tvmscript";
import { exprDeepEqual } from "../arith/expr-deep-equal.ts";
import type { IterVar, IterVarType, PrimExpr, Var } from "../ir/expr.ts";
import { isConstInt } from "../ir/ops.ts";
import type { Block, BlockRealize, For, Stmt } from "../ir/stmt.ts";
import { bufferDecl, defineBuffer, defineVar, endOf, printRegion } from "./print-buffer.ts";
import { TirFrame } from "./print-frame.ts";
import { bodyOf, printBody } from "./print-body.ts";

const AXES: Readonly<Partial<Record<IterVarType, string>>> = {
  kDataPar: "spatial",
  kCommReduce: "reduce",
  kOrdered: "scan",
  kOpaque: "opaque",
};

/** The loops around this place by their variables. */
function loopsAround(p: Printer): ReadonlyMap<PrimExpr, For> {
  const out = new Map<PrimExpr, For>();
  for (const frame of p.frames) {
    if (!(frame instanceof TirFrame) || frame.node?.kind !== "tir.For") continue;
    // One frame stands for all loops of a grid.
    for (let l: Stmt = frame.node as For; l.kind === "tir.For"; l = l.body) out.set(l.loopVar, l);
  }
  return out;
}

function remapped(v: IterVar, value: PrimExpr | undefined, loops: ReadonlyMap<PrimExpr, For>): boolean {
  if (v.iterType !== "kDataPar" && v.iterType !== "kCommReduce") return false;
  if (value?.kind !== "tir.Var" || v.dom === undefined || v.var.dtype !== value.dtype) return false;
  const loop = loops.get(value);
  return loop !== undefined && exprDeepEqual(loop.min, v.dom.min) && exprDeepEqual(loop.extent, v.dom.extent);
}

function printAxis(v: IterVar, value: PrimExpr | undefined, frame: TirFrame, p: Printer): StmtDoc {
  const args: ExprDoc[] = [];
  let bits = 32;
  if (v.dom !== undefined) {
    bits = Math.max(bits, intBits(v.dom.min), intBits(v.dom.extent));
    const fromZero = isConstInt(v.dom.min, 0) && v.dom.min.dtype === v.dom.extent.dtype;
    args.push(fromZero ? p.expr(v.dom.extent) : tupleDoc([p.expr(v.dom.min), p.expr(endOf(v.dom.min, v.dom.extent))]));
  }
  if (value !== undefined) args.push(p.expr(value));
  const keywords: (readonly [string, ExprDoc])[] = v.var.dtype === `int${bits}` ? [] : [["dtype", strDoc(v.var.dtype)]];
  const axis = attrDoc(p.member("tir", "axis"), AXES[v.iterType] ?? "opaque");
  return assignDoc(defineVar(v.var, frame, p), callDoc(axis, args, keywords));
}

function intBits(e: PrimExpr): number {
  return e.dtype === "int64" ? 64 : 32;
}

function printAxes(block: Block, realize: BlockRealize | undefined, frame: TirFrame, p: Printer): void {
  const loops = loopsAround(p);
  const sugar = realize !== undefined && p.config.syntaxSugar;
  let run: number[] = [];
  const flush = (): void => {
    const [only] = run;
    const first = only === undefined ? undefined : block.iterVars[only];
    if (run.length === 1 && only !== undefined && first !== undefined) {
      frame.stmts.push(printAxis(first, realize?.iterValues[only], frame, p));
    } else if (run.length > 1) {
      const lhs: Var[] = [];
      const values: ExprDoc[] = [];
      let types = "";
      for (const i of run) {
        const v = block.iterVars[i];
        const value = realize?.iterValues[i];
        if (v === undefined || value === undefined) continue;
        lhs.push(v.var);
        values.push(p.expr(value));
        types += v.iterType === "kDataPar" ? "S" : "R";
      }
      const rhs = callDoc(attrDoc(p.member("tir", "axis"), "remap"), [strDoc(types), listDoc(values)]);
      frame.stmts.push(assignDoc(tupleDoc(lhs.map((v) => defineVar(v, frame, p))), rhs));
    }
    run = [];
  };
  for (const [i, v] of block.iterVars.entries()) {
    const value = realize?.iterValues[i];
    if (sugar && remapped(v, value, loops)) {
      run.push(i);
      continue;
    }
    flush();
    frame.stmts.push(printAxis(v, value, frame, p));
  }
  flush();
}

/** `with T.block("name"):` with its signature and body. */
export function printBlock(block: Block, realize: BlockRealize | undefined, p: Printer): StmtDoc[] {
  return p.within(new TirFrame(block), (frame) => {
    printAxes(block, realize, frame, p);
    if (realize !== undefined && !isConstInt(realize.predicate, 1)) {
      frame.stmts.push(exprStmtDoc(p.call("tir", "where", [p.expr(realize.predicate)])));
    }
    frame.stmts.push(exprStmtDoc(p.call("tir", "reads", block.reads.map((r) => printRegion(r, p)))));
    frame.stmts.push(exprStmtDoc(p.call("tir", "writes", block.writes.map((r) => printRegion(r, p)))));
    if (Object.keys(block.annotations).length > 0) {
      frame.stmts.push(exprStmtDoc(p.call("tir", "block_attr", [p.attrs(block.annotations)])));
    }
    printAllocs(block, frame, p);
    for (const m of block.matchBuffers) {
      const lhs = defineBuffer(m.buffer, frame, p);
      frame.stmts.push(assignDoc(lhs, bufferDecl(m.buffer, "match_buffer", [printRegion(m.source, p)], frame, p, "all")));
    }
    if (block.init !== undefined) {
      frame.stmts.push(scopeDoc(undefined, p.call("tir", "init", []), bodyOf(block.init, block.init, p)));
    }
    printBody(block.body, frame, p);
    const keywords: (readonly [string, ExprDoc])[] = realize === undefined ? [["no_realize", boolDoc(true)]] : [];
    return [scopeDoc(undefined, p.call("tir", "block", [strDoc(block.name)], keywords), frame.stmts)];
  });
}

/** The `T.alloc_buffer` lines of a block. */
export function printAllocs(block: Block, frame: TirFrame, p: Printer): void {
  for (const buffer of block.allocBuffers) {
    const lhs = defineBuffer(buffer, frame, p);
    frame.stmts.push(assignDoc(lhs, bufferDecl(buffer, "alloc_buffer", [], frame, p, "data")));
  }
}
