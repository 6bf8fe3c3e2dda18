import { definePass, isNode, makeIRModule, type AttrValue, type BaseFunc, type GlobalVar, type Pass, type VDevice } from "@verticil/ir-core";
import { isRelaxFunction } from "../ir/mutate.ts";

/**
 * Upstream's `UpdateVDevice`: the device number `index` of the module (its global info `vdevice`) is another, wherever tensors lie
 * on it.
 * @throws RangeError if the module has no such device.
 */
export function updateVDevice(newVDevice: VDevice, index: number): Pass {
  return definePass("UpdateVDevice", (module) => {
    const devices = module.globalInfos["vdevice"];
    const list: readonly AttrValue[] = Array.isArray(devices) ? (devices as readonly AttrValue[]) : [];
    const old = list[index];
    if (!isNode(old)) throw new RangeError(`The module has no device number ${index}; it has ${list.length}.`);
    const replace = replacer(old, newVDevice);
    const functions = new Map<GlobalVar, BaseFunc>([...module.functions].map(([gv, func]) => [gv, isRelaxFunction(func) ? (replace(func) as BaseFunc) : func]));
    const vdevice = list.map((d) => (d === old ? newVDevice : d));
    return makeIRModule(functions, { attrs: module.attrs, globalInfos: { ...module.globalInfos, vdevice }, span: module.span });
  });
}

/** Rebuilds what holds an object, with another in its place. What is shared (variables) stays shared. */
function replacer(old: object, by: object): (root: object) => object {
  const done = new Map<object, object>([[old, by]]);
  const visit = (x: unknown): unknown => {
    if (typeof x !== "object" || x === null) return x;
    const known = done.get(x);
    if (known !== undefined) return known;
    // Tensors, source texts and the like are no part of the tree.
    const isTree = Array.isArray(x) || Object.getPrototypeOf(x) === Object.prototype;
    const next = !isTree ? x : Array.isArray(x) ? list(x) : record(x as Readonly<Record<string, unknown>>);
    done.set(x, next);
    return next;
  };
  const list = (xs: readonly unknown[]): readonly unknown[] => {
    const next = xs.map(visit);
    return next.every((v, i) => v === xs[i]) ? xs : next;
  };
  const record = (x: Readonly<Record<string, unknown>>): object => {
    let changed = false;
    const next = Object.fromEntries(
      Object.entries(x).map(([key, value]) => {
        const v = key === "span" || key === "data" ? value : visit(value);
        changed ||= v !== value;
        return [key, v];
      }),
    );
    return changed ? next : x;
  };
  return (root) => visit(root) as object;
}
