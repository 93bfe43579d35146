import type { Config } from "../config.ts";
import { flagOf, readConfig, SETTINGS } from "../config.ts";
import type { Flag, Flags } from "./command.ts";

/** A flag for every setting, with its variable and default. */
export const SETTINGS_FLAGS: Readonly<Record<string, Flag>> = Object.fromEntries(
  Object.values(SETTINGS).map((setting) => [
    flagOf(setting.env),
    {
      value: "",
      variable: setting.env,
      default: setting.default,
      meaning: setting.meaning.replaceAll("`", ""),
    },
  ]),
);

/** The settings as these flags, the environment and the defaults give them. @throws ConfigError */
export function readSettings(flags: Flags): Config {
  const args = Object.keys(SETTINGS_FLAGS).flatMap((name) => {
    const value = flags[name];
    return typeof value === "string" ? [`--${name}=${value}`] : [];
  });
  return readConfig(args);
}
