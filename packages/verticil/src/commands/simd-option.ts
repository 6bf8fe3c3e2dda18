import type { Command } from "commander";
import { defaultWasmTarget, type WasmTarget } from "@verticil/ir-core";
import { UsageError } from "../usage-error.ts";

/** The vectors that WebAssembly can have. */
const SIMD: readonly WasmTarget["simd"][] = ["none", "128", "relaxed"];

/** Adds `--simd NAME`. */
export function addSimdOption(command: Command): Command {
  return command.option("--simd <name>", "vectors of the WebAssembly: none, 128, or relaxed, which multiplies and adds in one step", "128");
}

/** The target that `--simd` names. @throws UsageError for a name that is none. */
export function wasmTargetWith(simd: string): WasmTarget {
  const found = SIMD.find((s) => s === simd);
  if (found === undefined) throw new UsageError(`\`--simd ${simd}\`: there are ${SIMD.map((s) => `\`${s}\``).join(", ")}.`);
  return { ...defaultWasmTarget, simd: found };
}
