import { FfiError } from "@verticil/runtime-ffi";
import { generate, Sequence, type GenerateOptions, type ModelRunner } from "../generate.ts";
import { TokenStream } from "./token-stream.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A token that was generated, and the text that it completes: none while a character is incomplete. */
export interface TextPiece {
  readonly id: number;
  readonly text: string;
}

/**
 * Continues a text, piece by piece. The cache is freed when the generator ends, or is ended by `return`.
 * @throws FfiError (`invalid-input`) if the prompt alone is longer than the model's context.
 * @throws the signal's reason if it is aborted.
 */
export function* streamText(runner: ModelRunner, tokenizer: Tokenizer, prompt: string, opts: GenerateOptions): Generator<TextPiece> {
  const ids = tokenizer.encode(prompt);
  const { contextLength } = runner.info;
  if (ids.length > contextLength) throw new FfiError("invalid-input", `The prompt has ${ids.length} tokens; the model holds ${contextLength}. Shorten it.`);
  if (ids.length === 0) throw new FfiError("invalid-input", "The prompt is empty, and the model has no token that begins texts.");
  const sequence = new Sequence(runner, Math.min(contextLength, ids.length + opts.maxTokens));
  const stream = new TokenStream(tokenizer, ids);
  try {
    for (const id of generate(runner, sequence, ids, opts)) yield { id, text: stream.push(id) };
  } finally {
    sequence.dispose();
  }
}
