import { expect, test } from "vitest";
import { isTensor, type Any, type Functions } from "../any.ts";
import { FfiError } from "../ffi-error.ts";
import { tensor } from "../tensor.ts";
import type { VmExecutable, VmInstruction } from "./executable.ts";
import { profileVm } from "./profile.ts";
import { VirtualMachine, type VmFrame } from "./virtual-machine.ts";

const register = (index: number) => ({ kind: "register", index }) as const;
const call = (func: number, dst: number, ...args: number[]): VmInstruction => ({ op: "call", func, dst, args: args.map(register) });

/** A program of one function `main` of `params` registers, that calls functions of the host by number. */
function machine(params: number, code: readonly VmInstruction[], functions: Functions): VirtualMachine {
  const names = Object.keys(functions);
  const main = { kind: "bytecode", name: "main", params: Array.from({ length: params }, (_, i) => ({ name: `p${i}`, type: "R.Object" })), registers: 8, code } as const;
  const executable: VmExecutable = { functions: [...names.map((name) => ({ kind: "packed", name }) as const), main], constants: [] };
  return new VirtualMachine(executable, { memory: new WebAssembly.Memory({ initial: 1 }), base: 64, kernels: {}, constants: new Map(), functions });
}

const double: Functions[string] = ([x], ctx) => {
  if (!isTensor(x)) throw new TypeError("no tensor");
  const out = ctx.empty(x.dtype, x.shape);
  for (const [i, v] of x.data.entries()) out.data[i] = (Number(v) * 2) as never;
  return out;
};

function numbers(value: Any): readonly number[] {
  return isTensor(value) ? Array.from(value.data, Number) : [];
}

test("a call goes from the host through the program and back, and all its memory is given back", () => {
  const vm = machine(1, [call(0, 1, 0), call(0, 2, 1), { op: "ret", value: register(2) }], { double });
  expect(numbers(vm.invoke("main", tensor(Float32Array.of(1, 2), [2])))).toEqual([4, 8]);
  expect(vm.memory.usedBytes).toBe(0);
});

test("memory that grows takes tensors along", () => {
  const grow: Functions[string] = ([x], ctx) => {
    ctx.empty("float32", [1 << 20]);
    return x;
  };
  const vm = machine(1, [call(0, 1, 0), call(1, 2, 1), { op: "ret", value: register(2) }], { grow, double });
  expect(numbers(vm.invoke("main", tensor(Float32Array.of(3), [1])))).toEqual([6]);
  expect(vm.memory.usedBytes).toBe(0);
});

test("an object keeps what it owns between calls", () => {
  const append: Functions[string] = ([cache, x], ctx) => {
    const state = cache as Any as { readonly typeKey: string; items: ReturnType<typeof ctx.own>[] };
    if (!isTensor(x)) throw new TypeError("no tensor");
    const own = ctx.own(x.dtype, x.shape);
    own.data.set(x.data as never);
    state.items.push(own);
    return state.items.at(-2) ?? own;
  };
  const vm = machine(2, [call(0, 2, 0, 1), { op: "ret", value: register(2) }], { append });
  const cache = { typeKey: "test.Cache", items: [] };
  vm.invoke("main", cache, tensor(Float32Array.of(1), [1]));
  expect(numbers(vm.invoke("main", cache, tensor(Float32Array.of(2), [1])))).toEqual([1]);
  expect(vm.memory.usedBytes).toBeGreaterThan(0);
  for (const item of cache.items as { dispose(): void }[]) item.dispose();
  expect(vm.memory.usedBytes).toBe(0);
});

test("uploaded tensors are arguments without a copy", () => {
  const same: Functions[string] = ([x]) => (isTensor(x) ? Number(x.data.byteOffset) : -1);
  const vm = machine(1, [call(0, 1, 0), { op: "ret", value: register(1) }], { same });
  const weights = vm.upload(tensor(Float32Array.of(1), [1]));
  expect(vm.invoke("main", weights)).toBe(weights.data.byteOffset);
});

test("what a failed call held is given back", () => {
  const fail: Functions[string] = () => {
    throw new RangeError("no");
  };
  const vm = machine(1, [call(0, 1, 0), call(1, 2, 1), { op: "ret", value: register(2) }], { double, fail });
  expect(() => vm.invoke("main", tensor(Float32Array.of(1), [1]))).toThrow("`fail` failed: no");
  expect(vm.memory.usedBytes).toBe(0);
});

test("functions of the host that are missing are named at once", () => {
  const executable: VmExecutable = { functions: [{ kind: "packed", name: "a.b" }, { kind: "packed", name: "c.d" }], constants: [] };
  expect(() => new VirtualMachine(executable, { memory: new WebAssembly.Memory({ initial: 1 }), base: 64, kernels: {}, constants: new Map() })).toThrow(
    "The program calls `a.b`, `c.d`, which the host does not provide.",
  );
});

test("an unknown function and a wrong number of arguments are told", () => {
  const vm = machine(1, [{ op: "ret", value: register(0) }], {});
  expect(() => vm.invoke("other")).toThrow("It has `main`.");
  expect(() => vm.invoke("main")).toThrow(FfiError);
});

test("an instrument sees each call before and after, and may leave one out", () => {
  const vm = machine(1, [call(0, 1, 0), call(0, 2, 1), { op: "ret", value: register(1) }], { double });
  const seen: string[] = [];
  vm.setInstrument(({ when, name, args }) => {
    seen.push(`${when} ${name} ${numbers(args[0])}`);
    return when === "before" && numbers(args[0])[0] === 2 ? "skip" : undefined;
  });
  expect(numbers(vm.invoke("main", tensor(Float32Array.of(1), [1])))).toEqual([2]);
  expect(seen).toEqual(["before double 1", "after double 1", "before double 2"]);
});

test("a profile counts calls and adds their times", () => {
  const vm = machine(1, [call(0, 1, 0), call(0, 2, 1), { op: "ret", value: register(2) }], { double });
  const { result, rows, report } = profileVm(vm, "main", tensor(Float32Array.of(1), [1]));
  expect(numbers(result)).toEqual([4]);
  expect(rows).toEqual([{ name: "double", calls: 2, ms: expect.any(Number) }]);
  expect(report.calls.map((c) => [c["Name"], c["Argument Shapes"], c["Count"]])).toEqual(Array.from({ length: 2 }, () => [{ string: "double" }, { string: "float32[1]" }, { count: 1 }]));
  expect(Object.keys(report.deviceMetrics)).toEqual(["cpu0"]);
});

test("code of a function runs in place of its instructions, and gives back all memory", () => {
  const main = { kind: "bytecode", name: "main", params: [{ name: "x", type: "R.Object" }], registers: 2, code: [{ op: "ret", value: register(0) }] } as const;
  const executable: VmExecutable = { functions: [{ kind: "packed", name: "double" }, main], constants: [] };
  const compiled = {
    main: (vm: VmFrame): Any => {
      vm.call(1, 0, [vm.register(0)]);
      vm.call(2, 0, [vm.register(1)]);
      return vm.register(2);
    },
  };
  const vm = new VirtualMachine(executable, { memory: new WebAssembly.Memory({ initial: 1 }), base: 64, kernels: {}, constants: new Map(), functions: { double }, compiled });
  expect(numbers(vm.invoke("main", tensor(Float32Array.of(1, 2), [2])))).toEqual([4, 8]);
  expect(vm.memory.usedBytes).toBe(0);
});
