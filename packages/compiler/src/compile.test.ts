import { parse } from "@verticil/tvmscript";
import { tensorFrom } from "@verticil/runtime-ffi";
import { describe, expect, it } from "vitest";
import { compile } from "./compile.ts";
import { scriptDialects } from "./compile-context.ts";

function model(shape: string): ReturnType<typeof parse> {
  return parse(
    `
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor(${shape}, "float32")) -> R.Tensor(${shape}, "float32"):
        with R.dataflow():
            a = R.nn.relu(x)
            b = R.add(a, R.const(1.5, "float32"))
            R.output(b)
        return b
`,
    { dialects: scriptDialects },
  );
}

describe("compile", () => {
  it("gives an executable that runs", async () => {
    const executable = await compile(model("(2, 3)"), { name: "small" });
    const loaded = await executable.load();
    const [output] = Object.values(await loaded.run({ x: tensorFrom([-1, 0, 1, 2, -3, 4], [2, 3], "float32") }));
    expect(Array.from(output!.data as ArrayLike<number>)).toEqual([1.5, 1.5, 2.5, 3.5, 1.5, 5.5]);
  });

  it("gives the same files for the same module", async () => {
    const [a, b] = [await compile(model("(4, 5)")), await compile(model("(4, 5)"))];
    expect([...a.files.keys()]).toEqual([...b.files.keys()]);
    for (const [name, content] of a.files) expect(b.files.get(name), name).toEqual(content);
  });

  it("names its files after the model, whatever it is called", async () => {
    const executable = await compile(model("(1,)"), { name: "../my model?" });
    for (const name of executable.files.keys()) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
  });

  it("leaves sizes open that are not known: the same program runs with any", async () => {
    const executable = await compile(model('("n", 3)'), { name: "open" });
    expect(executable.kind).toBe("vm");
    expect(executable.files.get("open.d.ts")).toContain("/** float32[n, 3] */");
    const loaded = await executable.load();
    for (const n of [1, 2, 5]) {
      const x = tensorFrom(Array.from({ length: n * 3 }, (_, i) => i - 2), [n, 3], "float32");
      const [output] = Object.values(await loaded.run({ x }));
      expect(output?.shape).toEqual([n, 3]);
      expect(Array.from(output!.data as ArrayLike<number>)).toEqual(Array.from({ length: n * 3 }, (_, i) => Math.max(0, i - 2) + 1.5));
    }
    await expect(loaded.run({ x: tensorFrom([1, 2], [1, 2], "float32") })).rejects.toThrow("takes `x` as float32[n, 3], not float32[1, 2]");
  });

  it("stops between passes when it is told to", async () => {
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    await expect(compile(model("(2,)"), { signal: controller.signal })).rejects.toThrow("enough");
  });
});
