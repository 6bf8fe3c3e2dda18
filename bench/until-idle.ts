/** How long one look takes, and how long to look at most, in milliseconds. */
const LOOK = 10;
const MOST = 2000;
/** A share of one processor that counts as nothing. */
const IDLE = 0.05;
/** Looks in a row: on a machine that others use, a thread that spins gets no time at all in some of them. */
const LOOKS = 4;

/** What tells how much a process computes: both clocks in milliseconds. */
export interface ProcessClock {
  /** Processor time of all its threads. */
  cpu(): number;
  now(): number;
  pause(milliseconds: number): Promise<void>;
}

const thisProcess: ProcessClock = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  now: () => performance.now(),
  pause: (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds)),
};

/**
 * Waits until the process computes nothing any more. Worker threads look for their next task for a while after a run
 * before they sleep, and take a processor from whoever runs then: onnxruntime's compute for 40 to 70 milliseconds, which
 * lasts several times as long where others use the machine; those of tfjs for 20, ours for 0.1.
 */
export async function untilIdle(clock: ProcessClock = thisProcess): Promise<void> {
  let idle = 0;
  for (let waited = 0; waited < MOST && idle < LOOKS; waited += LOOK) {
    const [cpu, started] = [clock.cpu(), clock.now()];
    await clock.pause(LOOK);
    idle = clock.cpu() - cpu < IDLE * (clock.now() - started) ? idle + 1 : 0;
  }
}
