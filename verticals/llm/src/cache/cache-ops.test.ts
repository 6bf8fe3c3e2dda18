import { irDialect, runPass } from "@verticil/ir-core";
import { irMatchers } from "@verticil/ir-core/testing";
import { compileContext, scriptDialectsWith } from "@verticil/compiler";
import { legalizeOps } from "@verticil/relax";
import { parse, print } from "@verticil/tvmscript";
import { expect, test } from "vitest";
import { llmExtension } from "../extension.ts";

const scripts = scriptDialectsWith([llmExtension]);
expect.extend(irMatchers({ dialects: [irDialect, ...scripts], print: (n) => print(n, { dialects: scripts }) }));

const module = (body: string): ReturnType<typeof parse> =>
  parse(
    `@I.ir_module
class Module:
    @R.function
    def main(cache: R.Object, keys: R.Tensor(("n", 1, 2), "float32"), pages: R.Shape(["p"])):
        n = T.int64()
        p = T.int64()
${body.replace(/^\n/, "").replace(/^(?=.)/gm, "        ")}`,
    { dialects: scripts },
  );

test("the cache operators become calls of the runtime, attributes as arguments; what is written hands the cache on", () => {
  const before = module(`
at = llm.kv_positions(cache, R.shape([n]))
now = llm.kv_append(cache, keys, keys, layer=3)
seen = llm.kv_view(now, pages, layer=3, heads=1, head_dim=2)
return (at, seen)`);
  const after = module(`
at = R.call_pure_packed("llm.kv_positions", cache, R.shape([n]), sinfo_args=(R.Tensor((n,), "int32"),))
now = R.call_inplace_packed("llm.kv_append", cache, keys, keys, R.prim_value(3), inplace_indices=[0], sinfo_args=(R.Object,))
seen = R.call_pure_packed("llm.kv_view", now, pages, R.prim_value(3), sinfo_args=(R.Tuple(R.Tensor((p, 1, 2, 4), "float32"), R.Tensor((p, 4, 1, 2), "float32")),))
return (at, seen)`);
  expect(runPass(legalizeOps(), before, compileContext({}, [llmExtension]))).toEqualIr(after);
});
