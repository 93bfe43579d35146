import { describeSqliteKills } from "./sqlite-kills-suite.ts";

describeSqliteKills({ sessions: 40, nodes: 5, kills: 3 });
