/** How long one look takes, and how long to look at most, in milliseconds. */
const LOOK = 10;
const MOST = 300;
/** A share of one processor that counts as nothing. */
const IDLE = 0.2;

/**
 * Waits until the process computes nothing any more. Worker threads look for their next task for a while after a run
 * before they sleep (onnxruntime's for tens of milliseconds), and take a processor from whoever runs then.
 */
export async function untilIdle(): Promise<void> {
  for (let waited = 0; waited < MOST; waited += LOOK) {
    const before = process.cpuUsage();
    const started = performance.now();
    await new Promise((resolve) => void setTimeout(resolve, LOOK));
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 < IDLE * (performance.now() - started)) return;
  }
}
