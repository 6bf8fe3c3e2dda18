import { irDialect } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import type { VmExecutable, VmInstruction, VmOperand } from "@verticil/runtime-ffi/vm";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { vmJavaScript } from "./vm-javascript.ts";
import { vmTirCodegen } from "./vm-tir-codegen.ts";

expect.extend(irMatchers({ dialects: [irDialect, tir], print: (n) => print(n, { dialects: [tir] }) }));

const r = (index: number): VmOperand => ({ kind: "register", index });
const call = (func: number, dst: number, ...args: readonly VmOperand[]): VmInstruction => ({ op: "call", func, dst, args });

/** `main(c, x)` with a branch inside a branch, a kernel, a constant and a function as a value. */
const executable: VmExecutable = {
  functions: [
    {
      kind: "bytecode",
      name: "main",
      params: [
        { name: "c", type: "R.Object" },
        { name: "x", type: "R.Object" },
      ],
      registers: 6,
      code: [
        { op: "if", cond: 0, offset: 7 },
        { op: "if", cond: 1, offset: 3 },
        call(1, 2, r(1), { kind: "immediate", value: 7 }),
        { op: "goto", offset: 2 },
        call(2, 2, { kind: "constant", index: 3 }, { kind: "function", index: 1 }),
        call(2, -1, r(2)),
        { op: "goto", offset: 2 },
        call(3, 2, r(1)),
        { op: "ret", value: r(2) },
      ],
    },
    { kind: "kernel", name: "add", params: ["float32", "float32"], dims: [] },
    { kind: "packed", name: "vm.builtin.copy" },
    { kind: "packed", name: "host.fill" },
  ],
  constants: [],
};

it("jumps become branches, and calls go to packed functions on the lists of the machine", () => {
  const module = vmTirCodegen(executable);
  const text = `
@I.ir_module
class Module:
    @T.prim_func
    def __vmtir__main(ctx_ptr: T.handle, r: T.handle, c: T.handle, f: T.handle):
        if T.call_packed("vm.builtin.read_if_cond", T.anylist_getitem(r, 0)) != 0:
            if T.call_packed("vm.builtin.read_if_cond", T.anylist_getitem(r, 1)) != 0:
                T.anylist_setitem_call_cpacked(r, 2, "add", T.anylist_getitem(r, 1), T.int64(7))
            else:
                T.anylist_setitem_call_packed(r, 2, "vm.builtin.copy", T.anylist_getitem(c, 3), T.anylist_getitem(f, 1))
            T.call_packed("vm.builtin.copy", T.anylist_getitem(r, 2))
        else:
            T.anylist_setitem_call_packed(r, 2, "host.fill", T.anylist_getitem(r, 1))
        T.anylist_setitem_call_packed(r, 6, "vm.builtin.copy", T.anylist_getitem(r, 2))
`;
  expect(module).toEqualIr(parse(text, { dialects: [tir] }));
});

it("the code of it calls by number", () => {
  const withReader: VmExecutable = { ...executable, functions: [...executable.functions, { kind: "packed", name: "vm.builtin.read_if_cond" }] };
  expect(vmJavaScript(vmTirCodegen(withReader), withReader)).toBe(`// Written by the compiler: the functions of a program, one call after the other.
export const functions = {
  "main": (vm) => {
    if (Number(vm.call(-1, 4, [vm.register(0)])) !== Number(0)) {
      if (Number(vm.call(-1, 4, [vm.register(1)])) !== Number(0)) {
        vm.call(2, 1, [vm.register(1), 7]);
      } else {
        vm.call(2, 2, [vm.constant(3), vm.function(1)]);
      }
      vm.call(-1, 2, [vm.register(2)]);
    } else {
      vm.call(2, 3, [vm.register(1)]);
    }
    return vm.register(2);
  },
};
`);
});

it("jumps that are not those of branches are refused", () => {
  const back: VmExecutable = { functions: [{ kind: "bytecode", name: "main", params: [], registers: 1, code: [{ op: "goto", offset: -1 }] }], constants: [] };
  expect(() => vmTirCodegen(back)).toThrow("`main` jumps outside of branches.");
});
