import { describeNodeStore } from "./node-store-suite.ts";
import { describeSessionStore } from "./session-store-suite.ts";
import { openSqlitePlace } from "./store-place.ts";

describeSessionStore("SQLite", openSqlitePlace);
describeNodeStore("SQLite", openSqlitePlace);
