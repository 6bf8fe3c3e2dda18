import { opRegistry, type OpRegistry } from "../ir/op-def.ts";
import { binaryOps } from "./binary.ts";
import { coreOps } from "./core.ts";
import { createOps } from "./create.ts";
import { gatherScatterOps } from "./gather-scatter.ts";
import { imageOps, visionOps } from "./image.ts";
import { linearAlgebraOps } from "./linear-algebra.ts";
import { manipulateOps } from "./manipulate.ts";
import { convOps } from "./nn-conv.ts";
import { nnOps } from "./nn.ts";
import { poolOps } from "./nn-pool.ts";
import { reduceOps } from "./reduce.ts";
import { unaryOps } from "./unary.ts";

/** The operators of the graph IR: all of v0.20's and those that main added. */
export const relaxOps: OpRegistry = opRegistry(
  coreOps,
  unaryOps,
  binaryOps,
  createOps,
  manipulateOps,
  gatherScatterOps,
  linearAlgebraOps,
  reduceOps,
  convOps,
  poolOps,
  nnOps,
  imageOps,
  visionOps,
);
