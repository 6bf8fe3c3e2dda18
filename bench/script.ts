// `pnpm bench:script [--json FILE] [--only NAME] [--runs N]`: how fast TVMScript is read and printed, in MB/s, for modules
// of 1, 4 and 16 times the size. The best run counts: the others measure the machine. The packages are bundled first, as
// users run them: a loader that keeps names slows down every closure.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import type { IRModule } from "@verticil/ir-core";
import type { PrintOptions, ParseOptions } from "@verticil/tvmscript";
import type { tir as tirDialect } from "@verticil/tir";

/** What the bundle exports. */
interface Packages {
  readonly parse: (text: string, opts: ParseOptions) => IRModule;
  readonly print: (module: IRModule, opts: PrintOptions) => string;
  readonly readPython: (text: string) => { readonly problems: readonly unknown[] };
  readonly tir: typeof tirDialect;
}

interface ScriptRow {
  readonly name: string;
  readonly megabytes: number;
  readonly ours_ms: number;
  readonly mb_per_s: number;
}

async function bundledPackages(): Promise<Packages> {
  const folder = mkdtempSync(join(tmpdir(), "bench-script-"));
  const outfile = join(folder, "packages.mjs");
  await build({
    stdin: {
      contents: 'export { parse, print, readPython } from "@verticil/tvmscript";\nexport { tir } from "@verticil/tir";',
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@verticil/source"],
    logLevel: "error",
  });
  const packages: Packages = await import(pathToFileURL(outfile).href);
  rmSync(folder, { recursive: true });
  return packages;
}

/** A fused convolution as pipelines make it: two blocks with all they say, int64 everywhere. */
function kernel(index: number): string {
  return `    @T.prim_func(private=True)
    def fused_conv2d_add_relu_${index}(lv: T.Buffer((T.int64(1), T.int64(4), T.int64(112), T.int64(112), T.int64(4)), "float32"), weight: T.Buffer((T.int64(8), T.int64(4), T.int64(3), T.int64(3), T.int64(4), T.int64(8)), "float32"), bias: T.Buffer((T.int64(1), T.int64(64)), "float32"), out: T.Buffer((T.int64(1), T.int64(8), T.int64(110), T.int64(110), T.int64(8)), "float32")):
        T.func_attr({"op_pattern": 4, "tir.noalias": T.bool(True)})
        # with T.block("root"):
        conv = T.alloc_buffer((T.int64(1), T.int64(8), T.int64(110), T.int64(110), T.int64(8)))
        for n, oc, oh, ow, oi, kh, kw, ic, ii in T.grid(T.int64(1), T.int64(8), T.int64(110), T.int64(110), T.int64(8), T.int64(3), T.int64(3), T.int64(4), T.int64(4)):
            with T.block("conv"):
                v_n, v_oc, v_oh, v_ow, v_oi, v_kh, v_kw, v_ic, v_ii = T.axis.remap("SSSSSRRRR", [n, oc, oh, ow, oi, kh, kw, ic, ii])
                T.reads(lv[v_n, v_ic, v_oh + v_kh, v_ow + v_kw, v_ii], weight[v_oc, v_ic, v_kh, v_kw, v_ii, v_oi])
                T.writes(conv[v_n, v_oc, v_oh, v_ow, v_oi])
                with T.init():
                    conv[v_n, v_oc, v_oh, v_ow, v_oi] = T.float32(0.0)
                conv[v_n, v_oc, v_oh, v_ow, v_oi] = conv[v_n, v_oc, v_oh, v_ow, v_oi] + lv[v_n, v_ic, v_oh + v_kh, v_ow + v_kw, v_ii] * weight[v_oc, v_ic, v_kh, v_kw, v_ii, v_oi]
        for ax0, ax1, ax2 in T.grid(T.int64(8), T.int64(110), T.int64(880)):
            with T.block("relu"):
                v0, v1 = T.axis.remap("SS", [ax0, ax1])
                v2 = T.axis.spatial(T.int64(110), ax2 // T.int64(8))
                v3 = T.axis.spatial(T.int64(8), ax2 % T.int64(8))
                T.reads(conv[T.int64(0), v0, v1, v2, v3], bias[T.int64(0), v0 * T.int64(8) + v3])
                T.writes(out[T.int64(0), v0, v1, v2, v3])
                out[T.int64(0), v0, v1, v2, v3] = T.max(conv[T.int64(0), v0, v1, v2, v3] + bias[T.int64(0), v0 * T.int64(8) + v3], T.float32(0.0))
`;
}

/** A module of about `megabytes`, in the order that the printer writes functions in. */
function moduleText(megabytes: number): string {
  const head = "# from tvm.script import ir as I\n# from tvm.script import tir as T\n\n@I.ir_module\nclass Module:\n";
  const count = Math.ceil((megabytes * 1e6) / kernel(0).length);
  return head + Array.from({ length: count }, (_, i) => kernel(100_000 + i)).join("\n");
}

function best(runs: number, f: () => unknown): number {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    f();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((a) => a !== "--"),
    options: { json: { type: "string" }, only: { type: "string" }, runs: { type: "string", default: "9" } },
  });
  const { parse, print, readPython, tir } = await bundledPackages();
  const dialects = [tir];
  const rows: ScriptRow[] = [];
  for (const megabytes of [1, 4, 16]) {
    const text = moduleText(megabytes);
    const module = parse(text, { dialects });
    if (print(module, { dialects }) !== text.trimEnd()) throw new Error("internal: the module is not in the form that is printed");
    const cases: Readonly<Record<string, () => unknown>> = {
      tokens_and_tree: () => readPython(text),
      parse: () => parse(text, { dialects }),
      print: () => print(module, { dialects }),
    };
    for (const [what, f] of Object.entries(cases)) {
      const name = `script/${what}/${megabytes}MB`;
      if (values.only !== undefined && !name.includes(values.only)) continue;
      const ms = best(Math.max(3, Math.ceil(Number(values.runs) / Math.sqrt(megabytes))), f);
      const row = { name, megabytes: text.length / 1e6, ours_ms: ms, mb_per_s: text.length / 1e3 / ms };
      rows.push(row);
      console.log(`${name.padEnd(30)} ${row.megabytes.toFixed(2).padStart(6)} MB ${ms.toFixed(0).padStart(7)} ms ${row.mb_per_s.toFixed(2).padStart(7)} MB/s`);
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  return 0;
}

process.exitCode = await main();
