import { at, lookupFunc, type GlobalVar, type IRModule } from "@verticil/ir-core";
import {
  describeAny,
  FfiError,
  getElement,
  hostContext,
  isShapeValue,
  isTensor,
  isTuple,
  shapeValue,
  zeros,
  type Any,
  type CallContext,
  type Functions,
  type PackedFunction,
  type Tensor,
} from "@verticil/runtime-ffi";
import { vmBuiltins } from "@verticil/runtime-ffi/vm";
import { Analyzer, interpretPrimFunc, substitute, type AnyVar as TirVar, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { constant } from "@verticil/tir";
import { anyCallTirParts, inplaceIndices, opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Call, Expr, Function } from "../ir/expr.ts";
import { leafInfos } from "../ir/infer-call.ts";
import { shapeOf } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/** A value while a graph is interpreted. */
export type RelaxValue = Any;

/** Options of `interpretRelax`. */
export interface InterpretOptions {
  /** The function to run; `main` unless told. */
  readonly entry?: string;
  /** Functions of the host that the graph calls: `R.call_packed`, `R.call_pure_packed`, `R.call_dps_packed`. */
  readonly functions?: Functions;
  /** Told the value of each binding, in order. */
  readonly onBinding?: (v: AnyVar, value: RelaxValue) => void;
}

/**
 * Runs a graph function whose operators have been legalized, tensor programs by the interpreter: slow, and what
 * everything else is compared with. Symbolic dimensions are bound by the arguments.
 * @throws TypeError for an operator that is not legalized.
 * @throws FfiError `runtime` for a value that does not fit what the program says of it, `unsupported` for a function of
 * the host that was not given.
 */
export function interpretRelax(module: IRModule, args: readonly RelaxValue[], opts: InterpretOptions = {}): RelaxValue {
  const func = lookupFunc(module, opts.entry ?? "main");
  if (!isRelaxFunction(func)) throw new TypeError(`\`${opts.entry ?? "main"}\` is no graph function.`);
  return new Frame(module, opts, hostContext()).call(func, args);
}

class Frame {
  readonly #module: IRModule;
  readonly #opts: InterpretOptions;
  readonly #ctx: CallContext;
  readonly #values: Map<AnyVar, RelaxValue>;
  readonly #dims: Map<TirVar, PrimExpr>;
  readonly #analyzer = new Analyzer();

  constructor(module: IRModule, opts: InterpretOptions, ctx: CallContext, outer?: Frame) {
    this.#module = module;
    this.#opts = opts;
    this.#ctx = ctx;
    this.#values = new Map(outer === undefined ? [] : outer.#values);
    this.#dims = new Map(outer === undefined ? [] : outer.#dims);
  }

  call(func: Function, args: readonly RelaxValue[]): RelaxValue {
    if (args.length !== func.params.length) throw new RangeError(`The function takes ${func.params.length} arguments, not ${args.length}.`);
    func.params.forEach((p, i) => {
      const arg = args[i];
      if (arg === undefined) return;
      this.#values.set(p, arg);
      if (p.structInfo !== undefined) this.#bindDims(p.structInfo, arg, p.name);
    });
    return this.#eval(func.body);
  }

  /** Checks a value against what is said of it, and binds the sizes that are new. */
  #bindDims(info: StructInfo, value: RelaxValue, place: string): void {
    const fail = (problem: string): never => {
      throw new FfiError("runtime", `\`${place}\`: ${describeAny(value)} ${problem}.`);
    };
    switch (info.kind) {
      case "relax.TupleStructInfo":
        if (!isTuple(value) || value.length !== info.fields.length) return fail(`is no tuple of ${info.fields.length}`);
        info.fields.forEach((f, i) => this.#bindDims(f, value[i], `${place}[${i}]`));
        return;
      case "relax.TensorStructInfo":
        if (!isTensor(value)) return fail("is no tensor");
        if (info.dtype !== undefined && value.dtype !== info.dtype) return fail(`is not of ${info.dtype}`);
        if (info.ndim >= 0 && value.shape.length !== info.ndim) return fail(`has not ${info.ndim} dimensions`);
        return this.#bindShape(shapeOf(info), value.shape, fail);
      case "relax.ShapeStructInfo":
        if (!isShapeValue(value)) return fail("is no shape");
        if (info.ndim >= 0 && value.shape.length !== info.ndim) return fail(`has not ${info.ndim} dimensions`);
        return this.#bindShape(info.values, value.shape, fail);
      case "relax.PrimStructInfo":
        if (typeof value !== "number" && typeof value !== "bigint" && typeof value !== "boolean") return fail("is no scalar");
        return info.value === undefined ? undefined : this.#bindShape([info.value], [Number(value)], fail);
      case "relax.FuncStructInfo":
        return typeof value === "function" ? undefined : fail("is no function");
      default:
        return undefined;
    }
  }

  #bindShape(dims: readonly PrimExpr[] | undefined, shape: readonly number[], fail: (problem: string) => never): void {
    // Sizes that stand alone first: others are made of them.
    const isNew = (d: PrimExpr): d is TirVar => (d.kind === "tir.Var" || d.kind === "tir.SizeVar") && !this.#dims.has(d);
    dims?.forEach((d, i) => {
      if (isNew(d)) this.#dims.set(d, constant(shape[i] ?? 0, d.dtype));
    });
    dims?.forEach((d, i) => {
      const expected = this.#analyzer.simplify(substitute(d, this.#dims));
      if (expected.kind === "ir.IntImm" && Number(expected.value) !== shape[i]) fail(`has ${shape[i]} in dimension ${i}, not ${Number(expected.value)}`);
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
        return shapeValue(expr.values.map((v) => this.#dim(v)));
      case "relax.PrimValue":
        return expr.value.kind === "ir.FloatImm" ? expr.value.value : this.#dim(expr.value);
      case "relax.StringImm":
      case "relax.DataTypeImm":
        return expr.value;
      case "relax.SeqExpr":
        for (const block of expr.blocks) {
          for (const b of block.bindings) {
            const value = this.#eval(b.value);
            this.#values.set(b.var, value);
            if (b.kind === "relax.MatchCast") this.#bindDims(b.structInfo, value, b.var.name);
            this.#opts.onBinding?.(b.var, value);
          }
        }
        return this.#eval(expr.body);
      case "relax.If": {
        const cond = this.#eval(expr.cond);
        const taken = isTensor(cond) ? Number(getElement(cond, 0)) !== 0 : Boolean(cond);
        return this.#eval(taken ? expr.trueBranch : expr.falseBranch);
      }
      case "relax.Call":
        return this.#callExpr(expr);
      case "relax.Function":
        return (args: readonly Any[]): Any => new Frame(this.#module, this.#opts, this.#ctx, this).call(expr, args);
      case "ir.GlobalVar":
        return this.#global(expr);
      case "relax.ExternFunc":
        return this.#extern(expr.globalSymbol);
      default:
        throw new TypeError(`A ${expr.kind} is not a value that can be interpreted.`);
    }
  }

  #callExpr(call: Call): RelaxValue {
    const parts = anyCallTirParts(call);
    if (parts !== undefined) {
      const inputs = flatten(this.#eval(parts.args));
      const scalars = parts.tirVars?.kind === "relax.ShapeExpr" ? parts.tirVars.values.map((v) => this.#dim(v)) : [];
      return this.#callTir(call, parts.callee, inputs, scalars);
    }
    const name = opNameOf(call);
    if (name === undefined) return this.#apply(call.op.kind === "ir.Op" ? undefined : this.#eval(call.op), call.args.map((a) => this.#eval(a)));
    const special = this.#callOp(name, call);
    if (special !== undefined) return special.value;
    throw new TypeError(`\`${name}\` is not legalized. Run LegalizeOps first.`);
  }

  /** Calls of operators that are no tensor programs; undefined for all others. */
  #callOp(name: string, call: Call): { readonly value: RelaxValue } | undefined {
    const values = (): readonly RelaxValue[] => call.args.map((a) => this.#eval(a));
    switch (name) {
      case "relax.call_pure_packed":
      case "relax.call_inplace_packed":
      case "relax.invoke_closure":
      case "relax.invoke_pure_closure": {
        const [f, ...rest] = values();
        const closure = name.endsWith("closure");
        return { value: this.#apply(f, closure && isTuple(rest[0]) ? rest[0] : rest) };
      }
      case "relax.call_dps_packed": {
        const [f, args] = values();
        const outputs = call.sinfoArgs.flatMap(leafInfos).map((info) => this.#allocate(info));
        this.#apply(f, [...(isTuple(args) ? args : [args]), ...outputs]);
        return { value: call.structInfo?.kind === "relax.TupleStructInfo" ? outputs : outputs[0] };
      }
      case "relax.make_closure": {
        const [f, args] = values();
        const held = isTuple(args) ? args : [args];
        return { value: (rest: readonly Any[]): Any => this.#apply(f, [...rest, ...held]) };
      }
      case "relax.reshape":
      case "relax.memory.view": {
        const [data] = values();
        const shape = shapeOf(call.structInfo);
        if (!isTensor(data) || shape === undefined) return undefined;
        const offset = call.args[3];
        return { value: this.#ctx.view(data, shape.map((d) => this.#dim(d)), offset === undefined ? 0 : Number(this.#eval(offset))) };
      }
      default: {
        const builtin = runtimeFunctions[name];
        return builtin === undefined ? undefined : { value: this.#extern(builtin)(values(), this.#ctx) };
      }
    }
  }

  #global(gv: GlobalVar): PackedFunction {
    const func = this.#module.functions.get(gv);
    if (isRelaxFunction(func)) return (args) => new Frame(this.#module, this.#opts, this.#ctx).call(func, args);
    if (func?.kind !== "tir.PrimFunc") throw new TypeError(`The module has no function \`${gv.name}\`.`);
    return (args) => {
      interpretPrimFunc(func as PrimFunc, args.map((a) => (isTensor(a) || typeof a === "bigint" ? a : Number(a))), { module: this.#module });
      return undefined;
    };
  }

  #extern(name: string): PackedFunction {
    const f = this.#opts.functions?.[name] ?? vmBuiltins[name];
    if (f === undefined) throw new FfiError("unsupported", `The program calls \`${name}\`, which the host does not provide. Give it among \`functions\`.`);
    return f;
  }

  #apply(f: RelaxValue, args: readonly RelaxValue[]): RelaxValue {
    if (typeof f !== "function") throw new FfiError("runtime", `${describeAny(f)} was called, which is no function.`);
    return f(args, this.#ctx);
  }

  #allocate(info: StructInfo): Tensor {
    const dims = shapeOf(info);
    if (info.kind !== "relax.TensorStructInfo" || dims === undefined || info.dtype === undefined) throw new TypeError("The shape of a result is not known.");
    return zeros(info.dtype, dims.map((d) => this.#dim(d)));
  }

  #callTir(call: Call, gv: GlobalVar, inputs: readonly Tensor[], scalars: readonly number[]): RelaxValue {
    const func = this.#module.functions.get(gv);
    if (func?.kind !== "tir.PrimFunc") throw new TypeError(`\`${gv.name}\` is no tensor program.`);
    const infos = call.sinfoArgs.flatMap(leafInfos);
    const inPlace = inplaceIndices(call, infos.length);
    const outputs = infos.map((info, i) => inputs[at(inPlace, i)] ?? this.#allocate(info));
    const fresh = outputs.filter((_, i) => at(inPlace, i) < 0);
    interpretPrimFunc(func as PrimFunc, [...inputs, ...fresh, ...scalars], { module: this.#module });
    const [only] = outputs;
    return call.structInfo?.kind !== "relax.TupleStructInfo" && only !== undefined ? only : outputs;
  }
}

/** Operators that are functions of the runtime. */
const runtimeFunctions: Readonly<Record<string, string>> = {
  "relax.shape_of": "vm.builtin.shape_of",
  "relax.shape_to_tensor": "vm.builtin.shape_to_tensor",
  "relax.tensor_to_shape": "vm.builtin.tensor_to_shape",
  "relax.null_value": "vm.builtin.null_value",
  "relax.assert_op": "vm.builtin.assert",
};

function flatten(value: RelaxValue): readonly Tensor[] {
  if (isTuple(value)) return value.flatMap(flatten);
  if (isTensor(value)) return [value];
  throw new TypeError("A tensor program takes tensors.");
}

