import type { IRModule } from "../ir.ts";
import type { PassInstrument } from "../pass.ts";

/** When to print, and how. */
export interface PrintInstrumentOptions {
  /** A module as text, e.g. TVMScript. */
  readonly print: (module: IRModule) => string;
  /** Takes the text; nothing is written anywhere by itself. */
  readonly write: (text: string) => void;
  /** `after` unless told. */
  readonly when?: "before" | "after" | "both";
  /** Only around passes of these names. */
  readonly only?: Iterable<string>;
  /** Leaves out passes that changed nothing. */
  readonly onlyChanged?: boolean;
}

/** Prints the module before or after passes (upstream's `PrintBeforeAll`, `PrintAfterAll`). */
export function printInstrument(options: PrintInstrumentOptions): PassInstrument {
  const { print, write, when = "after", onlyChanged = false } = options;
  const only = options.only === undefined ? undefined : new Set(options.only);
  const wants = (name: string): boolean => only === undefined || only.has(name);
  return {
    name: "Print",
    runBefore(pass, module) {
      if (when !== "after" && wants(pass.name)) write(`# before ${pass.name}\n${print(module)}`);
    },
    runAfter(pass, module, _ctx, before) {
      if (when === "before" || !wants(pass.name) || (onlyChanged && module === before)) return;
      write(`# after ${pass.name}\n${print(module)}`);
    },
  };
}
