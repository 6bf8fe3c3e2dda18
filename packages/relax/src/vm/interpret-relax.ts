import { lookupFunc, type GlobalVar, type IRModule } from "@verticil/ir-core";
import { getElement, zeros, type Tensor } from "@verticil/runtime-ffi";
import { Analyzer, interpretPrimFunc, substitute, type AnyVar as TirVar, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { constant } from "@verticil/tir";
import { callTirParts, opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Call, Expr, Function } from "../ir/expr.ts";
import { leafInfos } from "../ir/infer-call.ts";
import { shapeOf } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/** A value while a graph is interpreted. */
export type RelaxValue = Tensor | readonly RelaxValue[] | { readonly shape: readonly number[]; readonly isShape: true } | number | string;

/** Options of `interpretRelax`. */
export interface InterpretOptions {
  /** The function to run; `main` unless told. */
  readonly entry?: string;
  /** Told the value of each binding, in order. */
  readonly onBinding?: (v: AnyVar, value: RelaxValue) => void;
}

/**
 * Runs a graph function whose operators have been legalized, tensor programs by the interpreter: slow, and what
 * everything else is compared with. Symbolic dimensions are bound by the arguments.
 * @throws TypeError for an operator that is not legalized.
 */
export function interpretRelax(module: IRModule, args: readonly RelaxValue[], opts: InterpretOptions = {}): RelaxValue {
  const func = lookupFunc(module, opts.entry ?? "main");
  if (!isRelaxFunction(func)) throw new TypeError(`\`${opts.entry ?? "main"}\` is no graph function.`);
  return new Frame(module, opts).call(func, args);
}

class Frame {
  readonly #module: IRModule;
  readonly #opts: InterpretOptions;
  readonly #values = new Map<AnyVar, RelaxValue>();
  readonly #dims = new Map<TirVar, PrimExpr>();
  readonly #analyzer = new Analyzer();

  constructor(module: IRModule, opts: InterpretOptions) {
    this.#module = module;
    this.#opts = opts;
  }

  call(func: Function, args: readonly RelaxValue[]): RelaxValue {
    if (args.length !== func.params.length) throw new RangeError(`The function takes ${func.params.length} arguments, not ${args.length}.`);
    func.params.forEach((p, i) => {
      const arg = args[i];
      if (arg === undefined) return;
      this.#values.set(p, arg);
      if (p.structInfo !== undefined) this.#bindDims(p.structInfo, arg);
    });
    return this.#eval(func.body);
  }

  #bindDims(info: StructInfo, value: RelaxValue): void {
    if (info.kind === "relax.TupleStructInfo" && isTuple(value)) {
      info.fields.forEach((f, i) => {
        const v = value[i];
        if (v !== undefined) this.#bindDims(f, v);
      });
      return;
    }
    const dims = shapeOf(info);
    const shape = typeof value === "object" && !isTuple(value) ? value.shape : undefined;
    dims?.forEach((d, i) => {
      const actual = shape?.[i];
      if ((d.kind === "tir.Var" || d.kind === "tir.SizeVar") && actual !== undefined && !this.#dims.has(d)) this.#dims.set(d, constant(actual, d.dtype));
    });
  }

  #dim(e: PrimExpr): number {
    const value = this.#analyzer.simplify(substitute(e, this.#dims));
    if (value.kind !== "ir.IntImm") throw new TypeError("A symbolic dimension has no value.");
    return Number(value.value);
  }

  #eval(expr: Expr): RelaxValue {
    switch (expr.kind) {
      case "relax.Var":
      case "relax.DataflowVar": {
        const value = this.#values.get(expr);
        if (value === undefined) throw new TypeError(`\`${expr.name}\` has no value.`);
        return value;
      }
      case "relax.Constant":
        return expr.data;
      case "relax.Tuple":
        return expr.fields.map((f) => this.#eval(f));
      case "relax.TupleGetItem": {
        const tuple = this.#eval(expr.tuple);
        const field = isTuple(tuple) ? tuple[expr.index] : undefined;
        if (field === undefined) throw new TypeError(`The tuple has no field ${expr.index}.`);
        return field;
      }
      case "relax.ShapeExpr":
        return { shape: expr.values.map((v) => this.#dim(v)), isShape: true };
      case "relax.PrimValue":
        return this.#dim(expr.value);
      case "relax.StringImm":
      case "relax.DataTypeImm":
        return expr.value;
      case "relax.SeqExpr":
        for (const block of expr.blocks) {
          for (const b of block.bindings) {
            const value = this.#eval(b.value);
            this.#values.set(b.var, value);
            if (b.kind === "relax.MatchCast") this.#bindDims(b.structInfo, value);
            this.#opts.onBinding?.(b.var, value);
          }
        }
        return this.#eval(expr.body);
      case "relax.If": {
        const cond = this.#eval(expr.cond);
        const taken = typeof cond === "object" && "dtype" in cond ? Number(getElement(cond, 0)) !== 0 : Boolean(cond);
        return this.#eval(taken ? expr.trueBranch : expr.falseBranch);
      }
      case "relax.Call":
        return this.#callExpr(expr);
      default:
        throw new TypeError(`A ${expr.kind} is not a value that can be interpreted.`);
    }
  }

  #callExpr(call: Call): RelaxValue {
    const parts = callTirParts(call);
    if (parts !== undefined) {
      const inputs = flatten(this.#eval(parts.args));
      const scalars = parts.tirVars?.kind === "relax.ShapeExpr" ? parts.tirVars.values.map((v) => this.#dim(v)) : [];
      return this.#callTir(parts.callee, inputs, scalars, call.sinfoArgs.flatMap(leafInfos), call.structInfo?.kind === "relax.TupleStructInfo");
    }
    if (call.op.kind === "ir.GlobalVar") {
      const func = this.#module.functions.get(call.op);
      if (isRelaxFunction(func)) return new Frame(this.#module, {}).call(func, call.args.map((a) => this.#eval(a)));
    }
    const name = opNameOf(call);
    const shape = shapeOf(call.structInfo);
    const [data] = call.args;
    if ((name === "relax.reshape" || name === "relax.memory.view") && data !== undefined && shape !== undefined) {
      const value = this.#eval(data);
      if (typeof value === "object" && "dtype" in value) return { ...value, shape: shape.map((d) => this.#dim(d)) };
    }
    throw new TypeError(`\`${name ?? call.op.kind}\` is not legalized. Run LegalizeOps first.`);
  }

  #callTir(gv: GlobalVar, inputs: readonly Tensor[], scalars: readonly number[], outInfos: readonly StructInfo[], tuple: boolean): RelaxValue {
    const func = this.#module.functions.get(gv);
    if (func?.kind !== "tir.PrimFunc") throw new TypeError(`\`${gv.name}\` is no tensor program.`);
    const outputs = outInfos.map((info) => {
      const dims = shapeOf(info);
      if (info.kind !== "relax.TensorStructInfo" || dims === undefined || info.dtype === undefined) throw new TypeError("The shape of a result is not known.");
      return zeros(info.dtype, dims.map((d) => this.#dim(d)));
    });
    interpretPrimFunc(func as PrimFunc, [...inputs, ...outputs, ...scalars], { module: this.#module });
    const [only] = outputs;
    return !tuple && only !== undefined ? only : outputs;
  }
}

function isTuple(value: RelaxValue): value is readonly RelaxValue[] {
  return Array.isArray(value);
}

function flatten(value: RelaxValue): readonly Tensor[] {
  if (isTuple(value)) return value.flatMap(flatten);
  if (typeof value === "object" && "dtype" in value) return [value];
  throw new TypeError("A tensor program takes tensors.");
}

