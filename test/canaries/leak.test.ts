/**
 * Leaks put in on purpose, one a test, to prove that the search finds each kind; runs only with FERRULE_LEAK=1, when
 * run.ts tests itself. The label says what is leaked how.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { FerruleError } from '../../framework/core/errors.ts';
import { canary } from '../canary.ts';

/** A value that a kind of leak has to itself. */
const leak = (kind: string) => canary(`leak: ${kind}`);

describe('leaks', () => {
  it('to standard output and standard error', () => {
    process.stdout.write(`${leak('stdout')}\n`);
    process.stderr.write(`${leak('stderr')}\n`);
  });

  it('to the console, deep in an object', () => {
    console.log({ a: { b: { c: { d: { e: leak('console, depth 5') } } } } });
  });

  it('in errors: message, a hidden field, a cause of a cause', () => {
    expect(new FerruleError('internal', leak('error message')).name).toBe('FerruleError');
    const hidden = new FerruleError('internal', 'nothing to see');
    Object.defineProperty(hidden, 'quiet', { value: { deep: leak('hidden field, added later') }, enumerable: false });
    expect(hidden.message).toBe('nothing to see');
    const cause = new Error('low', { cause: new Error(leak('cause of a cause')) });
    expect(new FerruleError('internal', 'high', { cause }).cause).toBe(cause);
  });

  it('in encoded forms inside longer texts', () => {
    for (const before of ['', 'x', 'xy']) {
      console.log(Buffer.from(`${before}${leak(`base64 after ${before.length} more`)}, and so on`).toString('base64'));
      console.log(Buffer.from(`${before}${leak(`base64url after ${before.length} more`)}, and so on`).toString('base64url'));
    }
    console.log(Buffer.from(leak('hexadecimal')).toString('hex'));
    console.log(`https://example.com/?key=${encodeURIComponent(leak('URL-encoded'))}`);
    console.log([...Buffer.from(leak('URL-encoded whole'))].map((byte) => `%${byte.toString(16)}`).join(''));
    console.log(JSON.stringify({ value: leak('JSON') }));
    console.log(leak('HTML').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'));
    console.log([...leak('HTML references')].map((one) => `&#${one.charCodeAt(0)};`).join(''));
    console.log([...leak('JSON escapes')].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''));
    console.log(Buffer.from(leak('a Buffer')));
  });

  it('to files that stay, that are deleted, that lie in a deleted folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'leak-'));
    await writeFile(join(folder, 'stays'), leak('file'));
    const gone = join(folder, 'gone');
    writeSync(openSync(gone, 'w'), leak('deleted file'));
    await rm(gone);
    const inside = mkdtempSync(join(tmpdir(), 'leak-folder-'));
    await writeFile(join(inside, 'gone'), leak('deleted folder'));
    rmSync(inside, { recursive: true });
  });

  it('by programs', async () => {
    const program = (text: string) => ['-e', `process.stdout.write(${JSON.stringify(text)})`];
    expect(execFileSync(process.execPath, program(leak('program, waited for'))).length).toBeGreaterThan(30);
    const child = spawn(process.execPath, program(leak('program, alongside')));
    child.stdout.resume();
    await once(child, 'close');
  });

  it('by commands', () => {
    const io = { stdout: new PassThrough(), stderr: new PassThrough() };
    globalThis.ferruleCanaries?.printed(io);
    io.stderr.write(leak('command'));
  });

  it('in events', () => {
    const options = globalThis.ferruleCanaries?.traced({ onEvent: (_event: unknown) => undefined });
    options?.onEvent({ type: 'request', headers: { authorization: leak('event') } });
  });
});
