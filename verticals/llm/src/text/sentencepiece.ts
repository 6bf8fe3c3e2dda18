import { FfiError } from "@verticil/runtime-ffi";

/** A vocabulary in SentencePiece's manner, as GGUF files carry it: pieces by id, with a score and a kind each. */
export interface SentencePieceVocabulary {
  readonly tokens: readonly string[];
  /** Of two pieces that could be merged, the one with the higher score is. */
  readonly scores: readonly number[];
  /** 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  readonly types: readonly number[];
}

const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;

/**
 * The vocabulary as the contents of a `tokenizer.json`: byte-pair merges in the order of the scores of what they give,
 * bytes for what no piece covers, spaces written as `▁`, one put before the text.
 * @throws FfiError (`invalid-input`) if the lists are not of one length.
 */
export function sentencePieceTokenizer(vocabulary: SentencePieceVocabulary): Readonly<Record<string, unknown>> {
  const { tokens, scores, types } = vocabulary;
  if (scores.length !== tokens.length || types.length !== tokens.length) {
    throw new FfiError("invalid-input", `The vocabulary has ${tokens.length} pieces, ${scores.length} scores and ${types.length} kinds; it should have as many of each.`);
  }
  const special = tokens.flatMap((content, id) => {
    const kind = types[id];
    if (kind !== UNKNOWN && kind !== CONTROL && kind !== USER_DEFINED) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: kind !== USER_DEFINED }];
  });
  return {
    version: "1.0",
    added_tokens: special,
    normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: { String: " " }, content: "▁" }] },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }],
    },
    model: {
      type: "BPE",
      unk_token: tokens[types.indexOf(UNKNOWN)] ?? null,
      byte_fallback: true,
      fuse_unk: true,
      vocab: Object.fromEntries(tokens.map((piece, id) => [piece, id])),
      merges: mergesOf(vocabulary),
    },
  };
}

/** The pairs of pieces that make up another piece, best score of the result first. */
function mergesOf({ tokens, scores, types }: SentencePieceVocabulary): readonly (readonly [string, string])[] {
  const ids = new Map(tokens.map((piece, id) => [piece, id]));
  const merges: { readonly pair: readonly [string, string]; readonly score: number; readonly left: number }[] = [];
  tokens.forEach((piece, id) => {
    if (types[id] !== 1) return;
    const letters = [...piece];
    for (let cut = 1; cut < letters.length; cut++) {
      const pair = [letters.slice(0, cut).join(""), letters.slice(cut).join("")] as const;
      const left = ids.get(pair[0]);
      if (left !== undefined && ids.has(pair[1])) merges.push({ pair, score: scores[id] ?? 0, left });
    }
  });
  return merges.sort((a, b) => b.score - a.score || a.left - b.left).map((m) => m.pair);
}
