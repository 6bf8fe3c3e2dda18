import { expect, it } from "vitest";
import { figure, geomean, modelTable, type BenchRow } from "./bench-row.ts";
import { replaceSection } from "./performance-page.ts";

function row(name: string, peer: string, ours: number, theirs: number): BenchRow {
  return { name, threads: 1, ours_ms: ours, ours_median_ms: ours, peer, peer_ms: theirs, peer_median_ms: theirs, ratio: theirs / ours };
}

it("prints a line for each model, two columns for each peer, and the geometric means", () => {
  const rows = [row("a", "onnxruntime-node", 2, 1), row("a", "onnxruntime-web", 2, 4), row("b", "onnxruntime-web", 1, 8)];
  expect(modelTable(rows)).toBe(
    [
      "| model          |    Verticil | onnxruntime-web | ratio | onnxruntime-node | ratio |",
      "| -------------- | ----------: | --------------: | ----: | ---------------: | ----: |",
      "| a              | 2.00 / 2.00 |     4.00 / 4.00 | 2.00× |      1.00 / 1.00 | 0.50× |",
      "| b              | 1.00 / 1.00 |     8.00 / 8.00 | 8.00× |                - |     - |",
      "| geometric mean |             |                 | 4.00× |                  | 0.50× |",
    ].join("\n"),
  );
});

it("prints the mean of a group of models beneath that of all", () => {
  const rows = [row("a", "onnxruntime-web", 1, 2), row("b", "onnxruntime-web", 1, 8)];
  const lines = modelTable(rows, { few: new Set(["b"]), none: new Set() }).split("\n").slice(-3);
  expect(lines.map((l) => l.split("|").map((c) => c.trim()).filter((c) => c !== ""))).toEqual([
    ["geometric mean", "4.00×"],
    ["geometric mean, few", "8.00×"],
    ["geometric mean, none", "-"],
  ]);
});

it("gives three significant digits", () => {
  expect([0.01234, 1.234, 12.34, 123.4, NaN].map(figure)).toEqual(["0.012", "1.23", "12.3", "123", "-"]);
});

it("takes the geometric mean", () => {
  expect(geomean([2, 8])).toBeCloseTo(4);
});

it("replaces its section of the page and keeps the rest", () => {
  const page = replaceSection("# P\n", "x", "old");
  expect(replaceSection(`${page}\nafter\n`, "x", "new")).toBe("# P\n\n<!-- x -->\n\nnew\n\n<!-- end of x -->\n\nafter\n");
});
