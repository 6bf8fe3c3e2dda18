import { definePass, makeGlobalVar, runPass, withAttrs, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyVar, Binding, Function } from "../ir/expr.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import { makeSeqExpr, makeVar, makeVarBinding } from "../ir/make.ts";
import { isRelaxFunction, mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { renameGlobals } from "../ir/rename-globals.ts";
import { groupName, operandsOf, partitionBlocks, type BlockPartition } from "./block-partition.ts";
import { asLocal, codegenName, compositeOf } from "./composite.ts";
import { flattenDataflow } from "./dataflow-blocks.ts";
import { deadCodeElimination } from "./dead-code-elimination.ts";

/**
 * Upstream's `MergeCompositeFunctions`: calls of composite functions of one backend that feed each other become one public
 * function marked `Codegen`, which holds the composite functions. A group does not grow where two would then wait for each
 * other.
 */
export function mergeCompositeFunctions(): Pass {
  return definePass("MergeCompositeFunctions", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    let changed = false;
    const merged = mapRelaxFunctions(module, (func) => {
      if (["Primitive", "Composite", "Codegen"].some((a) => func.attrs[a] !== undefined)) return func;
      const next = partitionBlocks(func, bb, (p) => mergeBlock(p, module), { nameOf: groupName, liftConstants: true });
      changed ||= next !== func;
      return next;
    });
    if (!changed) return module;
    for (const [gv, func] of merged.functions) bb.updateFunc(gv, func);
    return runPass(deadCodeElimination(), namedAndInlined(bb.finalize(), module), ctx);
  });
}

function mergeBlock(partition: BlockPartition, module: IRModule): void {
  for (const b of partition.block.bindings) {
    if (b.kind !== "relax.VarBinding" || b.value.kind !== "relax.Call" || b.value.op.kind !== "ir.GlobalVar") continue;
    const composite = compositeOf(module.functions.get(b.value.op));
    if (composite === undefined) continue;
    const codegen = codegenName(composite);
    let members: ReadonlySet<AnyVar> = new Set([b.var]);
    for (const v of operandsOf(b)) {
      const group = partition.group(v);
      if (group === undefined || group.attrs["Codegen"] !== codegen) continue;
      const joined = new Set([...group.members, ...members]);
      if (!partition.wouldCycle(joined)) members = joined;
    }
    partition.assign(members, { Codegen: codegen });
  }
}

/** The functions that were made, named for their backend, with what they call inside. */
function namedAndInlined(made: IRModule, before: IRModule): IRModule {
  const renamed = new Map<GlobalVar, GlobalVar>();
  const taken = new Set([...made.functions.keys()].map((gv) => gv.name));
  const functions = [...made.functions].map(([gv, func]) => {
    const codegen = func.attrs["Codegen"];
    if (!isRelaxFunction(func) || typeof codegen !== "string" || before.functions.has(gv)) return [gv, func] as const;
    let symbol = `${gv.name}_${codegen}`;
    while (taken.has(symbol)) symbol += "_";
    const own = makeGlobalVar(symbol);
    renamed.set(gv, own);
    return [own, withAttrs(withLocals(func, before), { global_symbol: symbol })] as const;
  });
  return { ...made, functions: new Map(functions.map(([gv, func]) => [gv, isRelaxFunction(func) ? renameGlobals(func, renamed) : func])) };
}

/** The composite functions that a function calls become local functions of it. */
function withLocals(func: Function, module: IRModule): Function {
  const flat: Function = { ...func, body: flattenDataflow(func.body) };
  return mapSequences(flat, (seq) => {
    const blocks = seq.blocks.map((block) => ({ ...block, bindings: block.bindings.flatMap((b) => withLocal(b, module)) }));
    return makeSeqExpr(blocks, seq.body, seq.span);
  });
}

function withLocal(b: Binding, module: IRModule): readonly Binding[] {
  if (b.value.kind !== "relax.Call" || b.value.op.kind !== "ir.GlobalVar") return [b];
  const callee = module.functions.get(b.value.op);
  if (!isRelaxFunction(callee) || compositeOf(callee) === undefined) return [b];
  const local = asLocal(callee);
  const v = makeVar("local_func", local.structInfo);
  return [makeVarBinding(v, local), { ...b, value: { ...b.value, op: v } }];
}
