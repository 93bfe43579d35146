import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReplayReport } from "../../server/cli/replay/replay.ts";
import { mutate, query } from "../support/clients/fetch-client.ts";
import type { KatoResult } from "../support/kato.ts";
import { runKato, startKato } from "../support/kato.ts";
import { startMeddlingProxy } from "../support/meddling-proxy.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

const SMALL_LOG = `Case ID,Activity,Complete Timestamp
a,pay,2024-05-01 10:00:02
a,order,2024-05-01 10:00:01
b,order,2024-05-01 10:00:00
a,ship,2024-05-01 10:00:02
`;

type Session = { sessionId: string; metadata: { case: string } };

describe.each(STORE_KINDS)("kato replay on %s", (kind) => {
  it("finds every one of many cases as it was sent, by two workers", async () => {
    await using log = await writeLog("many.csv", makeLog({ cases: 250, eventsPerCase: 8 }));
    await using store = await openTestStore(kind);

    const args = ["replay", log.path, "--store", store.url, "--workers", "2", "--json"];
    const { code, report } = readReport(await runKato(args));

    expect(report).toMatchObject({ ok: true, cases: 250, events: 2_000, mismatches: 0 });
    expect(report.failedCalls).toBe(0);
    expect(code).toBe(0);
  });

  it("sends the events of a case by time, then as they stand, and with --keep leaves the sessions", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);
    await using store = await openTestStore(kind);
    await using service = await startService({ store: store.url });

    const { code } = await runKato(["replay", log.path, "--url", service.url, "--keep"]);

    expect(code).toBe(0);
    expect(await readStms(service.url, "replay")).toEqual({
      a: [["order"], ["pay"], ["ship"]],
      b: [["order"]],
    });
  });

  it("deletes its sessions afterwards", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);
    await using store = await openTestStore(kind);
    await using service = await startService({ store: store.url });

    await runKato(["replay", log.path, "--url", service.url, "--node", "orders"]);

    expect(await query(service.url, "session.count", { nodeId: "orders" })).toEqual({ active: 0 });
  });
});

describe("kato replay", () => {
  it("prints a plain table, and how far it has come beside it, when piped", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);

    const { stdout, stderr } = await runKato(["replay", log.path], { env: { FORCE_COLOR: "1" } });

    expect(stdout + stderr).not.toContain("\u001B");
    expect(stdout).toMatch(
      /^cases +2\nevents +4\nseconds +\d+\.\d\d\nevents\/s +[\d,]+\nmismatches +0$/m,
    );
    expect(stderr).toMatch(/^sending: 4 of 4 events \(100 %\), /m);
    expect(stderr).toMatch(/^checking: 2 of 2 sessions \(100 %\), /m);
  });

  it.each([
    { flags: [], calls: { observe: 1, observeSequence: 5 } },
    { flags: ["--events-per-call", "3"], calls: { observe: 2, observeSequence: 72 } },
    { flags: ["--events-per-call", "1"], calls: { observe: 216, observeSequence: 0 } },
  ])("sends a case's events in order by few calls or many: $flags", async ({ flags, calls }) => {
    const CASES = { one: 1, four: 4, five: 5, long: 206 };
    const activitiesOf = (events: number) => Array.from({ length: events }, (_, i) => `a${i % 7}`);
    const rows = Object.entries(CASES).flatMap(([name, events]) =>
      activitiesOf(events).map((activity, i) => `${name},${activity},${i}`),
    );
    await using log = await writeLog("log.csv", ["case,activity,timestamp", ...rows].join("\n"));
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });
    const sent = { observe: 0, observeSequence: 0 };
    await using proxy = await startMeddlingProxy(service.url, async ({ path }, forward) => {
      for (const name of path.split(/[/,?]/)) {
        if (name === "session.observe") sent.observe += 1;
        if (name === "session.observeSequence") sent.observeSequence += 1;
      }
      return forward();
    });

    const args = ["replay", log.path, "--url", proxy.url, "--keep", "--json", ...flags];
    const { report } = readReport(await runKato(args));

    expect(report).toMatchObject({ ok: true, cases: 4, events: 216, mismatches: 0 });
    expect(sent).toEqual(calls);
    const expected = Object.entries(CASES).map(([name, events]) => [
      name,
      activitiesOf(events).map((activity) => [activity]),
    ]);
    expect(await readStms(service.url, "replay")).toEqual(Object.fromEntries(expected));
  });

  it.each(["0", "10001", "many"])("refuses --events-per-call %s", async (count) => {
    const { code, stderr } = await runKato(["replay", "log.csv", "--events-per-call", count]);

    expect(code).toBe(2);
    expect(stderr).toContain("expected a whole number from 1 to 10000");
  });

  it("writes one JSON document and nothing else to standard output with --json", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);

    const { stdout } = await runKato(["replay", log.path, "--json"]);

    expect(stdout.split("\n")).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, cases: 2, events: 4 });
  });

  it("compares the newest 1,000 events of a longer case", async () => {
    await using log = await writeLog("long.csv", makeLog({ cases: 1, eventsPerCase: 1_200 }));

    const { code, report } = readReport(await runKato(["replay", log.path, "--json"]));

    expect(report).toMatchObject({ cases: 1, events: 1_200, mismatches: 0 });
    expect(code).toBe(0);
  });

  it("finds a mismatch when another client observes in one of its sessions", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });
    let isDone = false;
    await using proxy = await startMeddlingProxy(service.url, async ({ path }, forward) => {
      const answer = await forward();
      const [, sessionId] = /"sessionId":"([^"]+)"/.exec(answer.body) ?? [];
      if (!isDone && path.startsWith("/trpc/session.create") && sessionId !== undefined) {
        isDone = true;
        await mutate(service.url, "session.observe", { sessionId, strings: ["intruder"] });
      }
      return answer;
    });

    const { code, stdout } = await runKato(["replay", log.path, "--url", proxy.url]);

    expect(code).toBe(1);
    expect(stdout).toMatch(/^mismatches +1$/m);
    expect(stdout).toMatch(/^case "[ab]": \d events sent, but the session's time is \d$/m);
  });

  it("finds a mismatch when an observation was stored as another", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });
    await using proxy = await startMeddlingProxy(service.url, async ({ path }, forward) => {
      const answer = await forward();
      if (!path.startsWith("/trpc/session.stm")) return answer;
      return { ...answer, body: answer.body.replace('["ship"]', '["pay"]') };
    });

    const { code, stdout } = await runKato(["replay", log.path, "--url", proxy.url]);

    expect(code).toBe(1);
    expect(stdout).toMatch(/^mismatches +1$/m);
    expect(stdout).toContain('case "a": event 3 is ["pay"], sent ["ship"]');
  });

  it("counts calls that fail, says why, and fails", async () => {
    const tooLong = "x".repeat(2_000);
    await using log = await writeLog(
      "long.csv",
      `case,activity,timestamp\na,${tooLong},1\nb,ok,1\n`,
    );

    const { code, report } = readReport(await runKato(["replay", log.path, "--json"]));

    expect(code).toBe(1);
    expect(report).toMatchObject({ ok: false, events: 1, mismatches: 0, failedCalls: 1 });
    expect(report.problems).toMatchObject([
      { case: "a", problem: expect.stringContaining("1,024") },
    ]);
  });

  it("says in one line that no service answers at the address", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);

    const { code, stdout, stderr } = await runKato([
      "replay",
      log.path,
      "--url",
      "http://127.0.0.1:9",
    ]);

    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^kato replay: .*127\.0\.0\.1:9[^\n]*$/);
  });

  it("says why the temporary server does not start", async () => {
    await using log = await writeLog("small.csv", SMALL_LOG);

    const { code, stderr } = await runKato(["replay", log.path, "--store", "mysql://x"]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/^kato replay: the temporary server ended: .*expected sqlite:PATH/);
  });

  it("deletes its sessions and ends its server on Ctrl-C", async () => {
    await using log = await writeLog("endless.csv", makeLog({ cases: 2_000, eventsPerCase: 50 }));
    await using store = await openTestStore("sqlite");

    const { process, ended } = await startKato([
      "replay",
      log.path,
      "--store",
      store.url,
      "--events-per-call",
      "1",
    ]);
    await process.waitForLine(/^sending: \d+,\d+ of 100,000/, 30_000);
    process.signal("SIGINT");
    const { code, stdout, stderr } = await ended;

    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("kato replay: interrupted by SIGINT");
    await using service = await startService({ store: store.url });
    expect(await query(service.url, "session.count", {})).toEqual({ active: 0 });
  });

  it("gives up when the service goes away meanwhile", async () => {
    await using log = await writeLog("endless.csv", makeLog({ cases: 2_000, eventsPerCase: 50 }));
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });

    const { process, ended } = await startKato([
      "replay",
      log.path,
      "--url",
      service.url,
      "--events-per-call",
      "1",
      "--json",
    ]);
    await process.waitForLine(/^sending: \d+,\d+ of 100,000/, 30_000);
    await service.stop();
    const { code, report } = readReport(await ended);

    expect(code).toBe(1);
    expect(report.ok).toBe(false);
    expect(report.failedCalls).toBeGreaterThanOrEqual(20);
    expect(report.problems).toHaveLength(10);
  });
});

describe("an event log", () => {
  it("may be CSV with quoted fields, CRLF line ends, empty lines and a byte order mark", async () => {
    const rows = ["\uFEFFcase,concept:name,Timestamp", '1,"a, ""b""\r\nc",2', "", "1,é,1", ""];

    const { code, stms } = await replayAndRead("log.csv", rows.join("\r\n"));

    expect({ code, stms }).toEqual({ code: 0, stms: { 1: [["é"], ['a, "b"\r\nc']] } });
  });

  it("may be JSON lines", async () => {
    const lines = [
      '\uFEFF{"case": 7, "activity": "b", "timestamp": "2024-01-01T00:00:00.000002Z"}',
      "",
      '{"timestamp": "2024-01-01T00:00:00.000001Z", "activity": "a", "case": "7"}',
    ];

    const { code, stms } = await replayAndRead("log.ndjson", lines.join("\r\n"));

    expect({ code, stms }).toEqual({ code: 0, stms: { 7: [["a"], ["b"]] } });
  });

  it("may have any names and any ending, where flags say which", async () => {
    const flags = [
      "--case",
      "who",
      "--activity",
      "What",
      "--timestamp",
      "when",
      "--format",
      "jsonl",
    ];

    const { code, stms } = await replayAndRead("log.txt", '{"who":"x","what":"y","when":1}', flags);

    expect({ code, stms }).toEqual({ code: 0, stms: { x: [["y"]] } });
  });

  it.each([
    [
      "a missing column",
      "log.csv",
      "case,activity\n1,2\n",
      /no timestamp.*"case", "activity".*--timestamp NAME/,
    ],
    [
      "a column that a flag names in vain",
      "log.csv",
      "case,b,time\n1,2,3\n",
      /no activity.*not "what"/,
      "--activity what",
    ],
    ["a record too short", "log.csv", "case,activity,time\n1,2\n", /line 2/],
    ["a quote that is not closed", "log.csv", 'case,activity,time\n1,"2,3\n', /Quote Not Closed/],
    [
      "a timestamp that is none",
      "log.csv",
      "case,activity,time\n1,2,3\n1,2,noon\n",
      /line 3: the timestamp "noon"/,
    ],
    ["an empty case", "log.csv", "case,activity,time\n,2,3\n", /line 2: the case is empty/],
    ["an empty activity", "log.csv", "case,activity,time\n1,,3\n", /line 2: the activity is empty/],
    ["no events", "log.csv", "case,activity,time\n", /no events/],
    [
      "broken JSON",
      "log.jsonl",
      '{"case":1,"activity":"a","time":1}\n{',
      /line 2: this is no JSON/,
    ],
    [
      "a line without its field",
      "log.jsonl",
      '{"case":1,"activity":"a","time":1}\n{"case":1}',
      /line 2: .*"activity"/,
    ],
    ["an unknown format", "log.csv", "", /--format "xes": expected csv or jsonl/, "--format xes"],
  ])("is refused with exit code 2 for %s", async (_what, name, text, problem, flags = "") => {
    await using log = await writeLog(name, text);

    const { code, stdout, stderr } = await runKato([
      "replay",
      log.path,
      ...flags.split(" ").filter(Boolean),
    ]);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(problem);
    expect(stderr.split("\n")).toHaveLength(1);
  });

  it("is refused with exit code 2 when there is no such file", async () => {
    const { code, stderr } = await runKato(["replay", "/nowhere/log.csv"]);

    expect(code).toBe(2);
    expect(stderr).toMatch(/^kato replay: cannot read the log: ENOENT.*$/);
  });
});

async function writeLog(name: string, text: string) {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, name);
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: () => directory.remove() };
}

/** Cases whose events stand in turn, each with a time and an activity of its own. */
function makeLog({ cases, eventsPerCase }: { cases: number; eventsPerCase: number }): string {
  const rows = ["case,activity,timestamp"];
  for (let event = 0; event < eventsPerCase; event++) {
    for (let i = 0; i < cases; i++) rows.push(`c${i},a${event % 700},${event}`);
  }
  return rows.join("\n");
}

function readReport({ code, stdout }: KatoResult): { code: number | null; report: ReplayReport } {
  return { code, report: JSON.parse(stdout) as ReplayReport };
}

/** Replays a log to a service of its own; gives each case's short-term memory afterwards. */
async function replayAndRead(name: string, text: string, flags: readonly string[] = []) {
  await using log = await writeLog(name, text);
  await using store = await openTestStore("sqlite");
  await using service = await startService({ store: store.url });
  const { code } = await runKato(["replay", log.path, "--url", service.url, "--keep", ...flags]);
  return { code, stms: await readStms(service.url, "replay") };
}

/** By case. */
async function readStms(url: string, nodeId: string): Promise<Record<string, string[][]>> {
  const { items } = await query<{ items: Session[] }>(url, "session.list", { nodeId });
  const stms: Record<string, string[][]> = {};
  for (const { sessionId, metadata } of items) {
    const { stm } = await query<{ stm: string[][] }>(url, "session.stm", { sessionId });
    stms[metadata.case] = stm;
  }
  return stms;
}
