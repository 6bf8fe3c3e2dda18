import { test } from "vitest";
import { formDotProducts } from "./form-dot-products.ts";
import { expectPass } from "./testing/expect-pass.ts";

function program(lines: readonly string[], types: readonly [a: string, b: string] = ["int16", "int8"]): string {
  return `
@T.prim_func
def main(A: T.Buffer((64,), "${types[0]}"), B: T.Buffer((512,), "${types[1]}"), C: T.Buffer((4,), "int32")):
    for k in range(32):
${lines.map((l) => `        ${l}`).join("\n")}
`;
}

function update(a: string, first: number, step: number): string {
  const lanes = [0, 1, 2, 3].map((l) => `B[k * 16 + ${first + step * l}]`).join(", ");
  return `C[0:4] = C[0:4] + T.Broadcast(T.Cast("int32", A[${a}]), 4) * T.Cast("int32x4", T.Shuffle([${lanes}], [0, 1, 2, 3]))`;
}

const pair = "T.Shuffle([A[k * 2:k * 2 + 2]], [0, 1, 0, 1, 0, 1, 0, 1])";
const before = [update("k * 2", 0, 2), update("k * 2 + 1", 1, 2)];

test("two neighbouring updates by neighbouring elements are one dot product", () =>
  expectPass(formDotProducts(), program(before), program([`C[0:4] = T.dp2a("int32x4", ${pair}, T.Cast("int16x8", B[k * 16:k * 16 + 8]), C[0:4])`])));

test("of words there is nothing to widen", () =>
  expectPass(formDotProducts(), program(before, ["int16", "int16"]), program([`C[0:4] = T.dp2a("int32x4", ${pair}, B[k * 16:k * 16 + 8], C[0:4])`], ["int16", "int16"])));

test.each([
  ["elements that are no neighbours", program([update("k * 2", 0, 2), update("k * 2 + 2", 1, 2)])],
  ["weights that lie apart", program([update("k * 2", 0, 4), update("k * 2 + 1", 1, 4)])],
  ["wider elements", program(before, ["int32", "int8"])],
  ["an update alone", program(before.slice(0, 1))],
])("leaves %s", (_, text) => expectPass(formDotProducts(), text, text));
