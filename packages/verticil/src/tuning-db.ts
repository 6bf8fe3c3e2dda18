import { stat } from "node:fs/promises";
import { hostEngine } from "@verticil/compiler/node";
import type { TuningDb } from "@verticil/compiler";
import type { WasmTarget } from "@verticil/ir-core";
import { UsageError } from "./usage-error.ts";

/**
 * A database of tuned schedules, for a target on the engine of this process. The code for databases is loaded when this is called.
 * @throws UsageError if the file has to be there and is not.
 * @throws RangeError if it is no tuning database.
 */
export async function openTuningDb(path: string, opts: { readonly create: boolean; readonly target: WasmTarget }): Promise<TuningDb> {
  if (!opts.create && (await stat(path).catch(() => undefined))?.isFile() !== true) {
    throw new UsageError(`There is no tuning database \`${path}\`. \`verticil tune MODEL --db ${path}\` makes one.`);
  }
  const { sqliteDatabase } = await import("@verticil/metaschedule/node");
  return { database: await sqliteDatabase(path), engine: hostEngine(opts.target) };
}
