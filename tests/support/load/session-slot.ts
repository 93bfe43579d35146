import { randomUUID } from "node:crypto";
import type { KatoClient } from "@kato-rpc/client";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type { SessionCallOf } from "../history/session-call.ts";
import type { LoadRecorder } from "./load-recorder.ts";

/** The session that the callers of a slot share; once it is gone they share another. */
export class SessionSlot {
  readonly node: string;
  readonly #client: KatoClient;
  readonly #recorder: LoadRecorder;
  #current: Promise<string | undefined> | undefined;

  constructor(node: string, client: KatoClient, recorder: LoadRecorder) {
    this.node = node;
    this.#client = client;
    this.#recorder = recorder;
  }

  /** The session's id; undefined if none could be created, until asked again. */
  open(config: SessionConfigPatch): Promise<string | undefined> {
    this.#current ??= this.#create(config);
    return this.#current;
  }

  /** To be told when a call found that the session was gone. */
  async leave(sessionId: string): Promise<void> {
    const current = this.#current;
    if ((await current) === sessionId && this.#current === current) this.#current = undefined;
  }

  async #create(config: SessionConfigPatch): Promise<string | undefined> {
    const input = { nodeId: this.node, config, requestId: randomUUID() };
    try {
      const { info } = await this.#client.session.create(input);
      const request = { kind: "create", session: info.sessionId, node: this.node, config };
      const call = await this.#recorder.record<SessionCallOf<"create">>(
        () => Promise.resolve(info),
        request,
      );
      return call.session;
    } catch (error) {
      this.#recorder.countFailedCreate(error);
      this.#current = undefined;
      return undefined;
    }
  }
}
