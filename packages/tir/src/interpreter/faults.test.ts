import { DiagnosticError } from "@verticil/ir-core";
import { zeros, type Tensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import type { PrimFunc } from "../ir/stmt.ts";
import { moduleOf } from "../transform/testing/expect-pass.ts";
import { interpretPrimFunc } from "./interpret.ts";

/** What is reported of a run over 8 elements, as `code line:column`. */
function fault(script: string, checkUninitialized = false): string {
  const func = [...moduleOf(script).functions.values()][0] as PrimFunc;
  const args = func.params.map((): Tensor => zeros("float32", [8]));
  try {
    interpretPrimFunc(func, args, { checkUninitialized });
  } catch (e) {
    if (!(e instanceof DiagnosticError)) throw e;
    const [d] = e.diagnostics;
    const place = d?.span?.source.position(d.span.start);
    return `${d?.code ?? "?"} ${place === undefined ? "nowhere" : `${place.line}:${place.column}`}`;
  }
  return "none";
}

const program = (lines: readonly string[]): string => `@T.prim_func
def main(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
${lines.map((l) => `    ${l}`).join("\n")}
`;

test("a store and a load out of bounds are reported where they stand", () => {
  expect(fault(program(["for i in range(9):", "    B[i] = T.float32(1)"]))).toBe("tir/out-of-bounds 4:9");
  expect(fault(program(["for i in range(8):", "    B[i] = A[i] + A[i - 1]"]))).toBe("tir/out-of-bounds 4:23");
  expect(fault(program(["B[T.Ramp(4, 1, 8)] = T.Broadcast(T.float32(1), 8)"]))).toBe("tir/out-of-bounds 3:5");
  expect(fault(program(["for i, j in T.grid(3, 3):", "    B[i * 3 + j] = A[i * 2 + j]"]))).toBe("tir/out-of-bounds 4:9");
});

test("an access beyond the memory that a pointer has is reported where it stands", () => {
  expect(fault(program(["W = T.Buffer((16,), data=A.data)", "for i in range(16):", "    W[i] = T.float32(0)"]))).toBe("tir/outside-memory 5:9");
});

test("a read of what was not written is reported where it stands", () => {
  const partly = program(["C = T.alloc_buffer((8,))", "for i in range(4):", "    C[i] = A[i]", "for i in range(8):", "    B[i] = C[i]"]);
  expect(fault(partly)).toBe("none");
  expect(fault(partly, true)).toBe("tir/uninitialized-read 7:16");
});

test("a division by zero is reported where it stands", () => {
  expect(fault(program(["for i in range(8):", '    B[i] = T.Cast("float32", 8 // (i - 3))']))).toBe("tir/division-by-zero 4:34");
  expect(fault(program(["for i in range(8):", '    B[i] = T.Cast("float32", T.truncmod(T.int64(2**62), T.Cast("int64", A[i])))']))).toBe("tir/division-by-zero 4:34");
});
