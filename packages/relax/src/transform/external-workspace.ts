import type { GlobalVar, IRModule } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyBindingBlock, AnyVar, Binding, Call, Expr, Function, SeqExpr, Var } from "../ir/expr.ts";
import { forEachExpr } from "../ir/for-each-expr.ts";
import { makeFunction } from "../ir/make-function.ts";
import { makeSeqExpr, makeTensorStructInfo, makeVar } from "../ir/make.ts";
import { isRelaxFunction, rewriteBindings } from "../ir/mutate.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";
import { allocTensor } from "./call-tir-rewrite.ts";

/**
 * The functions of backends (`Codegen`, `Composite`) that have a `WorkspaceSize` take scratch memory as their last parameter,
 * all as much as the hungriest asks for, and hand it to their composite functions. Each block that calls some allocates it once,
 * at its beginning.
 */
export function externalWorkspace(module: IRModule, ops: OpRegistry): IRModule {
  const hungry = [...module.functions].flatMap(([gv, func]) => (isRelaxFunction(func) && isExternal(func) && sizeOf(func) > 0 ? [{ gv, func }] : []));
  if (hungry.length === 0) return module;
  const bytes = Math.max(...hungry.map((h) => sizeOf(h.func)));
  const bb = new BlockBuilder({ ops, module });
  const renamed = new Map<GlobalVar, GlobalVar>();
  for (const { gv, func } of hungry) {
    const own = withWorkspace(func, bytes);
    const added = bb.addFunc(own, gv.name);
    bb.updateFunc(added, { ...own, attrs: { ...own.attrs, global_symbol: added.name } });
    bb.removeFunc(gv);
    renamed.set(gv, added);
  }
  for (const [gv, func] of module.functions) {
    if (isRelaxFunction(func) && !isExternal(func)) bb.updateFunc(gv, withCalls(func, bytes, renamed, bb));
  }
  return bb.finalize();
}

function isExternal({ attrs }: Function): boolean {
  return attrs["Codegen"] !== undefined || attrs["Composite"] !== undefined;
}

function sizeOf({ attrs }: Function): number {
  return Number(attrs["WorkspaceSize"] ?? 0);
}

/** The function with one more parameter, which calls of its own composite functions hand on. */
function withWorkspace(func: Function, bytes: number): Function {
  const workspace = makeVar("workspace", makeTensorStructInfo([bytes], "uint8"));
  const { WorkspaceSize: _, ...attrs } = func.attrs;
  const body = func.body.kind === "relax.SeqExpr" ? handedOn(func.body, workspace, bytes) : func.body;
  return makeFunction([...func.params, workspace], body, func.retStructInfo, { isPure: func.isPure, attrs, span: func.span });
}

function handedOn(seq: SeqExpr, workspace: Var, bytes: number): SeqExpr {
  const local = new Map<AnyVar, Expr>();
  const rebound = (b: Binding): Binding => {
    const value = renameExpr(b.value, local);
    if (b.kind === "relax.MatchCast") return { ...b, value };
    if (value.kind === "relax.Function" && isExternal(value) && sizeOf(value) > 0) {
      const own = withWorkspace(value, bytes);
      const v: AnyVar = { ...b.var, structInfo: own.structInfo };
      local.set(b.var, v);
      return { ...b, var: v, value: own };
    }
    const isTaking = value.kind === "relax.Call" && [...local.values()].some((v) => v === value.op);
    return isTaking ? { ...b, value: { ...value, args: [...value.args, workspace] } } : { ...b, value };
  };
  const blocks = seq.blocks.map((block): AnyBindingBlock => ({ ...block, bindings: block.bindings.map(rebound) }));
  return makeSeqExpr(blocks, renameExpr(seq.body, local), seq.span);
}

function withCalls(func: Function, bytes: number, renamed: ReadonlyMap<GlobalVar, GlobalVar>, bb: BlockBuilder): Function {
  const blockOf = callingBlocks(func, (call) => call.op.kind === "ir.GlobalVar" && renamed.has(call.op));
  if (blockOf.size === 0) return func;
  const made = new Map<AnyBindingBlock, AnyVar>();
  return rewriteBindings(func, bb, (value, { binding }) => {
    const block = binding === undefined ? undefined : blockOf.get(binding);
    if (block === undefined) return undefined;
    const workspace = made.get(block) ?? bb.emit(allocTensor(makeTensorStructInfo([bytes], "uint8")), "workspace_main");
    made.set(block, workspace);
    const callee = value.kind === "relax.Call" && value.op.kind === "ir.GlobalVar" ? renamed.get(value.op) : undefined;
    return value.kind === "relax.Call" && callee !== undefined ? { ...value, op: callee, args: [...value.args, workspace] } : undefined;
  });
}

/** The blocks with such a call, by each variable that they bind. */
function callingBlocks(func: Function, isWanted: (call: Call) => boolean): ReadonlyMap<AnyVar, AnyBindingBlock> {
  const blocks = new Map<AnyVar, AnyBindingBlock>();
  forEachExpr(func.body, (e) => {
    if (e.kind !== "relax.SeqExpr") return;
    for (const block of e.blocks) {
      if (block.bindings.some((b) => b.value.kind === "relax.Call" && isWanted(b.value))) for (const b of block.bindings) blocks.set(b.var, block);
    }
  });
  return blocks;
}
