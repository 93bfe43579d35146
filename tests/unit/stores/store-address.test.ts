import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeStore, parseStoreAddress } from "../../../server/stores/store-address.ts";

const PLAIN = { username: undefined, password: undefined, tls: false, database: 0 };

describe("parseStoreAddress", () => {
  test.each([
    ["sqlite:.kato/kato.db", { kind: "sqlite", path: ".kato/kato.db" }],
    ["sqlite:/var/lib/kato db.sqlite", { kind: "sqlite", path: "/var/lib/kato db.sqlite" }],
    ["sqlite::memory:", { kind: "sqlite", path: ":memory:" }],
  ])("reads %s", (text, expected) => {
    expect(parseStoreAddress(text)).toEqual(expected);
  });

  test.each([
    ["redis://host", { hosts: [{ host: "host", port: 6379 }], topology: "single" }],
    [
      "redis://host:7000/3",
      { hosts: [{ host: "host", port: 7000 }], topology: "single", database: 3 },
    ],
    ["redis://10.0.0.1:1/", { hosts: [{ host: "10.0.0.1", port: 1 }], topology: "single" }],
    ["redis://[::1]:7000", { hosts: [{ host: "::1", port: 7000 }], topology: "single" }],
    ["redis://[fe80::1]", { hosts: [{ host: "fe80::1", port: 6379 }], topology: "single" }],
    ["rediss://host", { hosts: [{ host: "host", port: 6379 }], topology: "single", tls: true }],
    [
      "redis+cluster://a:1,b:2,c_d.e-f",
      {
        hosts: [
          { host: "a", port: 1 },
          { host: "b", port: 2 },
          { host: "c_d.e-f", port: 6379 },
        ],
        topology: "cluster",
      },
    ],
    [
      "redis+sentinel://a:26379,b:26379/my-master.1",
      {
        hosts: [
          { host: "a", port: 26379 },
          { host: "b", port: 26379 },
        ],
        topology: "sentinel",
        name: "my-master.1",
      },
    ],
  ])("reads %s", (text, address) => {
    expect(parseStoreAddress(text)).toEqual({ kind: "redis", address: { ...PLAIN, ...address } });
  });

  test.each([
    ["redis://me:secret@host", "me", "secret"],
    ["redis://:secret@host", undefined, "secret"],
    ["redis://me@host", "me", undefined],
    ["redis://@host", undefined, undefined],
    ["redis://me:@host", "me", ""],
    ["redis://me:a%2Fb%40c%3A%25@host", "me", "a/b@c:%"],
    ["redis://m%40e:a:b@host", "m@e", "a:b"],
    ["redis://me:p@ss@host", "me", "p@ss"],
    ["redis+cluster://me:secret@a:1,b:2", "me", "secret"],
    ["redis+sentinel://me:secret@a:1/name", "me", "secret"],
  ])("reads name and password of %s", (text, username, password) => {
    const store = parseStoreAddress(text);

    expect(store).toMatchObject({ address: { username, password } });
    expect(describeStore(store)).not.toMatch(/secret|ss@/);
  });

  test("reads any name and password that are percent-encoded", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(text, text, (username, password) => {
        const credentials = [username, password].map(encodeURIComponent).join(":");

        const store = parseStoreAddress(`redis://${credentials}@host:1/2`);

        expect(store).toMatchObject({ address: { username, password, database: 2 } });
        expect(describeStore(store)).toBe("redis://host:1/2");
      }),
    );
  });

  test.each([
    ["", /^expected sqlite:PATH/],
    ["kato.db", /^expected sqlite:PATH/],
    ["postgres://host/db", /^expected sqlite:PATH/],
    ["redis:host", /^expected/],
    ["redis://", /^expected/],
    ["redis:///0", /^expected/],
    ["sqlite:", /path is empty/],
    ["redis://host:", /host is wrong/],
    ["redis://host:99999", /host is wrong/],
    ["redis://host:port", /host is wrong/],
    ["redis://ho st", /host is wrong/],
    ["redis://host?password=secret", /host is wrong/],
    ["redis://::1", /host is wrong/],
    ["redis://:se/cret@host", /host is wrong/],
    ["redis+cluster://a:1,", /host is wrong/],
    ["redis://a:1,b:2", /one host only/],
    ["redis://host/zero", /a database is a number/],
    ["redis://host/0/1", /a database is a number/],
    ["redis+cluster://a:1/0", /no databases/],
    ["redis+sentinel://a:1", /group's name is missing/],
    ["redis+sentinel://a:1/na me", /group's name is missing/],
    ["redis://me:%secret@host", /% in a name or password/],
  ])("refuses %j, saying what was expected", (text, reason) => {
    const parse = () => parseStoreAddress(text);

    expect(parse).toThrow(reason);
    expect(parse).toThrow("expected sqlite:PATH, redis://HOST:PORT");
    expect(parse).not.toThrow(/secret|cret@/);
  });
});

describe("describeStore", () => {
  test.each([
    "sqlite:.kato/kato.db",
    "redis://host:6379/0",
    "rediss://host:6379/5",
    "redis://[::1]:7000/0",
    "redis+cluster://a:1,b:2",
    "redis+sentinel://a:1,b:2/name",
  ])("gives %s, from which the same is read", (text) => {
    expect(describeStore(parseStoreAddress(text))).toBe(text);
  });

  test.each([
    "redis://me:secret@host",
    "rediss://:secret@host",
    "redis+cluster://me:secret@a:1,b:2",
  ])("of %s shows neither name nor password", (text) => {
    expect(describeStore(parseStoreAddress(text))).not.toMatch(/me|secret|@/);
  });
});
