import { expect, test } from "vitest";
import { PyProgram } from "./py-eval.ts";
import { PyFunction } from "./py-scope.ts";
import { NotReadable, PyTuple } from "./py-values.ts";
import { tvmHost } from "./tvm-host.ts";

function run(source: string): { readonly value: unknown; readonly program: PyProgram } {
  const program = new PyProgram(source, tvmHost({ assertions: 0 }));
  program.load();
  return { value: program.globals.lookup("result"), program };
}

test("functions, loops, comprehensions and slices", () => {
  const source = `
def fib(n, start=(0, 1)):
    a, b = start
    for _ in range(n):
        a, b = b, a + b
    return a

result = [fib(i) for i in range(8) if i % 2 == 0][1:]
`;
  expect(run(source).value).toEqual([1, 3, 8]);
});

test("classes, properties and generators", () => {
  const source = `
class Base:
    scale = 2
    def __init__(self, x):
        self.x = x
    @property
    def double(self):
        return self.x * self.scale

class Third(Base):
    scale = 3

def pairs():
    for v in [1, 2]:
        yield v, Third(v).double

result = list(pairs())
`;
  expect(run(source).value).toEqual([new PyTuple([1, 3]), new PyTuple([2, 6])]);
});

test("`not` binds closer than `and`; comparisons chain; integers are exact", () => {
  expect(run("result = (not False and 1 < 2 < 3, -7 // 2, -7 % 3, 2 ** 70)").value).toEqual(new PyTuple([true, -4, 2, 2n ** 70n]));
});

test("expressions go to our analyzer", () => {
  const source = `
import tvm
from tvm import te
def check():
    x = te.var("x")
    assert tvm.arith.Analyzer().can_prove((x * 4 + 2) // 4 == x)
    assert tvm.arith.Analyzer().can_prove(x > 3)
`;
  const { program } = run(source);
  const check = program.globals.lookup("check");
  if (!(check instanceof PyFunction)) throw new Error("no function");
  expect(() => check.call([], new Map())).toThrow("not true: tvm.arith.Analyzer().can_prove(x > 3)");
  expect(program.assertions).toBe(2);
});

test("what is not read is said, never guessed", () => {
  const { program } = run("import os\nresult = os.getcwd()");
  expect(program.skipped).toEqual(["line 2: `os.getcwd`"]);
  const loop = new PyProgram("def f():\n    while True:\n        pass", tvmHost({ assertions: 0 }));
  loop.load();
  const f = loop.globals.lookup("f");
  if (f instanceof PyFunction) expect(() => f.call([], new Map())).toThrow(NotReadable);
});
