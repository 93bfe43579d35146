import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePorts } from "../support/free-port.ts";

test("gives different ports that can be listened on, those of their cluster buses as well", async () => {
  const ports = await freePorts(20);
  const servers = ports
    .flatMap((port) => [port, port + 10_000])
    .map((port) => createServer().listen(port, "127.0.0.1"));

  try {
    await Promise.all(servers.map((server) => once(server, "listening")));

    expect(new Set(ports).size).toBe(20);
  } finally {
    for (const server of servers) server.close();
  }
});

test("gives no port twice in a run, whether or not it is in use yet", async () => {
  const [first, second] = await Promise.all([freePorts(200), freePorts(200)]);

  expect(new Set([...first, ...second]).size).toBe(400);
});
