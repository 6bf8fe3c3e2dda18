import { expect, test } from "vitest";
import { vmExecutableText } from "./as-text.ts";
import { decodeVmExecutable } from "./decode.ts";
import { encodeVmExecutable, VM_VERSION } from "./encode.ts";
import type { VmExecutable } from "./executable.ts";

const program: VmExecutable = {
  functions: [
    {
      kind: "bytecode",
      name: "main",
      params: [{ name: "x", type: 'R.Tensor((n,), dtype="float32")' }],
      registers: 3,
      code: [
        { op: "call", func: 1, dst: 1, args: [{ kind: "register", index: 0 }, { kind: "immediate", value: -5 }, { kind: "constant", index: 1 }] },
        { op: "if", cond: 1, offset: 2 },
        { op: "call", func: 2, dst: -1, args: [{ kind: "immediate", value: 2 ** 49 }, { kind: "function", index: 0 }] },
        { op: "ret", value: { kind: "register", index: 1 } },
      ],
    },
    { kind: "kernel", name: "f", params: ["handle", "int64"], dims: [{ arg: 0, axis: 1, dtype: "int32" }] },
    { kind: "packed", name: "host.é" },
  ],
  constants: [
    { kind: "tensor", name: "c0" },
    { kind: "shape", shape: [2, 1 << 20] },
    { kind: "float", value: -0.1 },
    { kind: "int", value: 2n ** 63n },
    { kind: "string", value: "float32" },
    { kind: "null" },
  ],
};

test("a program is the same after writing and reading", () => {
  expect(decodeVmExecutable(encodeVmExecutable(program))).toEqual(program);
});

test("every cut and every changed byte is refused or read as another program, and nothing else happens", () => {
  const bytes = encodeVmExecutable(program);
  const attempt = (changed: Uint8Array): void => {
    try {
      decodeVmExecutable(changed);
    } catch (error) {
      expect(error).toMatchObject({ name: "FfiError" });
    }
  };
  for (let i = 0; i < bytes.length; i++) {
    attempt(bytes.slice(0, i));
    for (const bit of [1, 64, 128]) attempt(bytes.with(i, (bytes[i] ?? 0) ^ bit));
  }
});

test("what is out of reach is refused by name", () => {
  const [main, ...rest] = program.functions;
  if (main?.kind !== "bytecode") throw new Error("unreachable");
  const jump: VmExecutable = { ...program, functions: [{ ...main, code: [{ op: "goto", offset: -1 }, ...main.code] }, ...rest] };
  expect(() => decodeVmExecutable(encodeVmExecutable(jump))).toThrow("`main` jumps out of itself at 0");
  expect(() => encodeVmExecutable({ ...program, constants: [{ kind: "shape", shape: [-1] }] })).toThrow("-1 is no unsigned integer");
});

test("the text shows calls, jumps and operands", () => {
  expect(vmExecutableText(program)).toBe(`@main(%0 x: R.Tensor((n,), dtype="float32")) 3 registers:
    0  call f (%0, -5, shape(2, 1048576)) → %1
    1  if %1 else 3
    2  call host.é (562949953421312, @main)
    3  ret %1

@f(handle, int64) kernel, sizes of argument 0 axis 1
`);
});

test("another version of the bytecode is refused by its number", () => {
  const bytes = encodeVmExecutable(program);
  expect(bytes[4]).toBe(VM_VERSION);
  expect(() => decodeVmExecutable(bytes.with(4, 99))).toThrow(`The bytecode has version 99, this runtime runs version ${VM_VERSION}.`);
});

test("a call takes a byte for itself and one for each small number in it", () => {
  const main = { kind: "bytecode", name: "main", params: [], registers: 2 } as const;
  const size = (calls: number): number => {
    const code = Array.from({ length: calls }, () => ({ op: "call", func: 0, dst: 1, args: [{ kind: "register", index: 0 }, { kind: "immediate", value: 7 }] }) as const);
    return encodeVmExecutable({ functions: [{ ...main, code }], constants: [] }).length;
  };
  // Operation, function, register, number of arguments, two arguments; upstream takes eight bytes for each word.
  expect(size(101) - size(100)).toBe(6);
});

test("no integer is rounded: an operand that a double may not hold is refused, and constants hold any", () => {
  const call = (value: number): VmExecutable => ({
    functions: [{ kind: "bytecode", name: "main", params: [], registers: 1, code: [{ op: "ret", value: { kind: "immediate", value } }] }],
    constants: [{ kind: "int", value: 2n ** 53n + 1n }],
  });
  expect(() => encodeVmExecutable(call(2 ** 52))).toThrow("too large for an operand");
  for (const value of [2 ** 50 - 1, -(2 ** 50) + 1]) expect(decodeVmExecutable(encodeVmExecutable(call(value)))).toEqual(call(value));
});
