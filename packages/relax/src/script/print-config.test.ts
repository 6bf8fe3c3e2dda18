import { atPath, isNode, type Node, type ObjectPath } from "@verticil/ir-core";
import { tir, type PrimFunc } from "@verticil/tir";
import { parse, print, type PrintOptions } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { relax } from "./relax-script.ts";

// One test for each field of upstream's `PrinterConfig`. The texts were compared with those of upstream's own printer.

const dialects = [tir, relax];

const text = `# from tvm.script import ir as I
# from tvm.script import tir as T
# from tvm.script import relax as R

@I.ir_module
class Module:
    @T.prim_func
    def f(x: T.Buffer((T.int64(4), T.int64(4)), "float32"), y: T.Buffer((T.int64(4), T.int64(4)), "float16")):
        T.func_attr({"tir.noalias": T.bool(True)})
        # with T.block("root"):
        for i, j in T.grid(T.int64(4), T.int64(4)):
            with T.block("b"):
                vi, vj = T.axis.remap("SS", [i, j])
                T.reads(x[vi, vj])
                T.writes(y[vi, vj])
                y[vi, vj] = T.Cast("float16", x[vi, vj] * T.float32(2.0) + T.float32(1.5))

    @R.function
    def main(x: R.Tensor((4, 4), dtype="float32"), z: R.Tensor(dtype="float32", ndim=2)) -> R.Tensor((4, 4), dtype="float16"):
        cls = Module
        with R.dataflow():
            w: R.Tensor((4, 4), dtype="float32") = R.add(x, x)
            gv = R.call_tir(cls.f, (w,), out_sinfo=R.Tensor((4, 4), dtype="float16"))
            R.output(gv)
        return gv`;

const module = parse(text, { dialects });
const func = [...module.functions.values()].find((f) => f.kind === "tir.PrimFunc") as PrimFunc;

/** The whole module, or a part of it. */
function shown(opts: Partial<PrintOptions>, node: Node = module): string {
  return print(node, { dialects, ...opts });
}

/** The text with words exchanged. */
function with_(...changes: readonly (readonly [from: RegExp, to: string])[]): string {
  return changes.reduce((t, [from, to]) => t.replaceAll(from, to), text);
}

function path(...steps: readonly (string | number)[]): ObjectPath {
  return steps.map((s) => (typeof s === "number" ? { kind: "index", index: s } : { kind: "field", name: s }));
}

const loop = path("body", "block", "body");
const product = path("body", "block", "body", "body", "body", "block", "body", "value", "value", "a");

/** The part of the function at a path. */
function at(p: ObjectPath): Node {
  const found = atPath(func, p);
  if (!isNode(found)) throw new Error("no node there");
  return found;
}

test("nothing told", () => {
  expect(shown({})).toBe(text);
});

test("name", () => {
  expect(shown({ name: "Net" })).toBe(with_([/class Module/g, "class Net"], [/cls = Module/g, "cls = Net"]));
  expect(shown({ name: "g" }, func).split("\n")[3]).toBe('def g(x: T.Buffer((T.int64(4), T.int64(4)), "float32"), y: T.Buffer((T.int64(4), T.int64(4)), "float16")):');
});

test("show_meta", () => {
  const big = parse(`@R.function\ndef main() -> R.Tensor((2,), dtype="float32"):\n    return R.const([1.0, 2.0], "float32")`, { dialects });
  expect(shown({}, big)).toMatch(/# Metadata omitted\. Use show_meta=True in script\(\) method to show it\.$/);
  expect(shown({ showMeta: true }, big)).toMatch(/^metadata = tvm\.ir\.load_json\("""\{/);
  expect(shown({ showMeta: true })).toBe(text);
});

test("ir_prefix", () => {
  expect(shown({ prefixes: { ir: "II" } })).toBe(with_([/\bI\b/g, "II"]));
});

test("tir_prefix", () => {
  // The comment on the root block always has the usual prefix.
  expect(shown({ prefixes: { tir: "TT" } })).toBe(with_([/\bT\b(?!\.block\("root)/g, "TT"]));
});

test("relax_prefix", () => {
  expect(shown({ prefixes: { relax: "RR" } })).toBe(with_([/\bR\b/g, "RR"]));
});

test("a prefix is a name", () => {
  expect(() => shown({ prefixes: { tir: "1T" } })).toThrow(RangeError);
  expect(() => shown({ moduleAlias: "a.b" })).toThrow(RangeError);
});

test("module_alias", () => {
  expect(shown({ moduleAlias: "mod" })).toBe(with_([/\bcls\b/g, "mod"]));
  expect(shown({ moduleAlias: "" })).toBe(with_([/ +cls = Module\n/g, ""], [/\bcls\b/g, "Module"]));
});

test("buffer_dtype", () => {
  const f = parse("@T.prim_func\ndef f(a: T.handle, b: T.handle):\n    n = T.int32()\n    A = T.match_buffer(a, (n,))\n    B = T.match_buffer(b, (n,), \"float16\")\n    A[0] = T.float32(B[0])", { dialects });
  expect(shown({ bufferDtype: "float16" }, f)).toContain('A = T.match_buffer(a, (n,), "float32")\n        B = T.match_buffer(b, (n,))');
});

test("int_dtype", () => {
  expect(shown({ intDtype: "int64" })).toBe(with_([/T\.int64\(4\)/g, "4"]));
});

test("float_dtype", () => {
  expect(shown({ floatDtype: "float32" })).toBe(with_([/T\.float32\(([\d.]+)\)/g, "$1"]));
});

test("verbose_expr", () => {
  expect(shown({}, at(product))).toBe("x[vi, vj] * T.float32(2.0)");
  expect(shown({ verboseExpr: true }, at(product))).toBe(
    "x = T.Buffer((T.int64(4), T.int64(4)))\nvi = T.int64()\nvj = T.int64()\nx[vi, vj] * T.float32(2.0)",
  );
});

test("indent_spaces", () => {
  expect(shown({ indentSpaces: 2 })).toBe(with_([/ {4}/g, "  "]));
});

test("print_line_numbers: the empty line behind a function is not counted", () => {
  const lines = shown({ printLineNumbers: true }).split("\n");
  expect([lines[0], lines[15], lines[16], lines[17], lines.at(-1)]).toEqual([
    " 1 # from tvm.script import ir as I",
    "16                 y[vi, vj] = T.Cast(\"float16\", x[vi, vj] * T.float32(2.0) + T.float32(1.5))",
    "",
    "17     @R.function",
    "24         return gv",
  ]);
});

test("num_context_lines", () => {
  expect(shown({ pathsToUnderline: [product], numContextLines: 1 }, func)).toBe(
    `(... 10 lines skipped ...)
            T.writes(y[vi, vj])
            y[vi, vj] = T.Cast("float16", x[vi, vj] * T.float32(2.0) + T.float32(1.5))
                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^`,
  );
});

test("syntax_sugar", () => {
  const plain = shown({ syntaxSugar: false });
  for (const word of ["T.match_buffer", 'with T.block("root"):\n', "for j in range(", "vi = T.axis.spatial(T.int64(4), i)"]) expect(plain).toContain(word);
  for (const word of ["T.grid", "remap", "# with"]) expect(plain).not.toContain(word);
});

test("show_object_address", () => {
  const named = shown({ showObjectAddress: true }, func);
  expect(named).toMatch(/def f\(x_0x[0-9a-f]{8}: T\.Buffer/);
  expect(named.replaceAll(/_0x[0-9a-f]{8}/g, "")).toBe(shown({}, func));
});

test("show_all_struct_info", () => {
  expect(shown({ showAllStructInfo: false })).toBe(with_([/w: R\.Tensor\(\(4, 4\), dtype="float32"\)/g, "w"]));
});

test("show_all_struct_info: what the reader cannot find out is said", () => {
  const f = parse(
    `@R.function
def main(A: R.Tensor((10, 20), dtype="float32"), B: R.Tensor(dtype="float32", ndim=2)) -> R.Tensor((10, 20), dtype="float32"):
    B2 = R.match_cast(B, R.Tensor((10, 20), dtype="float32"))
    C = R.add(A, B2)
    D = C
    E: R.Tensor((10, 20), dtype="float32") = R.add(D, B)
    return E`,
    { dialects },
  );
  expect(shown({ showAllStructInfo: false }, f)).toContain(
    `B2 = R.match_cast(B, R.Tensor((10, 20), dtype="float32"))
        C = R.add(A, B2)
        D = C
        E: R.Tensor((10, 20), dtype="float32") = R.add(D, B)`,
  );
});

test("path_to_underline: the deepest part of the path that prints, without comments", () => {
  const lines = shown({ pathsToUnderline: [loop] }, func).split("\n");
  expect(lines.slice(5, 9)).toEqual([
    '    # with T.block("root"):',
    "    for i, j in T.grid(T.int64(4), T.int64(4)):",
    "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    '        with T.block("b"):',
  ]);
  const whole = shown({ pathsToUnderline: [path("params", 1)] }, func).split("\n");
  expect(whole.slice(2, 8)).toEqual([
    "@T.prim_func",
    "^^^^^^^^^^^^",
    'def f(x: T.Buffer((T.int64(4), T.int64(4)), "float32"), y: T.Buffer((T.int64(4), T.int64(4)), "float16")):',
    "^".repeat(106),
    '    T.func_attr({"tir.noalias": T.bool(True)})',
    "    " + "^".repeat(42),
  ]);
});

test("path_to_underline: carets stand behind the empty line that ends a function", () => {
  const lines = shown({ pathsToUnderline: [[]] }).split("\n");
  const end = lines.findIndex((l) => l.includes("T.Cast"));
  expect(lines.slice(end + 1, end + 4)).toEqual(["", `${" ".repeat(16)}${"^".repeat(74)}`, "    @R.function"]);
});

test("path_to_annotate", () => {
  expect(shown({ annotatePaths: [[loop, "the loop"]] }, func).split("\n").slice(5, 8)).toEqual([
    '    # with T.block("root"):',
    "    # the loop",
    "    for i, j in T.grid(T.int64(4), T.int64(4)):",
  ]);
});

test("obj_to_underline", () => {
  const found = shown({ objectsToUnderline: [at(product)] }, func).split("\n");
  expect(found.at(-1)).toBe(`${" ".repeat(42)}${"^".repeat(26)}`);
});

test("obj_to_annotate: a statement's remark stands behind it, a function's inside", () => {
  const store = at(path("body", "block", "body", "body", "body", "block", "body"));
  const lines = shown({ annotate: new Map([[store, "a store"], [func, "a function\nof two lines"]]) }, func).split("\n");
  expect(lines.at(-1)).toMatch(/ {2}# a store$/);
  expect(lines.slice(4, 9)).toEqual(['    """', "    a function", "    of two lines", '    """', '    T.func_attr({"tir.noalias": T.bool(True)})']);
});

test("binding_names: functions of a module go by their names in it, a local one by its variable's", () => {
  const f = parse("@R.function\ndef main(x: R.Object) -> R.Object:\n    @R.function\n    def g(y: R.Object) -> R.Object:\n        return y\n    z: R.Object = g(x)\n    return z", { dialects });
  expect(shown({}, f).match(/def \w+/g)).toEqual(["def main", "def g"]);
});
