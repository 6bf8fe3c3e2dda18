import { irDialect, passContext, contextEntry, runPass } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { opRegistry, opRegistryKey, relaxOps, relaxScript } from "@verticil/relax";
import { tir } from "@verticil/tir";
import { parse, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { quantizedOps } from "./dequantize-op.ts";
import { fuseDequantizeMatmul } from "./fuse-dequantize-matmul.ts";

const ops = opRegistry([...relaxOps.values()], quantizedOps);
const scripts = [tir, relaxScript({ ops })];
const dialects = [irDialect, ...scripts];
expect.extend(irMatchers({ dialects, print: (n) => print(n, { dialects: scripts }) }));

function expectFused(before: string, after: string): void {
  const module = (body: string): ReturnType<typeof parse> =>
    parse(
      `@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor(("n", 64), "float32"), q: R.Tensor((96, 64), "int8"), s: R.Tensor((96, 2), "float32")):
        n = T.int64()
${body.replace(/^\n/, "").replace(/^(?=.)/gm, "        ")}`,
      { dialects: scripts },
    );
  const ctx = passContext({ dialects, entries: [contextEntry(opRegistryKey, ops)] });
  expect(runPass(fuseDequantizeMatmul(), module(before), ctx)).toEqualIr(module(after));
}

const floats = `
w = llm.dequantize(q, s, group=32)
t = R.permute_dims(w, axes=None)
`;

test("a product with weights that were just made floats is one operator", () =>
  expectFused(
    `${floats}y = R.matmul(x, t)
return y`,
    `${floats}y = llm.quantized_matmul(x, q, s, group=32)
return y`,
  ));

test("weights that are not transposed, and plain ones, stay", () => {
  const plain = `
w = llm.dequantize(q, s, group=32)
y = R.matmul(w, R.permute_dims(x, axes=None))
return y`;
  expectFused(plain, plain);
});
