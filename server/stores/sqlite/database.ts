import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { Deadlines } from "../../deadlines.ts";
import { LogCopier, LONG_LOG } from "./log-copier.ts";

/**
 * Works that one transaction may hold, and the time after which it takes no more of them: bounds how long
 * the event loop stands still and other processes wait for the file.
 */
const WORKS_PER_TRANSACTION = 256;
const TRANSACTION_MS = 20;

/** Of the log, from which commits copy it should nobody else do so. */
const PAGES_COPIED_IN_COMMITS = 2 * LONG_LOG;

/** How long opening waits for others that open, or write, the same file. */
const OPENING_TIMEOUT_MS = 10_000;

/** Whether a commit waits for the disk (FULL) or leaves that to the system (NORMAL). */
export type Synchronous = "NORMAL" | "FULL";

export type SqliteOptions = {
  /** Within this every operation ends. */
  timeoutMs: number;
  /** NORMAL unless given. */
  synchronous?: Synchronous;
  /** Hears of what goes wrong beside the operations. */
  onTrouble?: (error: Error) => void;
};

type Work = {
  run(): unknown;
  /** Nobody waits for it any more: it must not happen later. */
  abandoned: boolean;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
};

class WorkFailed extends Error {}

/**
 * One connection to a SQLite file that several processes share. Works that wait at the same moment
 * share one transaction, so that its cost, and the wait for the other processes, is paid once.
 */
export class SqliteDatabase {
  readonly connection: DatabaseSync;
  readonly #deadlines: Deadlines;
  readonly #timeoutMs: number;
  readonly #clock: StatementSync;
  readonly #begins: StatementSync;
  readonly #commits: StatementSync;
  /** undefined for one in memory, which has no log. */
  readonly #copier: LogCopier | undefined;
  #waiting: Work[] = [];
  /** So many of the first that wait must each be undone alone should it fail, since one did: none runs a third time. */
  #apart = 0;
  #writing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(
    connection: DatabaseSync,
    { timeoutMs, onTrouble = () => undefined }: SqliteOptions,
  ) {
    this.connection = connection;
    const path = connection.location();
    this.#copier = path === null ? undefined : new LogCopier(connection, path, onTrouble);
    this.#timeoutMs = timeoutMs;
    this.#deadlines = new Deadlines(timeoutMs);
    this.#begins = connection.prepare("BEGIN IMMEDIATE");
    this.#commits = connection.prepare("COMMIT");
    this.#clock = connection.prepare("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS nowMs");
  }

  /**
   * Opens or makes the file and brings its schema up to date; safe when several processes do so at once.
   *
   * @throws Error that names the file and says what is wrong with it
   */
  static open(path: string, options: SqliteOptions): SqliteDatabase {
    let connection: DatabaseSync | undefined;
    try {
      if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
      connection = new DatabaseSync(path);
      prepareConnection(connection, options.synchronous ?? "NORMAL");
      return new SqliteDatabase(connection, options);
    } catch (cause) {
      connection?.close();
      throw new Error(`SQLite file ${path}: ${(cause as Error).message}`, { cause });
    }
  }

  /**
   * Runs `work`, which only reads, on one state of what is committed.
   *
   * @throws ServiceError STORE_UNAVAILABLE when the file cannot be read
   */
  async read<T>(work: () => T): Promise<T> {
    if (!this.connection.isOpen) throw this.#unavailable(undefined);
    try {
      // Writing transactions never span turns of the event loop, so none is open.
      this.connection.exec("BEGIN");
      return work();
    } catch (error) {
      throw isStoreFailure(error) ? this.#unavailable(error) : error;
    } finally {
      if (this.connection.isTransaction) this.connection.exec("ROLLBACK");
    }
  }

  /**
   * Runs `work` whole or not at all. An error it throws undoes it and reaches the caller.
   *
   * @throws ServiceError STORE_UNAVAILABLE when the file stays locked past the deadline or cannot be written
   */
  write<T>(work: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(this.#unavailable(undefined));
    const entry: Work = {
      run: work,
      abandoned: false,
      resolve: () => undefined,
      reject: () => undefined,
    };
    const done = new Promise<T>((resolve, reject) => {
      entry.resolve = resolve;
      entry.reject = reject;
    });
    this.#waiting.push(entry);
    this.#writing ??= this.#writeAll();
    return this.#deadlines.bound(done, () => {
      entry.abandoned = true;
      return this.#unavailable(undefined);
    });
  }

  /** Epoch ms by the machine's clock, which is one for all processes that can open the file. */
  now(): number {
    return (this.#clock.get() as { nowMs: number }).nowMs;
  }

  /** Waits for what is under way, then closes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#copier?.close();
    if (this.connection.isOpen) this.connection.close();
  }

  /** Never rejects: failures reach those who wait for the works. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Let the calls of this turn of the event loop join the transaction, and others have theirs in between.
      await new Promise(setImmediate);
      const overdue = this.#copier?.overdue;
      if (overdue !== undefined) await overdue;
      this.#waiting = this.#waiting.filter((work) => !work.abandoned);
      if (this.#begin()) this.#transact();
      else await delay(0.5 + Math.random());
    }
    this.#writing = undefined;
  }

  /** False while another process writes. */
  #begin(): boolean {
    try {
      this.#begins.run();
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      const failed = this.#waiting;
      this.#waiting = [];
      for (const work of failed) work.reject(this.#unavailable(error));
      return false;
    }
  }

  #transact(): void {
    const works: Work[] = [];
    const done: (() => void)[] = [];
    const areApart = this.#apart > 0;
    const until = performance.now() + TRANSACTION_MS;
    try {
      do {
        const work = this.#waiting.shift();
        if (work === undefined) break;
        works.push(work);
        done.push(areApart ? this.#runApart(work) : this.#run(work));
        // What comes after them would, if it failed, undo them as well.
        if (areApart && this.#apart === 0) break;
      } while (works.length < WORKS_PER_TRANSACTION && performance.now() < until);
      this.#commits.run();
    } catch (error) {
      if (this.connection.isTransaction) this.connection.exec("ROLLBACK");
      if (error instanceof WorkFailed) {
        // Nothing of it has happened yet: once more with all that wait by now, so that what fails is undone alone.
        this.#waiting.unshift(...works);
        this.#apart = this.#waiting.length;
        return;
      }
      for (const work of works) work.reject(this.#unavailable(error));
      return;
    }
    for (const settle of done) settle();
    this.#copier?.check();
  }

  /** Runs one work within the transaction; gives what to tell its caller once that is committed. @throws WorkFailed */
  #run(work: Work): () => void {
    try {
      const value = work.run();
      return () => work.resolve(value);
    } catch (cause) {
      throw new WorkFailed("", { cause });
    }
  }

  /** The same with a savepoint, which costs as much as a few statements. */
  #runApart(work: Work): () => void {
    this.#apart -= 1;
    this.connection.exec("SAVEPOINT work");
    try {
      const value = work.run();
      this.connection.exec("RELEASE work");
      return () => work.resolve(value);
    } catch (error) {
      this.connection.exec("ROLLBACK TO work; RELEASE work");
      const reason = isStoreFailure(error) ? this.#unavailable(error) : error;
      return () => work.reject(reason);
    }
  }

  #unavailable(cause: unknown): ServiceError {
    return new ServiceError(
      "STORE_UNAVAILABLE",
      `${sqliteCode(cause) === SQLITE_FULL ? "the disk of the SQLite file is full" : `the SQLite file could not be used within ${this.#timeoutMs} ms`}; nothing was acknowledged, repeat the call with the same id`,
      { cause },
    );
  }
}

function prepareConnection(connection: DatabaseSync, synchronous: Synchronous): void {
  // Only opening waits for other processes in place; afterwards nothing may block the event loop.
  connection.exec(`PRAGMA busy_timeout = ${OPENING_TIMEOUT_MS}`);
  useWriteAheadLog(connection);
  connection.exec(`PRAGMA synchronous = ${synchronous}`);
  connection.exec(`PRAGMA wal_autocheckpoint = ${PAGES_COPIED_IN_COMMITS}`);
  // KiB. With the default of 2 MB, commits on sessions of 1,000 events read pages from the file again and again.
  connection.exec("PRAGMA cache_size = -32768");
  migrate(connection);
  connection.exec("PRAGMA busy_timeout = 0");
}

/** SQLite's own waiting leaves out the change of the journal mode, which fails at once while another process makes it. */
function useWriteAheadLog(connection: DatabaseSync): void {
  const until = performance.now() + OPENING_TIMEOUT_MS;
  for (;;) {
    try {
      connection.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}

/** Applies the numbered files that the database has not seen, all or none. */
function migrate(connection: DatabaseSync): void {
  const folder = new URL("./migrations/", import.meta.url);
  const files = readdirSync(folder)
    .filter((file) => /^\d{4}-.*\.sql$/.test(file))
    .sort();
  connection.exec("BEGIN IMMEDIATE");
  try {
    const { user_version: applied } = connection.prepare("PRAGMA user_version").get() as {
      user_version: number;
    };
    if (applied > files.length) throw new Error("the SQLite file was made by a newer release");
    for (const file of files.slice(applied)) {
      connection.exec(readFileSync(new URL(file, folder), "utf8"));
    }
    connection.exec(`PRAGMA user_version = ${files.length}`);
    connection.exec("COMMIT");
  } catch (error) {
    connection.exec("ROLLBACK");
    throw error;
  }
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_FULL = 13;
/** SQLITE_NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, CANTOPEN, NOTADB: the store fails, not the work. */
const STORE_FAILURES = new Set([SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, 7, 8, 9, 10, 11, 14, 26]);

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  // Extended codes carry the primary one in their low byte.
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

function isStoreFailure(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && STORE_FAILURES.has(code);
}
