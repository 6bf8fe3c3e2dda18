import type { Extension } from "@verticil/compiler";
import { passSpec } from "@verticil/ir-core";
import { foldPreemphasis } from "./fold-preemphasis.ts";
import { legalizeMelBands, melBands } from "./mel-bands.ts";
import { legalizePowerSpectrum, powerSpectrum } from "./power-spectrum.ts";
import { legalizePreemphasis, preemphasis } from "./preemphasis.ts";

/** What the compiler, the parser and the printer are to know of this vertical. */
export const keywordExtension: Extension = {
  ops: [preemphasis, powerSpectrum, melBands],
  legalize: new Map([
    [preemphasis.name, legalizePreemphasis],
    [powerSpectrum.name, legalizePowerSpectrum],
    [melBands.name, legalizeMelBands],
  ]),
  passes: [passSpec("FoldPreemphasis", "Moves pre-emphasis into the table of the spectrum behind it.", {}, foldPreemphasis)],
};
