const DATE_TIME =
  /^(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

const NUMBER = /^-?\d{1,18}(\.\d{1,12})?$/;

/**
 * A number that orders timestamps: milliseconds for a date, year first, with or without time,
 * fraction and zone (without one UTC, so that no clock change disturbs the order); a plain number is
 * taken as it is. Undefined for anything else: forms that start with day or month are not guessed at.
 */
export function findTime(text: string): number | undefined {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed)) return Number(trimmed);
  const parts = DATE_TIME.exec(trimmed);
  if (parts === null) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone] =
    parts;
  const whole = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}${formatZone(zone)}`,
  );
  return Number.isNaN(whole) ? undefined : whole + Number(`0.${fraction}`) * 1_000;
}

function formatZone(zone = "Z"): string {
  if (zone.length === 1) return "Z";
  const digits = zone.replace(":", "").padEnd(5, "0");
  return `${digits.slice(0, 3)}:${digits.slice(3)}`;
}
