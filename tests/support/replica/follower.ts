import { pino } from "pino";

import { NodeFollower } from "@kato-rpc/server/replica/node-follower.ts";
import { ReplicaSizes } from "@kato-rpc/server/replica/replica-sizes.ts";
import { Turns } from "@kato-rpc/server/replica/turns.ts";
import type { NodeStore } from "@kato-rpc/server/stores/node-store.ts";
import { HostLink } from "./host-link.ts";

/** A node followed on this thread, and its replica to look into. */
export function followerOf(store: NodeStore, tag: string) {
  const link = new HostLink();
  let replicas = 0;
  const follower = new NodeFollower(
    {
      store,
      thread: link,
      turns: new Turns(),
      sizes: new ReplicaSizes(),
      log: pino({ level: "silent" }),
      nextReplica: () => ++replicas,
      onLoad: () => undefined,
    },
    tag,
  );
  return { follower, link, replica: () => link.host.find(follower.replica!)! };
}
