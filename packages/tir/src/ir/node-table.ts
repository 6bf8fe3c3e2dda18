import { irDialect, nodeTable, type Dialect, type NodeTable } from "@verticil/ir-core";
import { tirFields } from "./fields.ts";

/** TensorIR's nodes as a dialect, without its syntax (`tir` in `script/` has that). */
export const tirNodes: Dialect = { name: "tir", kinds: tirFields };

/** The table for code that only ever sees TensorIR and shared nodes. */
export const tirTable: NodeTable = nodeTable([irDialect, tirNodes]);
