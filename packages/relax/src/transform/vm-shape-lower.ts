import { definePass, makeGlobalVar, withFunctions, type BaseFunc, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { matchCodes, makeCodes } from "@verticil/runtime-ffi/vm";
import { constant, makeBuffer, makeBufferLoad, makeBufferStore, makePrimFunc, makeSeq, makeVar as makeTirVar, substitute, undefinedVars, cast, type AnyVar as TirVar, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { exprKeys, type ExprKeys } from "../ir/expr-keys.ts";
import type { AnyVar, Binding, Expr, Function, SeqExpr, ShapeExpr } from "../ir/expr.ts";
import {
  makeBindingBlock,
  makeCall,
  makeDataTypeImm,
  makeExternFunc,
  makeObjectStructInfo,
  makePrimValue,
  makeSeqExpr,
  makeShapeExpr,
  makeStringImm,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
  shapeOf,
} from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { UniqueNames } from "../ir/unique-names.ts";
import { structInfoText } from "../script/struct-info-text.ts";

/** Options of `vmShapeLower`. */
export interface VMShapeLowerOptions {
  /** Checks say which argument of which function they look at; set unless told. Without it they hand over empty texts. */
  readonly emitErrCtx?: boolean;
}

/**
 * Upstream's `VMShapeLower`: symbolic sizes get places on a heap of the function. Arguments, results of `match_cast` and
 * what functions of the host give are checked against what the program says of them, and bind the sizes that are new;
 * sizes that are computed from others are computed by tensor programs on the heap.
 */
export function vmShapeLower(opts: VMShapeLowerOptions = {}): Pass {
  return definePass("VMShapeLower", (module: IRModule) => {
    const names = new UniqueNames();
    for (const gv of module.functions.keys()) names.reserve(gv.name);
    const added = new Map<GlobalVar, BaseFunc>();
    const addProgram = (func: PrimFunc): GlobalVar => {
      const gv = makeGlobalVar(names.fresh("shape_func"));
      added.set(gv, func);
      return gv;
    };
    const functions = new Map<GlobalVar, BaseFunc>();
    for (const [gv, func] of module.functions) functions.set(gv, isRelaxFunction(func) ? new ShapeLowering(gv.name, func, addProgram, opts.emitErrCtx ?? true).run() : func);
    return withFunctions(module, new Map([...functions, ...added]));
  });
}

/** What is known at a place of the function. */
interface Known {
  readonly vars: ReadonlySet<TirVar>;
  readonly computed: ReadonlySet<string>;
}

class ShapeLowering {
  readonly #name: string;
  readonly #func: Function;
  readonly #addProgram: (func: PrimFunc) => GlobalVar;
  readonly #emitErrCtx: boolean;
  readonly #keys: ExprKeys = exprKeys();
  /** Places on the heap by the key of what lies there. */
  readonly #slots = new Map<string, { readonly index: number; readonly expr: PrimExpr }>();
  readonly #heap: AnyVar = makeVar("shape_heap", makeTensorStructInfo(1, "int64"));
  #known: { vars: Set<TirVar>; computed: Set<string> } = { vars: new Set(), computed: new Set() };
  #out: Binding[] = [];

  constructor(name: string, func: Function, addProgram: (func: PrimFunc) => GlobalVar, emitErrCtx: boolean) {
    this.#emitErrCtx = emitErrCtx;
    this.#name = name;
    this.#func = func;
    this.#addProgram = addProgram;
  }

  run(): Function {
    const func = this.#func;
    this.#collect(func);
    this.#match(func.params.flatMap((p) => (p.structInfo === undefined ? [] : [{ value: p, info: p.structInfo, place: `\`${this.#name}\`, argument \`${p.name}\` of ${structInfoText(p.structInfo)}` }])));
    const checks = this.#out;
    const body = this.#seq(func.body, checks);
    const heap = makeVarBinding(this.#heap, this.#builtin("alloc_shape_heap", [makePrimValue(this.#slots.size)], makeTensorStructInfo(1, "int64")));
    const start = this.#slots.size === 0 ? [] : [heap];
    return { ...func, body: makeSeqExpr([makeBindingBlock([...start, ...body.bindings])], body.result) };
  }

  // First all places, so that every size has one wherever it is mentioned.
  #collect(func: Function): void {
    const dims = (info: StructInfo): void => {
      if (info.kind === "relax.TupleStructInfo") info.fields.forEach(dims);
      else if (info.kind === "relax.PrimStructInfo") this.#place(info.value);
      else shapeOf(info)?.forEach((d) => this.#place(d));
    };
    const visit = (e: Expr): void => {
      switch (e.kind) {
        case "relax.ShapeExpr":
          e.values.forEach((v) => this.#place(v));
          return;
        case "relax.PrimValue":
          this.#place(e.value);
          return;
        case "relax.Call":
          if (isHostCall(e)) dims(structInfoOf(e) ?? makeObjectStructInfo());
          e.args.forEach(visit);
          return;
        case "relax.Tuple":
          e.fields.forEach(visit);
          return;
        case "relax.If":
          [e.cond, e.trueBranch, e.falseBranch].forEach(visit);
          return;
        case "relax.SeqExpr":
          for (const block of e.blocks) {
            for (const b of block.bindings) {
              visit(b.value);
              if (b.kind === "relax.MatchCast") dims(b.structInfo);
            }
          }
          visit(e.body);
          return;
        default:
          return;
      }
    };
    for (const p of func.params) if (p.structInfo !== undefined) dims(p.structInfo);
    visit(func.body);
  }

  #place(e: PrimExpr | undefined): void {
    if (e === undefined || e.kind === "ir.IntImm" || e.kind === "ir.FloatImm") return;
    for (const v of undefinedVars(e)) this.#slot(v);
    this.#slot(e);
  }

  #key(e: PrimExpr): string {
    return this.#keys.ofExpr(makePrimValue(e)) ?? "";
  }

  #slot(e: PrimExpr): number {
    const key = this.#key(e);
    const known = this.#slots.get(key);
    if (known !== undefined) return known.index;
    this.#slots.set(key, { index: this.#slots.size, expr: e });
    return this.#slots.size - 1;
  }

  /** Checks values, binds the variables that stand alone, computes what follows from them, and checks the rest. */
  #match(items: readonly { readonly value: Expr; readonly info: StructInfo; readonly place: string }[]): void {
    const late: (() => void)[] = [];
    for (const { value, info, place } of items) this.#matchValue(value, info, place, late);
    this.#compute();
    for (const check of late) check();
  }

  #matchValue(value: Expr, info: StructInfo, place: string, late: (() => void)[]): void {
    const where = this.#where(place);
    switch (info.kind) {
      case "relax.TensorStructInfo": {
        const dims = shapeOf(info);
        const dtype = info.dtype === undefined ? makeStringImm("") : makeDataTypeImm(info.dtype);
        this.#effect("check_tensor_info", [value, makePrimValue(info.ndim), dtype, where]);
        if (dims !== undefined) this.#matchDims(value, dims, place, late);
        return;
      }
      case "relax.ShapeStructInfo":
        this.#effect("check_shape_info", [value, makePrimValue(info.ndim), where]);
        if (info.values !== undefined) this.#matchDims(value, info.values, place, late);
        return;
      case "relax.PrimStructInfo": {
        this.#effect("check_prim_value_info", [value, makeDataTypeImm(info.dtype), where]);
        const { value: known } = info;
        if (known === undefined) return;
        const match = (d: PrimExpr): void => this.#effect("match_prim_value", [value, this.#heap, ...this.#code(d), where]);
        if (isVarExpr(known) || known.kind === "ir.IntImm") match(known);
        else late.push(() => match(known));
        return;
      }
      case "relax.TupleStructInfo":
        this.#effect("check_tuple_info", [value, makePrimValue(info.fields.length), where]);
        info.fields.forEach((field, i) => {
          if (field.kind === "relax.ObjectStructInfo") return;
          const item = makeVar("item", field);
          this.#out.push(makeVarBinding(item, makeTupleGetItem(value, i)));
          this.#matchValue(item, field, `${place}, field ${i}`, late);
        });
        return;
      case "relax.FuncStructInfo":
        this.#effect("check_func_info", [value, where]);
        return;
      default:
        return;
    }
  }

  #where(place: string): Expr {
    return makeStringImm(this.#emitErrCtx ? place : "");
  }

  #matchDims(value: Expr, dims: readonly PrimExpr[], place: string, late: (() => void)[]): void {
    const compound = (d: PrimExpr): boolean => !isVarExpr(d) && d.kind !== "ir.IntImm";
    const emit = (codes: readonly (readonly [Expr, Expr])[]): void =>
      this.#effect("match_shape", [value, this.#slots.size === 0 ? makePrimValue(0) : this.#heap, makePrimValue(dims.length), ...codes.flat(), this.#where(place)]);
    emit(dims.map((d) => (compound(d) ? [makePrimValue(matchCodes.noOp), makePrimValue(0)] : this.#code(d))));
    if (!dims.some(compound)) return;
    late.push(() => emit(dims.map((d) => (compound(d) ? this.#code(d) : [makePrimValue(matchCodes.noOp), makePrimValue(0)]))));
  }

  /** The code of a size in `match_shape`: new variables are stored, all else is compared. */
  #code(d: PrimExpr): readonly [Expr, Expr] {
    if (d.kind === "ir.IntImm") return [makePrimValue(matchCodes.assertEqualToImm), makePrimValue(Number(d.value))];
    const slot = makePrimValue(this.#slot(d));
    if (isVarExpr(d) && !this.#known.vars.has(d)) {
      this.#known.vars.add(d);
      return [makePrimValue(matchCodes.storeToHeap), slot];
    }
    const comparable = isVarExpr(d) || this.#known.computed.has(this.#key(d));
    return [makePrimValue(comparable ? matchCodes.assertEqualToLoad : matchCodes.noOp), slot];
  }

  /** Calls a program that computes every size whose variables are known now. */
  #compute(): void {
    const ready = [...this.#slots].filter(
      ([key, { expr }]) => !isVarExpr(expr) && !this.#known.computed.has(key) && undefinedVars(expr).every((v) => this.#known.vars.has(v)),
    );
    if (ready.length === 0) return;
    const heap = makeBuffer("H", [constant(this.#slots.size, "int64")], "int64");
    const load = (v: TirVar): PrimExpr => cast(v.dtype, makeBufferLoad(heap, [constant(this.#slot(v), "int64")]));
    const stores = ready.map(([key, { index, expr }]) => {
      this.#known.computed.add(key);
      return makeBufferStore(heap, cast("int64", substitute(expr, load)), [constant(index, "int64")]);
    });
    const handle = makeTirVar("heap", "handle");
    const func = makePrimFunc([handle], makeSeq(stores), { bufferMap: new Map([[handle, heap]]), attrs: { "tir.is_host_func": true } });
    this.#out.push(makeVarBinding(makeVar("_", makeTupleStructInfo([])), makeCall(this.#addProgram(func), [this.#heap], { structInfo: makeTupleStructInfo([]) })));
  }

  #seq(expr: Expr, start: readonly Binding[]): { readonly bindings: readonly Binding[]; readonly result: Expr } {
    const saved = this.#out;
    this.#out = [...start];
    if (expr.kind !== "relax.SeqExpr") {
      const result = this.#operand(expr);
      const bindings = this.#out;
      this.#out = saved;
      return { bindings, result };
    }
    for (const block of expr.blocks) for (const b of block.bindings) this.#binding(b);
    const result = this.#operand(expr.body);
    const bindings = this.#out;
    this.#out = saved;
    return { bindings, result };
  }

  #binding(b: Binding): void {
    const value = this.#value(b.value);
    // A match_cast stays, for it defines what it binds; to the machine it is another name for the value.
    this.#out.push(value === b.value ? b : { ...b, value });
    if (b.kind === "relax.MatchCast") {
      this.#match([{ value: b.var, info: b.structInfo, place: `\`${this.#name}\`, match_cast \`${b.var.name}\` to ${structInfoText(b.structInfo)}` }]);
    } else if (b.value.kind === "relax.Call" && isHostCall(b.value) && b.var.structInfo !== undefined && !isNothing(b.var.structInfo)) {
      const name = b.value.op.kind === "relax.ExternFunc" ? b.value.op.globalSymbol : "";
      this.#match([{ value: b.var, info: b.var.structInfo, place: `\`${this.#name}\`, result of \`${name}\` of ${structInfoText(b.var.structInfo)}` }]);
    }
  }

  #value(e: Expr): Expr {
    if (e.kind !== "relax.If") return this.#operand(e);
    const cond = this.#operand(e.cond);
    return { ...e, cond, trueBranch: this.#branch(e.trueBranch), falseBranch: this.#branch(e.falseBranch) };
  }

  /** What a branch learns is known in it only. */
  #branch(e: Expr): SeqExpr {
    const before: Known = this.#known;
    this.#known = { vars: new Set(before.vars), computed: new Set(before.computed) };
    const { bindings, result } = this.#seq(e, []);
    this.#known = { vars: new Set(before.vars), computed: new Set(before.computed) };
    return makeSeqExpr(bindings.length === 0 ? [] : [makeBindingBlock(bindings)], result);
  }

  #operand(e: Expr): Expr {
    switch (e.kind) {
      case "relax.ShapeExpr":
        return this.#shape(e);
      case "relax.PrimValue":
        return isVarExpr(e.value) ? this.#emit("value", this.#builtin("make_prim_value", [this.#heap, ...this.#load(e.value)], structInfoOf(e))) : e;
      case "relax.Call": {
        const args = e.args.map((a) => this.#operand(a));
        return args.every((a, i) => a === e.args[i]) ? e : { ...e, args };
      }
      case "relax.Tuple": {
        const fields = e.fields.map((f) => this.#operand(f));
        return fields.every((f, i) => f === e.fields[i]) ? e : makeTuple(fields, e.span);
      }
      default:
        return e;
    }
  }

  #shape(e: ShapeExpr): Expr {
    if (e.values.every((v) => v.kind === "ir.IntImm")) return e;
    const args = [this.#heap, makePrimValue(e.values.length), ...e.values.flatMap((v) => this.#load(v))];
    return this.#emit("shape", this.#builtin("make_shape", args, structInfoOf(makeShapeExpr(e.values))));
  }

  #load(v: PrimExpr): readonly [Expr, Expr] {
    if (v.kind === "ir.IntImm") return [makePrimValue(makeCodes.useImm), makePrimValue(Number(v.value))];
    const ready = isVarExpr(v) ? this.#known.vars.has(v) : this.#known.computed.has(this.#key(v));
    if (!ready) throw new TypeError(`In \`${this.#name}\` a size is used before it is known. Bind it by a parameter or by match_cast.`);
    return [makePrimValue(makeCodes.loadShape), makePrimValue(this.#slot(v))];
  }

  #emit(hint: string, value: Expr): AnyVar {
    const v = makeVar(hint, structInfoOf(value));
    this.#out.push(makeVarBinding(v, value));
    return v;
  }

  #effect(name: string, args: readonly Expr[]): void {
    this.#out.push(makeVarBinding(makeVar("_", makeTupleStructInfo([])), this.#builtin(name, args, makeTupleStructInfo([]))));
  }

  #builtin(name: string, args: readonly Expr[], info: StructInfo | undefined): Expr {
    const structInfo = info ?? makeObjectStructInfo();
    return makeCall(makeExternFunc(`vm.builtin.${name}`), args, { sinfoArgs: [structInfo], structInfo });
  }
}

function isVarExpr(e: PrimExpr): e is TirVar {
  return e.kind === "tir.Var" || e.kind === "tir.SizeVar";
}

/** The empty tuple: nobody looks at the result. */
function isNothing(info: StructInfo): boolean {
  return info.kind === "relax.TupleStructInfo" && info.fields.length === 0;
}

/** A call of a function that is not the runtime's own: what it gives is checked. */
function isHostCall(e: Expr): boolean {
  return e.kind === "relax.Call" && e.op.kind === "relax.ExternFunc" && !e.op.globalSymbol.startsWith("vm.builtin.");
}
