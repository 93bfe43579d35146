import { describeSqliteKills } from "./sqlite-kills-suite.ts";

describeSqliteKills({ sessions: 200, nodes: 20, kills: 20 });
