import { tensorFrom } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { storageRewrite } from "./storage-rewrite.ts";
import { expectPass, runOn } from "./testing/expect-pass.ts";
import { interpretOn } from "./testing/interpret-on.ts";

const chain = (memory: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
${memory}
`;

test("what is read for the last time lends its memory to what is written", () => {
  expectPass(
    storageRewrite(),
    chain(`
    x = T.decl_buffer((16,))
    for i in range(16):
        x[i] = A[i] + T.float32(1)
    y = T.decl_buffer((16,))
    for i in range(16):
        y[i] = x[i] * T.float32(2)
    for i in range(16):
        B[i] = y[i]
`),
    chain(`
    x = T.decl_buffer((16,))
    for i in range(16):
        x[i] = A[i] + T.float32(1)
    y = T.decl_buffer((16,), data=x.data)
    for i in range(16):
        y[i] = x[i] * T.float32(2)
    for i in range(16):
        B[i] = y[i]
`),
  );
});

/** Three buffers, of which the first is dead before the last is written. */
const three = (elements: number, dtype: string, index: string): string => `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
    x_data = T.allocate([16], "float32", "global")
    x = T.Buffer((16,), data=x_data)
    y_data = T.allocate([16], "float32", "global")
    y = T.Buffer((16,), data=y_data)
    z_data = T.allocate([${elements}], "${dtype}", "global")
    z = T.Buffer((${elements},), "${dtype}", data=z_data)
    for i in range(16):
        x[i] = A[i] + T.float32(1)
    for i in range(16):
        y[i] = x[15 - i] * T.float32(2)
    for i in range(16):
        z[i] = T.Cast("${dtype}", y[${index}])
    for i in range(16):
        B[i] = T.Cast("float32", z[i])
`;

for (const [elements, dtype, index, allocations] of [
  [16, "float32", "15 - i", 2],
  [32, "float32", "15 - i", 2],
  [16, "int32", "15 - i", 2],
  [16, "int8", "i", 2],
] as const) {
  test(`${elements} elements of ${dtype} take the place of what is not needed any more`, () => {
    const script = three(elements, dtype, index);
    const input = tensorFrom(Array.from({ length: 16 }, (_, i) => i - 3), [16], "float32");
    const after = runOn(storageRewrite(), script);
    expect([...interpretOn(after, [input])]).toEqual([...interpretOn(script, [input])]);
    const text = JSON.stringify([...after.functions.values()][0], (k, v) => (k === "span" ? undefined : typeof v === "bigint" ? String(v) : v));
    expect(text.split('"kind":"tir.Allocate"').length - 1).toBe(allocations);
  });
}

test("buffers that are alive together, and local ones, keep memory of their own", () => {
  for (const scope of ["global", "local"]) {
    const script = `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
    x = T.allocate([16], "float32", "${scope}")
    y = T.allocate([16], "float32", "${scope}")
    x_1 = T.Buffer((16,), data=x, scope="${scope}")
    y_1 = T.Buffer((16,), data=y, scope="${scope}")
    for i in range(16):
        x_1[i] = A[i] + T.float32(1)
    for i in range(16):
        y_1[i] = A[15 - i] * T.float32(2)
    for i in range(16):
        B[i] = y_1[15 - i]${scope === "global" ? " + x_1[i]" : ""}
`;
    expectPass(storageRewrite(), script);
  }
});

test("memory of a parallel loop stays in the loop", () => {
  const script = (before: string, inside: string): string => `
@T.prim_func
def main(B: T.Buffer((4,), "float32")):
${before}    for p in T.parallel(4):
        for q in range(2):
${inside}            for i in range(64):
                x_1[i] = T.float32(i)
            B[p] = x_1[q]
`;
  const declare = (indent: string): string => `${indent}x = T.allocate([64], "float32", "global")\n${indent}x_1 = T.Buffer((64,), data=x)\n`;
  const after = `
@T.prim_func
def main(B: T.Buffer((4,), "float32")):
    for p in T.parallel(4):
        x = T.allocate([64], "float32", "global")
        x_1 = T.Buffer((64,), data=x)
        for q in range(2):
            for i in range(64):
                x_1[i] = T.float32(i)
            B[p] = x_1[q]
`;
  expectPass(storageRewrite(), script("", declare("            ")), after);
});

test("an allocation that is accessed as vectors becomes an array of vectors", () => {
  expectPass(
    storageRewrite(),
    `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
    x = T.allocate([16], "float32", "local")
    x_1 = T.Buffer((16,), data=x, scope="local")
    for i in range(4):
        x_1[i * 4:i * 4 + 4] = A[i * 4:i * 4 + 4]
    for i in range(4):
        B[i * 4:i * 4 + 4] = x_1[12 - i * 4:16 - i * 4]
`,
    `
@T.prim_func
def main(A: T.Buffer((16,), "float32"), B: T.Buffer((16,), "float32")):
    x = T.allocate([T.Div(16, 4)], "float32x4", "local")
    x_1 = T.Buffer((T.Div(16, 4),), "float32x4", data=x, scope="local")
    for i in range(4):
        x_1[T.Div(i * 4, 4)] = A[i * 4:i * 4 + 4]
    for i in range(4):
        B[i * 4:i * 4 + 4] = x_1[T.Div(12 - i * 4, 4)]
`.replaceAll("T.Div(16, 4)", "4"),
  );
});
