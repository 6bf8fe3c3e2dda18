import { poolLayout } from "./pool-layout.ts";

/**
 * What each worker of a pool runs, as text: it is started from that, so that no file has to be found beside a bundled
 * page or artifact. It instantiates the model's module over the model's memory, reports that, and stays in `__worker`
 * until it is told to quit. Where a piece of a loop traps it leaves the loop, notes why, and goes back for the next one.
 */
export const poolWorkerSource: string = `const run = ({ module, memory, pool, stack, number }, ready) => {
  const { __worker } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const words = new Int32Array(memory.buffer);
  const at = (word) => (pool + word) / 4;
  ready();
  while (Atomics.load(words, at(${poolLayout.quit})) === 0) {
    try {
      __worker(stack, number);
    } catch (error) {
      const text = new TextEncoder().encode(String(error)).slice(0, ${poolLayout.maxError});
      new Uint8Array(memory.buffer).set(text, pool + ${poolLayout.error});
      Atomics.store(words, at(${poolLayout.errorLength}), text.length);
      if (Atomics.sub(words, at(${poolLayout.running}), 1) === 1) Atomics.notify(words, at(${poolLayout.running}));
    }
  }
};
`;
