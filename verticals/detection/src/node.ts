import { mkdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import sharp from "sharp";
import { compile } from "@verticil/compiler";
import type { AbortSignalLike } from "@verticil/ir-core";
import { importOnnx } from "@verticil/onnx";
import type { ThreadOptions } from "@verticil/runtime-ffi";
import { loadModelFrom } from "@verticil/runtime-ffi/node";
import type { Detection } from "./detection.ts";
import { makeDetector, type Detector, type DetectorOptions } from "./detector.ts";
import type { RgbImage } from "./rgb-image.ts";

/** A detector of a model file (`.onnx`, compiled here and now) or of the folder of a compiled model. */
export async function createDetector(path: string, opts: DetectorOptions & ThreadOptions & { readonly signal?: AbortSignalLike } = {}): Promise<Detector> {
  if (extname(path).toLowerCase() !== ".onnx") return makeDetector(await loadModelFrom(path, { threads: opts.threads ?? 1 }), opts);
  const module = importOnnx(await readFile(path));
  const executable = await compile(module, { name: basename(path, extname(path)), signal: opts.signal });
  return makeDetector(await executable.load({ threads: opts.threads ?? 1 }), opts);
}

/**
 * Reads a picture of any format that sharp knows, turned upright. A colour profile is not applied: the pictures that
 * detectors are trained on are decoded without (OpenCV, Pillow). @throws Error that names the file.
 */
export async function readImage(path: string): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(path, { ignoreIcc: true }).rotate().toColourspace("srgb").removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (cause) {
    throw new Error(`${path} cannot be read as a picture: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}

/** Finds things in the picture of a file. */
export async function detectFile(detector: Detector, path: string): Promise<readonly Detection[]> {
  return detector.detect(await readImage(path));
}

/** Writes a picture with the boxes drawn on it into `folder`, under the same name as PNG; gives back its path. */
export async function drawFile(path: string, detections: readonly Detection[], folder: string): Promise<string> {
  const image = await readImage(path);
  await mkdir(folder, { recursive: true });
  const out = join(folder, `${basename(path, extname(path))}.png`);
  await sharp(path).rotate().composite([{ input: Buffer.from(overlay(image, detections)), top: 0, left: 0 }]).png().toFile(out);
  return out;
}

/** Boxes and labels as an SVG of the picture's size. */
function overlay(image: RgbImage, detections: readonly Detection[]): string {
  const line = Math.max(2, Math.round(Math.max(image.width, image.height) / 300));
  const font = line * 6;
  const shapes = detections.map(({ box: [left, top, right, bottom], label, score }) => {
    const text = `${label} ${score.toFixed(2)}`;
    const width = text.length * font * 0.6;
    const y = Math.max(font * 1.3, top);
    return `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="none" stroke="#ff3b30" stroke-width="${line}"/>
<rect x="${left}" y="${y - font * 1.3}" width="${width}" height="${font * 1.3}" fill="#ff3b30"/>
<text x="${left + font * 0.2}" y="${y - font * 0.3}" font-family="sans-serif" font-size="${font}" fill="#fff">${escapeXml(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${image.width}" height="${image.height}">${shapes.join("")}</svg>`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
