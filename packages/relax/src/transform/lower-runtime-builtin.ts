import { at, definePass, type Pass } from "@verticil/ir-core";
import { opNameOf } from "../ir/call-target.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import type { Call, Expr, SeqExpr } from "../ir/expr.ts";
import { makeCall, makeExternFunc, makeSeqExpr, makeShapeExpr, shapeOf } from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/**
 * Upstream's `LowerRuntimeBuiltin`: operators that the runtime carries out become calls of its functions
 * (`vm.builtin.*`), memory operators those of the machine (`R.vm.*`).
 */
export function lowerRuntimeBuiltin(): Pass {
  return definePass("LowerRuntimeBuiltin", (module) => mapRelaxFunctions(module, (f) => mapSequences(f, lowerSequence)));
}

function lowerSequence(seq: SeqExpr): SeqExpr {
  let changed = false;
  const blocks = seq.blocks.map((block) => {
    const bindings = block.bindings.map((b) => {
      const value = b.kind === "relax.VarBinding" ? lowered(b.value) : b.value;
      changed ||= value !== b.value;
      return value === b.value ? b : { ...b, value };
    });
    return { ...block, bindings };
  });
  return changed ? makeSeqExpr(blocks, seq.body, seq.span) : seq;
}

/** Operators by the function that does the same with the same arguments. */
const functions: Readonly<Record<string, string>> = {
  "relax.shape_of": "vm.builtin.shape_of",
  "relax.shape_to_tensor": "vm.builtin.shape_to_tensor",
  "relax.tensor_to_shape": "vm.builtin.tensor_to_shape",
  "relax.null_value": "vm.builtin.null_value",
  "relax.assert_op": "vm.builtin.assert",
  "relax.print": "vm.builtin.print",
  "relax.to_vdevice": "vm.builtin.to_device",
  "relax.hint_on_device": "vm.builtin.to_device",
  "relax.memory.ensure_zero_offset": "vm.builtin.ensure_zero_offset",
  "relax.memory.view": "vm.builtin.view",
  "relax.vm.alloc_storage": "vm.builtin.alloc_storage",
  "relax.vm.alloc_tensor": "vm.builtin.alloc_tensor",
};

function lowered(value: Expr): Expr {
  if (value.kind !== "relax.Call") return value;
  const name = opNameOf(value);
  if (name === undefined) return value;
  const known = functions[name];
  if (known !== undefined) return packed(value, known, known === "vm.builtin.to_device" ? value.args.slice(0, 1) : value.args);
  switch (name) {
    case "relax.memory.alloc_storage":
      // Sizes are in bytes: the type only says what will lie there.
      return packed(value, "vm.builtin.alloc_storage", value.args);
    case "relax.memory.alloc_tensor":
      return packed(value, "vm.builtin.alloc_tensor", value.args.slice(0, 4));
    case "relax.reshape": {
      const shape = shapeOf(value.structInfo);
      return packed(value, "vm.builtin.reshape", [at(value.args, 0), shape === undefined ? at(value.args, 1) : makeShapeExpr(shape)]);
    }
    case "relax.make_closure":
    case "relax.invoke_closure":
    case "relax.invoke_pure_closure": {
      const [f, args] = value.args;
      const rest = args?.kind === "relax.Tuple" ? args.fields : [];
      return f === undefined ? value : packed(value, name === "relax.make_closure" ? "vm.builtin.make_closure" : "vm.builtin.invoke_closure", [f, ...rest]);
    }
    case "relax.call_builtin_with_ctx": {
      const [f, args] = value.args;
      return f?.kind === "relax.ExternFunc" && args?.kind === "relax.Tuple" ? packed(value, f.globalSymbol, args.fields) : value;
    }
    default:
      return value;
  }
}

function packed(call: Call, name: string, args: readonly Expr[]): Call {
  const sinfoArgs = call.sinfoArgs.length > 0 ? call.sinfoArgs : call.structInfo === undefined ? [] : [call.structInfo];
  return makeCall(makeExternFunc(name), args, { sinfoArgs, structInfo: structInfoOf(call), span: call.span });
}
