import { definePass, makePointerType, makePrimType, withAttrs, withFunctions, type BaseFunc, type GlobalVar, type Pass } from "@verticil/ir-core";
import { makeVar, renewDefs, replaceBuffers, scopeOf, type Buffer, type PrimFunc } from "@verticil/tir";
import { varToValue } from "../analysis/variables.ts";
import { callTirParts, isCallTo, type CallTirParts } from "../ir/call-target.ts";
import { leafInfos } from "../ir/infer-call.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/**
 * Upstream's `SpecializePrimFuncBasedOnCallSite`: the buffers of a tensor program lie in the memory scope of the devices of the
 * tensors that `call_tir` calls it with; without a device, in `global`. Such a program has the attribute `scoped`. Unlike
 * upstream's, symbolic sizes of the program stay its own.
 * @throws RangeError if two calls of one program want other scopes.
 */
export function specializePrimFuncBasedOnCallSite(): Pass {
  return definePass("SpecializePrimFuncBasedOnCallSite", (module) => {
    const wanted = new Map<GlobalVar, readonly string[]>();
    for (const func of module.functions.values()) {
      if (!isRelaxFunction(func) || func.attrs["Primitive"] !== undefined) continue;
      for (const value of varToValue(func).values()) {
        const parts = isCallTo(value, "relax.call_tir") ? callTirParts(value) : undefined;
        if (parts === undefined) continue;
        const scopes = scopesOf(parts);
        const before = wanted.get(parts.callee);
        if (before !== undefined && before.join() !== scopes.join()) throw new RangeError(`\`${parts.callee.name}\` is called with tensors in ${before.join(", ")} and with tensors in ${scopes.join(", ")}.`);
        wanted.set(parts.callee, scopes);
      }
    }
    const functions = new Map<GlobalVar, BaseFunc>();
    for (const [gv, func] of module.functions) {
      const scopes = wanted.get(gv);
      functions.set(gv, func.kind === "tir.PrimFunc" && scopes !== undefined ? specialized(func as PrimFunc, scopes) : func);
    }
    return withFunctions(module, functions);
  });
}

/** The memory scopes of the arguments and the results of a call. */
function scopesOf({ args, call }: CallTirParts): readonly string[] {
  const infos = [...args.fields.map(structInfoOf), ...call.sinfoArgs.flatMap(leafInfos)];
  return infos.map((i: StructInfo | undefined) => (i?.kind === "relax.TensorStructInfo" ? (i.vdevice?.memoryScope ?? "global") : "global"));
}

function specialized(func: PrimFunc, scopes: readonly string[]): PrimFunc {
  const moved = new Map<Buffer, Buffer>();
  const bufferMap = new Map(func.bufferMap);
  func.params.forEach((p, i) => {
    const [buffer, scope] = [func.bufferMap.get(p), scopes[i]];
    if (buffer === undefined || scope === undefined || scopeOf(buffer) === scope) return;
    const data = makeVar(buffer.data.name, "handle", makePointerType(makePrimType(buffer.dtype), scope));
    moved.set(buffer, { ...buffer, data });
  });
  for (const [p, b] of func.bufferMap) bufferMap.set(p, moved.get(b) ?? b);
  return withAttrs(renewDefs({ ...func, bufferMap, body: replaceBuffers(func.body, moved) }), { scoped: 1 });
}
