import { defaultWasmTarget, defaultWebgpuTarget, lookupFunc, passContext, sequential, withFunctions, type AbortSignalLike, type IRModule, type Pass } from "@verticil/ir-core";
import {
  anyCallTirParts,
  interpretRelax,
  isRelaxFunction,
  makeFunction,
  makeSeqExpr,
  makeTuple,
  makeTupleStructInfo,
  makeVar,
  renameExpr,
  type AnyVar,
  type Expr,
  type Function,
  type RelaxValue,
  type StructInfo,
} from "@verticil/relax";
import type { Tensor } from "@verticil/runtime-ffi";
import type { Gpu } from "@verticil/runtime-ffi/webgpu";
import type { PrimFunc } from "@verticil/tir";
import { compile } from "./compile.ts";
import { compileContext, type Extension } from "./compile-context.ts";
import { replaceKernels } from "./replace-kernels.ts";
import { tensorDifference, type TensorDifference } from "./tensor-difference.ts";
import { fusionPhase, graphPhase, kernelPhase, backPhase } from "./wasm-pipeline.ts";
import { webgpuKernelPhase, webgpuMemoryPhase } from "./webgpu-pipeline.ts";

/** Where a model can be run to be compared: `interp` is the oracle. */
export type CompareTarget = "interp" | CodeTarget;

/** Where compiled code runs. */
export type CodeTarget = "wasm" | "webgpu";

/** How far one value of the graph is from what it should be. */
export interface ValueComparison extends TensorDifference {
  readonly name: string;
  /** The kernel that made it. */
  readonly kernel: string;
  readonly target: CompareTarget;
}

/** The values in order of computation, and the first of them that is off. */
export interface Comparison {
  readonly values: readonly ValueComparison[];
  readonly firstDivergence: ValueComparison | undefined;
}

/** Options of `compareTargets`. */
export interface CompareOptions {
  readonly tolerance: number;
  readonly signal?: AbortSignalLike | undefined;
  readonly onProgress?: (done: number, total: number) => void;
  /** Passes over the kernels of a target; the standard ones unless told. A wrong one can be planted to see it found. */
  readonly kernels?: Readonly<Partial<Record<CodeTarget, Pass>>>;
  /** Programs to run instead of those of the kernels with these names, by target: see `replaceKernels`. */
  readonly replace?: ReadonlyMap<CompareTarget, ReadonlyMap<string, PrimFunc>>;
  /** What `webgpu` runs on; `navigator.gpu` unless told. */
  readonly gpu?: Gpu | undefined;
  /** Operators, rules and tables from outside, as for `compile`. */
  readonly extensions?: readonly Extension[];
}

/**
 * Runs a model on several targets with every intermediate value kept, and compares them with the first target's. The
 * graph is fused once; only what comes after differs.
 */
export async function compareTargets(
  module: IRModule,
  inputs: Readonly<Record<string, Tensor>>,
  targets: readonly CompareTarget[],
  opts: CompareOptions,
): Promise<Comparison> {
  const fused = exposeValues(fuseForTargets(module, targets, opts));
  const main = lookupFunc(fused, "main");
  if (!isRelaxFunction(main)) throw new TypeError("`main` is no graph function.");
  const results: (readonly Tensor[])[] = [];
  for (const target of targets) {
    const own = replaceKernels(opts.replace?.get(target) ?? new Map()).run(fused, passContext());
    results.push(target === "interp" ? interpretMain(own, main, inputs, opts) : await runCompiled(target, own, inputs, opts));
  }
  const [expected = [], ...others] = results;
  const values = others.flatMap((actual, t) => {
    const target = targets[t + 1] ?? "wasm";
    return expected.flatMap((e, i) => {
      const a = actual[i];
      const { name, kernel } = valueName(main, i);
      return a === undefined ? [] : [{ name, kernel, target, ...tensorDifference(e, a) }];
    });
  });
  return { values, firstDivergence: values.find((v) => !(v.maxError <= opts.tolerance)) };
}

/** A model as it is compared on some targets: the graph of kernels, which are tensor programs without schedules yet. */
export function fuseForTargets(module: IRModule, targets: readonly CompareTarget[], opts: Pick<CompareOptions, "signal" | "extensions"> = {}): IRModule {
  const extensions = opts.extensions ?? [];
  // The narrowest target decides what is fused: the graph has to suit them all.
  const target = targets.includes("webgpu") ? defaultWebgpuTarget : defaultWasmTarget;
  const own = extensions.flatMap((e) => e.lowering ?? []);
  return sequential("front", [...own, graphPhase(), fusionPhase()]).run(module, compileContext({ signal: opts.signal, target }, extensions));
}

/** Makes `main` return every tensor that a kernel makes, in order. */
function exposeValues(module: IRModule): IRModule {
  const functions = new Map(module.functions);
  for (const [gv, func] of module.functions) if (gv.name === "main" && isRelaxFunction(func)) functions.set(gv, exposed(func));
  return withFunctions(module, functions);
}

function exposed(func: Function): Function {
  if (func.body.kind !== "relax.SeqExpr") return func;
  const renamed = new Map<AnyVar, Expr>();
  const results: AnyVar[] = [];
  const blocks = func.body.blocks.map((block) => ({
    ...block,
    bindings: block.bindings.map((b) => {
      const value = renameExpr(b.value, renamed);
      const v = b.var.kind === "relax.DataflowVar" ? makeVar(b.var.name, b.var.structInfo) : b.var;
      if (v !== b.var) renamed.set(b.var, v);
      if (anyCallTirParts(b.value) !== undefined && v.structInfo?.kind === "relax.TensorStructInfo") results.push(v);
      return { ...b, var: v, value };
    }),
  }));
  const infos = results.flatMap((v): StructInfo[] => (v.structInfo === undefined ? [] : [v.structInfo]));
  const names = results.map((v, i) => `${i}_${v.name}`);
  return makeFunction(func.params, makeSeqExpr(blocks, makeTuple(results)), makeTupleStructInfo(infos), {
    isPure: func.isPure,
    attrs: { ...func.attrs, output_names: names },
  });
}

function valueName(main: Function, index: number): { readonly name: string; readonly kernel: string } {
  const result = main.body.kind === "relax.SeqExpr" ? main.body.body : undefined;
  const v = result?.kind === "relax.Tuple" ? result.fields[index] : undefined;
  if (main.body.kind !== "relax.SeqExpr" || v === undefined) return { name: String(index), kernel: "" };
  for (const block of main.body.blocks) {
    for (const b of block.bindings) {
      if (b.var === v) return { name: b.var.name, kernel: anyCallTirParts(b.value)?.callee.name ?? "" };
    }
  }
  return { name: String(index), kernel: "" };
}

/** The values that the interpreter computes for `main`, whose operators have been legalized. */
export function interpretMain(module: IRModule, main: Function, inputs: Readonly<Record<string, Tensor>>, opts: Pick<CompareOptions, "signal" | "onProgress">): readonly Tensor[] {
  const names = main.attrs["input_names"];
  const args = main.params.map((p, i) => {
    const name = Array.isArray(names) ? String(names[i]) : p.name;
    const t = inputs[name];
    if (t === undefined) throw new RangeError(`There is no input \`${name}\`.`);
    return t;
  });
  const result = main.body.kind === "relax.SeqExpr" && main.body.body.kind === "relax.Tuple" ? main.body.body.fields.length : 0;
  let done = 0;
  const value = interpretRelax(module, args, {
    onBinding: () => {
      opts.signal?.throwIfAborted();
      opts.onProgress?.(++done, result);
    },
  });
  return tensors(value);
}

function tensors(value: RelaxValue): readonly Tensor[] {
  if (Array.isArray(value)) return value.flatMap(tensors);
  return typeof value === "object" && "dtype" in value ? [value] : [];
}

const STANDARD: { readonly [T in CodeTarget]: { readonly kernels: () => Pass; readonly memory: () => Pass } } = {
  wasm: { kernels: kernelPhase, memory: backPhase },
  webgpu: { kernels: webgpuKernelPhase, memory: webgpuMemoryPhase },
};

async function runCompiled(target: CodeTarget, module: IRModule, inputs: Readonly<Record<string, Tensor>>, opts: CompareOptions): Promise<readonly Tensor[]> {
  const { kernels, memory } = STANDARD[target];
  const pipeline = sequential("back", [opts.kernels?.[target] ?? kernels(), memory()]);
  // Their lowering has run already.
  const extensions = (opts.extensions ?? []).map((e): Extension => ({ ...e, lowering: [] }));
  const executable = await compile(module, { target, pipeline, extensions, signal: opts.signal });
  const model = await executable.load({ gpu: opts.gpu, signal: opts.signal });
  const outputs = await model.run(inputs).finally(() => model.dispose());
  return model.outputs.flatMap((o) => {
    const t = outputs[o.name];
    return t === undefined ? [] : [t];
  });
}
