import { findConverter, type Converter, type ConverterTable } from "../converter.ts";

/** Reads a node of another domain as that operator of the standard one, at a version; `table` has it. */
export function readAs(table: ConverterTable, op: string, opset: number): Converter {
  const convert = findConverter(table, op, opset);
  if (convert === undefined) throw new RangeError(`There is no \`${op}\` of version ${opset}.`);
  return (ctx) => convert(ctx.readAs(opset));
}
