import { compileContext } from "@verticil/compiler";
import { interpretRelax, legalizeOps } from "@verticil/relax";
import { kvCacheFunctions } from "./cache/cache-functions.ts";
import { llmExtension } from "./extension.ts";
import type { ModelRunner } from "./generate.ts";
import type { LanguageModel } from "./language-model.ts";

/** Runs a model in the interpreter: slow, and what compiled code is compared with. */
export function interpretModel(model: LanguageModel): ModelRunner {
  const module = legalizeOps().run(model.module, compileContext({}, [llmExtension]));
  return {
    info: model.info,
    call: (entry, args) => interpretRelax(module, args, { entry, functions: kvCacheFunctions }),
    dispose: () => {},
  };
}
