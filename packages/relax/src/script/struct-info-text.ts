import { tir } from "@verticil/tir";
import { membersOf, print, type PrintHandler, type ScriptDialect } from "@verticil/tvmscript";
import { relaxFields } from "../ir/fields.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { printInt, printSymbolicVar, structInfoPrinters } from "./print-struct-info.ts";

/** As much of the dialect as struct info takes, so that messages can be written without all of it. */
const infoDialect: ScriptDialect = {
  name: "relax",
  kinds: relaxFields,
  prefix: "R",
  module: "relax",
  members: membersOf(new Map()),
  functions: {},
  operators: {},
  printers: {
    ...structInfoPrinters,
    "ir.IntImm": printInt,
    "tir.Var": printSymbolicVar,
    "tir.SizeVar": printSymbolicVar,
  } as Readonly<Record<string, PrintHandler>>,
  functionOrder: {},
};

/** Struct info as scripts write it, in backticks, for messages. */
export function structInfoText(info: StructInfo): string {
  return `\`${print(info, { dialects: [tir, infoDialect] }).trim()}\``;
}
