import { definePass, mapFunctions, type Pass, type PassContext } from "@verticil/ir-core";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";

/** A pass over each tensor program of a module; other functions are left alone. */
export function primFuncPass(name: string, run: (func: PrimFunc, ctx: PassContext) => PrimFunc, optLevel = 0): Pass {
  return definePass(
    name,
    (module, ctx) => mapFunctions(module, (f) => (f.kind === "tir.PrimFunc" ? run(f as PrimFunc, ctx) : f)),
    optLevel,
  );
}

/** The program with another body; the same program if the body is the same. */
export function withBody(func: PrimFunc, body: Stmt): PrimFunc {
  return body === func.body ? func : { ...func, body };
}

/** A pass over the body of each tensor program. */
export function bodyPass(name: string, run: (body: Stmt, func: PrimFunc) => Stmt): Pass {
  return primFuncPass(name, (func) => withBody(func, run(func.body, func)));
}
