import { describeSessionStore } from "./session-store-suite.ts";
import { openSqlitePlace } from "./store-place.ts";

describeSessionStore("SQLite", openSqlitePlace);
