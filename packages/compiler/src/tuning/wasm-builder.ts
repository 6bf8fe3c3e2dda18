import { defaultWasmTarget, isNode, makeGlobalVar, makeIRModule, withAttrs, type AttrValue, type IRModule } from "@verticil/ir-core";
import type { Builder, KernelBuffer, ScheduledFunc, TuneTask } from "@verticil/metaschedule";
import { packTensor } from "@verticil/relax";
import { randomTensor, tensorBytes, type ScalarDType, type Tensor } from "@verticil/runtime-ffi";
import { buildWasm, wasmIntrinRules } from "@verticil/target-wasm";
import { asInt, getBlockAccessRegion, lowerTir, type Buffer, type PrimFunc } from "@verticil/tir";
import { compileContext } from "../compile-context.ts";

/**
 * Builds kernels for WebAssembly, with random inputs that are the same for every schedule of a task: uniform around
 * zero, and packed where the schedule takes a parameter in another layout.
 * @throws RangeError for a program with anything but float32 buffers of known shape.
 */
export function wasmKernelBuilder(seed = 1): Builder {
  const made = new WeakMap<TuneTask, readonly KernelArgument[]>();
  return async (task, scheduled) => {
    const args = made.get(task) ?? kernelArguments(task, seed);
    made.set(task, args);
    const target = task.target.kind === "wasm" ? task.target : defaultWasmTarget;
    const lowered = lowerTir({ intrinRules: wasmIntrinRules }).run(moduleOf(scheduled.func), compileContext({ target }));
    const { bytes, reservedBytes } = buildWasm(lowered, target);
    return { wasm: bytes, reservedBytes, buffers: buffersOf(args, scheduled, lowered) };
  };
}

function moduleOf(func: PrimFunc): IRModule {
  return makeIRModule(new Map([[makeGlobalVar("main"), withAttrs(func, { global_symbol: "main" })]]));
}

function buffersOf(args: readonly KernelArgument[], { layout }: ScheduledFunc, lowered: IRModule): readonly KernelBuffer[] {
  const buffers = args.map(({ tensor, isOutput }, i): KernelBuffer => {
    if (isOutput) return { bytes: tensor.data.byteLength, isOutput: true };
    const change = layout.find((c) => c.param === i);
    const init = tensorBytes(change === undefined ? tensor : packTensor(tensor, change.indexMap));
    return { bytes: init.byteLength, init, isOutput: false };
  });
  const bytes = [...lowered.functions.values()].flatMap((f) => workspaceBytes(f.attrs["WorkspaceSize"]));
  return [...buffers, ...bytes.map((n) => ({ bytes: n, isOutput: false }))];
}

/** What a kernel is called with; `isOutput` where it writes it. */
export interface KernelArgument {
  readonly tensor: Tensor;
  readonly isOutput: boolean;
}

/** A tensor for each parameter of a task's program, in the layout of the program; what it writes is among them. */
export function kernelArguments(task: TuneTask, seed: number): readonly KernelArgument[] {
  const outputs = outputsOf(task.func);
  return task.func.params.map((p, i) => {
    const buffer = task.func.bufferMap.get(p);
    if (buffer === undefined) throw new RangeError(`Parameter \`${p.name}\` of \`${task.name}\` is no buffer.`);
    return { tensor: randomInput(task, buffer, seed + i), isOutput: outputs.has(buffer) };
  });
}

/** The memory that a lowered program works in, which it takes as one more parameter. */
function workspaceBytes(size: AttrValue | undefined): readonly number[] {
  return isNode(size) && size.kind === "ir.IntImm" && "value" in size ? [Number(size.value)] : [];
}

/** The buffers that the program writes. */
function outputsOf(func: PrimFunc): ReadonlySet<Buffer> {
  const written = func.body.kind === "tir.BlockRealize" ? getBlockAccessRegion(func.body.block).writes : [];
  return new Set(written.map((w) => w.buffer));
}

function randomInput(task: TuneTask, buffer: Buffer, seed: number): Tensor {
  const shape = buffer.shape.map((d) => asInt(d));
  if (buffer.dtype !== "float32" || shape.includes(undefined)) {
    throw new RangeError(`\`${buffer.name}\` of \`${task.name}\` is no float32 buffer of known shape.`);
  }
  const dtype: ScalarDType = "float32";
  const t = randomTensor({ shape: shape.flatMap((d) => d ?? []), dtype }, seed);
  return { ...t, data: (t.data as Float32Array).map((v) => v - 0.5) };
}
