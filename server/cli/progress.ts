import { SingleBar } from "cli-progress";
import { formatNumber } from "./columns.ts";
import type { Output } from "./screen.ts";

/** How far a step of the work has come, shown while it lasts. */
export type Progress = { add(count: number): void; end(): void };

export type Step = { label: string; unit: string; total: number };

const REDRAW_MS = 100;
const LINE_MS = 3_000;

/** A bar on a terminal; elsewhere a plain line every few seconds, and one at the end. */
export function openProgress(output: Output, step: Step): Progress {
  return output.terminal === undefined ? openLines(output, step) : openBar(output, step);
}

function openLines(output: Output, step: Step): Progress {
  const startedAt = performance.now();
  let done = 0;
  const write = () => output.line(formatLine(step, done, performance.now() - startedAt));
  const timer = setInterval(write, LINE_MS);
  return {
    add: (count) => void (done += count),
    end() {
      clearInterval(timer);
      write();
    },
  };
}

function openBar(output: Output, step: Step): Progress {
  const startedAt = performance.now();
  let done = 0;
  const bar = new SingleBar({
    stream: output.stream,
    hideCursor: true,
    barsize: 0,
    format: (_options, { value }) => {
      const text = formatLine(step, value, performance.now() - startedAt);
      return drawBar(output, step, value) + text;
    },
  });
  bar.start(step.total, 0);
  // Drawn by the clock: at thousands of steps a second each update would cost more than its step.
  const timer = setInterval(() => bar.update(done), REDRAW_MS);
  return {
    add: (count) => void (done += count),
    end() {
      clearInterval(timer);
      bar.update(done);
      bar.stop();
    },
  };
}

const BAR = { least: 8, most: 40 };
/** What the text may take more than at its end: a longer time left, a higher rate, blanks. */
const TEXT_RESERVE = 14;

/** As wide as the terminal has room for beside the text; nothing where that is too little. */
function drawBar(output: Output, step: Step, done: number): string {
  const { total } = step;
  const textWidth = formatLine(step, total, total).length + TEXT_RESERVE;
  const width = Math.min((output.terminal?.columns ?? 0) - textWidth, BAR.most);
  if (width < BAR.least) return "";
  const filled = total === 0 ? width : Math.round((width * done) / total);
  const full = output.style("green", "█".repeat(filled));
  return `${full}${output.style("dim", "░".repeat(width - filled))}  `;
}

/** `sending: 512 of 1,000 events (51 %), 256/s, 2 s left` */
export function formatLine({ label, unit, total }: Step, done: number, elapsedMs: number): string {
  const perSecond = elapsedMs > 0 ? (done * 1_000) / elapsedMs : 0;
  const percent = total === 0 ? 100 : Math.floor((done * 100) / total);
  const parts = [
    `${label}: ${formatNumber(done)} of ${formatNumber(total)} ${unit} (${percent} %)`,
    `${formatNumber(perSecond)}/s`,
  ];
  if (done >= total) parts.push(`${formatNumber(elapsedMs / 1_000, 1)} s`);
  else if (perSecond > 0) parts.push(`${formatDuration((total - done) / perSecond)} left`);
  return parts.join(", ");
}

/** Rounded up to what one would say: `4 s`, `2 min 10 s`, `1 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
