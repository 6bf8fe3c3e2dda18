import { irDialect, nodeTable, type Dialect, type NodeTable } from "@verticil/ir-core";
import { tirNodes } from "@verticil/tir";
import { relaxFields } from "./fields.ts";

/** The graph IR's nodes as a dialect, without its syntax (`relax` in `script/` has that). */
export const relaxNodes: Dialect = { name: "relax", kinds: relaxFields };

/** The table for code that sees the graph IR with tensor programs in it. */
export const relaxTable: NodeTable = nodeTable([irDialect, tirNodes, relaxNodes]);
