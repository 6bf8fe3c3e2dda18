import type { IRModule } from "@verticil/ir-core";
import type { VmExecutable } from "@verticil/runtime-ffi/vm";
import type { Call, PrimExpr, PrimFunc, Stmt } from "@verticil/tir";
import { VM_TIR_PREFIX } from "./vm-tir-codegen.ts";

/**
 * A JavaScript module for the tensor programs of `vmTirCodegen`: its export `functions` has one for each function of the program,
 * for `VmHost.compiled`. The second half of `exec_mode="compiled"`: no instruction is decoded while it runs. Names become the
 * numbers of the functions in the table of `executable`.
 * @throws TypeError for statements that `vmTirCodegen` does not write.
 */
export function vmJavaScript(module: IRModule, executable: VmExecutable): string {
  const writer = new Writer(executable);
  for (const [gv, func] of module.functions) {
    const name = gv.name.slice(VM_TIR_PREFIX.length);
    const own = executable.functions.find((f) => f.kind === "bytecode" && f.name === name);
    if (own?.kind !== "bytecode" || func.kind !== "tir.PrimFunc") throw new TypeError(`\`${gv.name}\` is no function of the program.`);
    writer.function(name, func as PrimFunc, own.registers);
  }
  return writer.text();
}

class Writer {
  readonly #executable: VmExecutable;
  readonly #lines: string[] = ["// Written by the compiler: the functions of a program, one call after the other.", "export const functions = {"];
  #lists: ReadonlyMap<unknown, string> = new Map();
  /** The register that the function's result is left in. */
  #result = -1;

  constructor(executable: VmExecutable) {
    this.#executable = executable;
  }

  text(): string {
    return [...this.#lines, "};", ""].join("\n");
  }

  function(name: string, func: PrimFunc, result: number): void {
    const [, r, c, f] = func.params;
    this.#lists = new Map<unknown, string>([
      [r, "register"],
      [c, "constant"],
      [f, "function"],
    ]);
    this.#result = result;
    this.#lines.push(`  ${JSON.stringify(name)}: (vm) => {`);
    this.#stmt(func.body, "    ");
    this.#lines.push("  },");
  }

  #stmt(s: Stmt, indent: string): void {
    switch (s.kind) {
      case "tir.SeqStmt":
        for (const x of s.seq) this.#stmt(x, indent);
        return;
      case "tir.IfThenElse":
        this.#lines.push(`${indent}if (${this.#expr(s.condition)}) {`);
        this.#stmt(s.thenCase, `${indent}  `);
        if (s.elseCase !== undefined) {
          this.#lines.push(`${indent}} else {`);
          this.#stmt(s.elseCase, `${indent}  `);
        }
        this.#lines.push(`${indent}}`);
        return;
      case "tir.Evaluate":
        if (s.value.kind !== "tir.Call") break;
        this.#lines.push(`${indent}${this.#returned(s.value) ?? this.#call(s.value)};`);
        return;
      default:
    }
    throw new TypeError(`A program of the virtual machine has no ${s.kind}.`);
  }

  /** The copy into the result's register ends the function. */
  #returned(call: Call): string | undefined {
    const [, slot, , value] = call.op.name === "tir.anylist_setitem_call_packed" ? call.args : [];
    return slot?.kind === "ir.IntImm" && slot.value === this.#result && value !== undefined ? `return ${this.#expr(value)}` : undefined;
  }

  #call(call: Call): string {
    const kernel = call.op.name.endsWith("_cpacked");
    const stores = call.op.name.startsWith("tir.anylist_setitem_call_");
    const [name, ...args] = call.args.slice(stores ? 2 : 0);
    const slot = stores ? call.args[1] : undefined;
    const dst = slot?.kind === "ir.IntImm" ? String(slot.value) : "-1";
    if (name?.kind !== "tir.StringImm") throw new TypeError(`\`${call.op.name}\` calls no function by name.`);
    return `vm.call(${dst}, ${this.#indexOf(name.value, kernel)}, [${args.map((a) => this.#expr(a)).join(", ")}])`;
  }

  #indexOf(name: string, kernel: boolean): number {
    const matches = this.#executable.functions.flatMap((f, i) => (f.name === name && (f.kind === "kernel") === kernel ? [i] : []));
    const [index] = matches;
    if (index === undefined || matches.length > 1) throw new TypeError(`\`${name}\` is the name of ${matches.length} functions.`);
    return index;
  }

  #expr(e: PrimExpr): string {
    if (e.kind === "ir.IntImm") return String(e.value);
    if (e.kind === "tir.NE") return `Number(${this.#expr(e.a)}) !== Number(${this.#expr(e.b)})`;
    if (e.kind === "tir.Call" && e.op.name === "tir.tvm_call_packed") return this.#call(e);
    const [list, index] = e.kind === "tir.Call" && e.op.name === "tir.anylist_getitem" ? e.args : [];
    const from = this.#lists.get(list);
    if (from === undefined || index?.kind !== "ir.IntImm") throw new TypeError(`A program of the virtual machine has no ${e.kind}.`);
    return `vm.${from}(${index.value})`;
  }
}
