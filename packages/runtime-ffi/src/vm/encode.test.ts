import { expect, test } from "vitest";
import { vmExecutableText } from "./as-text.ts";
import { decodeVmExecutable } from "./decode.ts";
import { encodeVmExecutable } from "./encode.ts";
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
