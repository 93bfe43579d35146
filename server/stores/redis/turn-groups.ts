/** Where an item belongs. */
export type GroupPlace = {
  /** Of the group. */
  key: string;
  /** Of the item: no two of a group have one, what comes later goes later. */
  name: string;
  size: number;
};

type Group<Item> = { byName: Map<string, Item>; size: number };

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
  /** Of this turn, by key; undefined until something comes. */
  #open: Map<string, Group<Item>> | undefined;

  /** `send`: items by name, at least one, in the order in which they came. */
  constructor(limits: GroupLimits, send: (items: ReadonlyMap<string, Item>) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  add({ key, name, size }: GroupPlace, item: Item): void {
    const open = (this.#open ??= this.#beginTurn());
    const known = open.get(key);
    const hasRoom =
      known !== undefined && !known.byName.has(name) && known.size + size <= this.#limits.size;
    if (known !== undefined && !hasRoom) this.#send(known.byName);
    const group = hasRoom ? known : { byName: new Map<string, Item>(), size: 0 };
    group.byName.set(name, item);
    group.size += size;
    if (group.byName.size < this.#limits.items) {
      if (!hasRoom) open.set(key, group);
    } else {
      open.delete(key);
      this.#send(group.byName);
    }
  }

  /** A map for each turn: one for all would grow old, and with its outgrown tables all that the groups hold. */
  #beginTurn(): Map<string, Group<Item>> {
    const open = new Map<string, Group<Item>>();
    setImmediate(() => {
      this.#open = undefined;
      for (const { byName } of open.values()) this.#send(byName);
    });
    return open;
  }
}
