import type { Any } from "../any.ts";
import { host } from "../host.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

/** What the calls of one function took, all told. */
export interface VmProfileRow {
  readonly name: string;
  readonly calls: number;
  /** Milliseconds in the function itself, without what it calls. */
  readonly ms: number;
}

/** A result, and what it took. */
export interface VmProfile {
  readonly result: Any;
  /** The dearest first. */
  readonly rows: readonly VmProfileRow[];
}

/**
 * Calls a function of a program and times each call that it makes (upstream's `vm.profile`). The machine's instrument is
 * in use meanwhile, and none after it.
 * @throws FfiError as `invoke`.
 */
export function profileVm(vm: VirtualMachine, name: string, ...args: readonly Any[]): VmProfile {
  const now = (): number => host.performance?.now() ?? Date.now();
  const totals = new Map<string, { calls: number; ms: number }>();
  const open: { readonly started: number; inner: number }[] = [];
  vm.setInstrument((event) => {
    if (event.when === "before") {
      open.push({ started: now(), inner: 0 });
      return undefined;
    }
    const call = open.pop();
    if (call === undefined) return undefined;
    const whole = now() - call.started;
    const outer = open[open.length - 1];
    if (outer !== undefined) outer.inner += whole;
    const total = totals.get(event.name) ?? { calls: 0, ms: 0 };
    total.calls++;
    total.ms += whole - call.inner;
    totals.set(event.name, total);
    return undefined;
  });
  try {
    const result = vm.invoke(name, ...args);
    const rows = [...totals].map(([n, total]): VmProfileRow => ({ name: n, ...total })).sort((a, b) => b.ms - a.ms);
    return { result, rows };
  } finally {
    vm.setInstrument(undefined);
  }
}
