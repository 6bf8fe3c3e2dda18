import { expect, it } from "vitest";
import { winogradTileSize } from "./winograd-cost.ts";

const tile = (size: number, inChannels: number, outChannels: number, runs = 3): 2 | 4 | undefined =>
  winogradTileSize({ data: [1, size, size, inChannels], outChannels, padding: [1, 1, 1, 1] }, runs);

it("large images with few weights are cut into large tiles", () => {
  expect(tile(56, 64, 64)).toBe(4);
  expect(tile(55, 16, 64)).toBe(4);
});

it("small tiles are chosen where large ones would make many weights four times as many", () => expect(tile(14, 256, 256)).toBe(2));

it("a small image with many weights stays direct, for which loading them counts", () => {
  expect(tile(7, 512, 512)).toBeUndefined();
  expect(tile(7, 512, 512, 100)).toBeDefined();
});

it("few channels stay direct: the transforms would take what the products save", () => expect(tile(32, 4, 4)).toBeUndefined());

it("images whose tiles would take much memory stay direct", () => expect(tile(512, 64, 64)).toBeUndefined());
