import type { ClientEvent } from '../http/types.ts';
import { type Io, print } from './io.ts';
import { styleOf, visible } from './style.ts';
import { textWidth, widthOf } from './table.ts';

type Sent = Extract<ClientEvent, { type: 'request' }>;
type Answered = Extract<ClientEvent, { type: 'response' }>;

/** More of a body than this says no more about what went wrong. */
const BODY_CHARACTERS = 600;
const NARROW = 100;

/** `--trace`: each request with its answer beside it, as the client's events (redacted there) come in. */
export function tracer(io: Io): (event: ClientEvent) => void {
  const open = new Map<string, Sent>();
  const style = styleOf(io.stderr, io.env);
  const say = (text: string): void => void print(io.stderr, text);
  return (event) => {
    const key = `${event.call}/${'attempt' in event ? event.attempt : 0}`;
    switch (event.type) {
      case 'request':
        open.set(key, event);
        break;
      case 'response': {
        const request = open.get(key);
        open.delete(key);
        say(pair(request, event, io));
        break;
      }
      case 'failure': {
        const request = open.get(key);
        open.delete(key);
        if (request !== undefined) say(`${lines(requestLines(request))}`);
        say(`${style.red(`✗ ${event.code}`)}: ${visible(event.message)} (${event.duration} ms)\n\n`);
        break;
      }
      case 'redirect':
        say(style.dim(`↪ ${event.status} from ${event.from} to ${event.to}\n`));
        break;
      case 'retry':
        say(style.yellow(`↻ sent again in ${event.wait} ms: ${visible(event.reason)}\n`));
        break;
      case 'wait':
        say(style.dim(`… waited ${event.wait} ms: ${visible(event.reason)}\n`));
        break;
      case 'renew':
        say(style.dim('⟳ the token is renewed\n'));
        break;
    }
  };
}

/** Side by side on a wide terminal, below one another elsewhere. */
function pair(request: Sent | undefined, response: Answered, io: Io): string {
  const style = styleOf(io.stderr, io.env);
  const width = widthOf(io.stderr) ?? NARROW * 1.4;
  const head = style.bold(
    `── ${request?.name ?? response.name ?? 'request'} #${response.call}${response.attempt > 1 ? `, attempt ${response.attempt}` : ''}`,
  );
  const left = request === undefined ? [] : requestLines(request);
  const right = responseLines(response);
  if (width < NARROW) return `${head}\n${lines(left)}${style.dim('· · ·')}\n${lines(right)}\n`;
  const half = Math.floor((width - 3) / 2);
  const rows = beside(
    left.flatMap((line) => cut(line, half)),
    right.flatMap((line) => cut(line, half)),
    half,
  );
  return `${head}\n${rows}\n`;
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('');

function beside(left: readonly string[], right: readonly string[], half: number): string {
  const rows = Math.max(left.length, right.length);
  let text = '';
  for (let row = 0; row < rows; row += 1) {
    const first = left[row] ?? '';
    text += `${first}${' '.repeat(Math.max(0, half - textWidth(first)))} │ ${right[row] ?? ''}`.trimEnd() + '\n';
  }
  return text;
}

function cut(line: string, width: number): string[] {
  const parts = [''];
  for (const character of line) {
    const last = parts.length - 1;
    if (textWidth(parts[last] ?? '') + textWidth(character) > width) parts.push(character);
    else parts[last] += character;
  }
  return parts;
}

const requestLines = ({ method, url, headers, body }: Sent): string[] =>
  [`→ ${method} ${url}`, ...headerLines(headers), ...bodyLines(body)].map(visible);

const responseLines = ({ status, headers, body, bytes, duration }: Answered): string[] =>
  [`← ${status} (${bytes} bytes, ${duration} ms)`, ...headerLines(headers), ...bodyLines(body)].map(visible);

const headerLines = (headers: Record<string, string>): string[] => Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

function bodyLines(body: string | undefined): string[] {
  if (body === undefined || body === '') return [];
  const shown = body.slice(0, BODY_CHARACTERS).trimEnd();
  return ['', ...shown.split('\n'), ...(shown.length < body.trimEnd().length ? [`… ${body.length - shown.length} more characters`] : [])];
}
