import { expect, test } from "vitest";
import { onnxPage, operatorOf } from "./onnx-page.ts";

test("a case is of its node's operator, or of the one whose function it spells out", () => {
  expect(operatorOf([{ opType: "Relu", output: ["y"] }])).toBe("Relu");
  expect(operatorOf([{ opType: "Binarizer", domain: "ai.onnx.ml", output: ["y"] }])).toBe("ai.onnx.ml:Binarizer");
  const body = [{ opType: "Constant", output: ["Celu_test_celu_expanded_function_alpha"] }, { opType: "Mul", output: ["Y"] }];
  expect(operatorOf(body)).toBe("Celu");
});

test("the page counts both targets and names every miss", () => {
  const page = onnxPage([
    { id: "test_relu", group: "core", op: "Relu", interp: undefined, wasm: undefined },
    { id: "test_celu", group: "core", op: "Celu", interp: undefined, wasm: "output 0 has other values" },
    { id: "test_x", group: "strings", op: "X", interp: "no strings", wasm: "no strings" },
  ]);
  expect(page).toContain("| all | 3 | 2 | 1 |");
  expect(page).toContain("| `Celu` | 1 | 1 | 0 |");
  expect(page).toContain("- output 0 has other values (WebAssembly only): `test_celu`");
  expect(page).toContain("- no strings: `test_x`");
  expect(page).toMatch(/ are imported: .*`GroupQueryAttention`/);
  expect(page).toContain("- `BeamSearch`, `GreedySearch`, `Sampling`, `WhisperBeamSearch`: ");
});
