import { at } from "@verticil/ir-core";
import { elementCount, type Tensor } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr, Var } from "../ir/expr.ts";
import { collectBuffers } from "../ir/free-vars.ts";
import { constant } from "../ir/ops.ts";
import { withValues } from "../ir/specialize.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { visitStmt } from "../ir/visit.ts";
import { Return, callCode } from "./call.ts";
import { raise } from "./errors.ts";
import { compileNumber } from "./expr.ts";
import { tensorMemory } from "./memory.ts";
import { wrap64, type Scalar } from "./scalar.ts";
import { Scope, type Argument, type Callee, type InterpreterOptions } from "./scope.ts";
import { attachImplicit, compileAttach, compileStmt } from "./stmt.ts";

/** A function ready to run: tensors and scalars in the order of the parameters; gives what `tir.ret` returns. */
export type Interpreted = (args: readonly (Tensor | Scalar)[]) => Scalar | undefined;

/**
 * Runs a tensor program on host tensors, before or after any lowering: the oracle for passes, schedules and code
 * generators. Outputs are written into the tensors given for them.
 * @throws DiagnosticError if an argument does not fit, an access is out of bounds, or a construct has no meaning here.
 */
export function interpretPrimFunc(
  func: PrimFunc,
  args: readonly (Tensor | Scalar)[],
  options: InterpreterOptions = {},
): Scalar | undefined {
  return compileInterpreter(withSizes(func, args), options)(args);
}

/**
 * The program with the sizes of these tensors in place of the variables that stand for them: loops of constant extent over
 * buffers of constant shape run in strips. Arguments that do not fit are left to the checks of the call.
 */
function withSizes(func: PrimFunc, args: readonly (Tensor | Scalar)[]): PrimFunc {
  const sizes = new Map<AnyVar, PrimExpr>();
  func.params.forEach((param, i) => {
    const [buffer, arg] = [func.bufferMap.get(param), args[i]];
    if (buffer === undefined || typeof arg !== "object" || arg.shape.length !== buffer.shape.length) return;
    buffer.shape.forEach((dim, k) => {
      const size = arg.shape[k];
      const free = (dim.kind === "tir.Var" || dim.kind === "tir.SizeVar") && !func.params.some((p) => p === dim) && !sizes.has(dim);
      if (free && size !== undefined) sizes.set(dim, constant(size, dim.dtype));
    });
  });
  return withValues(func, sizes);
}

/** Turns a program into closures once, to run it many times. Runs of one result must not overlap. */
export function compileInterpreter(func: PrimFunc, options: InterpreterOptions = {}): Interpreted {
  const memo = new Map<PrimFunc, Callee>();
  const compileCallee = (callee: PrimFunc): Callee => {
    let compiled = memo.get(callee);
    if (compiled === undefined) {
      const { call } = compileFunction(callee, options, compileCallee);
      memo.set(callee, (compiled = (args) => call(args, undefined)));
    }
    return compiled;
  };
  const { call } = compileFunction(func, options, compileCallee);
  return (args) => {
    if (args.length !== func.params.length) {
      raise("bad-argument", { param: "…", problem: `count is ${args.length}, not ${func.params.length}` });
    }
    const tensors = new Map<Var, Tensor>();
    const plain = args.map((arg, i): Argument => {
      if (typeof arg === "bigint") return wrap64(arg, false);
      if (typeof arg === "number") return arg;
      tensors.set(at(func.params, i), arg);
      return tensorMemory(arg);
    });
    return call(plain, tensors);
  };
}

interface CompiledFunction {
  readonly call: (args: readonly Argument[], tensors: ReadonlyMap<Var, Tensor> | undefined) => Scalar | undefined;
}

function compileFunction(
  func: PrimFunc,
  options: InterpreterOptions,
  compileCallee: (func: PrimFunc) => Callee,
): CompiledFunction {
  const scope = new Scope(options, callCode, compileCallee);
  for (const b of undeclaredBuffers(func)) {
    const list = scope.implicit.get(b.data);
    if (list === undefined) scope.implicit.set(b.data, [b]);
    else list.push(b);
  }
  const setters = func.params.map((p) => compileParam(scope, p));
  const shapes = [...func.bufferMap].map(([param, buffer]) => compileParamBuffer(scope, param, buffer));
  const attaches = [...func.bufferMap].map(([param, buffer]) => {
    const from = scope.pointer(param, param.span);
    const data = scope.pointer(buffer.data, buffer.span);
    const attach = compileAttach(scope, buffer);
    const rest = attachImplicit(scope, buffer.data);
    return () => {
      data.value = from.value;
      attach();
      rest();
    };
  });
  const pointers = func.params.filter((p) => p.dtype === "handle").map((p) => attachImplicit(scope, p));
  const body = compileStmt(scope, func.body);
  return {
    call(args, tensors) {
      setters.forEach((set, i) => set(at(args, i)));
      // Sizes first that stand alone: another parameter's may be made of them.
      for (const shape of shapes) shape(tensors, true);
      for (const shape of shapes) shape(tensors, false);
      for (const attach of attaches) attach();
      for (const attach of pointers) attach();
      try {
        body();
      } catch (e) {
        if (e instanceof Return) return e.value;
        throw e;
      }
      return undefined;
    },
  };
}

function compileParam(scope: Scope, p: Var): (arg: Argument) => void {
  if (p.dtype === "handle") {
    const cell = scope.bindPointer(p);
    return (arg) => {
      if (typeof arg !== "object") raise("bad-argument", { param: p.name, problem: "is a scalar, not a tensor" });
      cell.value = arg;
    };
  }
  const cell = at(scope.bindScalars(p), 0);
  return (arg) => {
    if (typeof arg === "object") raise("bad-argument", { param: p.name, problem: "is a tensor, not a scalar" });
    cell.value = arg;
  };
}

/**
 * Declares what a parameter's buffer binds, and compiles the match of its shape against a tensor's, which is called twice:
 * to bind the variables, and to check the rest.
 */
function compileParamBuffer(
  scope: Scope,
  param: Var,
  buffer: Buffer,
): (tensors: ReadonlyMap<Var, Tensor> | undefined, bind: boolean) => void {
  if (!scope.isBound(buffer.data)) scope.bindPointer(buffer.data);
  const dims = buffer.shape.map((e) => bindOrCheck(scope, e));
  if (buffer.elemOffset !== undefined) bindOrCheck(scope, buffer.elemOffset);
  const strides = buffer.strides.map((e) => bindOrCheck(scope, e));
  return (tensors, bind) => {
    const t = tensors?.get(param);
    if (t === undefined) return;
    const fits = sameStorage(t.dtype, buffer.dtype);
    if (!fits) raise("bad-argument", { param: buffer.name, problem: `is a tensor of ${t.dtype}, not ${buffer.dtype}` });
    const flat = t.shape.length !== dims.length && dims.length === 1;
    const shape = flat ? [elementCount(t.shape)] : t.shape;
    if (shape.length !== dims.length) {
      raise("bad-argument", { param: buffer.name, problem: `has ${shape.length} dimensions, not ${dims.length}` });
    }
    shape.forEach((d, i) => {
      const dim = at(dims, i);
      if (dim.binds !== bind) return;
      const expected = dim.run(d);
      if (expected !== d) {
        raise("bad-argument", { param: buffer.name, problem: `has ${d} elements in dimension ${i}, not ${expected}` });
      }
    });
    let step = 1;
    for (let i = strides.length - 1; i >= 0; i--) {
      const stride = at(strides, i);
      if (stride.binds === bind) stride.run(step);
      step *= at(shape, i);
    }
  };
}

function sameStorage(a: string, b: string): boolean {
  const key = (d: string): string => (d === "bool" || d === "uint1" ? "uint8" : d.replace(/x\d+$/, ""));
  return a === b || key(a) === key(b);
}

/** A variable met first takes the value; anything else is evaluated and compared. Gives the value expected. */
function bindOrCheck(scope: Scope, e: PrimExpr): { readonly binds: boolean; readonly run: (actual: number) => number } {
  if ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && !scope.isBound(e)) {
    const cell = scope.bindIndex(e, e.kind === "tir.SizeVar" ? 0 : -(2 ** 31), 2 ** 31);
    const run = (actual: number): number => {
      cell.value = actual;
      return actual;
    };
    return { binds: true, run };
  }
  let run: (() => number) | undefined;
  // Compiled late: a shape such as (n * 2, n) mentions `n` before it binds it.
  return { binds: false, run: () => (run ??= compileNumber(scope, e, "A dimension"))() };
}

function undeclaredBuffers(func: PrimFunc): readonly Buffer[] {
  const declared = new Set<Buffer>(func.bufferMap.values());
  visitStmt(func.body, {
    stmt(s) {
      if (s.kind === "tir.DeclBuffer") declared.add(s.buffer);
      if (s.kind === "tir.Block") {
        for (const b of s.allocBuffers) declared.add(b);
        for (const m of s.matchBuffers) declared.add(m.buffer);
      }
      return undefined;
    },
  });
  return collectBuffers(func).filter((b) => !declared.has(b));
}

