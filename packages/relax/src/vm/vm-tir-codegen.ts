import { makeGlobalVar, makeIRModule, type GlobalVar, type IRModule } from "@verticil/ir-core";
import type { VmBytecodeFunction, VmExecutable, VmInstruction, VmOperand } from "@verticil/runtime-ffi/vm";
import { constant, intrinOp, makeCall, makeEvaluate, makeIfThenElse, makePrimFunc, makeSeq, makeStringImm, makeVar, ne, type PrimExpr, type PrimFunc, type Stmt, type Var } from "@verticil/tir";

/** What goes before the name of a function of a program, as upstream names its tensor program. */
export const VM_TIR_PREFIX = "__vmtir__";

/**
 * Upstream's `VMTIRCodeGen`, the first half of `exec_mode="compiled"`: each function of a program becomes a tensor program
 * `__vmtir__NAME(ctx_ptr, r, c, f)` that calls packed functions on lists of registers, constants and functions, with branches
 * in place of jumps. Its result is left in the register after those of the function. `vmJavaScript` makes code of it.
 * @throws TypeError for jumps that are not those of `vmCodegen`: one over each branch of an `If`.
 */
export function vmTirCodegen(executable: VmExecutable): IRModule {
  const functions = new Map<GlobalVar, PrimFunc>();
  for (const f of executable.functions) {
    if (f.kind === "bytecode") functions.set(makeGlobalVar(VM_TIR_PREFIX + f.name), programOf(f, executable));
  }
  return makeIRModule(functions);
}

/** The lists that a function works on: registers, constants, functions. */
interface Lists {
  readonly r: Var;
  readonly c: Var;
  readonly f: Var;
}

function programOf(f: VmBytecodeFunction, executable: VmExecutable): PrimFunc {
  const [context, r, c, functions] = ["ctx_ptr", "r", "c", "f"].map((n) => makeVar(n, "handle")) as [Var, Var, Var, Var];
  const structure = new Structure(f, executable, { r, c, f: functions });
  return makePrimFunc([context, r, c, functions], makeSeq(structure.range(0, f.code.length)), { attrs: { global_symbol: VM_TIR_PREFIX + f.name } });
}

/** Makes statements of instructions. */
class Structure {
  readonly #f: VmBytecodeFunction;
  readonly #executable: VmExecutable;
  readonly #lists: Lists;

  constructor(f: VmBytecodeFunction, executable: VmExecutable, lists: Lists) {
    this.#f = f;
    this.#executable = executable;
    this.#lists = lists;
  }

  /** The instructions from `begin` to before `end`. */
  range(begin: number, end: number): readonly Stmt[] {
    const out: Stmt[] = [];
    for (let pc = begin; pc < end; ) {
      const step = this.#f.code[pc];
      if (step?.op === "if") {
        const join = this.#join(pc, step.offset, end);
        const [yes, no] = [this.range(pc + 1, pc + step.offset - 1), this.range(pc + step.offset, join)];
        out.push(makeIfThenElse(this.#condition(step.cond), makeSeq(yes), no.length === 0 ? undefined : makeSeq(no)));
        pc = join;
      } else {
        out.push(this.#step(step));
        pc++;
      }
    }
    return out;
  }

  /** Where the branches of the `if` at `pc` meet: the jump before the second one says so. */
  #join(pc: number, offset: number, end: number): number {
    const jump = this.#f.code[pc + offset - 1];
    const join = jump?.op === "goto" ? pc + offset - 1 + jump.offset : -1;
    if (offset < 2 || join < pc + offset || join > end) throw new TypeError(`The jumps of \`${this.#f.name}\` at ${pc} are not those of branches.`);
    return join;
  }

  #step(step: VmInstruction | undefined): Stmt {
    if (step?.op === "call") return this.#call(step.func, step.dst, step.args.map((a) => this.#operand(a)));
    if (step?.op === "ret") return packed(this.#lists.r, this.#f.registers, "vm.builtin.copy", [this.#operand(step.value)]);
    throw new TypeError(`\`${this.#f.name}\` jumps outside of branches.`);
  }

  #call(func: number, dst: number, args: readonly PrimExpr[]): Stmt {
    const callee = this.#executable.functions[func];
    if (callee === undefined) throw new TypeError(`\`${this.#f.name}\` calls function ${func}, which there is not.`);
    return packed(dst < 0 ? undefined : this.#lists.r, dst, callee.name, args, callee.kind === "kernel" ? "cpacked" : "packed");
  }

  #condition(register: number): PrimExpr {
    const read = makeCall("int32", intrinOp("tvm_call_packed"), [makeStringImm("vm.builtin.read_if_cond"), item(this.#lists.r, register)]);
    return ne(read, constant(0, "int32"));
  }

  #operand(o: VmOperand): PrimExpr {
    switch (o.kind) {
      case "register":
        return item(this.#lists.r, o.index);
      case "constant":
        return item(this.#lists.c, o.index);
      case "function":
        return item(this.#lists.f, o.index);
      case "immediate":
        return constant(o.value, "int64");
    }
  }
}

function item(list: Var, index: number): PrimExpr {
  return makeCall("handle", intrinOp("anylist_getitem"), [list, constant(index, "int32")]);
}

/** A call of a function by name, its result in `list[slot]`, or nowhere without a list. Kernels are called as C functions are. */
function packed(list: Var | undefined, slot: number, name: string, args: readonly PrimExpr[], convention: "packed" | "cpacked" = "packed"): Stmt {
  const given = [makeStringImm(name), ...args];
  const call = list === undefined ? makeCall("int32", intrinOp(`tvm_call_${convention}`), given) : makeCall("int32", intrinOp(`anylist_setitem_call_${convention}`), [list, constant(slot, "int32"), ...given]);
  return makeEvaluate(call);
}
