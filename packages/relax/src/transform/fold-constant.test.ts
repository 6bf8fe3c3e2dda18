import { contextEntry, irDialect, passContext } from "@verticil/ir-core";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, it } from "vitest";
import { legalizeTable } from "../op/legalize/index.ts";
import { relaxOps } from "../op/index.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { relax } from "../script/relax-script.ts";
import { foldConstant } from "./fold-constant.ts";
import { legalizeTableKey } from "./legalize-ops.ts";

const dialects = [tir, relax];
const ctx = passContext({ dialects: [irDialect, ...dialects], entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)] });

it("folds a chain of calls at once, each with what the one before it gave", () => {
  const module = parse(
    `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((), "float32")) -> R.Tensor((), "float32"):
        with R.dataflow():
            a = R.add(R.const(3.0, "float32"), R.const(1.0, "float32"))
            b = R.sqrt(a)
            c = R.divide(R.const(3.0, "float32"), b)
            d = R.multiply(x, c)
            R.output(d)
        return d
`,
    { dialects },
  );
  const text = print(foldConstant().run(module, ctx), { dialects });
  expect(text).toContain("R.multiply(x, R.const(1.5, \"float32\"))");
  expect(text).not.toMatch(/R\.(add|sqrt|divide)/);
});
