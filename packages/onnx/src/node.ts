import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { fail } from "./messages.ts";
import type { ExternalPiece, ReadExternal } from "./proto/tensor.ts";

/** Larger reads fail on some systems. */
const MAX_READ = 2 ** 30;

/**
 * Reads the data that a model keeps in files beside it, for `importOnnx(bytes, { externalData })`: each tensor's piece is
 * read when it comes up, whatever the file's size.
 * @param path the model's file.
 * @throws DiagnosticError (`onnx/bad-external-data`) from the reader if a file is missing, too short, or outside of the folder.
 */
export function externalDataBeside(path: string): ReadExternal {
  const folder = dirname(path);
  return (piece) => {
    const place = normalize(piece.location);
    if (isAbsolute(place) || place.split(/[\\/]/).includes("..")) return bad(piece, `\`${piece.location}\` is outside of the model's folder`);
    return readPiece(join(folder, place), piece);
  };
}

function bad(piece: ExternalPiece, reason: string): never {
  return fail("bad-external-data", { name: piece.name, reason });
}

function readPiece(file: string, piece: ExternalPiece): Uint8Array {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch {
    return bad(piece, `there is no file \`${piece.location}\``);
  }
  try {
    const { size } = fstatSync(handle);
    const length = piece.length ?? Math.max(0, size - piece.offset);
    // Before anything is allocated: a length is only believed if the file has it.
    if (piece.offset + length > size) return bad(piece, `\`${piece.location}\` has ${size} bytes, and ${piece.offset + length} are needed`);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const count = readSync(handle, bytes, at, Math.min(MAX_READ, length - at), piece.offset + at);
      if (count === 0) return bad(piece, `\`${piece.location}\` ended early`);
      at += count;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}
