import { parse } from "@verticil/tvmscript";
import { tir } from "@verticil/tir";
import { expect, it } from "vitest";
import { relax } from "../script/relax-script.ts";
import { extractTasks } from "./extract-tasks.ts";

function program(name: string, op: string, attrs = "private=True"): string {
  return `
    @T.prim_func(${attrs})
    def ${name}(a: T.Buffer((T.int64(3),), "float32"), w: T.Buffer((T.int64(3),), "float32"), b: T.Buffer((T.int64(3),), "float32")):
        for i in range(T.int64(3)):
            with T.block("b"):
                v = T.axis.spatial(T.int64(3), i)
                b[v] = a[v] ${op} w[v]
`;
}

const graph = `
    @R.function
    def main(x: R.Tensor((3,), "float32")) -> R.Tensor((3,), "float32"):
        cls = Module
        with R.dataflow():
            a = R.call_tir(cls.first, (x, R.const([1.0, 2.0, 3.0], "float32")), out_sinfo=R.Tensor((3,), "float32"))
            b = R.call_tir(cls.first, (a, R.const([4.0, 2.0, 3.0], "float32")), out_sinfo=R.Tensor((3,), "float32"))
            c = R.call_tir(cls.second, (b, R.const([4.0, 2.0, 3.0], "float32")), out_sinfo=R.Tensor((3,), "float32"))
            d = R.call_tir(cls.third, (c, b), out_sinfo=R.Tensor((3,), "float32"))
            R.output(d)
        return d
`;

function tasks(body: string): readonly (readonly [string, number, readonly number[]])[] {
  const module = parse(`@I.ir_module\nclass Module:${body}`, { dialects: [tir, relax] });
  return extractTasks(module).map((t) => [t.name, t.weight, t.layoutFree]);
}

it("gives equal programs once, with how often they are called, and the parameters that are always constants", () => {
  const programs = [program("first", "+"), program("second", "+"), program("third", "*"), program("unused", "-")].join("");
  expect(tasks(programs + graph)).toEqual([
    ["first", 3, [1]],
    ["third", 1, []],
  ]);
});

it("takes programs alone as they are", () => {
  expect(tasks(program("one", "+") + program("two", "-"))).toEqual([
    ["one", 1, []],
    ["two", 1, []],
  ]);
});
