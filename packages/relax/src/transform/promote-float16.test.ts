import { sequential } from "@verticil/ir-core";
import { it } from "vitest";
import { canonicalizeBindings } from "./canonicalize-bindings.ts";
import { promoteFloat16 } from "./promote-float16.ts";
import { expectPass } from "./testing/expect-pass.ts";

const promoted = sequential("promoted", [promoteFloat16(), canonicalizeBindings()]);

it("operators compute in float32 between parameters and results that stay, in one block", () =>
  expectPass(
    promoted,
    `
@R.function
def main(x: R.Tensor((2,), "float16")) -> R.Tensor((2,), "float16"):
    with R.dataflow():
        a = R.exp(x)
        b = R.add(a, R.const(1.0, "float16"))
        R.output(b)
    return b
`,
    `
@R.function
def main(x: R.Tensor((2,), "float16")) -> R.Tensor((2,), "float16"):
    with R.dataflow():
        x1 = R.astype(x, dtype="float32")
        a = R.exp(x1)
        b = R.add(a, R.const(1.0, "float32"))
        c = R.astype(b, dtype="float16")
        R.output(c)
    return c
`,
  ));

it("numbers are rounded where the graph makes them float16, and not on the way back", () =>
  expectPass(
    promoted,
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.astype(x, dtype="float16")
        b = R.negative(a)
        c = R.astype(b, dtype="float32")
        R.output(c)
    return c
`,
    `
@R.function
def main(x: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
    with R.dataflow():
        a = R.astype(x, dtype="float16")
        a1 = R.astype(a, dtype="float32")
        c = R.negative(a1)
        R.output(c)
    return c
`,
  ));

it("branches compute in float32 too", () =>
  expectPass(
    promoted,
    `
@R.function
def main(p: R.Tensor((), "bool"), x: R.Tensor((2,), "float16")) -> R.Tensor((2,), "float16"):
    if p:
        a = R.exp(x)
        r = a
    else:
        b = R.negative(x)
        r = b
    return r
`,
    `
@R.function
def main(p: R.Tensor((), "bool"), x: R.Tensor((2,), "float16")) -> R.Tensor((2,), "float16"):
    x1 = R.astype(x, dtype="float32")
    if p:
        a = R.exp(x1)
        r = a
    else:
        b = R.negative(x1)
        r = b
    y = R.astype(r, dtype="float16")
    return y
`,
  ));

it("what the host computes takes and gives what it did", () =>
  expectPass(
    promoted,
    `
@R.function
def main(x: R.Tensor((2,), "float16")) -> R.Tensor((2,), "float16"):
    with R.dataflow():
        a = R.exp(x)
        b = R.call_pure_packed("host", a, sinfo_args=(R.Tensor((2,), "float16"),))
        c = R.negative(b)
        R.output(c)
    return c
`,
    `
@R.function
def main(x: R.Tensor((2,), "float16")) -> R.Tensor((2,), "float16"):
    with R.dataflow():
        x1 = R.astype(x, dtype="float32")
        a = R.exp(x1)
        a1 = R.astype(a, dtype="float16")
        b = R.call_pure_packed("host", a1, sinfo_args=(R.Tensor((2,), "float16"),))
        b1 = R.astype(b, dtype="float32")
        c = R.negative(b1)
        d = R.astype(c, dtype="float16")
        R.output(d)
    return d
`,
  ));
