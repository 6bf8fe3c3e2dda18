import { definePass, structuralEqual, withFunctions, type Pass } from "@verticil/ir-core";
import { tir, type Buffer, type PrimExpr, type PrimFunc } from "@verticil/tir";

/**
 * Puts other programs in the place of tensor programs, by name: one that was changed by hand, say, or one with a schedule
 * of its own, which is kept if it is marked `tir.is_scheduled`. What the graph calls stays the same.
 * @throws RangeError if there is no program of a name, or it takes other buffers than the one that replaces it.
 */
export function replaceKernels(kernels: ReadonlyMap<string, PrimFunc>): Pass {
  return definePass("ReplaceKernels", (module) => {
    const left = new Set(kernels.keys());
    const functions = [...module.functions].map(([gv, func]) => {
      const other = kernels.get(gv.name);
      if (other === undefined || func.kind !== "tir.PrimFunc") return [gv, func] as const;
      left.delete(gv.name);
      checkParams(gv.name, func as PrimFunc, other);
      const { global_symbol: _, ...own } = other.attrs;
      return [gv, { ...other, attrs: { ...func.attrs, ...own } }] as const;
    });
    const [missing] = left;
    if (missing !== undefined) throw new RangeError(`There is no kernel \`${missing}\`; there are ${kernelNames(functions).join(", ")}.`);
    return kernels.size === 0 ? module : withFunctions(module, new Map(functions));
  });
}

function kernelNames(functions: readonly (readonly [{ readonly name: string }, { readonly kind: string }])[]): readonly string[] {
  return functions.flatMap(([gv, f]) => (f.kind === "tir.PrimFunc" ? [`\`${gv.name}\``] : []));
}

function checkParams(name: string, expected: PrimFunc, actual: PrimFunc): void {
  const [wanted, given] = [buffersOf(expected), buffersOf(actual)];
  if (wanted.length !== given.length) throw new RangeError(`The program for \`${name}\` takes ${given.length} parameters; the kernel takes ${wanted.length}.`);
  for (const [i, w] of wanted.entries()) {
    const g = given[i];
    if (w === undefined && g === undefined) continue;
    const same = w !== undefined && g !== undefined && w.dtype === g.dtype && w.shape.length === g.shape.length && w.shape.every((d, k) => sameExtent(d, g.shape[k]));
    if (!same) throw new RangeError(`Parameter ${i} of the program for \`${name}\` is not the buffer that the kernel takes there, \`${w?.name ?? "a number"}\`.`);
  }
}

function buffersOf(func: PrimFunc): readonly (Buffer | undefined)[] {
  return func.params.map((p) => func.bufferMap.get(p));
}

function sameExtent(a: PrimExpr, b: PrimExpr | undefined): boolean {
  return b !== undefined && structuralEqual(a, b, { dialects: [tir] });
}
