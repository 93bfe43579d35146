import * as fc from "fast-check";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { drawFaultScript, playFaultScript } from "../support/faults/fault-script.ts";

const OPTIONS = { durationMs: 60_000, everyMs: 400 };

describe("a script of faults", () => {
  test("is the same for one seed and another one for the next", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const script = drawFaultScript(seed, OPTIONS);

        expect(drawFaultScript(seed, OPTIONS)).toEqual(script);
        expect(drawFaultScript(seed + 1, OPTIONS)).not.toEqual(script);
      }),
    );
  });

  test("has one fault after another, all over before its end", () => {
    const durations = { durationMs: fc.nat(5_000), everyMs: fc.nat(300), longestMs: fc.nat(900) };
    fc.assert(
      fc.property(fc.nat(), fc.record(durations), (seed, options) => {
        let freeAt = 0;
        for (const { atMs, forMs } of drawFaultScript(seed, options)) {
          expect(atMs).toBeGreaterThanOrEqual(freeAt);
          expect(forMs).toBeLessThanOrEqual(Math.max(1, options.longestMs));
          freeAt = atMs + forMs;
        }
        expect(freeAt).toBeLessThanOrEqual(options.durationMs);
      }),
    );
  });

  test("draws every kind of fault, or only those that it is told to", () => {
    const kindsOf = (script: { kind: string }[]) => [...new Set(script.map(({ kind }) => kind))];

    const all = kindsOf(drawFaultScript(1, OPTIONS));
    const some = kindsOf(drawFaultScript(1, { ...OPTIONS, kinds: ["reset", "stall"] }));

    expect(all).toHaveLength(7);
    expect(some.toSorted()).toEqual(["reset", "stall"]);
  });

  test.each([1, 2, 3])(
    "that only delays leaves every byte in its place, for seed %i",
    async (seed) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      await using proxy = await openFaultProxy({
        port: (server.address() as AddressInfo).port,
        seed,
      });
      const script = drawFaultScript(seed, {
        durationMs: 400,
        everyMs: 10,
        longestMs: 60,
        kinds: ["latency", "bandwidth", "stall"],
      });
      const client = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
      const received = buffer(client);
      const over = new AbortController();

      const playing = playFaultScript(proxy, script).finally(() => over.abort());
      const sent: Buffer[] = [];
      for (let i = 0; !over.signal.aborted; i += 1) {
        sent.push(Buffer.from(`chunk ${i} of many. `.repeat(50)));
        client.write(sent[i]!);
        // A sender that takes its time, so that it meets the whole script.
        await delay(5);
      }
      client.end();

      expect((await received).equals(Buffer.concat(sent))).toBe(true);
      await playing;
      expect(proxy.tally.total).toBeGreaterThan(0);
      server.close();
    },
  );

  test("leaves a proxy without faults, also when it is ended early", async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    await using proxy = await openFaultProxy({ port: (server.address() as AddressInfo).port });
    const end = new AbortController();

    const forMs = 60_000;
    const playing = playFaultScript(
      proxy,
      [
        { kind: "stall", direction: "up", atMs: 0, forMs },
        { kind: "drop", direction: "up", atMs: forMs, forMs },
      ],
      end.signal,
    );
    const client = connect(proxy.port, "127.0.0.1");
    client.write("through");
    await expect.poll(() => proxy.tally.of("stall")).toBe(1);
    end.abort();
    await playing;

    const [bytes] = (await once(client, "data")) as [Buffer];
    expect(bytes.toString()).toBe("through");
    client.destroy();
    server.close();
  });
});
