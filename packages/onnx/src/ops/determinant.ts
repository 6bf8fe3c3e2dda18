import { at } from "@verticil/ir-core";
import type { Expr } from "@verticil/relax";
import type { Converter, ConverterTable } from "../converter.ts";
import type { NodeContext } from "../node-context.ts";

const MAX_DETERMINANT = 6;
const MAX_INVERSE = 4;

/** The determinant of the rows and columns of a matrix, or of each of a batch of them. */
type Minor = (rows: readonly number[], columns: readonly number[]) => Expr;

/** Expanded along rows: for the small matrices that occur in graphs. */
function minorsOf(ctx: NodeContext, x: Expr, max: number): { readonly minor: Minor; readonly all: readonly number[] } {
  const dims = ctx.staticDims(x);
  const n = at(dims, -1);
  if (n > max) return ctx.unsupported(`its matrices have more than ${max} rows`);
  const flat = ctx.reshape(x, [...dims.slice(0, -2), n * n]);
  const cell = (i: number, j: number): Expr => ctx.emit("take", [flat, ctx.scalar(i * n + j, "int64")], { axis: dims.length - 2 });
  const minor: Minor = ([row = 0, ...rows], columns) => {
    const terms = columns.map((c, k) => {
      const rest = columns.filter((o) => o !== c);
      const value = rest.length === 0 ? cell(row, c) : ctx.emit("multiply", [cell(row, c), minor(rows, rest)]);
      return k % 2 === 0 ? value : ctx.emit("negative", [value]);
    });
    return terms.slice(1).reduce((a, b) => ctx.emit("add", [a, b]), at(terms, 0));
  };
  return { minor, all: Array.from({ length: n }, (_, i) => i) };
}

const determinant: Converter = (ctx) => {
  const { minor, all } = minorsOf(ctx, ctx.input(0), MAX_DETERMINANT);
  return minor(all, all);
};

/** The transposed cofactors over the determinant. */
const inverse: Converter = (ctx) => {
  const x = ctx.input(0);
  const { minor, all } = minorsOf(ctx, x, MAX_INVERSE);
  const whole = minor(all, all);
  const without = (i: number): readonly number[] => all.filter((k) => k !== i);
  const cofactor = (i: number, j: number): Expr => {
    const value = all.length === 1 ? ctx.emit("ones_like", [whole]) : minor(without(i), without(j));
    return (i + j) % 2 === 0 ? value : ctx.emit("negative", [value]);
  };
  const cells = all.flatMap((i) => all.map((j) => ctx.emit("divide", [cofactor(j, i), whole])));
  return ctx.reshape(ctx.emit("stack", [ctx.tuple(cells)], { axis: -1 }), ctx.dims(x));
};

/** Determinants and inverses of small matrices. */
export const determinantConverters: ConverterTable = { Det: determinant, "com.microsoft:Inverse": inverse };
