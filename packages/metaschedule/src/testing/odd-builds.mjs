// Answers what `threadBuilder` sends as the name of the task says: it may hang, die or refuse. With `every` as its data,
// it does so for each schedule with a number that this divides only.
import { parentPort, workerData } from "node:worker_threads";

const every = workerData?.every ?? 1;
const names = new Map();

parentPort.on("message", ({ id, taskId, task }) => {
  if (task !== undefined) names.set(taskId, task.name);
  const name = id % every === 0 ? names.get(taskId) : "good";
  if (name === "hangs") for (;;);
  if (name === "exits") process.exit(3);
  if (name === "throws") throw new Error("a fault of the builder");
  if (name === "refused") parentPort.postMessage({ id, ok: false, error: "no such code" });
  else parentPort.postMessage({ id, ok: true, kernel: { wasm: Uint8Array.of(id), reservedBytes: 0, buffers: [] } });
  if (name === "dies later") process.exit(4);
});
parentPort.postMessage({ id: "ready" });
