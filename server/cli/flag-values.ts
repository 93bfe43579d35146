import type { Flags } from "./command.ts";
import { UsageError } from "./usage-error.ts";

export function findText(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
}

/** @throws UsageError unless it is a whole number from 1 to `most` */
export function findCount(flags: Flags, name: string, most: number): number | undefined {
  const text = findText(flags, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) {
    throw new UsageError(
      `--${name} ${JSON.stringify(text)}: expected a whole number from 1 to ${most}`,
    );
  }
  return value;
}

/** The address of a running server. @throws UsageError unless it is one of HTTP */
export function findHttpUrl(flags: Flags, name: string): string | undefined {
  const text = findText(flags, name);
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`--${name}: expected a server's address such as http://127.0.0.1:8000`);
  }
  return text.replace(/\/+$/, "");
}
