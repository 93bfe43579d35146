import type { WriteStream } from "node:tty";
import { styleText } from "node:util";

/** Where a command writes: its result, and beside it notes for the person who waits. */
export type Screen = { result: Output; notes: Output };

export type Output = {
  /** A terminal, whose width may change; undefined for a pipe or a file. */
  terminal: { columns: number } | undefined;
  stream: NodeJS.WritableStream;
  line(text?: string): void;
  /** `text` in that style on a terminal that wants colours (NO_COLOR), else as it is. */
  style(style: Style, text: string): string;
};

export type Style = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";

export function openScreen(): Screen {
  return { result: createOutput(process.stdout), notes: createOutput(process.stderr) };
}

function createOutput(stream: WriteStream): Output {
  return {
    terminal: stream.isTTY ? stream : undefined,
    stream,
    line: (text = "") => void stream.write(`${text}\n`),
    style: (style, text) => (stream.isTTY ? styleText(style, text, { stream }) : text),
  };
}
