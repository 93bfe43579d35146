import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import type { OpenPlace } from "./store-place.ts";

const MINUTE_MS = 60_000;

export function describeFleetRegistry(openPlace: OpenPlace): void {
  describe("the fleet registry", () => {
    test("is empty at first", async () => {
      await using place = await openPlace();
      const { fleet } = await place.open();

      expect(await fleet.read()).toEqual([]);
    });

    test("tells every worker's newest report to every worker", async () => {
      await using place = await openPlace();
      const fleets = [(await place.open()).fleet, (await place.open()).fleet];

      await fleets[0]!.publish("w1", "old", MINUTE_MS);
      await fleets[0]!.publish("w1", "one \0 😀", MINUTE_MS);
      await fleets[1]!.publish("w2", '{"load":2}', MINUTE_MS);

      for (const fleet of fleets) {
        expect((await fleet.read()).toSorted()).toEqual(["one \0 😀", '{"load":2}']);
      }
    });

    test("forgets a worker that says goodbye, and takes it back when it returns", async () => {
      await using place = await openPlace();
      const { fleet } = await place.open();
      await fleet.publish("w1", "one", MINUTE_MS);
      await fleet.publish("w2", "two", MINUTE_MS);

      await fleet.remove("w1");
      await fleet.remove("never there");
      expect(await fleet.read()).toEqual(["two"]);

      await fleet.publish("w1", "back", MINUTE_MS);
      expect((await fleet.read()).toSorted()).toEqual(["back", "two"]);
    });

    test("drops a worker that died, while the others live on by their next reports", async () => {
      await using place = await openPlace();
      const { fleet } = await place.open();
      await fleet.publish("dead", "dead", 40);
      await fleet.publish("alive", "alive", 40);
      await fleet.publish("alive", "alive", MINUTE_MS);

      await waitFor(async () => !(await fleet.read()).includes("dead"), {
        what: "the dead worker to drop out",
      });

      expect(await fleet.read()).toEqual(["alive"]);
    });
  });
}
