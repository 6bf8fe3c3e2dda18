import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { addThreadsOption } from "./model-options.ts";

interface Options {
  readonly model: string;
  readonly score: number;
  readonly iou: number;
  readonly threads: number | "auto";
  readonly output?: string;
  readonly json?: boolean;
}

/** `verticil detect IMAGE… --model MODEL`: finds objects in pictures. The vertical is loaded when it is used. */
export function addDetectCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  const command = program
    .command("detect <image...>")
    .description("find objects or faces in pictures; prints one JSON object a picture")
    .requiredOption("--model <file>", "an ONNX detector: YOLOX, FastestDet or BlazeFace")
    .option("--score <x>", "leave out what scores less", Number, 0.4)
    .option("--iou <x>", "boxes that overlap more than this are one", Number, 0.45)
    .option("-o, --output <dir>", "write the pictures with the boxes drawn to this folder");
  addThreadsOption(command).action(async (images: readonly string[], options: Options) => {
    if (!(options.score >= 0 && options.score <= 1)) throw new UsageError("`--score` is between 0 and 1.");
    const { createDetector, detectFile, drawFile } = await import("@verticil/detection/node");
    const detector = await createDetector(options.model, { score: options.score, iou: options.iou, threads: options.threads, signal });
    for (const image of images) {
      const detections = await detectFile(detector, image);
      terminal.out(JSON.stringify({ image, detections }));
      if (options.output !== undefined) terminal.note(`wrote ${await drawFile(image, detections, options.output)}`);
    }
    detector.dispose();
  });
}
