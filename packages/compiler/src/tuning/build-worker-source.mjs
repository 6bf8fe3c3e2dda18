// Starts `build-worker.ts` from the sources: a thread does not take over the loader of TypeScript from its parent.
import { register } from "tsx/esm/api";

register();
await import("./build-worker.ts");
