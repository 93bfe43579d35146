import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { startTestApp } from "../support/test-app.ts";

it("an app that closes ends a connection whose refused request is still coming in, when it has come", async () => {
  await using app = await startTestApp({ settings: { KATO_KEEP_ALIVE_SECONDS: "600" } });
  const socket = connect(Number(new URL(app.url).port), "127.0.0.1");
  const length = 2_000_000;
  socket.write(
    `POST /trpc/session.create HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`,
  );
  socket.write("x".repeat(1_000));
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1.1 413 /);

  const closed = app.app.close();
  const ended = once(socket, "end");
  socket.write("x".repeat(length - 1_000));

  await ended;
  await closed;
});
