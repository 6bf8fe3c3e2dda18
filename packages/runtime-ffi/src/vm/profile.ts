import { describeAny, isTensor, type Any } from "../any.ts";
import { host } from "../host.ts";
import type { VmMetrics, VmReport } from "./profile-report.ts";
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
  /** Each call that takes a tensor, with what it calls, in the order in which they end: as upstream's profiler reports it. */
  readonly report: VmReport;
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
  const calls: { readonly name: string; readonly us: number; readonly shapes: string }[] = [];
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
    const tensors = event.args.filter(isTensor);
    if (tensors.length > 0) calls.push({ name: event.name, us: whole * 1000, shapes: tensors.map(describeAny).join(", ") });
    const total = totals.get(event.name) ?? { calls: 0, ms: 0 };
    total.calls++;
    total.ms += whole - call.inner;
    totals.set(event.name, total);
    return undefined;
  });
  try {
    const started = now();
    const result = vm.invoke(name, ...args);
    const us = (now() - started) * 1000;
    const rows = [...totals].map(([n, total]): VmProfileRow => ({ name: n, ...total })).sort((a, b) => b.ms - a.ms);
    return { result, rows, report: reportOf(calls, us) };
  } finally {
    vm.setInstrument(undefined);
  }
}

function reportOf(calls: readonly { readonly name: string; readonly us: number; readonly shapes: string }[], total: number): VmReport {
  const metrics = (name: string, us: number): VmMetrics => ({ Name: { string: name }, "Duration (us)": { microseconds: us }, Count: { count: 1 }, Device: { string: "cpu0" } });
  return {
    calls: calls.map((c) => ({ ...metrics(c.name, c.us), Percent: { percent: total === 0 ? 0 : (c.us / total) * 100 }, "Argument Shapes": { string: c.shapes } })),
    deviceMetrics: { cpu0: metrics("Total", total) },
    configuration: { Executor: { string: "VM" } },
  };
}
