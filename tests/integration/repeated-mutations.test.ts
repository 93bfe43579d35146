import type { ErrorDetails } from "@kato-rpc/shared/errors.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Mutation, Place } from "../support/mutations.ts";
import { MUTATIONS, namelessStateOf, openPlaceFor, stateOf } from "../support/mutations.ts";
import type { Service, TestStore } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

type Reply = Record<string, unknown>;

// What a call on a session finds must not move with the calls that look at it.
const ENV = { KATO_SESSION_AUTO_EXTEND: "false", KATO_LIMIT_CONCURRENCY: "1000" };

const WITH_CONTENT = MUTATIONS.filter(({ other }) => other !== undefined);

describe.each(STORE_KINDS)("a mutation that is repeated on %s", (kind) => {
  let store: TestStore;
  let services: [Service, Service];

  beforeAll(async () => {
    store = await openTestStore(kind);
    const start = () => startService({ store: store.url, env: ENV });
    services = await Promise.all([start(), start()]);
  });

  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await store[Symbol.asyncDispose]();
  });

  it.each(MUTATIONS)(
    "$procedure gets the first reply again from any worker, and changes nothing",
    async (mutation) => {
      const [here, there] = [services[0].url, services[1].url];
      const place = await openPlaceFor(mutation, here);
      const input = mutation.input(place);
      const first = await call<Reply>(here, mutation.procedure, input);
      await mutation.meanwhile?.(here, place);
      const before = await stateOf(here, place);

      const again = [
        await call<Reply>(there, mutation.procedure, mutation.repeat?.(place) ?? input),
        await call<Reply>(here, mutation.procedure, input),
      ];

      for (const reply of again) expect(reply).toEqual(replayOf(mutation, first));
      expect(await stateOf(there, place)).toEqual(before);
    },
  );

  it.each(WITH_CONTENT)(
    "$procedure with other content is refused with both digests, and changes nothing",
    async (mutation) => {
      const [here, there] = [services[0].url, services[1].url];
      const place = await openPlaceFor(mutation, here);
      await call<Reply>(here, mutation.procedure, mutation.input(place));
      const before = await stateOf(here, place);

      const refusals = await refuseEach([here, there], mutation, place);

      expect(new Set(refusals.map(({ digests }) => digests?.remembered)).size).toBe(1);
      expect(new Set(refusals.map(({ digests }) => digests?.given)).size).toBe(refusals.length / 2);
      expect(await stateOf(there, place)).toEqual(before);
    },
  );

  it.each(MUTATIONS)("$procedure takes effect once of forty at once", async (mutation) => {
    const place = await openPlaceFor(mutation, services[0].url);
    const input = mutation.input(place);

    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        call<Reply>(services[i % 2]!.url, mutation.procedure, input),
      ),
    );

    const first = replies.filter(({ replayed }) => replayed !== true);
    expect(first).toHaveLength(1);
    for (const reply of replies) {
      if (reply !== first[0]) expect(reply).toEqual(replayOf(mutation, first[0]!));
    }
    // Made once here and once there, the same must be found.
    const alone = await openPlaceFor(mutation, services[0].url);
    await call<Reply>(services[0].url, mutation.procedure, mutation.input(alone));
    expect(await namelessStateOf(services[1].url, place)).toEqual(
      await namelessStateOf(services[1].url, alone),
    );
  });

  it("is known after a restart, and so is what it was given for", async () => {
    const before = await startService({ store: store.url, env: ENV });
    const done: { mutation: Mutation; place: Place; first: Reply }[] = [];
    for (const mutation of MUTATIONS) {
      const place = await openPlaceFor(mutation, before.url);
      const first = await call<Reply>(before.url, mutation.procedure, mutation.input(place));
      done.push({ mutation, place, first });
    }
    await before.stop();
    await using after = await startService({ store: store.url, env: ENV });

    for (const { mutation, place, first } of done) {
      const state = await stateOf(after.url, place);
      const again = await call<Reply>(after.url, mutation.procedure, mutation.input(place));
      expect(again).toEqual(replayOf(mutation, first));
      await refuseEach([after.url], mutation, place);
      expect(await stateOf(after.url, place)).toEqual(state);
    }
  });
});

/** Sends the mutation's id with each other content to each worker; gives what the refusals carry. */
async function refuseEach(
  urls: readonly string[],
  { procedure, other }: Mutation,
  place: Place,
): Promise<ErrorDetails[]> {
  const refusals: ErrorDetails[] = [];
  for (const url of urls) {
    for (const input of other?.(place) ?? []) {
      const { data, message } = expectError(await tryCall(url, procedure, input), "INVALID_INPUT");
      expect(message).toMatch(/^the id \S+ was given before to a call with other content/);
      expect(data.digests).toEqual({
        remembered: expect.stringMatching(/^[\w-]{22}$/),
        given: expect.stringMatching(/^[\w-]{22}$/),
      });
      expect(data.digests?.given).not.toBe(data.digests?.remembered);
      refusals.push(data);
    }
  }
  return refusals;
}

function replayOf({ procedure }: Mutation, first: Reply): Reply {
  const results = first["results"] as Reply[] | undefined;
  return {
    ...first,
    replayed: true,
    ...(procedure === "session.observeSequence"
      ? { results: results?.map((result) => ({ ...result, replayed: true })) }
      : {}),
  };
}
