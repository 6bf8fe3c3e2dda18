import { expect, it } from "vitest";
import { race } from "./race.ts";

/** Turns of each contestant, whose times begin with what is told and go on with the last of it. */
function runners(times: Readonly<Record<string, readonly (number | undefined)[]>>): {
  readonly turns: Map<string, number>;
  readonly measure: (name: string) => Promise<number | undefined>;
} {
  const turns = new Map<string, number>();
  return {
    turns,
    async measure(name) {
      const n = turns.get(name) ?? 0;
      turns.set(name, n + 1);
      const list = times[name] ?? [];
      return list[Math.min(n, list.length - 1)];
    },
  };
}

const never = (): boolean => false;

it("drops the slower half after each heat and gives most turns to the last two", async () => {
  const { turns, measure } = runners({ old: [8], a: [1], b: [2], c: [3], d: [4], e: [5], f: [6], g: [7], h: [7.5] });
  const times = await race(["a", "b", "c", "d", "e", "f", "g", "h"], { measure, standard: "old", isOver: never });
  expect(Object.fromEntries(turns)).toEqual({ old: 10, a: 10, b: 10, c: 4, d: 4, e: 2, f: 2, g: 2, h: 2 });
  expect([...times].toSorted((x, y) => x[1] - y[1])[0]).toEqual(["a", 1]);
});

it("takes the least of a contestant's times", async () => {
  const { measure } = runners({ old: [5, 4, 6], a: [9, 3, 9] });
  expect(await race(["a"], { measure, standard: "old", isOver: never })).toEqual(new Map([["old", 4], ["a", 3]]));
});

it("leaves out who fails", async () => {
  const { measure } = runners({ old: [5], a: [undefined] });
  expect(await race(["a"], { measure, standard: "old", isOver: never })).toEqual(new Map([["old", 5]]));
});

it("does not count a round that is cut short", async () => {
  const { turns, measure } = runners({ old: [5, 1], a: [4, 1] });
  const isOver = (): boolean => (turns.get("old") ?? 0) === 2;
  expect(await race(["a"], { measure, standard: "old", isOver })).toEqual(new Map([["old", 5], ["a", 4]]));
});
