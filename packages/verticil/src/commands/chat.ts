import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import type { TextPiece } from "@verticil/llm";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface Options {
  readonly model: string;
  readonly prompt: string;
  readonly temperature: number;
  readonly maxTokens: number;
  readonly seed?: number;
  readonly json?: boolean;
}

/** What a generation came to. */
interface Outcome {
  readonly text: string;
  readonly ids: readonly number[];
  /** Until the first token: reading the prompt. */
  readonly promptMs: number;
  /** From the first token to the last. */
  readonly decodeMs: number;
}

/** `verticil chat --model MODEL --prompt TEXT`: continues a text with a language model. The vertical is loaded when it is used. */
export function addChatCommand(program: Command, terminal: Terminal, signal: AbortSignal): void {
  program
    .command("chat")
    .description("continue a text with a language model; the text comes as it is made")
    .requiredOption("--model <path>", "a .gguf file, or a folder with config.json and safetensors")
    .requiredOption("--prompt <text>", "the text to continue")
    .option("--temperature <x>", "0: always the likeliest token; above, the higher the freer", Number, 0)
    .option("--max-tokens <n>", "tokens to generate at most", Number, 256)
    .option("--seed <n>", "makes random choices the same each time", Number)
    .option("--json", "print one JSON object at the end")
    .action(async (options: Options) => {
      check(options);
      const { compileModel, loadRunner, makeSampler, streamText } = await import("@verticil/llm");
      const { readLanguageModel } = await import("@verticil/llm/node");
      terminal.progress(`reading ${options.model}`);
      const { name, model, tokenizer } = await readLanguageModel(options.model);
      terminal.progress(`compiling ${name}`);
      const runner = await loadRunner(await compileModel(model, { name, signal }), model.info);
      const sampler = makeSampler({ temperature: options.temperature, ...(options.seed === undefined ? {} : { seed: options.seed }) });
      if (options.json !== true) terminal.write(options.prompt);
      const outcome = await terminal.interruptible(async (interrupt) => {
        const pieces = streamText(runner, tokenizer, options.prompt, { sampler, maxTokens: options.maxTokens });
        return collect(pieces, AbortSignal.any([signal, interrupt]), (text) => options.json === true || terminal.write(text));
      });
      report(terminal, options, outcome);
      runner.dispose();
    });
}

function check(options: Options): void {
  if (!(options.temperature >= 0) || !Number.isFinite(options.temperature)) throw new UsageError("`--temperature` is 0 or more.");
  if (!Number.isInteger(options.maxTokens) || options.maxTokens < 1) throw new UsageError("`--max-tokens` is a positive whole number.");
  if (options.seed !== undefined && !Number.isInteger(options.seed)) throw new UsageError("`--seed` is a whole number.");
}

/** Takes pieces until they end or someone interrupts; between two of them interrupts are heard. */
async function collect(pieces: Generator<TextPiece>, signal: AbortSignal, onText: (text: string) => void): Promise<Outcome> {
  const started = performance.now();
  let first = started;
  let last = started;
  const ids: number[] = [];
  let text = "";
  for (const piece of pieces) {
    last = performance.now();
    if (ids.length === 0) first = last;
    ids.push(piece.id);
    text += piece.text;
    onText(piece.text);
    await setImmediate();
    if (signal.aborted) break;
  }
  return { text, ids, promptMs: first - started, decodeMs: last - first };
}

function report(terminal: Terminal, options: Options, { text, ids, promptMs, decodeMs }: Outcome): void {
  // The first token is the prompt's.
  const rate = ids.length > 1 ? (1000 * (ids.length - 1)) / decodeMs : undefined;
  if (options.json === true) terminal.out(JSON.stringify({ prompt: options.prompt, text, ids, promptMs, decodeMs, tokensPerSecond: rate ?? null }));
  else terminal.out("");
  const speed = rate === undefined ? "" : `, ${rate.toFixed(1)} tokens/s`;
  terminal.note(`${ids.length} tokens${speed}; the prompt took ${promptMs.toFixed(1)} ms`);
}
