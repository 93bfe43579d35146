export { randomFrom } from "@kato-rpc/server/cli/evaluate/random.ts";
