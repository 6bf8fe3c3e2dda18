import { it } from "vitest";
import { topologicalSort } from "./topological-sort.ts";
import { expectPass } from "./testing/expect-pass.ts";

it("a walk in depth follows a value to where it is used", () =>
  expectPass(
    topologicalSort(),
    `
@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = R.exp(y)
        c = R.abs(a)
        d = R.abs(b)
        e = R.add(c, d)
        R.output(e)
    return e
`,
    `
@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        c = R.abs(a)
        b = R.exp(y)
        d = R.abs(b)
        e = R.add(c, d)
        R.output(e)
    return e
`,
  ));

it("a walk in breadth keeps to what is equally far", () =>
  expectPass(
    topologicalSort({ order: "breadth-first" }),
    `
@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        c = R.abs(a)
        b = R.exp(y)
        d = R.abs(b)
        e = R.add(c, d)
        R.output(e)
    return e
`,
    `
@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = R.exp(y)
        c = R.abs(a)
        d = R.abs(b)
        e = R.add(c, d)
        R.output(e)
    return e
`,
  ));

it("a walk from the results puts each value right before its use", () =>
  expectPass(
    topologicalSort({ direction: "from-outputs" }),
    `
@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        b = R.exp(y)
        c = R.abs(a)
        d = R.abs(b)
        e = R.add(c, d)
        R.output(e)
    return e
`,
    `
@R.function
def main(x: R.Tensor((4,), "float32"), y: R.Tensor((4,), "float32")) -> R.Tensor((4,), "float32"):
    with R.dataflow():
        a = R.exp(x)
        c = R.abs(a)
        b = R.exp(y)
        d = R.abs(b)
        e = R.add(c, d)
        R.output(e)
    return e
`,
  ));
