/** The global `fetch`, with a count of the calls that it carried: tells how often the SDK sent one. */
export class WireCounter {
  /** Calls carried, each as often as it was sent. */
  sent = 0;
  readonly #sentById = new Map<string, number>();

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    this.sent += decodeURIComponent(pathname).split(",").length;
    const body = typeof init.body === "string" ? init.body : "";
    for (const [, id = ""] of body.matchAll(/"(?:requestId|observationId)":"([^"]+)"/g)) {
      this.#sentById.set(id, (this.#sentById.get(id) ?? 0) + 1);
    }
    return fetch(url, init);
  };

  /** How often a call with this id was sent since it was last asked. */
  takeSent(id: string): number {
    const count = this.#sentById.get(id) ?? 0;
    this.#sentById.delete(id);
    return count;
  }
}
