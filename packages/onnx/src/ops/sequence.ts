import { at } from "@verticil/ir-core";
import { makeTuple } from "@verticil/relax";
import { constant } from "@verticil/tir";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";
import { knownValue, type Value } from "../value.ts";
import { evenSplit } from "../fold/layout.ts";
import { openSplit, splitAt } from "./shape.ts";

function items(ctx: NodeContext, i: number): readonly Value[] {
  const value = ctx.value(i);
  return value.kind === "sequence" ? value.items : ctx.unsupported("its input is not a sequence");
}

function sequence(list: readonly Value[]): Value {
  return { kind: "sequence", items: list };
}

const construct: Converter = (ctx) => sequence(Array.from({ length: ctx.inputCount }, (_, i) => ctx.value(i)));
const empty: Converter = () => sequence([]);

function position(ctx: NodeContext, i: number, count: number, fallback: number): number {
  const given = ctx.optionalNumbers(i, "the position")?.[0] ?? fallback;
  return given < 0 ? given + count : given;
}

const itemAt: Converter = (ctx) => {
  const list = items(ctx, 0);
  return list[position(ctx, 1, list.length, 0)] ?? ctx.unsupported("its position is outside the sequence");
};

const erase: Converter = (ctx) => {
  const list = items(ctx, 0);
  const gone = position(ctx, 1, list.length, list.length - 1);
  return sequence(list.filter((_, i) => i !== gone));
};

const insert: Converter = (ctx) => {
  const list = items(ctx, 0);
  return sequence(list.toSpliced(position(ctx, 2, list.length, list.length), 0, ctx.value(1)));
};

const length: Converter = (ctx) => knownValue({ dtype: "int64", shape: [], elems: [constant(items(ctx, 0).length, "int64")] });

const concatFrom: Converter = (ctx) => {
  const parts = items(ctx, 0).map((v) => ctx.exprOf(v));
  const isNew = ctx.attrs.flag("new_axis");
  const rank = ctx.rank(at(parts, 0)) + (isNew ? 1 : 0);
  const axis = ctx.axis(ctx.attrs.int("axis", 0), rank);
  return ctx.emit(isNew ? "stack" : "concat", [makeTuple(parts)], { axis });
};

const splitTo: Converter = (ctx) => {
  const x = ctx.input(0);
  const axis = ctx.axis(ctx.attrs.int("axis", 0), ctx.rank(x));
  if (ctx.optionalValue(1) !== undefined && ctx.known(1) === undefined) {
    if (ctx.rank(ctx.input(1)) === 0) return ctx.dynamic("the size of its parts");
    return sequence(openSplit(ctx, x, axis).map((expr): Value => ({ kind: "tensor", expr })));
  }
  const size = at(ctx.staticDims(x), axis);
  const given = ctx.known(1);
  const numbers = given === undefined ? undefined : ctx.numbers(1, "the sizes");
  const isScalar = given?.shape.length === 0;
  const part = isScalar ? (numbers?.[0] ?? 1) : 1;
  const sizes = numbers !== undefined && !isScalar ? numbers : chunks(size, part);
  const parts = splitAt(ctx, x, axis, sizes);
  const drop = given === undefined && !ctx.attrs.flag("keepdims", true);
  return sequence(parts.map((p) => ({ kind: "tensor", expr: drop ? ctx.emit("squeeze", [p], { axis: [axis] }) : p })));
};

function chunks(size: number, part: number): readonly number[] {
  return evenSplit(size, Math.ceil(size / part)).map((_, i) => Math.min(part, size - i * part));
}

const optional: Converter = (ctx) => ctx.optionalValue(0) ?? { kind: "nothing" };
const optionalElement: Converter = (ctx) => {
  const value = ctx.value(0);
  return value.kind === "nothing" ? ctx.unsupported("its input holds nothing") : value;
};
/** What is known of an optional is whether it is there. */
const hasElement: Converter = (ctx) => knownValue({ dtype: "bool", shape: [], elems: [constant((ctx.optionalValue(0)?.kind ?? "nothing") === "nothing" ? 0 : 1, "bool")] });

/** Sequences; their lengths are known while importing, so that none is left at run time. */
export const sequenceConverters: ConverterTable = {
  SequenceConstruct: construct,
  SequenceEmpty: empty,
  SequenceAt: itemAt,
  SequenceErase: erase,
  SequenceInsert: insert,
  SequenceLength: length,
  ConcatFromSequence: concatFrom,
  SplitToSequence: splitTo,
  Optional: optional,
  OptionalGetElement: optionalElement,
  OptionalHasElement: hasElement,
};
