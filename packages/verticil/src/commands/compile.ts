import type { Command } from "commander";
import type { CodeTarget } from "@verticil/compiler";
import { timingInstrument } from "@verticil/ir-core";
import { codeFile } from "@verticil/runtime-ffi";
import { writeArtifact } from "@verticil/compiler/node";
import { compileModel, modelName } from "../read-model.ts";
import type { Terminal } from "../terminal.ts";
import { openTuningDb } from "../tuning-db.ts";
import { UsageError } from "../usage-error.ts";
import { addDimOption, type GivenDims } from "./model-options.ts";
import { progressInstrument } from "./progress-instrument.ts";
import { addSimdOption, wasmTargetWith } from "./simd-option.ts";

interface Options {
  readonly target: string;
  readonly output?: string;
  readonly dim: GivenDims;
  readonly standalone?: boolean;
  readonly debug?: boolean;
  readonly tuningDb?: string;
  readonly simd: string;
  readonly timing?: boolean;
  readonly json?: boolean;
}

/** `verticil compile MODEL`: writes the artifact of a model. */
export function addCompileCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("compile <model>")
    .description("compile a model to a folder that a page or a program can load")
    .option("--target <target>", "what to compile for: wasm or webgpu", "wasm")
    .option("-o, --output <dir>", "the folder to write; the model's name unless given")
    .option("--standalone", "put the runtime into the module: it needs no package where it is loaded")
    .option("--debug", "check every access, and write the programs and a source map for debuggers (wasm)")
    .option("--tuning-db <file>", "use the schedules that `verticil tune` found")
    .option("--timing", "show how long each pass took")
    .option("--json", "print the manifest as JSON");
  addSimdOption(addDimOption(command)).action(async (path: string, options: Options) => {
    const target = checkTarget(options.target);
    if (options.debug === true && target !== "wasm") throw new UsageError("`--debug` is for WebAssembly: `--target wasm`.");
    const wasmTarget = wasmTargetWith(options.simd);
    const timing = timingInstrument();
    const started = performance.now();
    const tuningDb = options.tuningDb === undefined ? undefined : await openTuningDb(options.tuningDb, { create: false, target: wasmTarget });
    const executable = await compileModel(path, {
      dims: options.dim,
      target: target === "wasm" ? wasmTarget : target,
      instruments: [progressInstrument(terminal), timing],
      signal,
      tuningDb,
      debug: options.debug === true,
    });
    tuningDb?.database.close();
    const folder = options.output ?? modelName(path);
    signal.throwIfAborted();
    await terminal.uninterrupted(() => writeArtifact(executable, folder, { standalone: options.standalone === true }));
    if (options.timing === true) terminal.note(timing.report());
    if (options.json === true) {
      terminal.out(JSON.stringify(executable.manifest, null, 2));
      return;
    }
    const { manifest } = executable;
    const memory = executable.kind === "static" ? `peak memory ${size(executable.manifest.memory.peak)}` : "memory as the inputs need it";
    terminal.note(
      `${manifest.name}: ${Object.keys(manifest.kernels).length} kernels, ${size(codeFile(manifest).bytes)} of code, ${size(manifest.files.weights.bytes)} of weights, ${memory}, compiled in ${((performance.now() - started) / 1000).toFixed(1)} s.`,
    );
    terminal.out(folder);
  });
}

/** A target by its name. @throws UsageError for one that is not there. */
export function checkTarget(target: string): CodeTarget {
  if (target === "wasm" || target === "webgpu") return target;
  throw new UsageError(`There is no target \`${target}\` yet; there are \`wasm\` and \`webgpu\`.`);
}

/** Bytes for people. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
}
