import { withFunctions, type IRModule, type WasmTarget } from "@verticil/ir-core";
import { buildWasm, type WasmBuild } from "@verticil/target-wasm";
import { parse, print } from "@verticil/tvmscript";
import { fileStem } from "./artifact.ts";
import { scriptDialects } from "./compile-context.ts";

/** Code to be debugged, with what a debugger shows beside it. */
export interface DebugBuild {
  readonly build: WasmBuild;
  /** The programs as text, and the map from the code to them, by file name. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Code that checks what it does, with a source map to the tensor programs as they were before code generation: they are
 * printed, and what is compiled is what that text says, so that every statement knows its line.
 */
export function debugWasm(module: IRModule, target: WasmTarget, name: string): DebugBuild {
  const programs = withFunctions({ ...module, attrs: {} }, new Map([...module.functions].filter(([, f]) => f.kind === "tir.PrimFunc")));
  const stem = fileStem(name);
  const text = print(programs, { dialects: scriptDialects, showMeta: true });
  const source = parse(text, { dialects: scriptDialects, name: `${stem}.py` });
  const build = buildWasm(source, target, { name, boundsChecks: true, assertions: true, threads: true, sourceMappingUrl: `${stem}.wasm.map` });
  return { build, files: new Map([[`${stem}.py`, text], [`${stem}.wasm.map`, build.sourceMap ?? ""]]) };
}
