import type { IRModule } from "@verticil/ir-core";
import { tensorFrom } from "@verticil/runtime-ffi";
import { constant, makeSizeVar, makeVar as makeTirVar, mul } from "@verticil/tir";
import fc from "fast-check";
import { BlockBuilder } from "../../ir/block-builder.ts";
import type { AnyVar, Expr } from "../../ir/expr.ts";
import {
  makeCall,
  makeConstant,
  makeDataTypeImm,
  makeExternFunc,
  makeIf,
  makeObjectStructInfo,
  makePrimValue,
  makeShapeExpr,
  makeStringImm,
  makeTensorStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeVar,
} from "../../ir/make.ts";
import { structInfoOf } from "../../ir/struct-info-of.ts";
import { relaxOps } from "../../op/index.ts";
import { moduleOf } from "./script.ts";

/** One step of a recipe: what to emit, numbers that choose among what there is, and what is inside. */
export interface Step {
  readonly what: (typeof KINDS)[number] | (typeof NESTING)[number];
  readonly a: number;
  readonly b: number;
  readonly name: string;
  readonly inner: readonly Step[];
}

const KINDS = ["add", "exp", "reshape", "scalar", "array", "value", "tuple", "item", "cast", "packed", "print", "kernel", "helper"] as const;
const NESTING = ["dataflow", "branch", "closure"] as const;
const NAMES = ["lv", "gv", "x", "class", "R", "T", "cls", "Module", "1a", "a.b", "é", "None", "metadata", "n"];

const step: fc.Arbitrary<Step> = fc.letrec<{ step: Step }>((tie) => {
  const common = { a: fc.nat(40), b: fc.nat(40), name: fc.constantFrom(...NAMES) };
  return {
    step: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 8, arbitrary: fc.record({ what: fc.constantFrom(...KINDS), ...common, inner: fc.constant<readonly Step[]>([]) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constantFrom(...NESTING), ...common, inner: fc.array(tie("step"), { maxLength: 6 }) }) },
    ),
  };
}).step;

/** Recipes for the body of a function. */
export const recipe: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 14 });

const base = moduleOf(`
@I.ir_module
class M:
    @T.prim_func(private=True)
    def kernel(a: T.handle, b: T.handle):
        n = T.int64()
        A = T.match_buffer(a, (n, 3))
        B = T.match_buffer(b, (n, 3))
        T.evaluate(0)

    @R.function(private=True)
    def helper(x: R.Tensor(("k", 3), "float32")) -> R.Tensor(("k", 3), "float32"):
        k = T.int64()
        return x
`);

/** A module with what the recipe says in its function `main`; well-formed whatever the recipe is. */
export function moduleFrom(steps: readonly Step[]): IRModule {
  const bb = new BlockBuilder({ ops: relaxOps, module: base });
  const n = makeSizeVar("n", "int64");
  const x = makeVar("x", makeTensorStructInfo([n, 3], "float32"));
  const flag = makeVar("flag", makeTensorStructInfo([], "bool"));
  const any = makeVar("any", makeObjectStructInfo());
  const main = new Recipe(bb, [x, flag, any]);
  bb.function("main", [x, flag, any], () => main.run(steps, false), { isPure: false });
  return bb.finalize();
}

function isMatrix(e: Expr): boolean {
  const info = structInfoOf(e);
  return info?.kind === "relax.TensorStructInfo" && info.dtype === "float32" && info.shape?.kind === "relax.ShapeExpr" && info.shape.values.length === 2 && info.shape.values[1]?.kind === "ir.IntImm";
}

class Recipe {
  readonly #bb: BlockBuilder;
  #scope: Expr[];

  constructor(bb: BlockBuilder, params: readonly Expr[]) {
    this.#bb = bb;
    this.#scope = [...params];
  }

  run(steps: readonly Step[], isLocal: boolean): Expr {
    for (const s of steps) this.#step(s, isLocal);
    return this.#scope[this.#scope.length - 1] ?? makeTuple([]);
  }

  #pick(i: number, isWanted: (e: Expr) => boolean = () => true): Expr {
    const found = this.#scope.filter(isWanted);
    return found[i % found.length] ?? this.#scope[0] ?? makeTuple([]);
  }

  #emit(value: Expr, name: string): void {
    this.#scope.push(this.#bb.emit(value, name));
  }

  /** What is made inside stays inside; gives what it made last. */
  #inside<T>(f: () => T): T {
    const saved = this.#scope;
    this.#scope = [...saved];
    const result = f();
    this.#scope = saved;
    return result;
  }

  #step(s: Step, isLocal: boolean): void {
    const bb = this.#bb;
    const matrix = (i: number): Expr => this.#pick(i, isMatrix);
    switch (s.what) {
      case "add": {
        const m = matrix(s.a);
        return this.#emit(bb.callOp("relax.add", [m, m]), s.name);
      }
      case "exp":
        return this.#emit(bb.callOp("relax.exp", [matrix(s.a)]), s.name);
      case "reshape": {
        const info = structInfoOf(matrix(s.a));
        const rows = info?.kind === "relax.TensorStructInfo" && info.shape?.kind === "relax.ShapeExpr" ? info.shape.values[0] : undefined;
        return rows === undefined ? undefined : this.#emit(bb.callOp("relax.reshape", [matrix(s.a), makeShapeExpr([mul(rows, 3)])]), s.name);
      }
      case "scalar":
        return this.#emit(makeConstant(tensorFrom([s.a / 4], [], s.b % 2 === 0 ? "float32" : "float64")), s.name);
      case "array":
        return this.#emit(makeConstant(tensorFrom([s.a, s.b], [2], "int8")), s.name);
      case "value":
        return this.#emit([makePrimValue(s.a), makePrimValue(constant(s.a / 8, "float64")), makeStringImm(s.name), makeDataTypeImm("float16"), makeShapeExpr([s.a, s.b])][s.b % 5] ?? makePrimValue(0), s.name);
      case "tuple":
        return this.#emit(makeTuple([this.#pick(s.a), makeTuple([this.#pick(s.b)])]), s.name);
      case "item": {
        const tuple = this.#pick(s.a, (e) => structInfoOf(e)?.kind === "relax.TupleStructInfo");
        const info = structInfoOf(tuple);
        if (info?.kind === "relax.TupleStructInfo" && info.fields.length > 0) this.#emit(makeTupleGetItem(tuple, s.b % info.fields.length), s.name);
        return;
      }
      case "cast":
        this.#scope.push(bb.matchCast(this.#pick(s.a), makeTensorStructInfo([makeTirVar(s.name, "int64"), 3], "float32"), s.name));
        return;
      case "packed":
        if (bb.inDataflow || isLocal) return this.#emit(bb.callOp("relax.call_pure_packed", [makeExternFunc(s.name), this.#pick(s.a)], {}, [makeTensorStructInfo([s.a, 3], "float32")]), s.name);
        return this.#emit(makeCall(makeExternFunc(s.name), [this.#pick(s.a)], { sinfoArgs: [makeObjectStructInfo()] }), s.name);
      case "print":
        if (!bb.inDataflow && !isLocal) bb.emit(bb.callOp("relax.print", [makeStringImm("{}"), this.#pick(s.a)]), "_");
        return;
      case "kernel": {
        const m = matrix(s.a);
        return this.#emit(bb.callOp("relax.call_tir", [this.#global("kernel"), makeTuple([m])], {}, [structInfoOf(m) ?? makeObjectStructInfo()]), s.name);
      }
      case "helper":
        return this.#emit(makeCall(this.#global("helper"), [matrix(s.a)]), s.name);
      case "dataflow":
        if (bb.inDataflow) return;
        this.#scope.push(this.#inside(() => bb.dataflow(() => bb.emitOutput(makeTuple([this.run(s.inner, isLocal)]), s.name))));
        return;
      case "branch": {
        if (bb.inDataflow) return;
        const branch = (steps: readonly Step[]): Expr => this.#inside(() => bb.seq(() => bb.emit(makeTuple([this.run(steps, isLocal)]), s.name)));
        const cond = this.#pick(0, (e) => structInfoOf(e)?.kind === "relax.TensorStructInfo" && (structInfoOf(e) as { dtype?: string }).dtype === "bool");
        return this.#emit(makeIf(cond, branch(s.inner), branch([])), s.name);
      }
      case "closure": {
        if (bb.inDataflow) return;
        const p = makeVar(s.name, makeTensorStructInfo([makeTirVar("k", "int64"), 3], "float32"));
        const func = bb.buildFunction([p], () => new Recipe(bb, [p]).run(s.inner.filter((i) => i.what !== "branch"), true));
        this.#emit(func, s.name);
        return this.#emit(makeCall(this.#pick(this.#scope.length - 1) as AnyVar, [matrix(s.b)]), s.name);
      }
    }
  }

  #global(name: string): Expr {
    for (const gv of base.functions.keys()) if (gv.name === name) return gv;
    throw new Error(`internal: no function \`${name}\``);
  }
}

