import { asConditions, solvers } from "./host-solvers.ts";
import { makeIntImm } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import * as tir from "@verticil/tir";
import { Analyzer, normalizeIterMapToExpr, type ArithExtensions, type IterSum, type PrimExpr } from "@verticil/tir";
import type { PyHost } from "./py-scope.ts";
import { exceptions, PyClass, PyDict, PyError, PyFloat, PyModule, raise, Unread, unreadable, type HostFunction, type Value } from "./py-values.ts";
import { EqualOp, HostClass, HostObject, HostAnalyzer, posInf, negInf, int64Max, isExpr, plain, toExpr, operands, str, lanes, arg, binary, binaryKinds, op2, dtypeArg, dtypeOf, makeVariable, makeSize, makeConst, foldAll, makeRange, operandsOf, rangeOf, isVar, domains, variables, isSet, setOf, sets, makeInterval, items, predicateOf, tagged, isTagged } from "./host-values.ts";
import { detect, simplifyMap, divide, makeMark, makeSplit, makeSum } from "./host-iter-map.ts";
import { sameStructure, isRange, textOf } from "./host-compare.ts";

// Upstream's names over ours: what its arithmetic tests call.

function check(ok: boolean, what: string, counter: { assertions: number }): null {
  counter.assertions++;
  if (!ok) raise("AssertionError", what);
  return null;
}

const simplifyErrors = new PyClass("TVMError", [exceptions["Exception"] ?? new PyClass("Exception")]);

function toInfinity(v: Value): number {
  if (typeof v === "bigint") return v >= int64Max ? Infinity : v <= -int64Max ? -Infinity : Number(v);
  return typeof v === "number" ? v : isExpr(v) && v.kind === "ir.IntImm" ? Number(v.value) : unreadable("a bound");
}

function fromInfinity(x: number): number | bigint {
  return x === Infinity ? int64Max : x === -Infinity ? -int64Max : x;
}

function contextOf(enter: () => Value, exit: (error: Value) => boolean): HostObject {
  return new HostObject({ __enter__: (() => enter()) satisfies HostFunction, __exit__: (([e]) => exit(e)) satisfies HostFunction });
}

function bound(v: Value): { min: number; max: number } {
  if (!(v instanceof HostObject)) return unreadable("a bound");
  return { min: toInfinity(v.attrs["min_value"]), max: toInfinity(v.attrs["max_value"]) };
}

const makeConstIntBound: HostFunction = (args, kwargs) => new HostObject({ min_value: arg(args, kwargs, 0, "min_value"), max_value: arg(args, kwargs, 1, "max_value") });

function extensionsOf(v: Value): ArithExtensions {
  const names = Array.isArray(v) ? (v as string[]) : [String(v)];
  return {
    transitivelyProveInequalities: names.includes("TransitivelyProveInequalities"),
    convertBooleanToAndOfOrs: names.includes("ConvertBooleanToAndOfOrs"),
    applyConstraintsToBooleanBranches: names.includes("ApplyConstraintsToBooleanBranches"),
    comparisonOfProductAndSum: names.includes("ComparisonOfProductAndSum"),
  };
}

function analyzerMethod(h: HostAnalyzer & { current: Analyzer }, name: string): Value {
  const a = (): Analyzer => h.current;
  switch (name) {
    case "simplify":
      return (([e, steps]) => a().simplify(toExpr(e), typeof steps === "number" ? steps : 2)) satisfies HostFunction;
    case "rewrite_simplify":
      return (([e]) => a().rewriteSimplify(toExpr(e))) satisfies HostFunction;
    case "canonical_simplify":
      return (([e]) => a().canonicalSimplify(toExpr(e))) satisfies HostFunction;
    case "const_int_bound":
      return (([e]) => {
        const { min, max } = a().constIntBound(toExpr(e));
        return new HostObject({ min_value: fromInfinity(min), max_value: fromInfinity(max) });
      }) satisfies HostFunction;
    case "modular_set":
      return (([e]) => new HostObject({ ...a().modularSet(toExpr(e)) })) satisfies HostFunction;
    case "int_set":
      return (([e, dom]) => a().intSet(toExpr(e), dom === undefined || dom === null ? undefined : sets(dom))) satisfies HostFunction;
    case "bind":
      return (([v, to]) => (a().bind(isVar(v) ? v : unreadable("a variable"), isRange(to) ? to : toExpr(to)), null)) satisfies HostFunction;
    case "update":
      return (([v, b]) => (a().bindBound(isVar(v) ? v : unreadable("a variable"), bound(b)), null)) satisfies HostFunction;
    case "can_prove":
      return (([e, strength]) => a().canProve(toExpr(e), strength === "SYMBOLIC_BOUND" ? "symbolicBound" : "default")) satisfies HostFunction;
    case "can_prove_equal":
      return (([x, y]) => a().canProveEqual(...operandsOf(x, y))) satisfies HostFunction;
    case "constraint_scope":
      return (([cond]) => {
        let leave = (): void => undefined;
        return contextOf(
          () => {
            leave = a().enterConstraint(toExpr(cond));
            return null;
          },
          () => (leave(), false),
        );
      }) satisfies HostFunction;
    case "enabled_extensions=":
      return (([v]) => {
        h.current = new Analyzer({ extensions: extensionsOf(v) });
        return null;
      }) satisfies HostFunction;
    default:
      return undefined;
  }
}

function attribute(of: Value, name: string): Value {
  if (of instanceof HostObject) return of.attrs[name];
  if (of instanceof HostAnalyzer) return analyzerMethod(of as HostAnalyzer & { current: Analyzer }, name);
  if (of instanceof HostClass) return of.statics.get(name);
  if (of instanceof EqualOp) return name === "asobject" ? (() => of.expr()) satisfies HostFunction : attribute(of.expr(), name);
  if (isSet(of)) {
    if (name === "min_value") return of.tag === "empty" ? posInf : (of.min ?? negInf);
    if (name === "max_value") return of.tag === "empty" ? negInf : (of.max ?? posInf);
    if (name === "is_nothing") return (() => of.tag === "empty") satisfies HostFunction;
    if (name === "is_everything") return (() => of.tag === "interval" && of.min === undefined && of.max === undefined) satisfies HostFunction;
    return undefined;
  }
  if (isRange(of)) return name === "min" ? of.min : name === "extent" ? of.extent : undefined;
  if (isTagged(of, "mark", "split", "sum")) {
    const names: Record<string, string> = { lower_factor: "lowerFactor" };
    return (of as Record<string, Value>)[names[name] ?? name];
  }
  if (isExpr(of)) return exprAttribute(of, name);
  if (typeof of === "object" && of !== null && "kind" in of && of.kind === "tir.Buffer" && name === "vload") {
    return (([index]) => tir.makeBufferLoad(of as unknown as tir.Buffer, [toExpr(index)])) satisfies HostFunction;
  }
  return undefined;
}

function exprAttribute(e: PrimExpr, name: string): Value {
  switch (name) {
    case "dtype":
      return e.dtype;
    case "astype":
      return (([dtype]) => tir.cast(dtypeOf(dtype), e)) satisfies HostFunction;
    case "equal":
      return (([other]) => {
        const [a, b] = operands(e, other);
        return tir.eq(a, b);
      }) satisfies HostFunction;
    case "asobject":
      return (() => e) satisfies HostFunction;
    case "same_as":
      return (([other]) => other === e) satisfies HostFunction;
    case "value":
    case "name":
    case "a":
    case "b":
      return (e as unknown as Record<string, Value>)[name];
    default:
      return undefined;
  }
}

function binaryOp(op: string, a: Value, b: Value): Value {
  const mine = (v: Value): boolean => isExpr(v) || v instanceof EqualOp;
  if (!mine(a) && !mine(b)) return undefined;
  if ((op === "==" || op === "!=") && (!(mine(a) || plain(a)) || !(mine(b) || plain(b)))) return op === "!=";
  const [x, y] = operands(a, b);
  switch (op) {
    case "+":
      return tir.add(x, y);
    case "-":
      return tir.sub(x, y);
    case "*":
      return tir.mul(x, y);
    case "/":
      return tir.div(x, y);
    case "//":
      return tir.floorDiv(x, y);
    case "%":
      return tir.floorMod(x, y);
    case "<":
      return tir.lt(x, y);
    case "<=":
      return tir.le(x, y);
    case ">":
      return tir.gt(x, y);
    case ">=":
      return tir.ge(x, y);
    case "==":
      return new EqualOp("tir.EQ", x, y);
    case "!=":
      return new EqualOp("tir.NE", x, y);
    case "<<":
      return tir.intrin("shift_left", x.dtype, [x, y]);
    case ">>":
      return tir.intrin("shift_right", x.dtype, [x, y]);
    case "&":
      return tir.intrin("bitwise_and", x.dtype, [x, y]);
    default:
      return unreadable(`\`${op}\` of expressions`);
  }
}

/** Upstream's modules. `counter` counts what is asserted in the host. */
export function tvmHost(counter: { assertions: number }): PyHost {
  const nodes = Object.fromEntries(binaryKinds.map((k) => [k, binary(`tir.${k}`)]));
  const PrimExprClass = new HostClass("PrimExpr", isExpr, () => unreadable("PrimExpr()"));
  const rangeClass = new HostClass("Range", isRange, makeRange, {
    from_min_extent: (([min, extent]) => {
      const [m, e] = operandsOf(min, extent);
      return tir.makeRange(m, e);
    }) satisfies HostFunction,
  });
  const structural: HostFunction = ([a, b]) => check(sameStructure(a, b), `${textOf(a)} is not ${textOf(b)}`, counter);
  const proven: HostFunction = ([a, b]) => check(new Analyzer().canProveEqual(...operandsOf(a, b)), `${textOf(a)} is not known to be ${textOf(b)}`, counter);
  const lattice = { min: op2(tir.min), max: op2(tir.max) };
  const divisions = { floordiv: op2(tir.floorDiv), floormod: op2(tir.floorMod), truncdiv: op2(tir.div), truncmod: op2(tir.truncMod), indexdiv: op2(tir.floorDiv), indexmod: op2(tir.floorMod), div: op2(tir.div) };
  const declBuffer: HostFunction = (args, kwargs) => {
    const shape = arg(args, kwargs, 0, "shape");
    return tir.makeBuffer(str(arg(args, kwargs, 2, "name", "buffer")), (plain(shape) ? [shape] : items(shape)).map((e) => toExpr(e)), dtypeArg(arg(args, kwargs, 1, "dtype"), "float32"));
  };
  const callIntrin: HostFunction = ([dtype, name, ...rest]) => tir.intrin(str(name).replace(/^tir\./, ""), str(dtype) as DType, rest.map((e) => toExpr(e)));
  const tirModule = new PyModule("tir", {
    ...nodes,
    ...lattice,
    ...divisions,
    Var: new HostClass("Var", isVar, makeVariable),
    SizeVar: new HostClass("SizeVar", (v) => isExpr(v) && v.kind === "tir.SizeVar", makeSize),
    IntImm: new HostClass("IntImm", (v) => isExpr(v) && v.kind === "ir.IntImm", (args, kwargs) => makeIntImm(Number(arg(args, kwargs, 1, "value")), str(arg(args, kwargs, 0, "dtype")) as DType)),
    PrimExpr: PrimExprClass,
    Not: new HostClass("Not", (v) => isExpr(v) && v.kind === "tir.Not", ([a]) => tir.makeNot(toExpr(a))),
    Cast: new HostClass("Cast", (v) => isExpr(v) && v.kind === "tir.Cast", ([dtype, v]) => tir.makeCast(str(dtype) as DType, toExpr(v))),
    Let: new HostClass("Let", (v) => isExpr(v) && v.kind === "tir.Let", ([v, value, body]) => tir.makeLet(v as tir.Var, toExpr(value), toExpr(body))),
    Select: new HostClass("Select", (v) => isExpr(v) && v.kind === "tir.Select", ([c, t, f]) => {
      const [x, y] = operandsOf(t, f);
      return tir.makeSelect(toExpr(c), x, y);
    }),
    Ramp: new HostClass("Ramp", (v) => isExpr(v) && v.kind === "tir.Ramp", ([base, stride, n]) => {
      const b = toExpr(base);
      return tir.makeRamp(b, tir.cast(b.dtype, toExpr(stride, plain(stride) ? b.dtype : undefined)), lanes(n));
    }),
    Broadcast: new HostClass("Broadcast", (v) => isExpr(v) && v.kind === "tir.Broadcast", ([value, n]) => tir.makeBroadcast(toExpr(value), lanes(n))),
    BufferLoad: new HostClass("BufferLoad", (v) => isExpr(v) && v.kind === "tir.BufferLoad", ([buffer, indices]) => tir.makeBufferLoad(buffer as tir.Buffer, items(indices).map((e) => toExpr(e)))),
    Call: new HostClass("Call", (v) => isExpr(v) && v.kind === "tir.Call", ([dtype, op, args]) => callIntrin([dtype, op, ...items(args)], new Map())),
    const: makeConst,
    convert: (([v]) => (plain(v) ? toExpr(v) : v)) satisfies HostFunction,
    all: foldAll(tir.and),
    any: foldAll(tir.or),
    if_then_else: (([c, t, f]) => tir.ifThenElse(toExpr(c), ...operandsOf(t, f))) satisfies HostFunction,
    likely: (([c]) => tir.intrin("likely", "bool", [toExpr(c)])) satisfies HostFunction,
    decl_buffer: declBuffer,
    call_intrin: callIntrin,
    shift_left: (([a, b]) => binaryOp("<<", toExpr(a), b)) satisfies HostFunction,
    clz: (([a]) => tir.intrin("clz", "int32", [toExpr(a)])) satisfies HostFunction,
    log: (([a]) => tir.intrin("log", toExpr(a).dtype, [toExpr(a)])) satisfies HostFunction,
    vscale: () => new Unread("scalable vectors"),
    min_value: (([dtype]) => tir.minValue(str(dtype) as DType)) satisfies HostFunction,
    max_value: (([dtype]) => tir.maxValue(str(dtype) as DType)) satisfies HostFunction,
    expr: new PyModule("expr", { ...nodes, EqualOp: new HostClass("EqualOp", (v) => v instanceof EqualOp, () => unreadable("EqualOp()")) }),
    op: new PyModule("op", { call_intrin: callIntrin }),
    buffer: new PyModule("buffer", { decl_buffer: declBuffer }),
  });
  const script = new PyModule("T", {
    ...Object.fromEntries(["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"].map((d) => [d, (([v]) => (v === undefined ? tir.makeVar("v", d as DType) : tir.cast(d as DType, toExpr(v, d as DType)))) satisfies HostFunction])),
    ...Object.fromEntries(["float16", "float32", "float64"].map((d) => [d, (([v]) => tir.constant(v instanceof PyFloat ? v.value : Number(v), d as DType)) satisfies HostFunction])),
    floor: (([v]) => tir.intrin("floor", toExpr(v).dtype, [toExpr(v)])) satisfies HostFunction,
    vscale: () => new Unread("scalable vectors"),
  });
  const te = new PyModule("te", { ...lattice, ...divisions, var: makeVariable, size_var: makeSize, const: makeConst, all: foldAll(tir.and), any: foldAll(tir.or), min_value: tirModule.attrs.get("min_value"), max_value: tirModule.attrs.get("max_value") });
  const extension = new PyModule("Extension", Object.fromEntries(["NoExtensions", "TransitivelyProveInequalities", "ConvertBooleanToAndOfOrs", "ApplyConstraintsToBooleanBranches", "ComparisonOfProductAndSum"].map((n) => [n, n])));
  const intervalClass = new HostClass("IntervalSet", isSet, makeInterval);
  const analyzerClass = new HostClass("Analyzer", (v) => v instanceof HostAnalyzer, () => {
    const h = new HostAnalyzer();
    return Object.assign(h, { current: h.analyzer });
  });
  const estimate = (which: "strict" | "upper"): HostFunction => (args, kwargs) => {
    const region = items(arg(args, kwargs, 0, "region")).map(rangeOf);
    const iters = domains(arg(args, kwargs, 1, "var_dom"));
    const opts = { predicate: predicateOf(arg(args, kwargs, 2, "predicate")) };
    return which === "upper" ? tir.estimateRegionUpperBound(region, iters, opts) : (tir.estimateRegionStrictBound(region, iters, opts) ?? null);
  };
  const missing = (name: string): HostFunction => () => raise("NotImplementedError", name);
  const arith = new PyModule("arith", {
    Analyzer: analyzerClass,
    Extension: extension,
    ProofStrength: new PyModule("ProofStrength", { DEFAULT: "DEFAULT", SYMBOLIC_BOUND: "SYMBOLIC_BOUND" }),
    ConstIntBound: new HostClass("ConstIntBound", () => false, makeConstIntBound, { POS_INF: int64Max, NEG_INF: -int64Max }),
    IntervalSet: intervalClass,
    IntSet: new PyModule("IntSet", {
      single_point: (([e]) => tir.singlePoint(toExpr(e))) satisfies HostFunction,
      interval: makeInterval,
      vector: (([e]) => tir.evalSet(toExpr(e), new Map())) satisfies HostFunction,
    }),
    int_set: new PyModule("int_set", {
      pos_inf: () => posInf,
      neg_inf: () => negInf,
      union_lower_bound: (([list]) => tir.unionLowerBound(items(list).map(setOf), new Analyzer())) satisfies HostFunction,
    }),
    IterMark: new HostClass("IterMark", (v) => isTagged(v, "mark"), makeMark),
    IterSplitExpr: new HostClass("IterSplitExpr", (v) => isTagged(v, "split"), makeSplit),
    IterSumExpr: new HostClass("IterSumExpr", (v) => isTagged(v, "sum"), makeSum),
    IterMapExpr: new HostClass("IterMapExpr", (v) => isTagged(v, "sum", "split"), () => unreadable("IterMapExpr()")),
    detect_iter_map: detect,
    iter_map_simplify: simplifyMap,
    subspace_divide: divide,
    normalize_iter_map_to_expr: (([e]) => (isTagged(e, "sum", "split") ? normalizeIterMapToExpr(e as IterSum) : toExpr(e))) satisfies HostFunction,
    normalize_to_iter_sum: (([e, iters]) => tir.normalizeToIterSum(toExpr(e), domains(iters))) satisfies HostFunction,
    inverse_affine_iter_map: (([map, outputs]) => new PyDict(tir.inverseAffineIterMap(items(map).map((m) => tagged<IterSum>(m, "sum")), items(outputs).map((e) => toExpr(e))))) satisfies HostFunction,
    estimate_region_lower_bound: estimate("strict"),
    estimate_region_strict_bound: estimate("strict"),
    estimate_region_upper_bound: estimate("upper"),
    deduce_bound: (([v, cond, hint, relax]) => tir.deduceBound(toExpr(v), toExpr(cond), sets(hint), sets(relax))) satisfies HostFunction,
    detect_linear_equation: (([e, vars]) => {
      const found = tir.detectLinearEquation(toExpr(e), variables(vars));
      return found === undefined ? [] : [...found.coefficients, found.base];
    }) satisfies HostFunction,
    detect_clip_bound: (([e, vars]) => tir.detectClipBound(toExpr(e), variables(vars))?.flatMap((b) => [b.min ?? null, b.max ?? null]) ?? []) satisfies HostFunction,
    detect_common_subexpr: missing("detect_common_subexpr"),
    ...solvers,
    _ffi_api: new PyModule("_ffi_api", { DomainTouched: (([stmt, buffer, loads, stores]) => tir.domainTouched(stmt as tir.Stmt, buffer as tir.Buffer, { loads: loads === true, stores: stores === true }).map((r) => r ?? null)) satisfies HostFunction, NarrowPredicateExpression: (([cond, ranges]) => tir.narrowPredicate(toExpr(cond), domains(ranges))) satisfies HostFunction, SolveInequalitiesAsCondition: asConditions }),
  });
  arith.attrs.set("analyzer", arith);
  const raises: HostFunction = ([cls]) =>
    contextOf(
      () => null,
      (error) => {
        counter.assertions++;
        if (error === null) raise("AssertionError", "nothing was raised");
        return error === cls || (error instanceof PyClass && cls instanceof PyClass && (error.isSubclassOf(cls) || cls.name === "AssertionError" || cls === simplifyErrors));
      },
    );
  const fixtures: HostFunction = (args) => new HostObject({ parameters: args });
  const testing = new PyModule("testing", { parameter: fixtures, parameters: ((args) => [0, 1, 2, 3].slice(0, items(args[0]).length).map((i) => new HostObject({ parameters: args.map((row) => items(row)[i]), zipped: args }))) satisfies HostFunction, assert_prim_expr_equal: proven, main: () => null });
  const ir = new PyModule("ir", { PrimExpr: PrimExprClass, Range: rangeClass, structural_equal: (([a, b]) => (counter.assertions++, sameStructure(a, b))) satisfies HostFunction, assert_structural_equal: structural, expr: new PyModule("expr", { Range: rangeClass }) });
  const tvm = new PyModule("tvm", {
    tir: tirModule,
    te,
    ir,
    arith,
    testing,
    script: new PyModule("script", { tir: script, T: script }),
    runtime: new PyModule("runtime", { convert: tirModule.attrs.get("convert") }),
    error: new PyModule("error", { TVMError: simplifyErrors }),
    TVMError: simplifyErrors,
    target: new PyModule("target", { Target: () => contextOf(() => null, () => false) }),
  });
  const identityDecorator: HostFunction = () => new HostObject({});
  const pytest = new PyModule("pytest", { raises, mark: new PyModule("mark", { parametrize: identityDecorator, skip: identityDecorator, xfail: identityDecorator }), param: (([v]) => v) satisfies HostFunction });
  const inspect = new PyModule("inspect", { isclass: (([v]) => v instanceof PyClass) satisfies HostFunction });
  const exitStack: HostFunction = () => {
    const exits: HostFunction[] = [];
    return new HostObject({
      __enter__: () => new HostObject({ enter_context: (([m]) => {
        if (!(m instanceof HostObject)) return unreadable("a context");
        exits.push(m.attrs["__exit__"] as HostFunction);
        return (m.attrs["__enter__"] as HostFunction)([], new Map());
      }) satisfies HostFunction }),
      __exit__: ((a, k) => {
        for (const f of exits.reverse()) f(a, k);
        return false;
      }) satisfies HostFunction,
    });
  };
  return {
    modules: new Map<string, Value>([["tvm", tvm], ["pytest", pytest], ["inspect", inspect], ["contextlib", new PyModule("contextlib", { ExitStack: exitStack, nullcontext: () => contextOf(() => null, () => false) })]]),
    getattr: attribute,
    binary: binaryOp,
    unary(op, a) {
      if (!isExpr(a) && !(a instanceof EqualOp)) return undefined;
      const e = toExpr(a);
      if (op === "-") return tir.mul(e, tir.constant(-1, e.dtype));
      return op === "+" ? e : unreadable(`\`${op}\` of an expression`);
    },
    truth(v) {
      if (v instanceof EqualOp) return (v.a === v.b || (v.a.kind === "ir.IntImm" && v.b.kind === "ir.IntImm" && v.a.value === v.b.value)) === (v.kind === "tir.EQ");
      if (isExpr(v)) return v.kind === "ir.IntImm" ? v.value !== 0 : unreadable("the truth of an expression");
      return undefined;
    },
    call(f, args, kwargs) {
      if (f instanceof HostClass) return f.make(args, kwargs);
      return undefined;
    },
    text: (v) => (isExpr(v) || v instanceof EqualOp ? textOf(v) : undefined),
  };
}

/** True for a value made by `tvm.testing.parameter`, with its rows. */
export function parametersOf(v: Value): readonly Value[] | undefined {
  return v instanceof HostObject && Array.isArray(v.attrs["parameters"]) ? (v.attrs["parameters"] as Value[]) : undefined;
}

/** True if two fixtures come from one call of `tvm.testing.parameters`, and go through their rows together. */
export function zippedTogether(a: Value, b: Value): boolean {
  return a instanceof HostObject && b instanceof HostObject && a.attrs["zipped"] !== undefined && a.attrs["zipped"] === b.attrs["zipped"];
}

/** Errors that our API throws are exceptions of the program. */
export function asPyError(e: unknown): PyError | undefined {
  if (e instanceof PyError) return e;
  if (e instanceof TypeError || e instanceof RangeError) return new PyError(simplifyErrors, e.message);
  return e instanceof Error && !e.message.startsWith("internal") ? new PyError(simplifyErrors, e.message) : undefined;
}
