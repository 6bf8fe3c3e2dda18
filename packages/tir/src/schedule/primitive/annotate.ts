import type { AttrMap, AttrValue } from "@verticil/ir-core";
import type { PrimExpr } from "../../ir/expr.ts";
import type { BlockRealize, For, Stmt } from "../../ir/stmt.ts";
import type { InstructionInput } from "../instruction.ts";
import { replaceStmts, type FuncTree } from "../func-tree.ts";
import type { Outcome } from "../outcome.ts";
import { refuse } from "../schedule-error.ts";

/** What an annotation may hold: a string, a number, an expression over sampled numbers, lists and dictionaries of these. */
export type AnnotationValue = string | number | boolean | PrimExpr | readonly AnnotationValue[] | { readonly [key: string]: AnnotationValue };

/** The loop or block with an annotation added, or removed where `value` is undefined. One that is there already stays as it is. */
export function annotate(tree: FuncTree, at: BlockRealize | For, key: string, value: AttrValue | undefined): Outcome {
  const target = at.kind === "tir.For" ? at : at.block;
  const known = target.annotations[key] !== undefined;
  if (value === undefined && !known) return refuse(`there is no annotation \`${key}\` here`, target, `There are ${Object.keys(target.annotations).join(", ") || "none"}.`);
  if (value !== undefined && known) return { func: tree.func };
  const { [key]: _, ...rest } = target.annotations;
  const annotations = value === undefined ? rest : { ...rest, [key]: value };
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[target, { ...target, annotations }]])) };
}

/** An annotation as an input of an instruction. */
export function annotationInput(value: AnnotationValue): InstructionInput {
  if (Array.isArray(value)) return value.map((x: AnnotationValue) => annotationInput(x));
  if (typeof value === "object" && !("kind" in value)) return { dict: value as AttrMap };
  return value as InstructionInput;
}

/** The block with an annotation set, whatever was there before. */
export function setBlockAnnotation(tree: FuncTree, realize: BlockRealize, key: string, value: AttrValue): Outcome {
  const block = { ...realize.block, annotations: { ...realize.block.annotations, [key]: value } };
  return { func: replaceStmts(tree.func, new Map<Stmt, Stmt>([[realize.block, block]])) };
}
