import type { GlobalVar, IRModule } from "@verticil/ir-core";
import { scalarOf, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import type { VmConstant, VmExecutable, VmFunction, VmInstruction, VmOperand, VmParam } from "@verticil/runtime-ffi/vm";
import type { PrimFunc } from "@verticil/tir";
import { isVar } from "../analysis/variables.ts";
import { isCallTo, opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Call, Expr, Function, If } from "../ir/expr.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { structInfoText } from "../script/struct-info-text.ts";
import { sizesAttr } from "./explicit-sizes.ts";

/** A program for the virtual machine, and the constant tensors that it names. */
export interface VmProgram {
  readonly executable: VmExecutable;
  readonly constants: ReadonlyMap<string, Tensor>;
}

/**
 * Upstream's `VMCodegen`: the relax functions of a fully lowered module as instructions.
 * @throws TypeError that names what is left of operators that no pass has lowered.
 */
export function vmCodegen(module: IRModule): VmProgram {
  return new ProgramBuilder(module).run();
}

class ProgramBuilder {
  readonly #module: IRModule;
  readonly #functions: VmFunction[] = [];
  readonly #indices = new Map<string, number>();
  readonly #constants: VmConstant[] = [];
  readonly #constantIndices = new Map<string, number>();
  readonly #tensors = new Map<Tensor, string>();
  readonly unsupported = new Set<string>();

  constructor(module: IRModule) {
    this.#module = module;
  }

  run(): VmProgram {
    const bodies: { readonly index: number; readonly gv: GlobalVar; readonly func: Function }[] = [];
    for (const [gv, func] of this.#module.functions) {
      if (!isRelaxFunction(func)) continue;
      bodies.push({ index: this.#functions.length, gv, func });
      this.#indices.set(`global ${gv.name}`, this.#functions.length);
      this.#functions.push({ kind: "packed", name: gv.name });
    }
    for (const { index, gv, func } of bodies) this.#functions[index] = new FunctionBuilder(this, gv.name, func).run();
    if (this.unsupported.size > 0) {
      throw new TypeError(`No pass has lowered ${[...this.unsupported].join(", ")}. The shapes of their results may not be known: bind them by match_cast.`);
    }
    const constants = new Map([...this.#tensors].map(([t, name]) => [name, t]));
    return { executable: { functions: this.#functions, constants: this.#constants }, constants };
  }

  /** The index of a function of the module. */
  global(gv: GlobalVar): number {
    const known = this.#indices.get(`global ${gv.name}`);
    if (known !== undefined) return known;
    const func = this.#module.functions.get(gv);
    if (func?.kind !== "tir.PrimFunc") throw new TypeError(`The module has no function \`${gv.name}\`.`);
    return this.#add(`global ${gv.name}`, kernelOf(gv.name, func as PrimFunc));
  }

  /** The index of a function of the runtime or the host. */
  packed(name: string): number {
    return this.#indices.get(`packed ${name}`) ?? this.#add(`packed ${name}`, { kind: "packed", name });
  }

  #add(key: string, func: VmFunction): number {
    this.#indices.set(key, this.#functions.length);
    this.#functions.push(func);
    return this.#functions.length - 1;
  }

  constant(c: VmConstant): VmOperand {
    const key = c.kind === "int" ? `int ${c.value}` : JSON.stringify(c);
    let index = this.#constantIndices.get(key);
    if (index === undefined) {
      index = this.#constants.length;
      this.#constants.push(c);
      this.#constantIndices.set(key, index);
    }
    return { kind: "constant", index };
  }

  tensor(t: Tensor): VmOperand {
    let name = this.#tensors.get(t);
    if (name === undefined) this.#tensors.set(t, (name = `c${this.#tensors.size}`));
    return this.constant({ kind: "tensor", name });
  }
}

function kernelOf(name: string, func: PrimFunc): VmFunction {
  const sizes = func.attrs[sizesAttr];
  const dims = (Array.isArray(sizes) ? sizes : []).map((pair) => {
    const [arg, axis] = Array.isArray(pair) ? pair.map(Number) : [];
    return { arg: arg ?? 0, axis: axis ?? 0, dtype: "int32" as const };
  });
  const own = dims.length === 0 ? func.params : func.params.slice(0, -dims.length);
  return { kind: "kernel", name, params: own.map((p): ScalarDType => scalarOf(p.dtype)), dims };
}

class FunctionBuilder {
  readonly #program: ProgramBuilder;
  readonly #name: string;
  readonly #func: Function;
  readonly #registers = new Map<AnyVar, number>();
  readonly #code: VmInstruction[] = [];
  #count = 0;

  constructor(program: ProgramBuilder, name: string, func: Function) {
    this.#program = program;
    this.#name = name;
    this.#func = func;
  }

  run(): VmFunction {
    const params = this.#func.params.map((p): VmParam => {
      this.#registers.set(p, this.#count++);
      return { name: p.name, type: p.structInfo === undefined ? "R.Object" : structInfoText(p.structInfo).slice(1, -1) };
    });
    this.#code.push({ op: "ret", value: this.#sequence(this.#func.body) });
    return { kind: "bytecode", name: this.#name, params, registers: this.#count, code: this.#code };
  }

  /** Emits the bindings of a sequence; gives its result. */
  #sequence(e: Expr): VmOperand {
    if (e.kind !== "relax.SeqExpr") return this.#operand(e);
    for (const block of e.blocks) for (const b of block.bindings) this.#bind(b.var, b.value);
    return this.#operand(e.body);
  }

  #fresh(): number {
    return this.#count++;
  }

  #bind(v: AnyVar, value: Expr): void {
    const dst = this.#fresh();
    this.#registers.set(v, dst);
    this.#value(dst, value);
  }

  #value(dst: number, value: Expr): void {
    switch (value.kind) {
      case "relax.Call":
        return this.#call(dst, value);
      case "relax.If":
        return this.#if(dst, value);
      case "relax.Tuple":
        return this.#emit("vm.builtin.make_tuple", dst, value.fields.map((f) => this.#operand(f)));
      case "relax.TupleGetItem":
        return this.#emit("vm.builtin.tuple_getitem", dst, [this.#operand(value.tuple), { kind: "immediate", value: value.index }]);
      case "relax.SeqExpr":
        return this.#emit("vm.builtin.copy", dst, [this.#sequence(value)]);
      default:
        return this.#emit("vm.builtin.copy", dst, [this.#operand(value)]);
    }
  }

  #if(dst: number, value: If): void {
    const cond = this.#fresh();
    this.#emit("vm.builtin.read_if_cond", cond, [this.#operand(value.cond)]);
    const branch = this.#code.length;
    this.#code.push({ op: "if", cond, offset: 0 });
    this.#emit("vm.builtin.copy", dst, [this.#sequence(value.trueBranch)]);
    const jump = this.#code.length;
    this.#code.push({ op: "goto", offset: 0 });
    this.#code[branch] = { op: "if", cond, offset: this.#code.length - branch };
    this.#emit("vm.builtin.copy", dst, [this.#sequence(value.falseBranch)]);
    this.#code[jump] = { op: "goto", offset: this.#code.length - jump };
  }

  #call(dst: number, call: Call): void {
    for (const kill of ["relax.vm.kill_object", "relax.memory.kill_tensor", "relax.memory.kill_storage"]) {
      const [killed] = call.args;
      if (!isCallTo(call, kill) || killed === undefined || !isVar(killed)) continue;
      const register = this.#registers.get(killed);
      if (register !== undefined) this.#emit("vm.builtin.null_value", register, []);
      return;
    }
    const args = call.args.map((a) => this.#operand(a));
    const isVoid = call.structInfo?.kind === "relax.TupleStructInfo" && call.structInfo.fields.length === 0;
    const target = isVoid ? -1 : dst;
    switch (call.op.kind) {
      case "ir.GlobalVar":
        this.#code.push({ op: "call", func: this.#program.global(call.op), dst: target, args });
        return;
      case "relax.ExternFunc":
        this.#code.push({ op: "call", func: this.#program.packed(call.op.globalSymbol), dst: target, args });
        return;
      case "relax.Var":
      case "relax.DataflowVar":
        return this.#emit("vm.builtin.invoke_closure", target, [this.#operand(call.op), ...args]);
      default:
        this.#program.unsupported.add(`\`${opNameOf(call) ?? call.op.kind}\``);
    }
  }

  #emit(name: string, dst: number, args: readonly VmOperand[]): void {
    this.#code.push({ op: "call", func: this.#program.packed(name), dst, args });
  }

  #operand(e: Expr): VmOperand {
    switch (e.kind) {
      case "relax.Var":
      case "relax.DataflowVar": {
        const index = this.#registers.get(e);
        if (index === undefined) throw new TypeError(`\`${e.name}\` is used in \`${this.#name}\` and not bound there. Run LambdaLift first.`);
        return { kind: "register", index };
      }
      case "relax.Constant":
        return this.#program.tensor(e.data);
      case "relax.ShapeExpr": {
        const shape = e.values.map((v) => (v.kind === "ir.IntImm" ? Number(v.value) : NaN));
        if (shape.some(Number.isNaN)) throw new TypeError(`A symbolic shape is left in \`${this.#name}\`. Run VMShapeLower first.`);
        return this.#program.constant({ kind: "shape", shape });
      }
      case "relax.PrimValue":
        return this.#prim(e.value);
      case "relax.StringImm":
      case "relax.DataTypeImm":
        return this.#program.constant({ kind: "string", value: e.value });
      case "ir.GlobalVar":
        return { kind: "function", index: this.#program.global(e) };
      case "relax.ExternFunc":
        return { kind: "function", index: this.#program.packed(e.globalSymbol) };
      default: {
        const index = this.#fresh();
        this.#value(index, e);
        return { kind: "register", index };
      }
    }
  }

  #prim(value: { readonly kind: string }): VmOperand {
    if (value.kind === "ir.IntImm" && "value" in value) {
      const number = value.value as number | bigint;
      return Number.isSafeInteger(Number(number)) ? { kind: "immediate", value: Number(number) } : this.#program.constant({ kind: "int", value: BigInt(number) });
    }
    if (value.kind === "ir.FloatImm" && "value" in value) return this.#program.constant({ kind: "float", value: Number(value.value) });
    throw new TypeError(`A symbolic scalar is left in \`${this.#name}\`. Run ComputePrimValue and VMShapeLower first.`);
  }
}
