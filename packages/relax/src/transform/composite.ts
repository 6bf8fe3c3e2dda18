import { withAttrs, type AttrMap, type GlobalVar, type IRModule } from "@verticil/ir-core";
import { BlockBuilder } from "../ir/block-builder.ts";
import { cloneFunction } from "../ir/clone-function.ts";
import type { Expr, Function } from "../ir/expr.ts";
import { makeBindingBlock, makeCall, makeSeqExpr, makeVar, makeVarBinding } from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import { mapValues } from "../ir/map-values.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import type { OpRegistry } from "../ir/op-def.ts";

/** What a function was made from by `FuseOpsByPattern`: `BACKEND.NAME`. */
export function compositeOf(func: unknown): string | undefined {
  const attrs: AttrMap = typeof func === "object" && func !== null && "attrs" in func ? (func.attrs as AttrMap) : {};
  const name = attrs["Composite"];
  return typeof name === "string" ? name : undefined;
}

/** The backend in the name of a pattern. @throws RangeError if there is none. */
export function codegenName(composite: string): string {
  const dot = composite.indexOf(".");
  if (dot < 0) throw new RangeError(`The name of a pattern begins with its backend, \`BACKEND.NAME\`; \`${composite}\` does not.`);
  return composite.slice(0, dot);
}

/** A composite function as a local function: with variables of its own, and no longer primitive. */
export function asLocal(func: Function): Function {
  return withAttrs(cloneFunction(func), { Primitive: undefined, global_symbol: undefined });
}

/** Wraps each composite function in a public one marked `Codegen`, which takes its place. */
export function offloadComposite(module: IRModule, ops: OpRegistry): IRModule {
  const bb = new BlockBuilder({ ops, module });
  const wrapped = new Map<GlobalVar, GlobalVar>();
  const replace = (value: Expr): Expr => {
    if (value.kind !== "relax.Call" || value.op.kind !== "ir.GlobalVar") return value;
    const gv = wrapped.get(value.op) ?? wrap(value.op);
    return gv === undefined ? value : { ...value, op: gv };
  };
  const wrap = (gv: GlobalVar): GlobalVar | undefined => {
    const func = module.functions.get(gv);
    const composite = compositeOf(func);
    if (!isRelaxFunction(func) || composite === undefined) return undefined;
    const codegen = codegenName(composite);
    const symbol = `${gv.name}_${codegen}`;
    bb.removeFunc(gv);
    const made = bb.addFunc(wrapper(func, { Codegen: codegen, global_symbol: symbol }), symbol);
    wrapped.set(gv, made);
    return made;
  };
  for (const [gv, func] of module.functions) {
    if (!isRelaxFunction(func) || compositeOf(func) !== undefined || func.attrs["Codegen"] !== undefined) continue;
    const body = mapValues(func.body, replace);
    const next: Function = body === func.body ? func : { ...func, body };
    bb.updateFunc(gv, next);
  }
  return wrapped.size === 0 ? module : bb.finalize();
}

function wrapper(func: Function, attrs: AttrMap): Function {
  const inner = asLocal(func);
  const outer = cloneFunction(func);
  const local = makeVar("local_func", inner.structInfo);
  const output = makeVar("output", outer.retStructInfo);
  const call = makeCall(local, outer.params, { structInfo: outer.retStructInfo });
  const body = makeSeqExpr([makeBindingBlock([makeVarBinding(local, inner), makeVarBinding(output, call)])], output);
  return makeFunction(outer.params, body, outer.retStructInfo, { isPure: func.isPure, attrs });
}
