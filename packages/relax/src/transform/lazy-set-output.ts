import { definePass, withAttrs, type Pass } from "@verticil/ir-core";
import { numInput } from "../analysis/computable-at-compile-time.ts";
import { isVar } from "../analysis/variables.ts";
import type { AnyBindingBlock, AnyVar, Binding, Expr, Function } from "../ir/expr.ts";
import { makeBindingBlock, makeCall, makeFuncStructInfo, makeObjectStructInfo, makePrimStructInfo, makePrimValue, makeSeqExpr, makeTuple, makeTupleStructInfo, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";

/**
 * Upstream's `LazySetOutput`: public functions hand each result to a function `fset_output(index, value)` as soon as they have
 * it, and give nothing. Results that are parameters are handed on at the start.
 */
export function lazySetOutput(): Pass {
  return definePass("LazySetOutput", (module) => mapRelaxFunctions(module, (func) => (func.attrs["global_symbol"] === undefined ? func : withLazyOutputs(func))));
}

function withLazyOutputs(func: Function): Function {
  const nothing = makeTupleStructInfo([]);
  const set = makeVar("fset_output", makeFuncStructInfo([makePrimStructInfo("int64"), makeObjectStructInfo()], nothing, { purity: false }));
  const { body } = func;
  const result: Expr = body.kind === "relax.SeqExpr" ? body.body : body;
  const outputs = result.kind === "relax.Tuple" ? result.fields : [result];
  const hand = (i: number, e: Expr): Binding => makeVarBinding(makeVar("_void", nothing), makeCall(set, [makePrimValue(i), e], { structInfo: nothing }));
  const of = (v: AnyVar): readonly Binding[] => outputs.flatMap((o, i) => (o === v ? [hand(i, v)] : []));
  const start = func.params.flatMap(of);
  const end = outputs.flatMap((o, i) => (isVar(o) ? [] : [hand(i, o)]));
  // A call with an effect has no place in a dataflow block: what leaves one is handed on right behind it.
  const blocks = (body.kind === "relax.SeqExpr" ? body.blocks : []).flatMap((block): readonly AnyBindingBlock[] => {
    if (block.kind === "relax.BindingBlock") return [{ ...block, bindings: block.bindings.flatMap((b) => [b, ...of(b.var)]) }];
    const after = block.bindings.flatMap((b) => of(b.var));
    return after.length === 0 ? [block] : [block, makeBindingBlock(after)];
  });
  const all = [...(start.length === 0 ? [] : [makeBindingBlock(start)]), ...blocks, ...(end.length === 0 ? [] : [makeBindingBlock(end)])];
  const count = numInput(func);
  const at = count ?? func.params.length;
  const params = [...func.params.slice(0, at), set, ...func.params.slice(at)];
  const next = makeFunction(params, makeSeqExpr(merged(all), makeTuple([])), nothing, { isPure: false, attrs: func.attrs, span: func.span });
  return count === undefined ? next : withAttrs(next, { num_input: count + 1 });
}

/** Plain blocks that follow each other as one. */
function merged(blocks: readonly AnyBindingBlock[]): readonly AnyBindingBlock[] {
  const out: AnyBindingBlock[] = [];
  for (const block of blocks) {
    const before = out[out.length - 1];
    if (before?.kind === "relax.BindingBlock" && block.kind === "relax.BindingBlock") out[out.length - 1] = makeBindingBlock([...before.bindings, ...block.bindings]);
    else out.push(block);
  }
  return out;
}
