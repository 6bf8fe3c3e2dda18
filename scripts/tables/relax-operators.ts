import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gradientTable, layoutTable, legalizeTable, mixedPrecisionTable, relaxOps } from "@verticil/relax";

const OPS = "packages/relax/src/op";

/** What each question about an operator is tested by: the files that may hold a test of it, the first that names it wins. */
const testFiles: Readonly<Record<"legalize" | "layout" | "gradient", readonly string[]>> = {
  legalize: ["legalize/elementwise", "legalize/nn-rules", "legalize/search-rules", "legalize/shape-ops", "legalize/system-rules"].map((f) => `${OPS}/${f}.test.ts`),
  layout: [`${OPS}/layout-table.test.ts`],
  gradient: ["packages/relax/src/transform/gradient.test.ts"],
};

/** The operators that main has and v0.20 has not. */
const newer = new Set(
  "atan2 bucketize call_py_func hamming_window image.affine_grid image.grid_sample image.resize3d index_put index_tensor log_add_exp median meshgrid nn.batch_flatten nn.conv3d_transpose nn.instance_norm nn.pixel_shuffle nn.prelu outer reverse_sequence size slice_scatter stack trunc vision.all_class_non_max_suppression vision.non_max_suppression vision.get_valid_counts vision.multibox_transform_loc vision.roi_align vision.roi_pool".split(
    " ",
  ),
);

/** Why an operator does not become a tensor program. */
const unlegalized: readonly (readonly [RegExp, string])[] = [
  [/^(call_|make_closure|invoke_)/, "is a call"],
  [/^(memory|vm|builtin)\./, "the virtual machine's own"],
  [/^(shape_of|tensor_to_shape|shape_to_tensor|null_value|print|assert_op|hint_on_device|to_vdevice)$/, "the virtual machine runs it"],
  [/^(dist|ccl)\./, "needs several devices"],
  [/^inspect\./, "tensors here have no strides or offsets"],
];

/** The page of the operators: for each its struct info, tensor program, layout, float16 policy and gradient, with a test. */
export function relaxOperatorsPage(root: string): string {
  const texts = new Map<string, string>();
  for (const path of Object.values(testFiles).flat()) texts.set(path, readFileSync(join(root, path), "utf8"));
  const inferTests = readdirSync(join(root, OPS)).filter((f) => f.endsWith(".test.ts")).length;
  const cell = (has: boolean, name: string, kind: keyof typeof testFiles, otherwise: string): string => {
    if (!has) return otherwise;
    const word = new RegExp(`(?<![\\w.])${name.replace(".", "\\.")}(?!\\w)`);
    const short = new RegExp(`(?<!\\w)${(name.split(".").at(-1) ?? name).replace(/\dd/, "\\dd")}(?!\\w)`);
    const file = testFiles[kind].find((f) => word.test(texts.get(f) ?? "")) ?? testFiles[kind].find((f) => short.test(texts.get(f) ?? ""));
    return file === undefined ? "yes" : `[yes](../${file})`;
  };
  const names = [...relaxOps.keys()].map((n) => n.replace(/^relax\./, ""));
  const rows = names.map((name) => {
    const full = `relax.${name}`;
    const why = unlegalized.find(([pattern]) => pattern.test(name))?.[1];
    if (!legalizeTable.has(full) && why === undefined) throw new Error(`\`${full}\` has no legalization, and \`unlegalized\` does not say why.`);
    const cells = [
      `\`${name}\`${newer.has(name) ? " ᵐ" : ""}`,
      cell(legalizeTable.has(full), name, "legalize", why ?? ""),
      cell(layoutTable.has(full), name, "layout", "keeps the model's"),
      mixedPrecisionTable.get(full) ?? "never",
      cell(gradientTable.has(full), name, "gradient", "–"),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const count = (table: { has(name: string): boolean }): number => names.filter((n) => table.has(`relax.${n}`)).length;
  return [
    "# The operators of the graph",
    "",
    `${names.length} operators: upstream's of v0.20, and those that its main branch adds (ᵐ). Each has typed attributes and a rule for its struct info (${inferTests} test files in [\`${OPS}\`](../${OPS}), and upstream's texts).`,
    `${count(legalizeTable)} become tensor programs, ${count(layoutTable)} run in other layouts, ${count(mixedPrecisionTable)} have a policy for float16 other than \`never\`, ${count(gradientTable)} have a gradient. A "yes" leads to a test that names the operator or its family; one without a link is held by models and upstream's pairs only.`,
    "",
    "Written by `pnpm check:tables --write`.",
    "",
    "| operator | tensor program | layout | float16 | gradient |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
