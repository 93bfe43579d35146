/** The global `fetch`, with a count of the calls that it carried, each as often as it was sent. */
export class WireCounter {
  sent = 0;

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    this.sent += decodeURIComponent(pathname).split(",").length;
    return fetch(url, init);
  };
}
