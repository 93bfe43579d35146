import type { Event } from "@kato-rpc/shared/observation.ts";

import { compareCodePoints } from "../symbol-order.ts";

/** Negative when `a` sorts before `b`: symbol by symbol by code points, a prefix first. */
export function compareEvents(a: Event, b: Event): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compareCodePoints(a[i] ?? "", b[i] ?? "");
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** One text for the same symbols in the same order, another for any other event. */
export function eventKey(event: Event): string {
  const [only] = event;
  return event.length === 1 && only !== undefined ? `1${only}` : JSON.stringify(event);
}
