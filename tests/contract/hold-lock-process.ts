/** A process that locks the file of its first argument, says so, and lets it go after as many ms as the second says. */
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

const [path = "", forMs = ""] = process.argv.slice(2);
const file = new DatabaseSync(path);
file.exec("BEGIN IMMEDIATE");
console.log("locked");
await delay(Number(forMs));
file.exec("COMMIT");
file.close();
