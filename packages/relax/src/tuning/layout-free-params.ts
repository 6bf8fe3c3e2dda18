import type { GlobalVar, IRModule } from "@verticil/ir-core";
import type { PrimFunc } from "@verticil/tir";
import { callsByProgram, constantAt } from "../transform/pack-constants.ts";

/** How the programs of a module are called. */
export interface ProgramCalls {
  /** How often the graph calls a program. */
  count(gv: GlobalVar): number;
  /** The parameters of a program that are constants in every call: they may be stored in any layout. */
  layoutFree(gv: GlobalVar, func: PrimFunc): readonly number[];
}

/** The calls of each program in the graph functions of a module. */
export function programCalls(module: IRModule): ProgramCalls {
  const calls = callsByProgram(module);
  return {
    count: (gv) => calls.get(gv)?.length ?? 0,
    layoutFree(gv, func) {
      const own = calls.get(gv) ?? [];
      return func.params.flatMap((_, i) => (own.length > 0 && own.every((c) => constantAt(c, i) !== undefined) ? [i] : []));
    },
  };
}
