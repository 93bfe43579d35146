/** Where an item belongs. */
export type GroupPlace = {
  /** Of the group. */
  key: string;
  /** Of the item: no two of a group have one, what comes later goes later. */
  name: string;
  size: number;
};

type Group<Item> = { key: string; byName: Map<string, Item>; size: number };

export type GroupLimits = {
  items: number;
  /** Of what is sent with them, in values and their characters. */
  size: number;
};

/** More would keep Redis from its other clients for too long. */
export const GROUP_LIMITS: GroupLimits = { items: 16, size: 262_144 };

/**
 * Gathers what comes in one turn of the event loop for one key, to be sent together: after all that has come in from
 * the network by then was read, or at once when a group is full, so that the server works on it while the turn goes on.
 */
export class TurnGroups<Item> {
  readonly #limits: GroupLimits;
  readonly #send: (items: ReadonlyMap<string, Item>) => void;
  readonly #open = new Map<string, Group<Item>>();

  /** `send`: items by name, at least one, in the order in which they came. */
  constructor(limits: GroupLimits, send: (items: ReadonlyMap<string, Item>) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  add(place: GroupPlace, item: Item): void {
    const group = this.#groupFor(place);
    group.byName.set(place.name, item);
    group.size += place.size;
    if (group.byName.size === this.#limits.items) this.#close(group);
  }

  #groupFor({ key, name, size }: GroupPlace): Group<Item> {
    const group = this.#open.get(key);
    if (group !== undefined) {
      if (!group.byName.has(name) && group.size + size <= this.#limits.size) return group;
      this.#close(group);
    }
    const opened: Group<Item> = { key, byName: new Map(), size: 0 };
    this.#open.set(key, opened);
    setImmediate(() => this.#close(opened));
    return opened;
  }

  #close(group: Group<Item>): void {
    if (this.#open.get(group.key) !== group) return;
    this.#open.delete(group.key);
    this.#send(group.byName);
  }
}
