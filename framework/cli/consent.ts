import { listenForCallback } from '../auth/callback-server.ts';
import { DEFAULT_REDIRECT_URI } from '../auth/consent.ts';
import { FerruleError } from '../core/errors.ts';
import type { Consent, ShowCode } from '../engine/connect.ts';
import type { Arguments } from './arguments.ts';
import { openBrowser } from './browser.ts';
import { type Io, print } from './io.ts';
import { ask, canAsk } from './prompt.ts';
import { say } from './say.ts';
import { readAll } from './standard-input.ts';
import { styleOf, visible } from './style.ts';

/** How long a person may take to sign in and agree. Milliseconds. */
const PATIENCE = 5 * 60_000;

/** --redirect: a whole URL, or a port of this machine; else what the connection string says. */
export function redirectUri(args: Arguments, preset = DEFAULT_REDIRECT_URI): string {
  const text = args.text('redirect');
  if (text === undefined) return preset;
  if (!/^\d+$/.test(text)) return text;
  const port = Number(text);
  if (port < 1 || port > 65_535) throw new FerruleError('usage', `--redirect wants a port from 1 to 65535 or a URL, not ${text}`);
  return `http://localhost:${port}/callback`;
}

/** Only this machine's own addresses can be listened on. */
const canListen = (uri: string): boolean => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(uri);

/**
 * Lets the person consent: opens the browser and waits for the redirect, or, with --paste and for redirect URLs that are
 * not on this machine, takes what the browser ended on. `addresses`: where a sandbox stands in for the provider.
 */
export function consentOf(args: Arguments, io: Io, addresses: Readonly<Record<string, string>> | undefined): Consent {
  return async ({ authorizeUrl, redirectUri: uri }) => {
    const url = mapped(authorizeUrl, addresses);
    const style = styleOf(io.stderr, io.env);
    if (args.flag('paste') || !canListen(uri)) {
      await print(io.stderr, `Open this address in a browser, and agree:\n\n  ${style.bold(url)}\n\n`);
      return await pasted(io);
    }
    const server = await listenForCallback(uri, { timeout: PATIENCE, signal: io.signal });
    try {
      const opened = !args.flag('no-browser') && (await openBrowser(io, url));
      await print(
        io.stderr,
        `${opened ? 'Your browser opens. If it does not, open' : 'Open this address in a browser, and agree:'}\n\n  ${style.bold(url)}\n\n`,
      );
      await say(io.stderr, `Waiting for the answer at ${uri} (Ctrl-C ends; --paste is for a browser on another machine).\n`);
      return await server.wait();
    } finally {
      await server.close();
    }
  };
}

/** Shows the code that the person enters on another device, or in the browser that opens here (RFC 8628, 3.3). */
export function showCodeOf(args: Arguments, io: Io, addresses: Readonly<Record<string, string>> | undefined): ShowCode {
  return async ({ userCode, verificationUri, complete, expires }) => {
    const style = styleOf(io.stderr, io.env);
    const page = mapped(verificationUri, addresses);
    // The page with the code filled in still shows it, so that the person compares the two.
    const opened =
      !args.flag('no-browser') && !args.flag('paste') && (await openBrowser(io, mapped(complete ?? verificationUri, addresses)));
    const how = opened
      ? 'Your browser opens. Or open this address on any device, and enter the code:'
      : 'Open this address on any device, and enter the code:';
    await print(io.stderr, `${how}\n\n  ${style.bold(visible(page))}\n  code: ${style.bold(visible(userCode))}\n\n`);
    if (complete !== undefined) await say(io.stderr, `With the code filled in: ${visible(mapped(complete, addresses))}\n`);
    const minutes = Math.max(1, Math.round((expires.getTime() - io.clock.now()) / 60_000));
    await say(
      io.stderr,
      `Waiting for your consent; the code holds for ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} (Ctrl-C ends).\n`,
    );
  };
}

function mapped(url: string, addresses: Readonly<Record<string, string>> = {}): string {
  const { origin } = new URL(url);
  return addresses[origin] === undefined ? url : addresses[origin] + url.slice(origin.length);
}

async function pasted(io: Io): Promise<string> {
  const question = 'Paste the address that the browser ends on (or the code that it shows): ';
  const text = canAsk(io) ? await ask(io, question) : (await readAll(io)).toString('utf8');
  if (text.trim() === '')
    throw new FerruleError('consent_denied', 'Nothing was pasted', {
      next: 'Start again, agree in the browser, and paste its last address.',
    });
  return text;
}
