/** Where a Redis is, or a group of them. */
export type RedisAddress = {
  hosts: [HostPort, ...HostPort[]];
  username: string | undefined;
  password: string | undefined;
  tls: boolean;
  database: number;
} & ({ topology: "single" | "cluster" } | { topology: "sentinel"; name: string });

export type HostPort = { host: string; port: number };

export type StoreAddress =
  | { kind: "sqlite"; path: string }
  | { kind: "redis"; address: RedisAddress };

const EXPECTED =
  "expected sqlite:PATH, redis://HOST:PORT, rediss://…, redis+cluster://H:P,H:P or redis+sentinel://H:P,H:P/NAME";

const URL_FORM =
  /^(redis|rediss|redis\+cluster|redis\+sentinel):\/\/(?:([^/]*)@)?([^/@]+)(?:\/(.*))?$/;

/** Reads the value of `KATO_STORE`. @throws Error that says what was expected and never repeats a password */
export function parseStoreAddress(text: string): StoreAddress {
  if (text.startsWith("sqlite:")) {
    const path = text.slice("sqlite:".length);
    if (path === "") throw new Error(`the SQLite path is empty: ${EXPECTED}`);
    return { kind: "sqlite", path };
  }
  const [, scheme = "", credentials, hostList = "", rest = ""] = URL_FORM.exec(text) ?? [];
  if (scheme === "") throw new Error(EXPECTED);
  // Split gives at least one part.
  const hosts = hostList.split(",").map(parseHost) as RedisAddress["hosts"];
  const common = {
    hosts,
    ...parseCredentials(credentials),
    tls: scheme === "rediss",
  };
  if (scheme === "redis+sentinel") {
    if (!/^[\w.-]+$/.test(rest))
      throw new Error(`the Sentinel group's name is missing: ${EXPECTED}`);
    return { kind: "redis", address: { ...common, topology: "sentinel", name: rest, database: 0 } };
  }
  if (scheme === "redis+cluster") {
    if (rest !== "") throw new Error(`a cluster has no databases to choose from: ${EXPECTED}`);
    return { kind: "redis", address: { ...common, topology: "cluster", database: 0 } };
  }
  if (hosts.length > 1) throw new Error(`one host only, or redis+cluster://: ${EXPECTED}`);
  if (!/^\d{0,5}$/.test(rest)) throw new Error(`a database is a number: ${EXPECTED}`);
  return { kind: "redis", address: { ...common, topology: "single", database: Number(rest) } };
}

/** The address without credentials, for people and logs. */
export function describeStore(store: StoreAddress): string {
  if (store.kind === "sqlite") return `sqlite:${store.path}`;
  const { address } = store;
  const hosts = address.hosts.map(describeHost).join(",");
  switch (address.topology) {
    case "single":
      return `${address.tls ? "rediss" : "redis"}://${hosts}/${address.database}`;
    case "cluster":
      return `redis+cluster://${hosts}`;
    case "sentinel":
      return `redis+sentinel://${hosts}/${address.name}`;
  }
}

function describeHost({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseHost(text: string): HostPort {
  const [, host, port = "6379"] = /^(\[[0-9a-fA-F:]+\]|[\w.-]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new Error(`a host is wrong: ${EXPECTED}`);
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

function parseCredentials(text: string | undefined): {
  username: string | undefined;
  password: string | undefined;
} {
  if (text === undefined || text === "") return { username: undefined, password: undefined };
  const colon = text.indexOf(":");
  const username = colon < 0 ? text : text.slice(0, colon);
  const password = colon < 0 ? undefined : decode(text.slice(colon + 1));
  return { username: username === "" ? undefined : decode(username), password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new Error(`a % in a name or password must be written %25: ${EXPECTED}`, { cause });
  }
}
