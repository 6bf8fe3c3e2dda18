import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { FfiError, randomTensor, type Model, type Tensor } from "@verticil/runtime-ffi";
import { readNpy } from "../npy.ts";
import { UsageError } from "../usage-error.ts";

/** Options of commands that run a model. */
export interface RunOptions {
  readonly input?: readonly string[];
  readonly random?: number;
  readonly dim?: GivenDims;
}

/** Sizes of symbolic dimensions, or their largest sizes, by name. */
export type GivenDims = Readonly<Record<string, number | { readonly max: number }>>;

/** Adds `--dim NAME=VALUE` and `--dim 'NAME<=VALUE'`. */
export function addDimOption(command: Command): Command {
  return command.option("--dim <name=value>", "fix a symbolic dimension, or bound it (name<=value); may be repeated", collectDim, {});
}

function collectDim(text: string, previous: GivenDims): GivenDims {
  const [name, value] = splitPair(text, "--dim batch=1");
  const isBound = name.endsWith("<");
  const size = Number(value);
  if (!Number.isInteger(size) || size < 1) throw new UsageError(`\`--dim ${text}\`: a dimension is a positive integer.`);
  return { ...previous, [isBound ? name.slice(0, -1) : name]: isBound ? { max: size } : size };
}

/** Adds `--input NAME=FILE.npy` and `--random SEED`. */
export function addInputOptions(command: Command): Command {
  return command
    .option("--input <name=file.npy>", "an input from a file; may be repeated", (text: string, previous: readonly string[]) => [...previous, text], [])
    .option("--random <seed>", "random values, the same for the same seed, for the inputs that are not given", parseInteger);
}

/** A whole number on the command line. @throws UsageError for anything else. */
export function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new UsageError(`\`${text}\` is not a whole number.`);
  return value;
}

/** Adds `--threads N|auto`. */
export function addThreadsOption(command: Command): Command {
  return command.option("--threads <n>", "threads to run on (wasm), or `auto`", parseThreads, 1);
}

/** @throws UsageError for what is neither a number of threads nor `auto`. */
function parseThreads(text: string): number | "auto" {
  const value = Number(text);
  if (text !== "auto" && !(Number.isInteger(value) && value >= 1)) throw new UsageError(`\`--threads ${text}\`: a positive whole number, or \`auto\`.`);
  return text === "auto" ? text : value;
}

/** `NAME=VALUE` taken apart. @throws UsageError with an example. */
export function splitPair(text: string, example: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`\`${text}\` should look like \`${example}\`.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * The inputs of a model from the command line.
 * @throws UsageError if there is no such file.
 * @throws FfiError (`invalid-input`) if a file is no tensor, or an input is neither given nor to be random.
 */
export async function gatherInputs(model: Pick<Model, "inputs" | "name">, opts: RunOptions): Promise<Record<string, Tensor>> {
  const out: Record<string, Tensor> = {};
  for (const text of opts.input ?? []) {
    const [name, file] = splitPair(text, "--input image=photo.npy");
    out[name] = await readInput(file);
  }
  for (const [i, spec] of model.inputs.entries()) {
    if (out[spec.name] !== undefined) continue;
    if (opts.random === undefined) {
      throw new FfiError(
        "invalid-input",
        `\`${model.name}\` needs the input \`${spec.name}\` (${spec.dtype}[${spec.shape.join(", ")}]). Give it with \`--input ${spec.name}=FILE.npy\`, or try random values with \`--random 1\`.`,
      );
    }
    out[spec.name] = randomTensor(spec, opts.random + i);
  }
  return out;
}

async function readInput(file: string): Promise<Tensor> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch {
    throw new UsageError(`There is no file \`${file}\` to read.`);
  }
  try {
    return readNpy(bytes);
  } catch (error) {
    throw new FfiError("invalid-input", `${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
