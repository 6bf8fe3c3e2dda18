import { irDialect, passContext, runPass, type IRModule } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { relax } from "../script/relax-script.ts";
import { canonicalizeBindings } from "./canonicalize-bindings.ts";

const scripts = [tir, relax];
const dialects = [irDialect, ...scripts];
expect.extend(irMatchers({ dialects, print: (n) => print(n, { dialects: scripts }) }));

function canonical(text: string): IRModule {
  return runPass(canonicalizeBindings(), parse(text, { dialects: scripts }), passContext({ dialects }));
}

it("a field of a tuple that is written out is the field", () => {
  const after = canonical(`
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((2,), "float32"), y: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
        with R.dataflow():
            lv = R.add(x, y)
            lv1 = (lv, x)[0]
            lv2 = R.negative(lv1)
            R.output(lv2)
        return lv2
`);
  const expected = parse(`
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((2,), "float32"), y: R.Tensor((2,), "float32")) -> R.Tensor((2,), "float32"):
        with R.dataflow():
            lv = R.add(x, y)
            lv2 = R.negative(lv)
            R.output(lv2)
        return lv2
`, { dialects: scripts });
  expect(after).toEqualIr(expected);
});
