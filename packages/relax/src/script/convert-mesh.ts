import { isNode, type Node } from "@verticil/ir-core";
import { describeValue, isInt, isList, ScriptRange, type ScriptValue, type Site } from "@verticil/tvmscript";
import { makeDeviceMesh } from "../ir/make.ts";
import type { DeviceMesh } from "../ir/struct-info.ts";

function isMesh(v: unknown): v is DeviceMesh {
  return isNode(v) && v.kind === "relax.distributed.DeviceMesh";
}

/** A mesh, or `"mesh[0]"`: the module's global info of that key and number. */
export function toDeviceMesh(v: ScriptValue, site: Site): DeviceMesh {
  if (isMesh(v)) return v;
  if (typeof v !== "string") return site.fail(`Expected a device mesh, found ${describeValue(v)}.`);
  const [, key = "", index = "0"] = /^(\w+)\[(\d+)\]$/.exec(v) ?? [];
  const found = (site.ctx.globalInfos.get(key) ?? [])[Number(index)];
  return isMesh(found) ? found : site.fail(`The module has no device mesh \`${v}\`.`, "List it in `I.module_global_infos`.");
}

function toInts(v: ScriptValue, site: Site): readonly number[] {
  if (v instanceof ScriptRange) {
    const [start, stop] = v.args.length === 1 ? [0, v.args[0]] : v.args;
    if (!isInt(start) || !isInt(stop) || Number(stop) < Number(start) || Number(stop) - Number(start) > 65_536) return site.fail("The devices of a mesh are a range of integers.");
    return Array.from({ length: Number(stop) - Number(start) }, (_, i) => Number(start) + i);
  }
  if (!isList(v)) return site.fail(`Expected a list of integers, found ${describeValue(v)}.`);
  return v.map((x) => (isInt(x) ? Number(x) : site.fail(`Expected an integer, found ${describeValue(x)}.`)));
}

/** `R.device_mesh(shape, devices)`; the devices are a range or a list. */
export function deviceMesh(shape: ScriptValue, devices: ScriptValue, site: Site): Node {
  return makeDeviceMesh(toInts(shape, site), toInts(devices, site));
}
