import { Diagnostics, lookupFunc, throwIfErrors, webgpuLimits, type AttrMap, type AttrValue, type GlobalVar, type IRModule, type Reporter, type WebgpuTarget } from "@verticil/ir-core";
import { dtypeBytes, kernelHeading, type DevicePlace, type Dispatch, type DType, type KernelSpec, type WebgpuProgram } from "@verticil/runtime-ffi";
import type { PrimExpr, PrimFunc, Var } from "@verticil/tir";
import { generateKernel, pointerUses, type BindingPlan, type PointerUse } from "./codegen/kernel.ts";
import { webgpuDiagnostics } from "./diagnostics.ts";
import { checkLaunch } from "./host/check-launch.ts";
import { DeviceMemory, type Place } from "./host/device-memory.ts";
import { movedPointer, splitLaunches, type HostFunction, type Launch } from "./host/launches.ts";

/** A module for WebGPU: the kernels, and what the device does with them. */
export interface WebgpuBuild {
  /** The WGSL of each kernel, in the order of the program's kernels. */
  readonly kernels: readonly string[];
  /** All of them in one text, each after a line that names it. */
  readonly code: string;
  readonly program: WebgpuProgram;
}

/**
 * Generates WGSL for a module that went through `LowerStaticMain`: its `main` is walked once, and every grid of threads
 * in what it calls becomes a dispatch on known parts of the device's buffers. The same module gives the same text.
 * @throws DiagnosticError with every reason why a kernel has no WGSL or is beyond the target's limits.
 * @throws RangeError if there is no `main` with the attributes of that pass.
 */
export function buildWebgpu(module: IRModule, target: WebgpuTarget): WebgpuBuild {
  const main = lookupFunc(module, "main");
  if (main.kind !== "tir.PrimFunc" || main.attrs["arena_blocks"] === undefined) {
    throw new RangeError("`main` is no program of fixed shapes, which is what WebGPU runs. Fix symbolic dimensions with `dims`, or compile for wasm.");
  }
  const builder = new Builder(module, target, main as PrimFunc);
  builder.run();
  throwIfErrors(builder.diagnostics);
  return builder.finish();
}

class Builder {
  readonly diagnostics = new Diagnostics();
  readonly #report: Reporter<typeof webgpuDiagnostics> = this.diagnostics.reporter("target-webgpu", webgpuDiagnostics);
  readonly #module: IRModule;
  readonly #target: WebgpuTarget;
  readonly #main: PrimFunc;
  readonly #memory: DeviceMemory;
  readonly #functions = new Map<PrimFunc, HostFunction>();
  readonly #uses = new Map<Launch, readonly PointerUse[]>();
  /** Kernels by launch and by the form of their bindings. */
  readonly #variants = new Map<Launch, Map<string, number>>();
  readonly #kernels: (KernelSpec & { readonly code: string })[] = [];
  readonly #dispatches: Dispatch[] = [];

  constructor(module: IRModule, target: WebgpuTarget, main: PrimFunc) {
    this.#module = module;
    this.#target = target;
    this.#main = main;
    this.#memory = new DeviceMemory(main.attrs, webgpuLimits(target), this.#report);
  }

  run(): void {
    if (this.diagnostics.hasErrors) return;
    const [arena, params] = this.#main.params;
    const env = new Map<Var, Place>();
    if (arena !== undefined) env.set(arena, { space: "arena", offset: 0 });
    if (params !== undefined) env.set(params, { space: "params", offset: 0 });
    this.#runFunction("main", this.#main, env);
  }

  finish(): WebgpuBuild {
    const { attrs } = this.#main;
    const program: WebgpuProgram = {
      buffers: this.#memory.buffers,
      kernels: this.#kernels.map(({ name, bindings }) => ({ name, bindings })),
      dispatches: this.#dispatches,
      inputs: this.#values(attrs["inputs"]),
      outputs: this.#values(attrs["outputs"]),
      constants: this.#memory.constants,
    };
    const code = this.#kernels.map((k) => `${kernelHeading(k.name)}\n${k.code}`).join("\n");
    return { kernels: this.#kernels.map((k) => k.code), code, program };
  }

  #values(list: AttrValue | undefined): readonly DevicePlace[] {
    return (Array.isArray(list) ? (list as readonly AttrMap[]) : []).map(({ shape, dtype, space, offset }) => {
      const count = (Array.isArray(shape) ? shape : []).reduce<number>((n, d) => n * Number(d), 1);
      return this.#memory.find({ space: space === "params" ? "params" : "arena", offset: Number(offset) }, count * dtypeBytes(String(dtype) as DType));
    });
  }

  #hostFunction(name: string, func: PrimFunc): HostFunction {
    let made = this.#functions.get(func);
    if (made === undefined) this.#functions.set(func, (made = splitLaunches(name, func, this.#report)));
    return made;
  }

  #runFunction(name: string, func: PrimFunc, env: ReadonlyMap<Var, Place>): void {
    const host = this.#hostFunction(name, func);
    const place = (e: PrimExpr): Place | undefined => {
      const { base, offset } = movedPointer(e);
      if (base.kind !== "tir.Var" || Number.isNaN(offset)) return undefined;
      const moved = host.pointers.get(base);
      const known = env.get(base) ?? (moved && place(moved.base));
      return known && { ...known, offset: known.offset + offset + (moved?.offset ?? 0) };
    };
    for (const step of host.steps) {
      if (step.kind === "launch") this.#dispatch(step, place);
      else this.#call(step.callee, step.args.map(place));
    }
  }

  #call(callee: GlobalVar, args: readonly (Place | undefined)[]): void {
    const func = this.#module.functions.get(callee);
    if (func?.kind !== "tir.PrimFunc" || func === this.#main) {
      this.#report("host-code", { what: `The call of \`${callee.name}\`` }, callee.span);
      return;
    }
    const env = new Map<Var, Place>();
    (func as PrimFunc).params.forEach((p, i) => {
      const place = args[i];
      if (place !== undefined) env.set(p, place);
    });
    this.#runFunction(callee.name, func as PrimFunc, env);
  }

  #dispatch(launch: Launch, place: (e: PrimExpr) => Place | undefined): void {
    let uses = this.#uses.get(launch);
    if (uses === undefined) {
      this.#uses.set(launch, (uses = pointerUses(launch)));
      checkLaunch(launch, this.#target, this.#report);
    }
    const places = uses.map((u) => {
      const at = place(u.pointer);
      return at === undefined || Number.isNaN(u.bytes) ? undefined : this.#memory.find(at, u.bytes);
    });
    if (places.includes(undefined)) {
      this.#report("host-code", { what: `Memory of unknown size or place for \`${launch.name}\`` }, launch.span);
      return;
    }
    const known = places.filter((p) => p !== undefined);
    const { plans, args } = this.#bindings(launch, uses, known);
    this.#dispatches.push({ kernel: this.#kernel(launch, plans), grid: launch.grid, args });
  }

  /** Pointers to one place share a binding; what shares a buffer with something written counts as written. */
  #bindings(launch: Launch, uses: readonly PointerUse[], places: readonly DevicePlace[]): { readonly plans: readonly BindingPlan[]; readonly args: readonly DevicePlace[] } {
    const groups: { pointers: PointerUse[]; at: DevicePlace }[] = [];
    uses.forEach((u, i) => {
      const at = places[i];
      if (at === undefined) return;
      const same = groups.find((g) => g.at.buffer === at.buffer && g.at.offset === at.offset);
      if (same === undefined) groups.push({ pointers: [u], at });
      else {
        same.pointers.push(u);
        same.at = { ...same.at, bytes: Math.max(same.at.bytes, at.bytes) };
      }
    });
    const written = new Set(groups.filter((g) => g.pointers.some((p) => p.written)).map((g) => g.at.buffer));
    for (const [i, a] of groups.entries()) {
      const overlaps = groups.some((b, j) => j < i && a.at.buffer === b.at.buffer && a.at.offset < b.at.offset + b.at.bytes && b.at.offset < a.at.offset + a.at.bytes);
      if (overlaps && written.has(a.at.buffer)) this.#report("overlapping-arguments", { kernel: launch.name }, launch.span);
    }
    const { maxStorageBuffersPerShaderStage: limit, maxStorageBufferBindingSize: largest } = webgpuLimits(this.#target);
    if (groups.length > limit) this.#report("too-many-buffers", { kernel: launch.name, count: groups.length, limit }, launch.span);
    for (const { at, pointers } of groups) {
      if (at.bytes > largest) this.#report("binding-too-large", { what: `\`${pointers[0]?.name ?? ""}\` of \`${launch.name}\``, bytes: at.bytes, limit: largest }, launch.span);
    }
    const plans = groups.map(({ pointers, at }): BindingPlan => ({ pointers, access: written.has(at.buffer) ? "write" : "read" }));
    return { plans, args: groups.map((g) => g.at) };
  }

  #kernel(launch: Launch, plans: readonly BindingPlan[]): number {
    const key = plans.map((p) => `${p.access}:${p.pointers.map((u) => this.#uses.get(launch)?.indexOf(u)).join("+")}`).join(",");
    const variants = this.#variants.get(launch) ?? new Map<string, number>();
    this.#variants.set(launch, variants);
    const before = variants.get(key);
    if (before !== undefined) return before;
    const { code, sharedBytes } = generateKernel(launch, plans, this.#target, this.diagnostics);
    const limit = webgpuLimits(this.#target).maxComputeWorkgroupStorageSize;
    if (sharedBytes > limit) this.#report("too-much-shared-memory", { kernel: launch.name, bytes: sharedBytes, limit }, launch.span);
    const same = this.#kernels.findIndex((k) => k.code === code);
    const name = variants.size === 0 ? launch.name : `${launch.name}_v${variants.size}`;
    const index = same >= 0 ? same : this.#kernels.push({ name, code, bindings: plans.map((p) => p.access) }) - 1;
    variants.set(key, index);
    return index;
  }
}
