import type { PassInstrument } from "@verticil/ir-core";
import type { Terminal } from "../terminal.ts";

/** Shows the pass that is running, on a terminal. */
export function progressInstrument(terminal: Terminal): PassInstrument {
  return { name: "Progress", runBefore: (pass) => terminal.progress(`  ${pass.name} …`) };
}
