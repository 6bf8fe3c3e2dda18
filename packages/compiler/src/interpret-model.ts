import { lookupFunc, sequential, type AbortSignalLike, type IRModule } from "@verticil/ir-core";
import { flattenTupleInputs, isRelaxFunction, legalizeOps } from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import { infiniteIdentities } from "@verticil/tir";
import { interpretMain } from "./compare-targets.ts";
import { compileContext, type Extension } from "./compile-context.ts";
import { describeMain } from "./vm-artifact.ts";

/** Options of `interpretModel`. */
export interface InterpretModelOptions {
  readonly signal?: AbortSignalLike | undefined;
  /** How many of a graph's values are there, and of how many results: for long runs. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Operators, rules and tables from outside, as for `compile`. */
  readonly extensions?: readonly Extension[];
}

/**
 * Runs `main` of a model in the interpreter: nothing is fused, scheduled or compiled, operators only become tensor
 * programs. It is slow, and what compiled code is compared with.
 * @param inputs tensors by input name.
 * @returns the outputs by name, in order.
 * @throws RangeError if an input is missing.
 * @throws TypeError if `main` is no graph function.
 * @throws the signal's reason if it is aborted between two bindings.
 */
export function interpretModel(module: IRModule, inputs: Readonly<Record<string, Tensor>>, opts: InterpretModelOptions = {}): Readonly<Record<string, Tensor>> {
  const { extensions = [], signal } = opts;
  const own = extensions.flatMap((e) => e.lowering ?? []);
  const legal = sequential("legalize", [flattenTupleInputs(), ...own, legalizeOps(), infiniteIdentities()]).run(module, compileContext({ signal }, extensions));
  const main = lookupFunc(legal, "main");
  if (!isRelaxFunction(main)) throw new TypeError("`main` is no graph function.");
  const names = describeMain(module).outputs.map((o) => o.name);
  const values = interpretMain(legal, main, inputs, opts);
  return Object.fromEntries(values.map((t, i) => [names[i] ?? `output_${i}`, t]));
}
