import { ReplicaHost } from "@kato-rpc/server/replica/replica-host.ts";
import type { CallKind, ReplicaCall, ReplyOf } from "@kato-rpc/server/replica/replica-messages.ts";
import { errorOf } from "@kato-rpc/server/replica/replica-messages.ts";
import type { ReplicaLink } from "@kato-rpc/server/replica/thread-link.ts";

/** The host of replicas on this thread, so that tests can look into them. */
export class HostLink implements ReplicaLink {
  readonly host = new ReplicaHost(Date.now);
  readonly asked: CallKind[] = [];

  async ask<Kind extends CallKind>(call: ReplicaCall<Kind>): Promise<ReplyOf<Kind>> {
    this.asked.push(call.kind);
    const message = structuredClone({ id: 1, call: call as ReplicaCall });
    const reply = structuredClone(this.host.answer(message));
    if ("failure" in reply) throw errorOf(reply.failure);
    return reply.value;
  }

  drop(replica: number): void {
    void this.ask({ kind: "drop", replica });
  }
}
