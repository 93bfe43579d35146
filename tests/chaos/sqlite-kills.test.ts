import { describeSqliteKills } from "./sqlite-kills-suite.ts";

describeSqliteKills({ sessions: 40, kills: 3 });
