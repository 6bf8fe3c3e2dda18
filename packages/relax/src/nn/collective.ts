import { tensorOp } from "./ops.ts";
import type { Tensor } from "./value.ts";

// What workers of a group tell each other, by the names of upstream's `nn.op`. One worker alone is a group too.

/** The sum (or `prod`, `min`, `max`, `avg`) of a tensor over all workers, of one group of them unless told. */
export function cclAllreduce(x: Tensor, opType: "sum" | "prod" | "min" | "max" | "avg" = "sum", inGroup = true): Tensor {
  return tensorOp("relax.ccl.allreduce", [x], { op_type: opType, in_group: inGroup }, "ccl_allreduce");
}

/** The tensors of all workers, one after the other along the first axis. */
export function cclAllgather(x: Tensor, numWorkers: number): Tensor {
  return tensorOp("relax.ccl.allgather", [x], { num_workers: numWorkers }, "ccl_allgather");
}

/** The tensor of the first worker. */
export function cclBroadcastFromWorker0(x: Tensor): Tensor {
  return tensorOp("relax.ccl.broadcast_from_worker0", [x], {}, "broadcast_from_worker");
}
