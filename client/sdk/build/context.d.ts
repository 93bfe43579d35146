/** What the service's procedures get besides their input is no business of a client. */
export type Context = object;
