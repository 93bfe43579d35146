import { describeSqliteKills } from "./sqlite-kills-suite.ts";

describeSqliteKills({ sessions: 200, kills: 20 });
