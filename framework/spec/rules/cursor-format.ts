import { parseDuration } from '../../core/duration.ts';
import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { parseTime, timeFormatProblem } from '../../core/time.ts';
import { isZone } from '../../core/zone.ts';
import { isMap, type Plain } from '../merge.ts';
import type { SpecPath } from '../tree.ts';
import { inheritedMap, layersOf, saidAt } from './inherited.ts';
import type { Rule } from './rule.ts';

interface Mistake {
  path: SpecPath;
  message: string;
  hint: string;
}

export const rule: Rule = {
  name: 'cursor-format',
  severity: 'error',
  summary: 'A cursor with a format or zone that is none, or with a length or start that does not fit its format.',
  why: 'Times would be written so that the provider reads another time, or none; a `lookback` that cannot be read would look back nowhere.',
  bad: 'cursor: { field: seen, format: YYYY-MM-DD, lookback: 7 }',
  good: 'cursor: { field: seen, format: date, lookback: 7d }',
  check: ({ spec }, report) => {
    /** What a template or the defaults say is reported once, not for each stream. */
    const told = new Set<string>();
    for (const name of Object.keys(spec.streams ?? {})) {
      const cursor = inheritedMap(spec, name, 'cursor');
      if (cursor === undefined) continue;
      for (const { path, message, hint } of [...wrongFormats(spec, name), ...wrongLengths(spec, name, cursor)]) {
        if (!told.has(path.join('\n'))) report(path, message, { hint });
        told.add(path.join('\n'));
      }
    }
  },
};

/** In each layer: options and methods may each say another. */
function wrongFormats(spec: SpecDocument, stream: string): Mistake[] {
  return layersOf(spec, stream).flatMap(({ part, path }) => {
    const { format, record_format, time_zone } = part.cursor ?? {};
    const at = (key: string): SpecPath => [...path, 'cursor', key];
    const mistakes: Mistake[] = [];
    for (const [key, text] of Object.entries({ format, record_format })) {
      const problem = text === undefined || (key === 'format' && text === 'integer') ? undefined : timeFormatProblem(text);
      if (problem !== undefined) mistakes.push({ path: at(key), message: `\`cursor.${key}\` can't be \`${text}\`.`, hint: problem });
    }
    if (time_zone !== undefined && !isZone(time_zone)) {
      const hint = 'Write an IANA name such as `Europe/Berlin`, an offset such as `+02:00`, or `UTC`.';
      mistakes.push({ path: at('time_zone'), message: `\`cursor.time_zone\` can't be \`${time_zone}\`.`, hint });
    }
    return mistakes;
  });
}

/** Formats that may hold: the stream's or its template's own alone, else what each option, each method and the defaults say. */
function formatsOf(spec: SpecDocument, stream: string, { format }: Plain): string[] {
  const own = saidAt(spec, stream, ['cursor', 'format'])?.[0];
  if (own === 'streams' || own === 'templates') return [String(format)];
  const said = layersOf(spec, stream).flatMap(({ part }) => part.cursor?.format ?? []);
  return said.length === 0 || (own !== 'defaults' && spec.defaults?.cursor?.format === undefined) ? ['iso', ...said] : said;
}

const LENGTHS = [['lookback'], ['oldest'], ['window', 'max'], ['window', 'step']];

function wrongLengths(spec: SpecDocument, stream: string, cursor: Plain): Mistake[] {
  const formats = formatsOf(spec, stream, cursor);
  const integers = formats.includes('integer');
  const times = formats.some((format) => format !== 'integer');
  const mistakes: Mistake[] = [];
  const tell = (keys: string[], message: string, hint: string): void => {
    const path = saidAt(spec, stream, ['cursor', ...keys]);
    if (path !== undefined) mistakes.push({ path, message, hint });
  };
  for (const keys of LENGTHS) {
    const text = keys.reduce<unknown>((value, key) => (isMap(value) ? value[key] : undefined), cursor);
    if (text === undefined || (times && parseDuration(String(text)) !== undefined) || (integers && /^\d+$/.test(String(text)))) continue;
    const name = keys.join('.');
    if (times) tell(keys, `\`${name}\` is no duration: \`${text}\`.`, `Write its unit, such as \`${text}d\`.`);
    else if (name === 'oldest') tell(keys, 'An integer has no age: `oldest` does nothing here.', 'Leave it out, or write `start`.');
    else tell(keys, `\`${name}\` counts integers here, and \`${text}\` is none.`, 'Write a bare number: so many.');
  }
  const { start } = cursor;
  if (typeof start === 'string' && !start.includes('${') && !formats.some((format) => isStart(start, format))) {
    const hint = times ? 'Write how long ago (`90d`), a date (`2026-01-31`), or a field.' : 'Write an integer, or a field.';
    tell(['start'], `\`${start}\` is no beginning that this cursor can read.`, hint);
  }
  return mistakes;
}

const isStart = (text: string, format: string): boolean =>
  format === 'integer'
    ? /^-?\d+$/.test(text)
    : parseDuration(text) !== undefined || parseTime(text, 'iso') !== undefined || parseTime(text, format) !== undefined;
