const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `5m`, `1h`, `7d`, `500ms` → milliseconds; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * UNITS[match[2]!]!;
}

/** The shortest text that `parseDuration` reads back: 90000 → `90s`, 3600000 → `1h`. */
export function durationText(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's']) {
    if (whole % UNITS[unit]! === 0) return `${whole / UNITS[unit]!}${unit}`;
  }
  return `${whole}ms`;
}
