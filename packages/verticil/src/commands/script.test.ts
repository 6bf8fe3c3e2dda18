import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli as runInProcess } from "../testing/cli.ts";

const MODULE = `# from tvm.script import ir as I
# from tvm.script import tir as T

@I.ir_module
class Module:
    @T.prim_func
    def scale(A: T.Buffer((8,), "float32"), B: T.Buffer((8,), "float32")):
        # with T.block("root"):
        for i in range(8):
            with T.block("B"):
                vi = T.axis.spatial(8, i)
                T.reads(A[vi])
                T.writes(B[vi])
                B[vi] = A[vi] * T.float32(2.0)
`;

let folder = "";
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "verticil-script-"));
  await writeFile(file("a.py"), MODULE);
  await writeFile(file("renamed.py"), MODULE.replaceAll("vi", "w").replaceAll("range(8)", "range( 8 )"));
  await writeFile(file("other.py"), MODULE.replace("2.0", "3.0"));
  await writeFile(file("bad.py"), MODULE.replace("A[vi] *", "Z[vi] *").replace("T.reads(A[vi])", "T.raeds(A[vi])"));
  await writeFile(file("function.py"), `from tvm.script import tir as T\n\n@T.prim_func\ndef f(a: T.handle):\n    T.evaluate( 0 )  # nothing\n`);
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly note: string;
}

async function cli(...args: string[]): Promise<Outcome> {
  const { code, out, err } = await runInProcess(args);
  return { code, out, note: err };
}

test("fmt prints the normal form, which stays as it is", async () => {
  const once = await cli("script", "fmt", file("renamed.py"));
  expect(once.code).toBe(0);
  expect(`${once.out}\n`).toBe(MODULE.replaceAll("vi", "w"));
  await writeFile(file("once.py"), `${once.out}\n`);
  expect((await cli("script", "fmt", "--check", file("once.py"))).code).toBe(0);
});

test("fmt --check lists the files that would change", async () => {
  const result = await cli("script", "fmt", "--check", file("a.py"), file("renamed.py"));
  expect(result).toMatchObject({ code: 1, out: file("renamed.py") });
});

test("fmt --write keeps functions on their own and says that comments are dropped", async () => {
  const result = await cli("script", "fmt", "--write", file("function.py"));
  expect(result).toMatchObject({ code: 0, note: `${file("function.py")}: 1 comment was dropped.` });
  expect(await readFile(file("function.py"), "utf8")).toBe(
    "# from tvm.script import tir as T\n\n@T.prim_func\ndef f(a: T.handle):\n    T.evaluate(0)\n",
  );
});

test("fmt keeps every module under its name, and functions on their own behind them", async () => {
  const one = (name: string, body: string): string => `@I.ir_module\nclass ${name}:\n    @T.prim_func\n    def f():\n        T.evaluate(${body})\n`;
  const head = "# from tvm.script import ir as I\n# from tvm.script import tir as T\n\n";
  const alone = "@T.prim_func\ndef g():\n    T.evaluate(3)\n";
  await writeFile(file("two.py"), `${head}${alone}\n${one("Before", "1+0")}\n${one("After", "2")}`);
  const { code, out } = await cli("script", "fmt", file("two.py"));
  expect({ code, out }).toEqual({ code: 0, out: `${head}${one("Before", "1")}\n${one("After", "2")}\n${alone}`.trimEnd() });
  const wrong = await cli("script", "diff", file("two.py"), file("a.py"));
  expect(wrong.code).toBe(1);
  expect(wrong.note).toContain("several modules: `Before`, `After`");
});

test("check reports every error of every file with its place", async () => {
  const result = await cli("script", "check", file("a.py"), file("bad.py"));
  expect(result.code).toBe(1);
  expect(result.out).toContain("There is no `T.raeds`");
  expect(result.out).toContain(`--> ${file("bad.py")}:12:`);
  expect(result.out).toContain("`Z` is not defined here");
  expect(result.note).toBe("1 of 2 files have errors.");
});

test("check --json is one document; a folder means the scripts in it", async () => {
  const result = await cli("script", "check", "--json", folder);
  const report = JSON.parse(result.out) as { checked: number; failed: number; files: { file: string; ok: boolean; diagnostics: { code: string; span: object }[] }[] };
  expect(report.checked).toBeGreaterThanOrEqual(5);
  expect(report.failed).toBe(1);
  const bad = report.files.find((f) => f.file === file("bad.py"));
  expect(bad?.diagnostics.map((d) => d.code)).toContain("tvmscript/unknown-member");
  expect(bad?.diagnostics[0]?.span).toMatchObject({ file: file("bad.py"), start: { line: 12 } });
});

test("check --json takes thousands of files in one process", async () => {
  const many = file("many");
  await mkdir(many);
  const text = (i: number): string => `@T.prim_func\ndef f${i}(A: T.Buffer((8,), "float32")):\n    for i in range(8):\n        A[i] = ${i % 500 === 7 ? "nowhere" : `T.float32(${i})`}\n`;
  await Promise.all(Array.from({ length: 2000 }, (_, i) => writeFile(join(many, `${i}.py`), text(i))));
  const report = JSON.parse((await cli("script", "check", "--json", many)).out) as { checked: number; failed: number; files: { ok: boolean; diagnostics: { span: { start: { line: number } } }[] }[] };
  expect(report).toMatchObject({ checked: 2000, failed: 4 });
  expect(report.files.filter((f) => !f.ok).map((f) => f.diagnostics.map((d) => d.span.start.line))).toEqual([[4], [4], [4], [4]]);
  await rm(many, { recursive: true });
});

test("diff does not mind names, and shows where values differ", async () => {
  expect(await cli("script", "diff", file("a.py"), file("renamed.py"))).toMatchObject({ code: 0, out: "The programs are structurally equal." });
  const result = await cli("script", "diff", file("a.py"), file("other.py"));
  expect(result.code).toBe(1);
  expect(result.out).toContain(".value.b.value: 2 in ");
  expect(result.out).toMatch(/B\[vi\] = A\[vi\] \* T\.float32\(3\.0\)\n\s+\^+/);
});

test("diff --json has the paths of both sides", async () => {
  const result = await cli("script", "diff", "--json", file("a.py"), file("other.py"));
  expect(JSON.parse(result.out)).toMatchObject({ equal: false, changed: [{ name: "scale", lhs: "2", rhs: "3" }] });
});

test.each([
  [["script", "fmt", "--check", "--write", "x.py"], "leave out `--write`"],
  [["script", "check", "/no/such.py"], "There is no file `/no/such.py`"],
  [["script", "diff", "a.py"], "missing required argument"],
  [["script", "frobnicate"], "unknown command"],
])("%s is a wrong use", async (args, message) => {
  const result = await cli(...args);
  expect(result.code).toBe(2);
  expect(result.note).toContain(message);
});

test("opt runs passes and tells what they did", async () => {
  const result = await cli("opt", file("a.py"), "--passes", "LowerInitBlock,ConvertBlocksToOpaque", "--print-diff", "--timing", "--print-after-all");
  expect(result.code).toBe(0);
  expect(result.note).toContain("LowerInitBlock: no change");
  expect(result.note).toContain('~ scale: functions["scale"]');
  expect(result.note).toContain("- ");
  expect(result.note).toMatch(/ConvertBlocksToOpaque: \d+\.\d\d ms \(\d+\.\d %\)/);
  expect(result.out).toContain("with T.block");
});

test("opt leaves disabled passes out and writes to a file", async () => {
  const result = await cli("opt", file("a.py"), "--passes", "LowerTIR", "--disable", "FlattenBuffer", "-o", file("out.py"));
  expect(result).toMatchObject({ code: 0, out: "" });
  expect(await readFile(file("out.py"), "utf8")).toContain("def scale");
});

test("opt runs a pipeline by name, and names those there are", async () => {
  await writeFile(file("graph.py"), '@I.ir_module\nclass Module:\n    @R.function\n    def main(x: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):\n        with R.dataflow():\n            a = R.exp(x)\n            b = R.add(a, x)\n            R.output(b)\n        return b\n');
  expect((await cli("opt", file("graph.py"), "--pipeline", "zero")).out).toContain("fused_tir_exp_add");
  expect(await cli("opt", file("graph.py"), "--pipeline", "none")).toMatchObject({ code: 2, out: "" });
});

test("opt prints what passes warn of", async () => {
  await writeFile(file("unknown.py"), '@I.ir_module\nclass Module:\n    @R.function\n    def main(x: R.Tensor(ndim=1, dtype="float32")) -> R.Tensor(ndim=1, dtype="float32"):\n        a = R.exp(x)\n        return a\n');
  const result = await cli("opt", file("unknown.py"), "--passes", "LegalizeOps(enable_warning=True)");
  expect(result.code).toBe(0);
  expect(result.out).toContain("R.exp(x)");
  expect(result.note).toContain("warning[relax/not-legalized]: A call of `relax.exp` stays");
  expect(await cli("opt", file("unknown.py"), "--passes", "LegalizeOps")).toMatchObject({ code: 0, note: "" });
});

test("opt --list names passes with their options", async () => {
  const { out } = await cli("opt", "--list");
  expect(out).toContain("FuseOps: Groups calls");
  expect(out).toContain("    fuse_opt_level: an integer from 0 to 2; ");
  const json = JSON.parse((await cli("opt", "--list", "--json")).out) as { name: string }[];
  expect(json.some((p) => p.name === "LowerOpaqueBlock")).toBe(true);
});

test("opt prints the module before each pass, and checks it after each", async () => {
  const { code, note } = await cli("opt", file("a.py"), "--passes", "LowerInitBlock,ConvertBlocksToOpaque", "--print-before-all", "--verify");
  expect(code).toBe(0);
  expect(note.match(/^# before \w+/gm)).toEqual(["# before LowerInitBlock", "# before ConvertBlocksToOpaque"]);
  expect(note.match(/T\.axis\.spatial/g)).toHaveLength(2);
});

test.each([
  [["--passes", "FuseOp"], "Did you mean `FuseOps`?"],
  [["--passes", "FuseOps(max_deph=1)"], "Did you mean `max_depth`?"],
  [["--passes", "FuseOps", "--config", "relax.FuseOps.max_dpeth=1"], "Did you mean `relax.FuseOps.max_depth`?"],
  [["--passes", "FuseOps", "--disable", "FuseOp"], "Did you mean `FuseOps`?"],
  [[], "Say which passes to run"],
])("opt %s is a wrong use", async (args, message) => {
  const result = await cli("opt", file("a.py"), ...args);
  expect(result.code).toBe(2);
  expect(result.note).toContain(message);
});
