import { opNameOf } from "../../ir/call-target.ts";
import { isRelaxFunction } from "../../ir/mutate.ts";
import { exportModule, Module, type ArgSpec, type Tensor } from "../index.ts";

/** The operators that a computation on tensors calls, in order, and the dimensions of what it gives. */
export function traced(args: readonly ArgSpec[], forward: (...tensors: readonly Tensor[]) => Tensor): { readonly ops: readonly string[]; readonly shape: string } {
  class Traced extends Module {
    forward(...tensors: readonly Tensor[]): Tensor {
      return forward(...tensors);
    }
  }
  const { module } = exportModule(new Traced(), { forward: { args: Object.fromEntries(args.map((a, i) => [`x${i}`, a])) } });
  const [func] = [...module.functions.values()].filter(isRelaxFunction);
  const values = func?.body.kind === "relax.SeqExpr" ? func.body.blocks.flatMap((b) => b.bindings.map((x) => x.value)) : [];
  const info = func?.retStructInfo;
  const dims = info?.kind === "relax.TensorStructInfo" && info.shape?.kind === "relax.ShapeExpr" ? info.shape.values : [];
  return {
    ops: values.flatMap((v) => opNameOf(v)?.replace("relax.", "") ?? []),
    shape: dims.map((d) => (d.kind === "ir.IntImm" ? String(d.value) : "name" in d ? d.name : "?")).join(),
  };
}
