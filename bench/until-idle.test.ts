import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { untilIdle } from "./until-idle.ts";

test("waits while another thread computes, but not for ever", async () => {
  const busy = new Worker("const end = Date.now() + 3000; require('node:worker_threads').parentPort.postMessage(0); while (Date.now() < end);", { eval: true });
  await new Promise((resolve) => void busy.once("message", resolve));
  const started = performance.now();
  await untilIdle();
  expect(performance.now() - started).toBeGreaterThan(15);
  await busy.terminate();
});
