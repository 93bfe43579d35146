/**
 * Whether this worker still takes work. `serving`: yes. `leaving`: yes, but every answer asks its
 * client to close the connection, so that the worker can end without dropping a request (recycling).
 * `draining`: no, new calls are told to go elsewhere (shutdown).
 */
export type ServingState = "serving" | "leaving" | "draining";

export class Serving {
  state: ServingState = "serving";

  get isDraining(): boolean {
    return this.state === "draining";
  }
}
