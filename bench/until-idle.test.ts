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

test("looks in which a thread that spins gets no processor are not its end", async () => {
  // Each look takes 10 ms; the thread spins until it has computed 20, and runs in one look of three.
  let [time, cpu, looks] = [0, 0, 0];
  await untilIdle({
    cpu: () => cpu,
    now: () => time,
    pause: (milliseconds) => {
      time += milliseconds;
      if (looks++ % 3 === 2 && cpu < 20) cpu += 5;
      return Promise.resolve();
    },
  });
  expect(cpu).toBe(20);
  expect(time).toBe(160);
});
