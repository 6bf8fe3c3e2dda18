import { makeOp, type AttrMap } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import type { PrimExpr } from "@verticil/tir";
import type { BlockBuilder } from "../ir/block-builder.ts";
import type { Expr } from "../ir/expr.ts";
import { makeCall, makeExternFunc, makeObjectStructInfo, makePrimValue, makeShapeExpr, makeTensorStructInfo } from "../ir/make.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { exprOf, onlyTensor, wrapNested } from "./ops.ts";
import type { Parameter } from "./parameter.ts";
import type { Tensor, Value } from "./value.ts";

/**
 * State that lives on between calls (upstream's `nn.Effect`): a field of a module whose exported functions take it after their
 * own arguments and give it back beside their results. The function `_initialize_effect` makes what it is at first.
 */
export abstract class Effect {
  /** Emits what the state is at first; `name` is the path of fields that leads to it. */
  abstract emitInit(name: string, bb: BlockBuilder): Expr;

  /** What the state is for functions that take it; an object unless overridden. */
  get structInfo(): StructInfo {
    return makeObjectStructInfo();
  }

  /** The name of the variable that stands for it. */
  stateName(name: string): string {
    return name;
  }

  /** Gives it another data type; it has none unless overridden. */
  to(_dtype: ScalarDType): void {}
}

/** The order of what a program tells the outside: printing, breakpoints (upstream's `nn.IOEffect`). */
export class IOEffect extends Effect {
  override emitInit(name: string, bb: BlockBuilder): Expr {
    return bb.emit(makeCall(makeOp("relax.null_value"), []), this.stateName(name));
  }

  override stateName(name: string): string {
    return `${name}.io`;
  }
}

/**
 * Keys or values of the positions so far (upstream's `nn.KVCache`): `[length, ...unitShape]`. The runtime holds it, by the
 * functions `vm.builtin.attention_kv_cache_{create,append,view}`, which `attentionKvCache` of `@verticil/runtime-ffi` has.
 */
export class KVCache extends Effect {
  readonly initSeqLen: number;
  readonly unitShape: readonly number[];
  #dtype: ScalarDType;

  /** A cache that has place for `initSeqLen` positions before it grows. */
  constructor(initSeqLen: number, unitShape: readonly number[], dtype: ScalarDType = "float32") {
    super();
    this.initSeqLen = initSeqLen;
    this.unitShape = unitShape;
    this.#dtype = dtype;
  }

  get dtype(): ScalarDType {
    return this.#dtype;
  }

  override to(dtype: ScalarDType): void {
    this.#dtype = dtype;
  }

  override emitInit(name: string, bb: BlockBuilder): Expr {
    const shape = makeShapeExpr([this.initSeqLen, ...this.unitShape]);
    const zeros = bb.emitOp("relax.zeros", [shape], { dtype: this.#dtype });
    return bb.emit(callPure("attention_kv_cache_create", [zeros, shape, makePrimValue(0)], makeObjectStructInfo()), name);
  }

  /** The last `length` positions, in the trace that `like` belongs to: `[length, ...unitShape]`. */
  view(like: Value, length: PrimExpr | number): Tensor {
    const { scope } = like;
    const shape = makeShapeExpr([length, ...this.unitShape]);
    return onlyTensor(wrapNested(callPure("attention_kv_cache_view", [scope.stateOf(this), shape], makeTensorStructInfo(shape.values, this.#dtype)), scope), "view");
  }

  /** Adds positions `[n, ...unitShape]`. @throws TypeError for elements of another type. */
  append(element: Tensor | Parameter, like?: Value): void {
    const scope = "scope" in element ? element.scope : like?.scope;
    if (scope === undefined) throw new TypeError("A parameter belongs to no trace: say which by a value of it.");
    if (element.dtype !== this.#dtype) throw new TypeError(`The cache holds ${this.#dtype}, not ${element.dtype}.`);
    const args = [scope.stateOf(this), exprOf(element, scope, this.#dtype)];
    scope.setState(this, scope.bb.emit(callPure("attention_kv_cache_append", args, makeObjectStructInfo(), "call_inplace_packed", { inplace_indices: [0] })));
  }
}

function callPure(builtin: string, args: readonly Expr[], info: StructInfo, op = "call_pure_packed", attrs: AttrMap = {}): Expr {
  return makeCall(makeOp(`relax.${op}`), [makeExternFunc(`vm.builtin.${builtin}`), ...args], { attrs, sinfoArgs: [info], structInfo: info });
}
