import { randomFrom } from "../../support/random.ts";
import type { Sequence } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { zipf } from "./zipf.ts";

/**
 * Visits to a site whose pages link to one another, by visitors with a topic in mind: pages are as popular as Zipf has it,
 * links are followed with odds of their own, and visitors use the back button, see a page again and leave after a page or
 * many. In most visits there are few events.
 */
export function sessionSource(options: {
  pages: number;
  topics: number;
  /** Odds of going back to the page before. */
  back: number;
  /** Odds of seeing the same page again. */
  again: number;
  /** Odds of leaving after a page, one visitor with another. */
  leave: number;
  count: number;
  seed: number;
}): Sequence[] {
  const { pages, topics, back, again, leave, count } = options;
  const random = randomFrom(options.seed);
  const chance = (odds: number): boolean => random() < odds;
  const popular = zipf(random, pages, 1);
  const chosen = zipf(random, topics, 0.9);
  const topicOf = Array.from({ length: pages }, chosen);
  const entries = Array.from({ length: topics }, () => Array.from({ length: 6 }, popular));
  const links = Array.from({ length: pages }, (_page, page) =>
    Array.from({ length: 3 + Math.floor(random() * 12) }, () => {
      let target = popular();
      // Most links stay with the topic.
      for (let i = 0; i < 4 && topicOf[target] !== topicOf[page]; i += 1) target = popular();
      return target;
    }),
  );
  const link = zipf(random, 20, 1.2);

  return Array.from({ length: count }, () => {
    const topic = chosen();
    const patience = leave * (0.3 + 1.4 * random());
    const stays = again * 2 * random();
    let page = entries[topic]?.[link() % 6] ?? 0;
    const trail = [page];
    const visit = [page];
    while (visit.length < 60 && !chance(patience)) {
      if (chance(stays)) {
        visit.push(page);
        continue;
      }
      if (trail.length > 1 && chance(back)) {
        trail.pop();
      } else if (chance(0.08)) {
        trail.push(popular());
      } else {
        const targets = links[page] ?? [];
        const first = targets[link() % targets.length] ?? 0;
        const second = targets[link() % targets.length] ?? 0;
        trail.push(topicOf[second] === topic && topicOf[first] !== topic ? second : first);
      }
      page = trail.at(-1) ?? 0;
      visit.push(page);
    }
    return visit.map(String);
  });
}
