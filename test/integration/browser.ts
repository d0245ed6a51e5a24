/**
 * A person at a browser, as far as consent needs one: opens the authorize URL, signs in, agrees and follows every
 * redirect, the last of which leads to the callback. Cookies are kept by name; forms are answered by their `prompt`.
 */
export async function consentAs(login: string, authorizeUrl: string): Promise<{ status: number; url: string }> {
  const cookies = new Map<string, string>();
  let url = authorizeUrl;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 20; step += 1) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { body: form }),
    });
    form = undefined;
    for (const cookie of response.headers.getSetCookie()) keep(cookies, cookie);
    const location = response.headers.get('location');
    const text = await response.text();
    if (location !== null) url = new URL(location, url).href;
    else {
      const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1];
      const prompt = /name="prompt" value="([^"]+)"/.exec(text)?.[1];
      if (action === undefined || prompt === undefined) return { status: response.status, url };
      form = new URLSearchParams(prompt === 'login' ? { prompt, login, password: 'any' } : { prompt });
      url = new URL(action, url).href;
    }
  }
  throw new Error(`Consent did not end after 20 steps: ${url.split('?')[0]}`);
}

function keep(cookies: Map<string, string>, setCookie: string): void {
  const [pair = '', ...attributes] = setCookie.split('; ');
  const at = pair.indexOf('=');
  const gone = attributes.some((attribute) => /^expires=Thu, 01 Jan 1970/i.test(attribute));
  if (gone) cookies.delete(pair.slice(0, at));
  else cookies.set(pair.slice(0, at), pair.slice(at + 1));
}
