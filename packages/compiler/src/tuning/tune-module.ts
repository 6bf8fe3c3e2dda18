import { applyDefaultSchedule, cpuRules, packOperand } from "@verticil/dlight";
import { defaultWasmTarget, makeGlobalVar, makeIRModule, sequential, type IRModule, type WasmTarget } from "@verticil/ir-core";
import { makeTuneTask, tuneTasks, type Builder, type ScheduledFunc, type TuneOptions, type TuneReport, type TuneTask } from "@verticil/metaschedule";
import { extractTasks } from "@verticil/relax";
import type { PrimFunc } from "@verticil/tir";
import { compileContext, type Extension } from "../compile-context.ts";
import { fusionPhase, graphPhase } from "../wasm-pipeline.ts";
import { wasmKernelBuilder } from "./wasm-builder.ts";

/** What is tuned, and for what. */
export interface TuningTaskOptions {
  readonly target?: WasmTarget;
  readonly extensions?: readonly Extension[];
  /** Only tasks whose name has this in it. */
  readonly filter?: string;
  /** Only so many tasks: those with most work. */
  readonly most?: number;
}

/**
 * The tuning tasks of a model: its tensor programs as the pipeline for WebAssembly schedules them, those with most work
 * first. A module of tensor programs alone is taken as it is.
 */
export function tuningTasks(module: IRModule, opts: TuningTaskOptions = {}): readonly TuneTask[] {
  const target = opts.target ?? defaultWasmTarget;
  const extensions = opts.extensions ?? [];
  const own = extensions.flatMap((e) => e.lowering ?? []);
  const front = sequential("front", [...own, graphPhase(), fusionPhase()]);
  const isGraph = [...module.functions.values()].some((f) => f.kind === "relax.Function");
  const fused = isGraph ? front.run(module, compileContext({ target }, extensions)) : module;
  return extractTasks(fused)
    .filter((t) => opts.filter === undefined || t.name.includes(opts.filter))
    .map((t) => makeTuneTask({ ...t, target }))
    .toSorted((a, b) => b.weight * b.flops - a.weight * a.flops)
    .slice(0, opts.most ?? Infinity);
}

/** Options of `tuneForWasm`: those of `tuneTasks`, with the parts for WebAssembly filled in. */
export interface WasmTuneOptions extends Omit<TuneOptions, "builder" | "untuned"> {
  /** `wasmKernelBuilder`, on this thread, unless told; `wasmThreadBuilder` of `@verticil/compiler/node` builds beside the measuring. */
  readonly builder?: Builder;
}

/** Tunes tasks for WebAssembly against the schedules of the standard pipeline. */
export function tuneForWasm(tasks: readonly TuneTask[], opts: WasmTuneOptions): Promise<TuneReport> {
  return tuneTasks(tasks, { ...opts, builder: opts.builder ?? wasmKernelBuilder(opts.seed ?? 1), untuned: untunedSchedule });
}

/** The schedule that a program gets without tuning, its weight packed as the pipeline packs it. */
export function untunedSchedule(task: TuneTask): ScheduledFunc {
  const packing = packOperand(task.func);
  const layout = packing !== undefined && task.layoutFree.has(packing.param) ? [{ param: packing.param, indexMap: packing.indexMap }] : [];
  const func = layout.length > 0 && packing !== undefined ? packing.func : task.func;
  const module = makeIRModule(new Map([[makeGlobalVar("main"), func]]));
  const [scheduled] = applyDefaultSchedule(cpuRules).run(module, compileContext({ target: task.target })).functions.values();
  return { func: scheduled as PrimFunc, layout };
}
