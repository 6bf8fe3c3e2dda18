import { expect, test } from "vitest";
import { readGguf } from "../gguf/read-gguf.ts";
import { tinyGguf } from "../testing/write-gguf.ts";
import { sentencePieceTokenizer } from "./sentencepiece.ts";
import { TokenStream } from "./token-stream.ts";
import { ggufTokenizer, makeTokenizer } from "./tokenizer.ts";

const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
const pieces = ["▁", "a", "b", "c", "ab", "bc", "▁ab", "▁abc"];
const vocabulary = {
  tokens: ["<unk>", "<s>", "</s>", ...bytes, ...pieces],
  scores: [0, 0, 0, ...bytes.map(() => 0), -10, -11, -12, -13, -1, -2, -3, -4],
  types: [2, 3, 3, ...bytes.map(() => 6), ...pieces.map(() => 1)],
};
const tokenizer = makeTokenizer(sentencePieceTokenizer(vocabulary), { bosTokenId: 1, stripsLeadingSpace: true });
const id = (piece: string): number => vocabulary.tokens.indexOf(piece);

test("pieces merge by their scores, a space in front", () => {
  expect(tokenizer.encode("abc")).toEqual([1, id("▁abc")]);
  expect(tokenizer.encode("bc ab")).toEqual([1, id("▁"), id("bc"), id("▁ab")]);
});

test("what no piece covers becomes bytes, and comes back", () => {
  expect(tokenizer.encode("é").slice(2)).toEqual([id("<0xC3>"), id("<0xA9>")]);
  for (const text of ["abc", "é bc", "a\nb", "日本", " ab"]) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  expect(tokenizer.encode("")).toEqual([1]);
});

test("a stream gives whole characters only, and all of the text", () => {
  const [bos = 1, ...rest] = tokenizer.encode("ab 日é bc");
  const stream = new TokenStream(tokenizer, [bos]);
  const parts = rest.map((t) => stream.push(t));
  expect(parts.join("")).toBe("ab 日é bc");
  expect(parts.join("")).not.toContain("\uFFFD");
});

test("a long stream stays whole where it forgets what is far behind", () => {
  const text = "abc bc ab ".repeat(60);
  const [bos = 1, ...rest] = tokenizer.encode(text);
  const stream = new TokenStream(tokenizer, [bos]);
  expect(rest.map((t) => stream.push(t)).join("")).toBe(text);
});

test("a GGUF file brings its tokenizer; a kind that is not read is named", () => {
  expect(ggufTokenizer(readGguf(tinyGguf("F32"))).encode("ab")).toEqual([1, 3, 4, 5]);
  expect(() => ggufTokenizer(readGguf(tinyGguf("F32", { metadata: { "tokenizer.ggml.model": "gpt2" } })))).toThrow('a vocabulary of the kind "gpt2"');
  expect(() => ggufTokenizer(readGguf(tinyGguf("F32", { metadata: { "tokenizer.ggml.scores": [{ f32: 1 }] } })))).toThrow("48 pieces, 1 scores and 48 kinds");
});
