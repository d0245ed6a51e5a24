/** A person at a browser, as far as consent needs one. */

/** Opens the authorize URL, signs in, agrees to everything and follows every redirect; the last one leads to the callback. */
export async function consentAs(login: string, authorizeUrl: string): Promise<void> {
  await visit(authorizeUrl, (page) => {
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) return undefined;
    return { url: action, form: new URLSearchParams(prompt === 'login' ? { prompt, login, password: 'any' } : { prompt }) };
  });
}

/** Opens the authorize URL and turns away on the first page. */
export async function refuseConsent(authorizeUrl: string): Promise<void> {
  await visit(authorizeUrl, (page) => {
    const abort = /href="([^"]+\/abort)"/.exec(page)?.[1];
    return abort === undefined ? undefined : { url: abort };
  });
}

/** Opens the page with the device's code in it, confirms that it is theirs, signs in and agrees; `abort` says no instead. */
export async function enterCode(login: string, page: string, answer: 'confirm' | 'abort' = 'confirm'): Promise<void> {
  await visit(page, (text) => {
    const form = /<form[^>]* action="([^"]+)"[^>]*>(.*?)<\/form>/s.exec(text);
    const hidden = [...(form?.[2] ?? '').matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const sent = new URLSearchParams();
    for (const [, name = '', value = ''] of hidden) sent.set(name === 'confirm' ? answer : name, value);
    // The last page may offer to enter another code.
    if (form === null || !(sent.has('user_code') || sent.has('prompt'))) return undefined;
    if (sent.get('prompt') === 'login') for (const [name, value] of Object.entries({ login, password: 'any' })) sent.set(name, value);
    return { url: form[1] ?? '', form: sent };
  });
}

/** What the person does on a page: a form to send or a link to follow; undefined on the last page. */
type Act = (page: string) => { url: string; form?: URLSearchParams } | undefined;

async function visit(start: string, act: Act): Promise<void> {
  const cookies = new Map<string, string>();
  let next: ReturnType<Act> = { url: start };
  for (let step = 0; step < 20 && next !== undefined; step += 1) {
    const { url, form }: { url: string; form?: URLSearchParams } = next;
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) keep(cookies, cookie);
    const page = await response.text();
    const location = response.headers.get('location');
    const action = location === null ? act(page) : { url: location };
    next = action && { ...action, url: new URL(action.url, url).href };
  }
  if (next !== undefined) throw new Error(`Consent did not end after 20 steps: ${next.url.split('?')[0]}`);
}

function keep(cookies: Map<string, string>, setCookie: string): void {
  const [pair = '', ...attributes] = setCookie.split('; ');
  const at = pair.indexOf('=');
  const gone = attributes.some((attribute) => /^expires=Thu, 01 Jan 1970/i.test(attribute));
  if (gone) cookies.delete(pair.slice(0, at));
  else cookies.set(pair.slice(0, at), pair.slice(at + 1));
}
