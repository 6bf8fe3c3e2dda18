import { FfiError } from "@verticil/runtime-ffi";
import { ggufCheckpoint } from "./gguf/gguf-checkpoint.ts";
import { readGguf, type Gguf } from "./gguf/read-gguf.ts";
import { buildLlama, type LanguageModel } from "./language-model.ts";
import { llamaConfigOfGguf, llamaConfigOfJson } from "./llama/config.ts";
import { safetensorsCheckpoint } from "./safetensors-checkpoint.ts";

/** A family of models: how its files become graph functions. A caller may bring its own. */
export interface Architecture {
  /** Its name in `config.json` (`model_type`) and in GGUF files (`general.architecture`). */
  readonly name: string;
  fromSafetensors(config: Readonly<Record<string, unknown>>, files: readonly Uint8Array[]): LanguageModel;
  fromGguf(file: Gguf): LanguageModel;
}

const llama: Architecture = {
  name: "llama",
  fromSafetensors: (json, files) => buildLlama(llamaConfigOfJson(json), safetensorsCheckpoint(files)),
  fromGguf: (file) => {
    const config = llamaConfigOfGguf(file);
    return buildLlama(config, ggufCheckpoint(file, config));
  },
};

/** The architectures that are known without being told. */
export const architectures: readonly Architecture[] = [llama];

function find(list: readonly Architecture[], name: unknown, where: string): Architecture {
  const found = list.find((a) => a.name === name);
  if (found !== undefined) return found;
  const known = list.map((a) => `\`${a.name}\``).join(", ");
  throw new FfiError("unsupported", `${where} names the architecture ${JSON.stringify(name) ?? "nowhere"}, which is not known. Known are ${known}; give others with \`architectures\`.`);
}

/** Options of the importers. */
export interface ImportOptions {
  /** Further architectures; they come before those that are known. */
  readonly architectures?: readonly Architecture[];
}

/**
 * A model from a `config.json`, parsed, and the safetensors files beside it.
 * @throws FfiError for an architecture that is not known, files that are damaged, or weights that do not fit.
 */
export function importSafetensors(config: unknown, files: readonly Uint8Array[], opts: ImportOptions = {}): LanguageModel {
  if (typeof config !== "object" || config === null || Array.isArray(config)) throw new FfiError("invalid-input", "`config.json` is no JSON object.");
  const json = config as Readonly<Record<string, unknown>>;
  return find([...(opts.architectures ?? []), ...architectures], json["model_type"], "`config.json`").fromSafetensors(json, files);
}

/** A model from a GGUF file's bytes. @throws FfiError like `importSafetensors`. */
export function importGguf(bytes: Uint8Array | Gguf, opts: ImportOptions = {}): LanguageModel {
  const file = bytes instanceof Uint8Array ? readGguf(bytes) : bytes;
  return find([...(opts.architectures ?? []), ...architectures], file.metadata.get("general.architecture"), "The GGUF file").fromGguf(file);
}
