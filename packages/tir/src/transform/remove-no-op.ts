import type { Pass } from "@verticil/ir-core";
import { sideEffect } from "../analysis/side-effect.ts";
import { usesVar } from "../ir/free-vars.ts";
import { makeEvaluate, makeSeq } from "../ir/make-stmt.ts";
import { mapStmt } from "../ir/mutate.ts";
import { asInt, isConstInt, not } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";
import { isNoOp, noOp } from "./simplify.ts";

/** Removes statements that do nothing: empty loops and branches, values that nobody uses, memory that nobody touches (upstream's `RemoveNoOp`). */
export function removeNoOp(): Pass {
  return bodyPass("RemoveNoOp", (body) => mapStmt(body, { stmt: removeTop }));
}

function isPure(e: Parameters<typeof sideEffect>[0]): boolean {
  const effect = sideEffect(e);
  return effect === "pure" || effect === "read";
}

function removeTop(s: Stmt): Stmt {
  switch (s.kind) {
    case "tir.Evaluate":
      return !isNoOp(s) && s.value.dtype !== "handle" && isPure(s.value) ? noOp() : s;
    case "tir.SeqStmt": {
      const kept = s.seq.filter((x) => !isNoOp(x));
      if (kept.length === s.seq.length) return s;
      return kept.length === 0 ? noOp() : makeSeq(kept, s.span);
    }
    case "tir.For":
      return isNoOp(s.body) || asInt(s.extent) === 0 ? noOp() : s;
    case "tir.LetStmt":
      if (isNoOp(s.body) && isPure(s.value)) return noOp();
      return isPure(s.value) && !usesVar(s.body, s.bind) ? s.body : s;
    case "tir.IfThenElse": {
      const elseCase = s.elseCase && isNoOp(s.elseCase) ? undefined : s.elseCase;
      if (isConstInt(s.condition)) return s.condition.value !== 0 ? s.thenCase : (elseCase ?? noOp());
      if (isNoOp(s.thenCase)) {
        if (elseCase !== undefined) return { ...s, condition: not(s.condition), thenCase: elseCase, elseCase: undefined };
        return isPure(s.condition) ? noOp() : makeEvaluate(s.condition, s.span);
      }
      return elseCase === s.elseCase ? s : { ...s, elseCase };
    }
    case "tir.Allocate":
    case "tir.AllocateConst":
      return isNoOp(s.body) ? noOp() : usesVar(s.body, s.bufferVar) ? s : s.body;
    case "tir.DeclBuffer":
      return isNoOp(s.body) ? noOp() : s;
    case "tir.AttrStmt":
      return isNoOp(s.body) ? noOp() : s;
    default:
      return s;
  }
}
