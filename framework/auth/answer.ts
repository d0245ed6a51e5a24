import { FerruleError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import type { Decode } from '../core/resolved.ts';
import type { Json, Response } from '../core/value.ts';
import { parseXml } from '../core/xml.ts';

/**
 * The answer to a call of an auth method, read as the call says or as its content type does. JSON that comes under another media
 * type is still the answer. @throws FerruleError token_malformed when it is not what the call says
 */
export function answered(response: Response, decode: Decode | undefined): Response {
  const { body } = response;
  if (decode === 'text') return { ...response, body: Buffer.from(response.bytes).toString('utf8').trim() };
  if (typeof body !== 'string') return response;
  const read = readerOf(body, decode, response.headers['content-type']);
  if (read === undefined) return response;
  try {
    return { ...response, body: read(body) };
  } catch (error) {
    if (decode === undefined) return response; // Then it is text, and the caller says so.
    throw new FerruleError('token_malformed', `The answer is no ${decode} (status ${response.status})`, {
      status: response.status,
      cause: error,
    });
  }
}

function readerOf(body: string, decode: Decode | undefined, type = ''): ((text: string) => Json) | undefined {
  if (decode === 'form') return (text) => Object.fromEntries(new URLSearchParams(text));
  if (decode === 'xml' || (decode === undefined && /[/+]xml\b/i.test(type))) return parseXml;
  return decode === 'json' || /^\s*\{/.test(body) ? (text) => parseJson(text, 'text') : undefined;
}
