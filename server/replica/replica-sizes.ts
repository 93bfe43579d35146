/** Bytes that replicas take, as the thread tells them, by the replicas' numbers. */
export class ReplicaSizes {
  readonly #bytes = new Map<number, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Those told of before and after are not counted: a dropped replica may be told of once more. */
  open(replica: number): void {
    this.#bytes.set(replica, 0);
  }

  set(replica: number, bytes: number): void {
    const before = this.#bytes.get(replica);
    if (before === undefined) return;
    this.#bytes.set(replica, bytes);
    this.#total += bytes - before;
  }

  of(replica: number | undefined): number {
    return replica === undefined ? 0 : (this.#bytes.get(replica) ?? 0);
  }

  close(replica: number): void {
    this.#total -= this.of(replica);
    this.#bytes.delete(replica);
  }
}
