import type { Command } from "commander";
import { compileContext, parsePasses, scriptDialects } from "@verticil/compiler";
import { runPass, throwIfErrors, type PassInstrument } from "@verticil/ir-core";
import { print } from "@verticil/tvmscript";
import { readModel } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { addDimOption } from "./model-options.ts";

interface Options {
  readonly passes: string;
  readonly printAfterAll?: boolean;
  readonly showMeta?: boolean;
  readonly dim: Readonly<Record<string, number>>;
}

/** `verticil opt MODULE.py --passes 'A(x=1),B'`: a module in, the module after the passes out. */
export function addOptCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("opt <module>")
    .description("run passes on a module in TVMScript (or a model) and print the result")
    .requiredOption("--passes <list>", "passes by name, e.g. 'FuseOps(fuse_opt_level=2),FuseTIR'")
    .option("--print-after-all", "print the module after each pass, to stderr")
    .option("--show-meta", "print constants as well, as metadata");
  addDimOption(command).action(async (path: string, options: Options) => {
    let passes;
    try {
      passes = parsePasses(options.passes);
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
    const printing: PassInstrument = {
      name: "PrintAfterAll",
      runAfter: (pass, module) => terminal.note(`# After ${pass.name}\n${print(module, { dialects: scriptDialects })}`),
    };
    const ctx = compileContext({ signal, instruments: options.printAfterAll === true ? [printing] : [] });
    let module = await readModel(path, { dims: options.dim });
    for (const pass of passes) {
      module = "passes" in pass ? pass.run(module, ctx) : runPass(pass, module, ctx);
      throwIfErrors(ctx.diagnostics);
    }
    terminal.out(print(module, { dialects: scriptDialects, showMeta: options.showMeta === true }));
  });
}
