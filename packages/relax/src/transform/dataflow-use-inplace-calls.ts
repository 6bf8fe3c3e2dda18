import { definePass, makeOp, mapList, type Pass } from "@verticil/ir-core";
import { renewDefs, replaceBuffers, type PrimFunc } from "@verticil/tir";
import { inplaceOpportunities, type InplaceOpportunity } from "../analysis/inplace-opportunities.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, opNameOf } from "../ir/call-target.ts";
import type { Call, DataflowBlock } from "../ir/expr.ts";
import { makeCall } from "../ir/make.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import { isRelaxFunction, withBlocks } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { LegalizeTable } from "../op/legalize-rule.ts";
import { legalizeCall, legalizeTableKey } from "./legalize-ops.ts";

/**
 * Upstream's `DataflowUseInplaceCalls`: in dataflow blocks, elementwise calls write their results over an argument that is not
 * used later. Unlike upstream's, arguments that are constants are never written over, nor what a reshape or a tuple that is
 * used later may share.
 */
export function dataflowUseInplaceCalls(): Pass {
  return definePass("DataflowUseInplaceCalls", (module, ctx) => {
    const ops = ctx.get(opRegistryKey);
    const bb = new BlockBuilder({ ops, module });
    // The programs that are not in place yet must not come into the module.
    const scratch = new BlockBuilder({ ops });
    const rewrite = (block: DataflowBlock): DataflowBlock => {
      const found = inplaceOpportunities(block, bb.infer);
      if (found.size === 0) return block;
      return {
        ...block,
        bindings: block.bindings.map((b) => {
          const opportunity = b.kind === "relax.VarBinding" ? found.get(b) : undefined;
          const value = opportunity === undefined ? undefined : inplaceCall(opportunity, ctx.get(legalizeTableKey), scratch, bb);
          return value === undefined ? b : { ...b, value };
        }),
      };
    };
    for (const [gv, func] of module.functions) {
      if (!isRelaxFunction(func)) continue;
      const next = mapSequences(func, (seq) => withBlocks(seq, mapList(seq.blocks, (b) => (b.kind === "relax.DataflowBlock" ? rewrite(b) : b))));
      bb.updateFunc(gv, next);
    }
    return bb.finalize();
  });
}

/** The call of a program that writes over the last argument that it may; undefined if the operator is not one program. */
function inplaceCall({ call, args }: InplaceOpportunity, table: LegalizeTable, scratch: BlockBuilder, bb: BlockBuilder): Call | undefined {
  const rule = table.get(opNameOf(call) ?? "");
  let program: Call | undefined;
  if (rule !== undefined) {
    scratch.seq(() => {
      program = legalizeCall(call, rule, scratch).program;
      return call.args[0] ?? call;
    });
  }
  const parts = program === undefined ? undefined : callTirParts(program);
  if (parts === undefined) return undefined;
  const old = scratch.getFunc(parts.callee);
  // Constant scalars become part of the program: arguments may have moved.
  const candidates = args.map((i) => call.args[i]);
  const index = parts.args.fields.findLastIndex((a) => candidates.includes(a));
  const func = old?.kind === "tir.PrimFunc" && index >= 0 ? inplaceProgram(old as PrimFunc, index, parts.args.fields.length) : undefined;
  if (func === undefined) return undefined;
  const gv = bb.addFunc(func, `${parts.callee.name}_inplace`);
  const { structInfo, sinfoArgs, span } = parts.call;
  return makeCall(makeOp("relax.call_tir_inplace"), [gv, ...parts.call.args.slice(1)], { attrs: { inplace_indices: [index] }, sinfoArgs, structInfo, span });
}

/** A program with its output, parameter number `output`, in the buffer of its parameter number `input`. */
function inplaceProgram(func: PrimFunc, input: number, output: number): PrimFunc | undefined {
  const [to, from] = [func.params[input], func.params[output]];
  if (to === undefined || from === undefined) return undefined;
  const [kept, dropped] = [func.bufferMap.get(to), func.bufferMap.get(from)];
  if (kept === undefined || dropped === undefined) return undefined;
  return renewDefs({
    ...func,
    params: func.params.filter((p) => p !== from),
    bufferMap: new Map([...func.bufferMap].filter(([p]) => p !== from)),
    body: replaceBuffers(func.body, new Map([[dropped, kept]])),
  });
}
