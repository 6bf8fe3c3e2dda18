import { definePass, type Pass } from "@verticil/ir-core";
import { findImpureCall } from "../analysis/purity.ts";
import type { AnyBindingBlock, Binding, Expr, SeqExpr } from "../ir/expr.ts";
import { inferScope, type InferScope } from "../ir/infer-call.ts";
import { makeBindingBlock, makeDataflowBlock, makeSeqExpr } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { canonicalizeBindings } from "./canonicalize-bindings.ts";

/**
 * Upstream's `ConvertToDataflow`: at least `minSize` bindings in a row without branches and effects become a dataflow block,
 * also those before and after a block that is one already. Then bindings are made canonical.
 */
export function convertToDataflow(opts: { readonly minSize?: number } = {}): Pass {
  const minSize = opts.minSize ?? 2;
  return definePass("ConvertToDataflow", (module, ctx) => {
    const scope = inferScope(ctx.get(opRegistryKey), (gv) => module.functions.get(gv));
    const converted = mapRelaxFunctions(module, (func) => {
      const body = convert(func.body, minSize, scope);
      return body === func.body ? func : { ...func, body };
    });
    return canonicalizeBindings().run(converted, ctx);
  });
}

function convert(expr: Expr, minSize: number, scope: InferScope): Expr {
  if (expr.kind === "relax.If") {
    return { ...expr, trueBranch: convert(expr.trueBranch, minSize, scope), falseBranch: convert(expr.falseBranch, minSize, scope) };
  }
  if (expr.kind === "relax.Function") return { ...expr, body: convert(expr.body, minSize, scope) };
  return expr.kind === "relax.SeqExpr" ? convertSeq(expr, minSize, scope) : expr;
}

function convertSeq(seq: SeqExpr, minSize: number, scope: InferScope): SeqExpr {
  const blocks: AnyBindingBlock[] = [];
  let plain: Binding[] = [];
  let flow: Binding[] = [];
  let keepsBlock = false;
  const closePlain = (): void => {
    if (plain.length > 0) blocks.push(makeBindingBlock(plain));
    plain = [];
  };
  const closeFlow = (): void => {
    if (flow.length > 0 && (keepsBlock || flow.length >= minSize)) {
      closePlain();
      blocks.push(makeDataflowBlock(flow));
    } else plain.push(...flow);
    flow = [];
    keepsBlock = false;
  };
  for (const block of seq.blocks) {
    const isFlow = block.kind === "relax.DataflowBlock";
    keepsBlock ||= isFlow;
    for (const b of block.bindings) {
      const value = convert(b.value, minSize, scope);
      const next = value === b.value ? b : { ...b, value };
      if (isFlow || (value.kind !== "relax.If" && findImpureCall(value, scope) === undefined)) flow.push(next);
      else {
        closeFlow();
        plain.push(next);
      }
    }
  }
  closeFlow();
  closePlain();
  return makeSeqExpr(blocks, seq.body, seq.span);
}
