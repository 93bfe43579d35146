/** Where an item belongs. */
export type GroupPlace = {
  /** Of the group. */
  key: string;
  /** Of the item: no two of a group have one, what comes later goes later. */
  name: string;
  size: number;
};

type Group<Item> = { key: string; names: string[]; items: Item[]; size: number };

export type GroupLimits = {
  items: number;
  /** Of what is sent with them, in values and their characters, estimated. */
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
  readonly #send: (items: readonly Item[]) => void;
  /** Of this turn, by key; undefined until something comes. */
  #open: Map<string, Group<Item>> | undefined;
  /** The one of them that was added to last: most often the next item's too, and compared faster than looked up. */
  #latest: Group<Item> | undefined;

  /** `send` gets at least one, in the order in which they came, and never throws. */
  constructor(limits: GroupLimits, send: (items: readonly Item[]) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  add({ key, name, size }: GroupPlace, item: Item): void {
    const open = (this.#open ??= this.#beginTurn());
    let group = this.#latest?.key === key ? this.#latest : open.get(key);
    if (group === undefined || group.names.includes(name) || !this.#hasRoom(group, size)) {
      if (group !== undefined) this.#send(group.items);
      group = { key, names: [], items: [], size: 0 };
      open.set(key, group);
    }
    this.#latest = group;
    group.names.push(name);
    group.items.push(item);
    group.size += size;
    if (group.items.length < this.#limits.items) return;
    open.delete(key);
    this.#latest = undefined;
    this.#send(group.items);
  }

  #hasRoom(group: Group<Item>, size: number): boolean {
    return group.size + size <= this.#limits.size;
  }

  /** A map for each turn: one for all would grow old, and keep alive what its outgrown tables lead to. */
  #beginTurn(): Map<string, Group<Item>> {
    const open = new Map<string, Group<Item>>();
    setImmediate(() => {
      this.#open = undefined;
      this.#latest = undefined;
      for (const { items } of open.values()) this.#send(items);
    });
    return open;
  }
}
